"""Reads and writes index rows: how open cases are found by time and any case by state, without scanning a table.

A save:  1 new index rows   2 the case's transaction   3 the old index rows deleted
Crash after 1 or 2: a stale row too many, which a reader drops later. An open case is found at every moment.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.adapters.storage import all_of
from shared.adapters.tables.client import Found, Row, Tables
from shared.adapters.tables.index_keys import OPEN, IndexKey, Keys, labels_of, names_of
from shared.adapters.tables.keys import moment_of, stamp
from shared.adapters.tables.versions import INDEX, INDEX_STEPS, up_to_date
from shared.domain.case import Case
from shared.errors import CaseUnreadable, NotFound, OutcomeUnknown, SourceError, Unreachable, VersionConflict
from shared.ports import Clock

TABLE = "caseindex"

SAVE_MAY_TAKE = timedelta(minutes=1)
"""A stale index row younger than this may belong to a save that has not reached its transaction yet."""

FIRST_SAVE_MAY_TAKE = timedelta(hours=1)
"""The same where no case is there at all: nothing but this row could find it if the save came through after all,
so it stays for longer than a function may run."""

_LAST = "~"
"""Sorts after everything that a key of ours may go on with."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IndexRow:
    """An index row as it was read."""

    key: IndexKey
    written_on: datetime | None
    etag: str
    problem: str = ""
    """Why it is neither followed nor dropped: a newer version of the app wrote it. Empty otherwise."""
    cause: str = ""
    """Its label, where the row has labels."""
    provider: str = ""
    customer: str = ""
    assignee: str = ""
    """Names as people write them, where the row has them."""


class CaseIndex:
    """The table `caseindex`."""

    def __init__(self, tables: Tables, clock: Clock) -> None:
        self._tables = tables
        self._clock = clock

    async def write(self, keys: Iterable[IndexKey], case: Case) -> None:
        """Writes these rows of a case. Raises SourceError; then the case must not be saved."""
        try:
            await all_of(self._tables.put(TABLE, self._row(key, case)) for key in keys)
        except OutcomeUnknown as error:
            # One index row more or less changes nothing; the case itself has for sure not been saved.
            raise Unreachable("storage", "No clear answer came while writing an index row.") from error

    async def remove(self, keys: Iterable[IndexKey]) -> None:
        """Deletes rows that no case names any more. Those that cannot be deleted now are dropped by a reader later."""
        try:
            await all_of(self._tables.delete(TABLE, key.partition, key.row) for key in keys)
        except SourceError as error:
            _log.warning("A stale index row stays for now: %s", error)

    async def due(self, until: datetime, after: str, limit: int) -> list[IndexRow]:
        """Rows of open cases due at `until` or before, longest due first, beginning behind the row key `after`."""
        where = "PartitionKey eq @partition and RowKey gt @after and RowKey lt @until"
        values = {"partition": OPEN, "after": after, "until": stamp(until) + _LAST}
        return await self._rows(where, values, limit)

    async def labelled(
        self, partition: str, labels: Mapping[str, str], after: str, limit: int, before: str = ""
    ) -> list[IndexRow]:
        """Rows of one state that bear these labels, oldest case first, beginning behind the row key `after`.

        They end in front of the row key `before`, where one is given.
        """
        tests = "".join(f" and {name} eq @{name}" for name in labels)
        values = {"partition": partition, "after": after, **labels}
        if before:
            tests, values = f" and RowKey lt @before{tests}", {**values, "before": before}
        return await self._rows(f"PartitionKey eq @partition and RowKey gt @after{tests}", values, limit)

    async def all_in(self, partition: str) -> list[IndexRow]:
        """Every row of one partition: one request per thousand."""
        return await self._rows("PartitionKey eq @partition", {"partition": partition}, None)

    async def drop(self, row: IndexRow, case: Case | None, keys: Keys | None) -> None:
        """Deletes a stale row once it is too old to belong to a save that is still under way.

        The right rows of its case are written first: a save that was paused between its transaction and its last
        step may have left the stale one as the only row by which its case is found.
        """
        age = None if row.written_on is None else self._clock.now() - row.written_on
        if age is not None and age < (SAVE_MAY_TAKE if case else FIRST_SAVE_MAY_TAKE):
            return
        try:
            if case is not None and keys is not None:
                await self.write(keys.all(), case)
            await self._tables.delete(TABLE, row.key.partition, row.key.row, row.etag)
        except (VersionConflict, NotFound):
            pass  # written again, or dropped by another reader
        except SourceError as error:
            _log.warning("A stale index row stays for now: %s", error)

    def _row(self, key: IndexKey, case: Case) -> Row:
        row: dict[str, Any] = {"PartitionKey": key.partition, "RowKey": key.row, "schema_version": INDEX}
        row["written_on"] = stamp(self._clock.now())
        if key.partition == OPEN:
            return row
        return row | {name: label for name, label in labels_of(case).items() if label} | names_of(case)

    async def _rows(self, where: str, values: Mapping[str, str], limit: int | None) -> list[IndexRow]:
        found = await self._tables.query(TABLE, where, values, limit)
        return [_index_row(each) for each in found]


def _index_row(found: Found) -> IndexRow:
    key = IndexKey(str(found.row["PartitionKey"]), str(found.row["RowKey"]))
    try:
        row = up_to_date(found.row, f"{key.partition} / {key.row}", INDEX, INDEX_STEPS)
    except CaseUnreadable as error:
        return IndexRow(key, None, found.etag, str(error))
    names = {name: str(row.get(f"{name}_name") or row.get(name) or "") for name in ("provider", "customer", "assignee")}
    return IndexRow(key, _written(row), found.etag, cause=str(row.get("cause", "")), **names)


def _written(row: Row) -> datetime | None:
    """When a row was written; None for one written by hand, which no save is waiting for."""
    try:
        return moment_of(str(row.get("written_on")))
    except ValueError:
        return None
