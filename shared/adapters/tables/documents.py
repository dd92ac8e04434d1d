"""Small rows that several workers change at once: read, changed by a pure function, written if nobody did meanwhile.

read row and ETag ──► change ──► write with the ETag ──► done
     ▲                                │ somebody was faster
     └────────────────────────────────┘  a bounded number of times, then nothing is written and the caller told
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from shared.adapters.tables.client import Found, Replace, Tables
from shared.adapters.tables.columns import ENTITY_BYTES, size
from shared.errors import OutcomeUnknown, Refused, Throttled, VersionConflict

TRIES = 40
"""One of all who race for a row gets through in each round, so this many may race at once."""

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Kind[T]:
    """How a value becomes a row's columns and is read again.

    `from_row` raises CaseUnreadable for a row that makes no sense: it stays as it is, and nothing is decided on it.
    """

    table: str
    to_columns: Callable[[T], dict[str, Any]]
    from_row: Callable[[Mapping[str, Any]], T]


class Documents[T]:
    """Rows of one kind. All methods raise SourceError with source `storage`, and CaseUnreadable."""

    def __init__(self, tables: Tables, kind: Kind[T]) -> None:
        self._tables = tables
        self._kind = kind

    async def load(self, partition: str, row: str) -> T | None:
        """One value, None when there is none."""
        found = await self._tables.get(self._kind.table, partition, row)
        return self._kind.from_row(found.row) if found is not None else None

    async def change[R](self, partition: str, row: str, change: Callable[[T | None], tuple[T, R]]) -> R:
        """Puts what `change` makes of the present value in its place, and gives what `change` says besides.

        Nothing is written where it makes the same value. Raises VersionConflict when others were faster every time.
        """
        for _ in range(TRIES):
            found = await self._tables.get(self._kind.table, partition, row)
            before = self._kind.from_row(found.row) if found is not None else None
            after, result = change(before)
            if after == before or await self._saved(partition, row, after, found):
                return result
        raise VersionConflict("storage", f"Too many workers at once were changing a row of table {self._kind.table}.")

    async def _saved(self, partition: str, row: str, value: T, found: Found | None) -> bool:
        """Whether it was written; not when somebody was faster. Settled by reading where the answer was lost."""
        keys = {"PartitionKey": partition, "RowKey": row, "schema_version": SCHEMA_VERSION, "save_id": uuid4().hex}
        new = keys | self._kind.to_columns(value)
        if (bytes_ := size(new)) > ENTITY_BYTES:
            table = self._kind.table
            raise Refused("storage", f"A row of table {table} is too large: {bytes_:,} bytes, {ENTITY_BYTES:,} fit.")
        try:
            if found is None:
                await self._tables.transact(self._kind.table, [new])
            else:
                await self._tables.transact(self._kind.table, [], Replace(new, found.etag))
        except (VersionConflict, OutcomeUnknown, Throttled) as error:
            there = await self._tables.get(self._kind.table, partition, row)
            if there is not None and there.row.get("save_id") == new["save_id"]:
                return True
            if isinstance(error, VersionConflict):
                return False
            raise
        return True
