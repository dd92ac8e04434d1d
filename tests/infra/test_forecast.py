"""infra/forecast.py: what would be done in another mode, from answers of the app's own making."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from infra.forecast import headers_of, main, over_http
from shared.entrypoints.bodies import CaseBody, CasePage, CaseSummary, PlanBody
from shared.entrypoints.sweeps import HealthBody, SweepBody

URL = "https://unstuck.azurewebsites.net"
NOON = "2026-11-22T12:00:00Z"


def summary(number: int, disposition: str) -> dict[str, Any]:
    return {
        "id": f"case-{number}",
        "subscription_id": f"{number}",
        "subscription_name": "Office for Contoso",
        "customer_name": "Contoso",
        "provider_name": "CSP",
        "state": "needs_person",
        "cause": {"auto": "trigger_missed", "approve": "already_applied", "person": "unknown"}[disposition],
        "first_cause": None,
        "disposition": disposition,
        "change_id": "c",
        "summary": "",
        "next_step": "",
        "held_back": "quiet | hours",
        "opened_on": NOON,
        "due_on": None,
        "resolved_on": None,
        "attempts": 0,
        "stock": "none",
        "muted": "",
        "muted_until": None,
        "assignee": "",
        "ticket": "",
        "ticket_url": "",
    }


class RunningApp:
    """Answers as the app does: its own bodies check what is put into them."""

    def __init__(self, *dispositions: str, complete: bool = True) -> None:
        self.cases = [CaseSummary.model_validate(summary(n, d)) for n, d in enumerate(dispositions)]
        self.complete = complete
        self.asked: list[str] = []

    def __call__(self, path: str) -> tuple[int, Any]:
        self.asked.append(path)
        name, _, query = path.partition("?")
        if name == "health":
            return 200, self._health().model_dump(mode="json")
        if name == "cases":
            first, rest = self.cases[:2], self.cases[2:]
            page = rest if "cursor=" in query else first
            cursor = "a b" if rest and page is first else None
            return 200, CasePage(cases=page, next_cursor=cursor).model_dump(mode="json")
        case = next(each for each in self.cases if each.id == name.removeprefix("cases/"))
        plan = PlanBody(
            action="retrigger",
            sentence="set Provisioning Status to one and then to two",
            change_id="c",
            status_before=None,
            steps=["one", "two"],
            amendment=None,
            then="",
            reason="",
            digest="d",
        )
        parts: dict[str, Any] = {"findings": [], "reasoning": [], "timeline": [], "first_broken_event": None}
        whole = CaseBody(**case.model_dump(), **parts, plan=plan, asked=None, done=[])
        return 200, whole.model_dump(mode="json")

    def _health(self) -> HealthBody:
        times: dict[str, Any] = {"started_on": NOON, "finished_on": NOON}
        sweep = SweepBody(id="s", complete=self.complete, suspects=1, queued=1, left_alone=0, problem="", **times)
        return HealthBody(status="ok", mode="observe", problems=[], last_sweep=sweep)


def forecast(capsys: pytest.CaptureFixture[str], app: RunningApp, mode: str, code: int = 0) -> str:
    assert main(["--url", URL, "--mode", mode], app) == code
    return capsys.readouterr().out


def test_auto_shows_what_would_be_done_without_asking(capsys: pytest.CaptureFixture[str]) -> None:
    app = RunningApp("auto", "approve", "person", "auto")
    text = forecast(capsys, app, "auto")
    assert "2 of 4 open cases would be written to without asking" in text
    assert "| `case-0` | `trigger_missed` | one; two | quiet / hours |" in text
    assert "`case-1`" not in text
    assert any("cursor=a%20b" in path for path in app.asked), "all pages are read"


def test_approve_shows_what_people_would_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    text = forecast(capsys, RunningApp("auto", "approve", "person"), "approve")
    assert "2 of 3 open cases would be written to after a person's yes" in text
    assert "| `unknown` | person | 1 |" in text


def test_no_name_of_a_customer_gets_into_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Contoso" not in forecast(capsys, RunningApp("auto", "approve"), "approve")


def test_an_incomplete_sweep_is_no_ground_for_a_promotion(capsys: pytest.CaptureFixture[str]) -> None:
    assert "The last sweep is incomplete" in forecast(capsys, RunningApp("auto", complete=False), "auto", code=1)


def test_an_app_that_answers_something_else_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", URL, "--mode", "auto"], lambda _: (401, {})) == 1
    assert "did not answer as expected" in capsys.readouterr().err


def test_a_token_is_sent_to_https_only() -> None:
    with pytest.raises(SystemExit):
        main(["--url", "http://unstuck.example", "--mode", "auto"])


class Recorder(BaseHTTPRequestHandler):
    """Answers 200 with what it was sent; `nothing` is not there."""

    def do_GET(self) -> None:
        status = 404 if self.path.endswith("nothing") else 200
        body = json.dumps({"path": self.path, **{name.lower(): text for name, text in self.headers.items()}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/problem+json" if status == 404 else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_over_a_socket_token_and_key_are_sent_and_problems_are_answers() -> None:
    with HTTPServer(("127.0.0.1", 0), Recorder) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        headers = headers_of({"UNSTUCK_TOKEN": "t", "UNSTUCK_KEY": "k"})
        fetch = over_http(f"http://127.0.0.1:{server.server_port}", headers)
        status, sent = fetch("cases?limit=200")
        assert (status, sent["path"], sent["authorization"]) == (200, "/api/cases?limit=200", "Bearer t")
        assert sent["x-functions-key"] == "k"
        assert fetch("nothing")[0] == 404
        server.shutdown()
        thread.join()
