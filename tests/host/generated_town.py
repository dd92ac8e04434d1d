"""The app over a town with every cause, where people sign in and nothing happens unless a run wants it to.

Some of the stock is adopted and waits for a yes, some is held; a surge is held back again and again, so that it can be
confirmed again and again.
"""

import asyncio
import base64
import json
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from drill.gate import Gate
from local.worlds.reading import find_world
from shared.adapters.tables.client import Tables
from shared.adapters.tables.holds import TableHolds
from shared.adapters.tables.operations import TableOperations
from shared.domain.case import ACTING
from shared.domain.operation import Operation
from shared.domain.role import Role
from shared.domain.surge import Hold
from tests.entrypoint_kit import ANN, BOB, TENANT, principal
from tests.host.app_kit import NEVER, QUEUES, App, eventually, may_sign_in, running_first_behind
from tests.host.functions_host_kit import DEADLINE

RITA = "bbbbbbbb-0000-4000-8000-000000000003"
TOKENS = {Role.READER: "token-of-rita", Role.OPERATOR: "token-of-ann", Role.APPROVER: "token-of-bob"}
_PEOPLE = {Role.READER: (RITA, "Rita"), Role.OPERATOR: (ANN, "Ann"), Role.APPROVER: (BOB, "Bob")}

ADOPTED = 40
"""Cases of the stock, the oldest, that are adopted before a run."""


@dataclass
class Town:
    """The app, behind a gate that sees what it changes."""

    app: App
    gate: Gate

    def __post_init__(self) -> None:
        names = [name + poison for name in QUEUES for poison in ("", "-poison")]
        self._queues = [self.app.queue(name) for name in names]

    def idle(self) -> bool:
        """Whether no message is left, hidden ones and those of the poison queues included."""
        return not any(queue.count() for queue in self._queues)

    def ask(self, method: str, path: str, body: object = None, role: Role = Role.APPROVER) -> httpx.Response:
        """One request of somebody with this role."""
        headers = {"authorization": f"Bearer {TOKENS[role]}"}
        content = None if body is None else json.dumps(body)
        url = f"{self.app.host.url}/api{path}"
        return httpx.request(method, url, headers=headers, content=content, timeout=DEADLINE)

    def wake(self) -> None:
        """What is due is looked at now; back once it was."""
        url = f"{self.app.host.url}/admin/local/functions/wake"
        headers = {"x-functions-key": self.app.host.master_key}
        httpx.post(url, headers=headers, timeout=DEADLINE).raise_for_status()

    def effects(self) -> Counter[str]:
        """What the app has changed so far, in storage and elsewhere, by kind."""
        seen = self.app.cloud.ask(lambda _: dict(self.gate.seen))
        return Counter({kind.name: times for kind, times in seen.items() if kind.effect})

    def settle(self) -> None:
        """Waits until no message is left."""
        eventually(self.idle, "the queues are empty", self.app.messages)

    def go_on(self) -> str:
        """What is due is done, more turns up at once than is let through, and long work is begun: its operation."""
        self.wake()
        self.settle()
        stuck = next(one for one in self.app.all() if one.cause is not None)
        asyncio.run(_left_behind(self.app.storage.connection_string, stuck.id, operation := uuid.uuid4().hex))
        self.app.queue("operate").send(json.dumps({"version": 1, "operation_id": operation}))
        return operation

    def finish(self) -> None:
        """Nothing is held back any more, and what was begun is brought to its end."""
        controls = self.ask("GET", "/controls").json()
        for kind in ("pauses", "mutes"):
            for wish in controls[kind]:
                self.ask("DELETE", f"/{kind}/{wish['id']}")  # one that is over meanwhile is not there any more
        if controls["hold"] is not None:
            self.ask("POST", f"/holds/{controls['hold']['id']}/confirmations")
        eventually(self._at_rest, "nothing that was begun is open")

    def _at_rest(self) -> bool:
        self.wake()
        self.settle()
        acting = [self.ask("GET", f"/cases?state={state}").json()["cases"] for state in ACTING]
        return not any(acting)


async def _left_behind(connection_string: str, subscription_id: str, operation_id: str) -> None:
    """As a sweep and a request that took long would have left it: a hold to be confirmed, a diagnosis to be made."""
    now = datetime.now(UTC)
    hold = Hold(f"{now:%Y%m%dT%H%M%S.%fZ}", now, suspects=51, limit=50, after_silence=False)
    body = json.dumps({"subscription_id": subscription_id, "change_id": None})
    tables = Tables.connect(connection_string)
    await TableHolds(tables).change(lambda watch: (replace(watch, hold=hold), None))
    await TableOperations(tables).begin(Operation(operation_id, "Diagnose", body, f"Ann [{ANN}]", now))
    await tables.close()


@contextmanager
def town(folder: Path) -> Iterator[Town]:
    """A town that was swept once: all that was stuck is known, the oldest of it adopted."""
    may_sign_in(folder, {TOKENS[role]: _principal(role) for role in Role})
    text = find_world("every-cause").read_text("utf-8")
    settings = {"UNSTUCK_MODE": "approve", "UNSTUCK_TENANT_ID": TENANT, "UNSTUCK_KEYS_ALLOWED_AS": ""}
    settings |= {"UNSTUCK_LOOK_AGAIN_SECONDS": "3600", "WAKE_SCHEDULE": NEVER, "UNSTUCK_WEBHOOK_HOSTS": "127.0.0.1"}
    with running_first_behind(gate := Gate(), text, folder, **settings) as app:
        made = Town(app, gate)
        assert made.ask("POST", "/sweeps").status_code in (200, 202)
        made.settle()
        adopt = {"decision": "adopt", "filter": {}, "reason": "let it work", "limit": ADOPTED}
        assert made.ask("POST", "/baseline/decisions", adopt).status_code in (200, 202)
        made.settle()
        yield made


def _principal(role: Role) -> dict[str, Any]:
    oid, name = _PEOPLE[role]
    [encoded] = principal(role.value, oid=oid, name=name).values()
    found: dict[str, Any] = json.loads(base64.b64decode(encoded))
    return found
