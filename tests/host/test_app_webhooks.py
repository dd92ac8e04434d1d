"""A flow subscribes, is called when a case needs a person, and unsubscribes: the real app, over real HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.host.app_answers import problem
from tests.host.app_kit import PROVIDERS, eventually, running

pytestmark = [pytest.mark.host, pytest.mark.azurite]

SECRET = "canary-of-the-flow"
WORLD = f"""
name: webhooks
about: Made for a test.
{PROVIDERS}
subscriptions:
  - group: by-hand
    provider: distributor
    product: e3
    changes:
      - {{type: create, quantity: 10, created: -90d}}
      - {{type: update, quantity: 2, created: -2h, status: awaiting_provisioning}}
    expect: {{cause: manual_provider, outcome: needs_person}}
"""


@dataclass
class Flow:
    """A flow of this machine: it answers as it is told and keeps what it hears."""

    status: int = 202
    heard: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""


@contextmanager
def a_flow() -> Iterator[Flow]:
    flow = Flow()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            flow.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(flow.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    flow.url = f"http://127.0.0.1:{server.server_port}/workflows/x?sig={SECRET}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield flow
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_flow_is_called_until_it_unsubscribes(tmp_path: Path) -> None:
    with a_flow() as flow, running(WORLD, tmp_path, UNSTUCK_WEBHOOK_HOSTS="127.0.0.1") as app:
        refused = app.api.post("/webhooks", json={"callback_url": "https://169.254.169.254/metadata"})
        assert "169.254.169.254" in problem(refused, 400, "callback_url")["detail"]
        made = app.api.post("/webhooks", json={"callback_url": flow.url, "state": "needs_person", "by": "Ann"})
        assert made.status_code == 201
        where = made.headers["Location"]
        assert where == f"{app.host.url}/api/webhooks/{made.json()['id']}"
        app.sweep()
        [stuck] = app.all("by-hand")
        case = app.until(stuck.case, "needs_person")
        eventually(lambda: flow.heard, "the flow is called")
        [heard] = flow.heard
        assert (heard["case_id"], heard["kind"], heard["cause"]) == (stuck.case, "needs_person", "manual_provider")
        assert (heard["text"], heard["next_step"]) == (case["summary"], case["next_step"])
        eventually(app.all_queues_empty, "nothing is left to do")
        [webhook] = app.api.get("/webhooks").json()["webhooks"]
        assert (webhook["by"], webhook["failure"]) == ("Ann (with an API key)", "")
        key = app.api.headers["x-functions-key"]
        assert httpx.delete(where, headers={"x-functions-key": key}).json() == {"id": webhook["id"]}
        assert app.api.get("/webhooks").json() == {"webhooks": [], "broken": []}
        assert SECRET not in app.log() + "\n".join(app.answers) + "\n".join(app.messages())
        assert SECRET not in json.dumps(app.rows(), default=str), "the row is gone, too"


def test_a_flow_that_says_it_is_gone_is_taken_away(tmp_path: Path) -> None:
    with a_flow() as flow, running(WORLD, tmp_path, UNSTUCK_WEBHOOK_HOSTS="127.0.0.1") as app:
        flow.status = 410
        assert app.api.post("/webhooks", json={"callback_url": flow.url}).status_code == 201
        app.sweep()
        eventually(lambda: flow.heard, "the flow is called")
        eventually(lambda: app.api.get("/webhooks").json()["webhooks"] == [], "it is called no more")
        eventually(app.all_queues_empty, "nothing is left to do")
        assert len(flow.heard) == 1
        assert SECRET not in app.log() + "\n".join(app.answers)
