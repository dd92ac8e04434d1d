"""Requests to Table Storage, counted where they leave the client: retries and the pages of a long answer too.

`CountedTransport` is handed to the client in place of its own; nothing else of the app is changed for it.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables.aio import TableServiceClient

from shared.adapters.tables.client import Tables

_ROW = re.compile(r"(\w+)\(PartitionKey='(.*?)',\s*RowKey='(.*)'\)$")
_TABLE = re.compile(r"(\w+)(\(\))?$")
_IN_BATCH = re.compile(rb"^(?:POST|PUT|PATCH|DELETE|MERGE) \S+?/(\w+)(?:\(\S*)? HTTP", re.MULTILINE)
_ONE_PARTITION = re.compile(r"^PartitionKey eq '[^']+'( and |$)")
_VERBS = {"PUT": "put", "PATCH": "put", "MERGE": "put", "DELETE": "delete", "POST": "insert", "GET": "get"}


@dataclass(frozen=True, slots=True)
class StorageRequest:
    """One request: what it does to which table, and for a query which rows it asks for."""

    what: str
    """`get cases`, `query caseindex`, `transact cases` …"""
    where: str = ""

    @property
    def one_partition(self) -> bool:
        """Whether it can touch no more than one partition; a query names it first of all."""
        return not self.what.startswith("query ") or _ONE_PARTITION.match(self.where) is not None


@dataclass
class CountedTransport:
    """What a storage client sends its requests with."""

    inner: AioHttpTransport = field(default_factory=AioHttpTransport)
    requests: list[StorageRequest] = field(default_factory=list)

    async def open(self) -> None:
        await self.inner.open()

    async def close(self) -> None:
        await self.inner.close()

    async def __aenter__(self) -> "CountedTransport":
        await self.inner.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.inner.__aexit__(*error)

    async def send(self, request: Any, **how: Any) -> Any:
        self.requests.append(request_of(request.method, request.url, request.body))
        return await self.inner.send(request, **how)

    async def sleep(self, duration: float) -> None:
        await self.inner.sleep(duration)

    def taken(self) -> list[StorageRequest]:
        """What was requested since it was last asked."""
        taken, self.requests = self.requests, []
        return taken


def request_of(method: str, url: str, body: object) -> StorageRequest:
    """What a request asks of Table Storage. ValueError for one that is not understood: it would not be counted."""
    parts = urlsplit(url)
    path = unquote(parts.path).partition("/")[2].partition("/")[2]
    if path == "$batch":
        tables = Counter(_IN_BATCH.findall(body if isinstance(body, bytes) else str(body).encode()))
        if len(tables) != 1:
            raise ValueError(f"a transaction of {dict(tables)}")
        return StorageRequest(f"transact {next(iter(tables)).decode()}")
    if path.startswith("Tables"):
        return StorageRequest(f"{_VERBS[method]} Tables")
    if row := _ROW.match(path):
        return StorageRequest(f"{_VERBS[method]} {row[1]}")
    if not (table := _TABLE.match(path)):
        raise ValueError(f"{method} {path}")
    if method == "GET":
        return StorageRequest(f"query {table[1]}", parse_qs(parts.query).get("$filter", [""])[0])
    return StorageRequest(f"{_VERBS[method]} {table[1]}")


def counted(connection_string: str) -> tuple[Tables, CountedTransport]:
    """Tables of this account whose requests are counted."""
    transport = CountedTransport()
    return Tables(TableServiceClient.from_connection_string(connection_string, transport=transport)), transport
