"""Table `idempotency`: one row for each key of a caller on a route, with the answer once there is one."""

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from shared.adapters.tables.client import Tables
from shared.adapters.tables.documents import SCHEMA_VERSION, Documents, Kind
from shared.adapters.tables.expired import purged
from shared.adapters.tables.kept_answers import answer_in, columns_of
from shared.adapters.tables.keys import stamp
from shared.adapters.tables.rows import Reader
from shared.domain.idempotency import Entry, KeptAnswer, Turn, answered, given_up, take
from shared.errors import VersionConflict

TABLE = "idempotency"
PARTITION = "key"


class TableIdempotencyKeys:
    """Port IdempotencyKeys. A row that makes no sense makes its key's requests raise CaseUnreadable."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._rows = Documents(tables, Kind(TABLE, _columns, _entry))

    async def begin(self, key: str, request: str, now: datetime) -> Turn:
        """What a request with this key is to do. Of many at once exactly one is given the turn."""
        token = uuid4().hex
        return await self._rows.change(PARTITION, _row(key), lambda before: take(before, request, token, now))

    async def finish(self, key: str, token: str, answer: KeptAnswer) -> None:
        """Keeps the answer. Raises Refused for one that is too long; then nothing is kept, and it is still our turn."""
        await self._change(key, lambda before: answered(before, token, answer))

    async def give_up(self, key: str, token: str, now: datetime) -> None:
        """Nothing was done: the next request with the key may try."""
        await self._change(key, lambda before: given_up(before, token, now))

    async def purge(self, now: datetime) -> int:
        """Takes away up to a hundred entries that have expired; how many."""
        return await purged(self._tables, TABLE, PARTITION, now)

    async def _change(self, key: str, change: Callable[[Entry | None], Entry | None]) -> None:
        if await self._rows.load(PARTITION, _row(key)) is None:
            return  # deleted by hand, or purged: there is nothing to write it to

        def changed(before: Entry | None) -> tuple[Entry, None]:
            after = change(before)
            if after is None:
                raise VersionConflict("storage", "The idempotency key's row is gone.")
            return after, None

        await self._rows.change(PARTITION, _row(key), changed)


def _row(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _columns(entry: Entry) -> dict[str, Any]:
    return {
        "request": entry.request,
        "token": entry.token,
        "begun_on": stamp(entry.begun_on),
        "expires_on": stamp(entry.expires_on),
        **columns_of(entry.answer),
    }


def _entry(row: Mapping[str, Any]) -> Entry:
    read = Reader(row)
    read.version(SCHEMA_VERSION)
    texts = {name: read.text(name) or "" for name in ("request", "token")}
    missing = next((name for name, text in texts.items() if not text), None)
    if missing is not None:
        raise read.fault(missing, "is missing")
    begun_on, expires_on = read.moment("begun_on"), read.moment("expires_on")
    return Entry(**texts, begun_on=begun_on, expires_on=expires_on, answer=answer_in(read, row))
