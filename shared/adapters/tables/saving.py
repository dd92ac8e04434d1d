"""Saves a case with its events: index rows first, then one transaction, then the index rows it no longer needs."""

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

from shared.adapters.tables import events, grounds
from shared.adapters.tables.client import Replace, Row, Tables
from shared.adapters.tables.columns import TRANSACTION_BYTES, size
from shared.adapters.tables.held import Current, Held, current
from shared.adapters.tables.index import CaseIndex
from shared.adapters.tables.index_keys import IndexKey, Keys, keys_for
from shared.adapters.tables.keys import CASE, former_row, partition_of
from shared.adapters.tables.lists import CASES
from shared.adapters.tables.remains import worth_keeping
from shared.adapters.tables.rows import from_row, to_row
from shared.domain.case import Case, Recorded
from shared.errors import CaseConflict, CaseUnreadable, OutcomeUnknown, Refused, SourceError, Throttled, VersionConflict
from shared.ports import Clock, Stored

MOST_EVENTS = 97
"""Events in one save: a transaction has 100 operations; two of them may be case rows, one the decision's grounds."""

_PAUSED = timedelta(seconds=30)
"""A save that took longer than this may have been taken for dead by a reader: half of what readers grant it."""

_log = logging.getLogger(__name__)


class Saver:
    """Writes to the tables `cases` and `caseindex`."""

    def __init__(self, tables: Tables, index: CaseIndex, clock: Clock) -> None:
        self._tables = tables
        self._index = index
        self._clock = clock

    async def save(self, recorded: Recorded, version: str | None) -> Stored:
        """As CaseStore.save says; the case it returns is as a later `load` reads it, shortened where it must be.

        Raises CaseConflict, Refused for a case or event too large for a row, ValueError for what is no case at all,
        CaseUnreadable when the row to be replaced makes no sense, and SourceError.
        """
        case = recorded.case
        held = Held.of(version) if version is not None else None
        former: Row | None = None
        if held is None or held.number != case.number:
            held, former = await self._replaced(case, held)
        before = held.keys if held and held.number == case.number else None
        save_id = uuid4().hex[:16]
        keys = keys_for(case, save_id, before)
        row = to_row(case, CASE) | keys.columns() | {"save_id": save_id}
        saved = from_row(row)  # fails here rather than at the next load
        rows = _fitting(_Rows(row, _inserts(recorded, former), _grounds(recorded)))
        etag = await self._written(rows, held, keys, before, saved)
        return Stored(saved, Held(etag, case.number, keys).version())

    async def _written(self, rows: "_Rows", held: Held | None, keys: Keys, before: Keys | None, case: Case) -> str:
        fresh = keys.all() - (before.all() if before else frozenset())
        since = self._clock.now()
        await self._index.write(fresh, case)
        etag = await self._transaction(rows, held)
        if self._clock.now() - since > _PAUSED and not await self._again(fresh, case):
            return etag  # the old rows are all by which the case is found: they stay
        if before:
            await self._index.remove(before.all() - keys.all())
        return etag

    async def _again(self, fresh: frozenset[IndexKey], case: Case) -> bool:
        """Writes the index rows once more after a pause, in which a reader may have dropped them."""
        try:
            await self._index.write(fresh, case)
        except SourceError as error:
            _log.warning("The index rows of %s could not be written again: %s", case.id, error)
            return False
        return True

    async def _transaction(self, rows: "_Rows", held: Held | None) -> str:
        """The ETag of the case row once everything is saved. Raises CaseConflict when nothing is."""
        replaced = Replace(rows.case, held.etag) if held is not None else None
        inserts = rows.inserts if held is not None else [rows.case, *rows.inserts]
        try:
            etags = await self._tables.transact(CASES, inserts, replaced, puts=rows.grounds)
        except (VersionConflict, OutcomeUnknown, Throttled) as error:
            return await self._settled(rows.case, held, error)
        return etags[0] if held is None else etags[-1]

    async def _settled(self, row: Row, held: Held | None, error: SourceError) -> str:
        """What became of a transaction that failed, by reading: the storage client itself may have sent it twice,
        and then the second answer speaks of the first one's success as a conflict."""
        partition = str(row["PartitionKey"])
        try:
            found = await self._tables.get(CASES, partition, CASE)
        except SourceError as unread:
            message = "Whether the case was saved is not known: it could not be read afterwards."
            raise OutcomeUnknown("storage", message, detail=str(error)) from unread
        if found is not None and found.row.get("save_id") == row["save_id"]:
            return found.etag
        if not isinstance(error, VersionConflict):
            raise error
        if found is None and held is None:
            problem = f"is not there, although events of case {row['number']} are"
            raise CaseUnreadable(f"{partition} / {CASE}", "the row", problem) from error
        if found is not None and held is not None and found.etag == held.etag:
            problem = "is behind the events that are there already"
            raise CaseUnreadable(f"{partition} / {CASE}", "last_sequence", problem) from error
        raise CaseConflict(partition, "somebody else saved it since it was read") from error

    async def _replaced(self, case: Case, held: Held | None) -> tuple[Held | None, Row | None]:
        """For a case that opens: the resolved one it replaces, and the row under which that one is kept."""
        partition = partition_of(case.subscription_id)
        found = await self._tables.get(CASES, partition, CASE)
        if found is None:
            if held is not None:
                raise CaseConflict(partition, "its row is gone")
            return None, None
        there = current(found)
        _check_replaceable(case, there, held)
        former = {**found.row, "RowKey": former_row(there.case.number)}
        return there.held, former if worth_keeping(found.row) else None


def _check_replaceable(case: Case, there: Current, held: Held | None) -> None:
    if held is not None and held.etag != there.held.etag:
        raise CaseConflict(case.subscription_id, "somebody else saved it since it was read")
    if there.case.open:
        raise CaseConflict(case.subscription_id, f"case {there.case.id} is open")
    if case.number != there.case.number + 1:
        raise CaseConflict(case.subscription_id, f"its last case is number {there.case.number}")


def _inserts(recorded: Recorded, former: Row | None) -> list[Row]:
    case = recorded.case
    if len(recorded.events) > MOST_EVENTS:
        raise Refused("storage", f"{len(recorded.events)} events cannot be saved at once, {MOST_EVENTS} can.")
    rows: list[Row] = [events.to_row(case.subscription_id, case.number, event) for event in recorded.events]
    return rows if former is None else [former, *rows]


def _grounds(recorded: Recorded) -> list[Row]:
    case = recorded.case
    return [grounds.to_row(case.subscription_id, case.number, recorded.grounds)] if recorded.grounds else []


@dataclass(frozen=True, slots=True)
class _Rows:
    """What one save writes to table `cases`."""

    case: Row
    inserts: list[Row]
    grounds: list[Row]

    @property
    def bytes(self) -> int:
        return sum(size(each) for each in (self.case, *self.inserts, *self.grounds))


def _fitting(rows: _Rows) -> _Rows:
    """The rows, without the grounds' content where only that is too much. Raises Refused for too large a case."""
    if rows.bytes > TRANSACTION_BYTES:
        rows = replace(rows, grounds=[grounds.without_content(each, size(each)) for each in rows.grounds])
    if (total := rows.bytes) > TRANSACTION_BYTES:
        problem = f"{total:,} bytes, {TRANSACTION_BYTES:,} fit"
        raise Refused("storage", f"The case with its events is too large to be saved at once: {problem}.")
    return rows
