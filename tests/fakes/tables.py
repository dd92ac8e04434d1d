"""Table Storage in memory: rows with versions, conflicts, and failpoints around every request.

The adapters on top of it are the real ones (shared/adapters/tables); tests/contract proves that they behave here as
they do on Azurite.
"""

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.adapters.tables.client import Found, Replace, Row, Tables
from shared.errors import NotFound, SourceError, VersionConflict

type Key = tuple[str, str]


@dataclass
class FakeTables(Tables):
    """What shared.adapters.tables makes its requests with."""

    rows: dict[str, dict[Key, Found]] = field(default_factory=dict)
    """By table, then by partition and row key."""
    unavailable: SourceError | None = None
    """Raised by every request, before anything is done."""
    before_request: Callable[[str], None] = lambda _: None
    """Called with `get pauses`, `transact budgets` …; what it raises, the request raises, and nothing is done."""
    requests: list[str] = field(default_factory=list)
    _versions: "itertools.count[int]" = field(default_factory=itertools.count)

    async def close(self) -> None:
        """There is nothing to close."""

    async def get(self, table: str, partition: str, row: str) -> Found | None:
        await self._turn("get", table)
        return self._table(table).get((partition, row))

    async def query(self, table: str, where: str, parameters: Mapping[str, str], limit: int | None) -> list[Found]:
        """Only what the adapters on top ask for: one whole partition, or what has expired of it."""
        await self._turn("query", table)
        if where not in ("PartitionKey eq @partition", "PartitionKey eq @partition and expires_on lt @now"):
            raise ValueError(f"the fake does not understand {where!r}")
        rows = self._table(table)
        wanted = [rows[key] for key in sorted(rows) if key[0] == parameters["partition"]]
        if "now" in parameters:
            wanted = [found for found in wanted if str(found.row["expires_on"]) < parameters["now"]]
        return wanted[:limit]

    async def put(self, table: str, row: Row) -> None:
        await self._turn("put", table)
        self._write(table, row)

    async def delete(self, table: str, partition: str, row: str, etag: str | None = None) -> None:
        await self._turn("delete", table)
        there = self._table(table).get((partition, row))
        if etag is not None and there is None:
            raise NotFound("storage", "The row is gone.")
        if etag is not None and there is not None and there.etag != etag:
            raise VersionConflict("storage", "Somebody was faster.")
        self._table(table).pop((partition, row), None)

    async def transact(
        self,
        table: str,
        inserts: Sequence[Row],
        replace: Replace | None = None,
        *,
        puts: Sequence[Row] = (),
        deletes: Sequence[Key] = (),
    ) -> list[str]:
        await self._turn("transact", table)
        there = self._table(table)
        if any(key not in there for key in deletes):
            raise VersionConflict("storage", "A row is gone.")
        if any(_key(row) in there for row in inserts):
            raise VersionConflict("storage", "A row is there already.")
        if replace is not None and (old := there.get(_key(replace.row))) is None:
            raise VersionConflict("storage", "A row is gone.")
        if replace is not None and old is not None and old.etag != replace.etag:
            raise VersionConflict("storage", "Somebody was faster.")
        for key in deletes:
            del there[key]
        rows = [*inserts, *puts, *([replace.row] if replace is not None else [])]
        return [self._write(table, row) for row in rows]

    def edit(self, table: str, partition: str, row: str, **columns: object) -> None:
        """A person in Storage Explorer: writes these columns; None takes a column away."""
        there = self._table(table).get((partition, row))
        edited = {"PartitionKey": partition, "RowKey": row, **(there.row if there else {}), **columns}
        self._write(table, {name: value for name, value in edited.items() if value is not None})

    async def _turn(self, what: str, table: str) -> None:
        """Lets others go first, as any request would, then fails where the test says so."""
        await asyncio.sleep(0)
        self.requests.append(f"{what} {table}")
        self.before_request(f"{what} {table}")
        if self.unavailable is not None:
            raise self.unavailable

    def _table(self, table: str) -> dict[Key, Found]:
        return self.rows.setdefault(table, {})

    def _write(self, table: str, row: Row) -> str:
        etag = f'W/"{next(self._versions)}"'
        self._table(table)[_key(row)] = Found(dict(row), etag)
        return etag


def _key(row: Row) -> Key:
    return str(row["PartitionKey"]), str(row["RowKey"])
