"""A gate on the network between the app's worker and all that it asks or changes: Dataverse, Partner Center, storage.

It numbers the worker's requests by kind, and can stop at any one of them: before it arrives, or after it was carried
out and before its answer is heard. What happens then (the worker dies, or is frozen) is up to whoever armed it.
Nothing of the app knows of it: it stands before the local cloud's own servers.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Moment(StrEnum):
    """When the world stops at a request."""

    BEFORE = "before it arrives"
    AFTER = "before its answer arrives"
    """It was carried out."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a request is about, such as `Table POST $batch cases`, and whether it changes anything."""

    name: str
    effect: bool


@dataclass(frozen=True, slots=True)
class Step:
    """The request that is the `number`th of its kind, from 1, since the gate began to count."""

    kind: Kind
    number: int


@dataclass(frozen=True, slots=True)
class Point:
    """Where the world stops."""

    step: Step
    moment: Moment

    def __str__(self) -> str:
        return f"{self.step.kind.name} number {self.step.number}, {self.moment}"


@dataclass
class Armed:
    """A point that is waited for; `deed` is done once, when it is reached."""

    point: Point
    deed: Callable[[], None]
    let_go: bool
    """Whether the request goes on once the world does. That of a dead worker does not."""
    reached: bool = False
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)


class Gate:
    """Counts and stops. Lives in the event loop of the servers that it stands before, and is used from there only."""

    def __init__(self) -> None:
        self.seen: Counter[Kind] = Counter()
        self.under_way = 0
        """Requests of the worker that are not answered yet."""
        self._armed: Armed | None = None

    def begin(self, armed: Armed | None = None) -> None:
        """Counts anew, and waits for this point."""
        self.seen.clear()
        self._armed = armed

    def go_on(self) -> None:
        """Lets what was stopped go on."""
        if self._armed is not None:
            self._armed.goes_on.set()

    def before(self, service: str, app: ASGIApp) -> ASGIApp:
        """The app of a service, behind this gate."""

        async def gated(scope: Scope, receive: Receive, send: Send) -> None:
            body = await _body(receive) if scope["type"] == "http" else b""
            kind = kind_of(service, scope["method"], scope["path"], body) if scope["type"] == "http" else None
            if kind is None:
                await app(scope, _replayed(body, receive), send)
                return
            self.under_way += 1
            try:
                await self._pass(kind, app, scope, _replayed(body, receive), send)
            finally:
                self.under_way -= 1

        return gated

    async def _pass(self, kind: Kind, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen[kind] += 1
        armed = self._armed
        if armed is None or armed.reached or armed.point.step != Step(kind, self.seen[kind]):
            await app(scope, receive, send)
            return
        armed.reached = True
        answer: list[Message] = []
        if armed.point.moment is Moment.AFTER:
            await app(scope, receive, _kept(answer))
        armed.deed()
        if not armed.let_go:
            await _gone(receive)
            return
        await armed.goes_on.wait()
        if armed.point.moment is Moment.BEFORE:
            await app(scope, receive, send)
        for message in answer:
            await send(message)


_TABLE = re.compile(r"/devstoreaccount1/(\w+)")
_BATCH_TABLE = re.compile(rb"/devstoreaccount1/(\w+)\(|/devstoreaccount1/(\w+) HTTP")
_MESSAGES = re.compile(r"/devstoreaccount1/([\w-]+)/messages")
_ROW = re.compile(r"\(.*")
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?<=/)\d+(?=/|$)")
_HOSTS_OWN = "hostlocks"


def kind_of(service: str, method: str, path: str, body: bytes) -> Kind | None:
    """What a request is; None for what the worker does not send: the host's requests, and those of this drill."""
    match service:
        case "Table":
            return _table(method, path, body)
        case "Queue":
            found = _MESSAGES.fullmatch(path)
            return Kind(f"Queue {method} {found[1]}", effect=True) if found and method == "POST" else None
        case "dataverse":
            return _dataverse(method, path, body)
        case "partner_center":
            return Kind(f"Partner Center {method} {_ID.sub('*', path)}", effect=method != "GET")
        case "control" if (method, path) == ("POST", "/notifications"):
            return Kind("webhook POST", effect=True)
    return None


def _table(method: str, path: str, body: bytes) -> Kind | None:
    found = _TABLE.match(path)
    if found is not None:
        table, what = found[1], "one row" if "(" in path and "()" not in path else "rows"
        return None if table == _HOSTS_OWN else Kind(f"Table {method} {table}, {what}", effect=method != "GET")
    of = _BATCH_TABLE.search(body)
    return Kind(f"Table {method} {(of[1] or of[2]).decode()}, a transaction", effect=True) if of else None


def _dataverse(method: str, path: str, body: bytes) -> Kind:
    resource = _ROW.sub("", path.rpartition("/api/data/v9.2/")[2])
    if resource != "$batch":
        return Kind(f"Dataverse {method} {resource}", effect=method != "GET")
    writes = any(word in body for word in (b"\nPATCH ", b"\nPOST ", b"\nDELETE ", b"\nPUT "))
    return Kind(f"Dataverse $batch that {'writes' if writes else 'reads'}", effect=writes)


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body once, in one piece, and then whatever comes."""
    told = False

    async def replayed() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _kept(answer: list[Message]) -> Send:
    async def keep(message: Message) -> None:
        answer.append(message)

    return keep


async def _gone(receive: Receive) -> None:
    """Waits until whoever has asked is gone: then nobody misses an answer."""
    while (await receive())["type"] != "http.disconnect":
        pass
