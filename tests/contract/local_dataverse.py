"""A caller of the local Dataverse in process: real HTTP semantics, no socket, one call a line."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import httpx
from starlette.applications import Starlette

from local.dataverse.access import Access
from local.dataverse.faults import Faults
from local.dataverse.limits import Limits
from local.dataverse.records import Records
from local.dataverse.traffic import Traffic
from local.dataverse.web_api import Options, create_app
from local.schema import load_schema

BASE = "http://contoso.local/api/data/v9.2/"
FORMATTED = "OData.Community.Display.V1.FormattedValue"
USER = "11111111-1111-4111-8111-111111111111"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(frozen=True)
class Answer:
    """One answer, whether it came alone or in a $batch."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json["value"]
        return found

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, code and message of a refusal."""
        error = self.json["error"]
        return self.status, error["code"], error["message"]


class Dataverse:
    """An environment with one application user, its Web API, and a client that signs in as that user."""

    def __init__(self, options: Options | None = None, *, limited: bool = False, **limits: int) -> None:
        self.clock = Clock()
        self.records = Records(clock=self.clock)
        self.access = Access(self.records)
        self.faults = Faults()
        self.traffic = Traffic(self.clock)
        self.app: Starlette = create_app(
            self.records,
            options,
            access=self.access,
            faults=self.faults,
            traffic=self.traffic,
            limits=Limits(self.clock, **limits) if limited else None,
        )
        self.records.create("system_user", {"name": "unstuck", "is_disabled": False}, id=USER, by=USER)
        self.access.grant("token", USER)
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=BASE,
            headers={"Authorization": "Bearer token", "User-Agent": "unstuck/0.1 (sweep)"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()
        self.records.close()

    def send(self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request; `url` is below the service root or absolute, and is sent as it is written."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        given = {"Content-Type": "application/json", **(headers or {})}
        response = self._runner.run(self._client.request(method, url, content=content, headers=given))
        return Answer(response.status_code, response.headers, response.text)

    def together(self, *requests: tuple[str, str]) -> list[Answer]:
        """Several requests at once."""

        async def run() -> list[httpx.Response]:
            async with asyncio.timeout(60):  # says nothing about speed: what is held for ever shall fail, not hang
                return await asyncio.gather(*(self._client.request(method, url) for method, url in requests))

        return [Answer(r.status_code, r.headers, r.text) for r in self._runner.run(run())]

    def get(self, url: str, prefer: str | None = None, **headers: str) -> Answer:
        if prefer is not None:
            headers["Prefer"] = prefer
        return self.send("GET", url, headers=headers)

    def patch(self, url: str, body: Any, etag: str | None = "*", prefer: str | None = None) -> Answer:
        headers = {"If-Match": etag} if etag is not None else {}
        if prefer is not None:
            headers["Prefer"] = prefer
        return self.send("PATCH", url, body, headers)

    def batch(self, *parts: str, go_on: bool = False) -> tuple[Answer, list[Answer]]:
        """A $batch of parts (see `part` and `changeset`): its own answer, and the parts' in order."""
        headers = {"Content-Type": 'multipart/mixed; boundary="batch_1"'}
        if go_on:
            headers["Prefer"] = "odata.continue-on-error"
        outer = self.send("POST", "$batch", multipart("batch_1", parts).encode(), headers)
        return outer, split_batch(outer)


def multipart(boundary: str, parts: Sequence[str]) -> str:
    return "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"


def part(method: str, url: str, body: Any = None, *, content_id: str | None = None, **headers: str) -> str:
    """One request in a $batch; underscores in header names stand for hyphens."""
    text = json.dumps(body) if body is not None else ""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    identity = f"Content-ID: {content_id}\r\n" if content_id else ""
    return (
        f"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{identity}\r\n"
        f"{method} /api/data/v9.2/{url} HTTP/1.1\r\nContent-Type: application/json\r\n{lines}\r\n{text}"
    )


def changeset(*parts: str) -> str:
    return f"Content-Type: multipart/mixed; boundary=changeset_1\r\n\r\n{multipart('changeset_1', parts)}"


def split_batch(outer: Answer) -> list[Answer]:
    """The answers inside a multipart answer, those of changesets included, in order."""
    kind = outer.headers.get("content-type", "")
    if not kind.startswith("multipart/mixed"):
        return []
    return _split(kind, outer.text)


def _split(kind: str, text: str) -> list[Answer]:
    boundary = kind.partition("boundary=")[2].strip('"')
    answers: list[Answer] = []
    for piece in text.split(f"--{boundary}")[1:-1]:
        head, _, rest = piece.removeprefix("\r\n").partition("\r\n\r\n")
        inner = re.search(r"Content-Type: (multipart/mixed; boundary=\S+)", head)
        if inner:
            answers += _split(inner.group(1), rest)
        else:
            answers.append(_answer(head, rest.removesuffix("\r\n")))
    return answers


def _answer(outer_head: str, text: str) -> Answer:
    head, _, body = text.partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in (*outer_head.split("\r\n"), *lines))
    return Answer(int(status.split(" ")[1]), headers, body)


# Names through the schema map, since most of them are assumed and may change.
SCHEMA = load_schema()


def rows_url(table: str) -> str:
    """The entity set of a table."""
    return SCHEMA.table(table).entity_set


def row_url(table: str, id: str) -> str:
    return f"{rows_url(table)}({id})"


def name(table: str, key: str) -> str:
    """A column's name in JSON, $select and $filter; `id` is the primary key."""
    definition = SCHEMA.table(table)
    return definition.primary_id if key == "id" else definition.columns[key].api_name


def nav(table: str, key: str) -> str:
    """A lookup's navigation property."""
    return str(SCHEMA.table(table).columns[key].navigation)


def collection(table: str, key: str) -> str:
    """The collection on the other side of a lookup."""
    return str(SCHEMA.table(table).columns[key].collection)


def option(table: str, column: str, key: str) -> int:
    return SCHEMA.table(table).columns[column].option_value(key)


def make(dataverse: Dataverse, count: int, changes: int = 0) -> list[str]:
    """Subscriptions S00, S01... of one customer, each with as many changes (quantities 1, 2...)."""
    records = dataverse.records
    account = records.create("account", {"name": "Contoso"}, by=USER)
    ids = records.create_many(
        "subscription", [{"name": f"S{n:02}", "customer": account} for n in range(count)], by=USER
    )
    rows = [
        {"subscription": id, "quantity": Decimal(n + 1), "provisioning_status": "awaiting_provisioning"}
        for id in ids
        for n in range(changes)
    ]
    records.create_many("license_change_log", rows, by=USER)
    return ids


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [str(row[name("subscription", "name")]) for row in rows]


def follow(dataverse: Dataverse, url: str, prefer: str | None = None) -> list[list[dict[str, Any]]]:
    """All pages, each nextLink used verbatim."""
    pages: list[list[dict[str, Any]]] = []
    next_url: str | None = url
    while next_url:
        document = dataverse.get(next_url, prefer).json
        pages.append(document["value"])
        next_url = document.get("@odata.nextLink")
    return pages
