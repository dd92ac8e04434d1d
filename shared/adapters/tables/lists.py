"""Which cases are due, open, or in a list: found by index rows, and every one checked against its case's row.

The case's row decides, not a copy in the index: an index row is written before its case and deleted after it, so at
any moment some are early and some are late. What disagrees is left out, and dropped when it is old enough.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.adapters.storage import all_of
from shared.adapters.tables.client import Row, Tables
from shared.adapters.tables.cursors import from_cursor, place_of, to_cursor
from shared.adapters.tables.held import Current, current
from shared.adapters.tables.index import CaseIndex, IndexRow
from shared.adapters.tables.index_keys import IndexKey, labels_wanted, state_partition
from shared.adapters.tables.keys import CASE, former_row, stamp
from shared.domain.case import FINAL, Case, State
from shared.errors import CaseUnreadable
from shared.ports import Aging, CaseFilter, Due, Page, Standing

CASES = "cases"

_SPARE = 5
"""Index rows that are read beyond those wanted: some may be stale, and one tells whether there is a next page."""

_DOUBTED = 5
"""How often the row that has stood longest in its state is doubted: it may be a stale one, which is dropped then."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Checked:
    """An index row with what its case says: the case if they agree, and whether that could be read at all."""

    row: IndexRow
    case: Case | None = None
    unreadable: bool = False


class CaseLists:
    """Reads only, except that it drops stale index rows."""

    def __init__(self, tables: Tables, index: CaseIndex) -> None:
        self._tables = tables
        self._index = index

    async def due(self, now: datetime, limit: int) -> list[Due]:
        """Open cases due at `now`, longest due first. One whose row cannot be read is among them: it needs help."""
        due: dict[str, Due] = {}
        after = ""
        while len(due) < limit:
            wanted = limit - len(due) + _SPARE
            rows = await self._index.due(now, after, wanted)
            for checked in await self._checked(rows):
                if checked.case or checked.unreadable:
                    key = checked.row.key
                    due.setdefault(key.subscription_id, Due(key.subscription_id, key.time))
            if len(rows) < wanted:
                break
            after = rows[-1].key.row
        return list(due.values())[:limit]

    async def open_cases(self) -> Mapping[str, datetime]:
        """Every open case with its due time, by one request per thousand.

        Only where a subscription has several rows is its case read. A single row is believed: at worst it is left
        from a save that crashed, and then `due` drops it as soon as its time has come.
        """
        rows: dict[str, list[IndexRow]] = defaultdict(list)
        for row in await self._index.open():
            if _sound(row):
                rows[row.key.subscription_id].append(row)
        right = {subscription: several[0].key.time for subscription, several in rows.items() if len(several) == 1}
        doubtful = [row for several in rows.values() if len(several) > 1 for row in several]
        for checked in await self._checked(doubtful):
            if checked.case or checked.unreadable:
                right.setdefault(checked.row.key.subscription_id, checked.row.key.time)
        return right

    async def page(self, wanted: CaseFilter, limit: int, cursor: str | None) -> Page:
        """Cases that a filter wants, oldest first. ValueError for a bad cursor or a limit below 1."""
        if limit < 1:
            raise ValueError("a page holds at least one case")
        after = max(from_cursor(cursor, wanted), stamp(wanted.opened_after) if wanted.opened_after else "")
        cases: list[Case] = []
        while True:
            rows, more = await self._merged(wanted, after, limit - len(cases) + _SPARE)
            for each in await self._checked(rows):
                if each.case is not None and len(cases) == limit:
                    return Page(tuple(cases), to_cursor(place_of(cases[-1]), wanted))
                if each.case is not None:
                    cases.append(each.case)
            if not more:
                return Page(tuple(cases))
            after = rows[-1].key.row

    async def aging(self) -> list[Aging]:
        """Every open case, oldest first, as its index row has it. Of several rows of a case the newest counts."""
        found = await all_of(self._index.all_in(state_partition(s)) for s in CaseFilter(open_only=True).states)
        newest: dict[str, tuple[str, Aging]] = {}
        for row in (row for rows in found for row in rows):
            if (case := _aging(row)) is None:
                continue
            written = str(row.get("written_on", ""))
            if written >= newest.get(case.subscription_id, ("",))[0]:
                newest[case.subscription_id] = (written, case)
        return sorted((case for _, case in newest.values()), key=lambda case: (case.opened_on, case.subscription_id))

    async def standings(self, most: int) -> list[Standing]:
        """Open cases by state, at most `most` of each; see the port."""
        states = [state for state in State if state not in FINAL]
        found = await all_of(self._standing(state, most) for state in states)
        return [standing for each in found for standing in each]

    async def _standing(self, state: State, most: int) -> list[Standing]:
        rows = [row for row in await self._index.labelled(state_partition(state), {}, "", most) if _sound(row)]
        for _ in range(_DOUBTED):
            if not rows:
                break
            longest = min(rows, key=_since)
            checked = await self._check(longest)
            if checked.case or checked.unreadable:
                break
            rows.remove(longest)
        return [Standing(state, row.cause, row.key.time, _since(row)) for row in rows]

    async def _merged(self, wanted: CaseFilter, after: str, count: int) -> tuple[list[IndexRow], bool]:
        """The first `count` index rows over all states that are wanted, and whether there are more."""
        labels = labels_wanted(wanted)
        partitions = map(state_partition, wanted.states)
        before = stamp(wanted.opened_before) if wanted.opened_before else ""
        found = await all_of(self._index.labelled(each, labels, after, count, before) for each in partitions)
        merged = sorted((row for rows in found for row in rows), key=lambda row: row.key.row)
        more = len(merged) > count or any(len(rows) == count for rows in found)
        return merged[:count], more

    async def _checked(self, rows: list[IndexRow]) -> list[_Checked]:
        return await all_of(self._check(row) for row in rows)

    async def _check(self, row: IndexRow) -> _Checked:
        """Reads the case that an index row speaks of, and drops the row if that one does not name it."""
        if not _sound(row):
            return _Checked(row)
        try:
            found = await self.case_of(row)
        except CaseUnreadable as error:
            _log.error("%s", error)
            return _Checked(row, unreadable=True)
        if found is not None and found.purged:
            return _Checked(row)  # the purge comes for it
        if found is not None and row.key in found.held.keys.all():
            return _Checked(row, found.case)
        await self._index.drop(row, found.case if found else None, found.held.keys if found else None)
        return _Checked(row)

    async def case_of(self, row: IndexRow) -> Current | None:
        """The case of this row's number: the newest of its subscription, or a former one."""
        partition = row.key.subscription_id
        found = await self._tables.get(CASES, partition, CASE)
        newest = current(found) if found else None
        if newest is None or newest.case.number == row.key.number:
            return newest
        former = await self._tables.get(CASES, partition, former_row(row.key.number))
        return current(former) if former else newest


def _aging(row: Row) -> Aging | None:
    """What a row of a state's partition says of its case; None for one written by hand that makes no sense."""
    key = IndexKey(str(row["PartitionKey"]), str(row["RowKey"]))
    try:
        key.check()
        state = State(key.partition.partition("|")[2])
    except ValueError:
        return None
    names = {name: str(row.get(f"{name}_name") or row.get(name) or "") for name in ("provider", "customer", "assignee")}
    return Aging(key.subscription_id, key.number, state, key.time, str(row.get("cause", "")), **names)


def _since(row: IndexRow) -> datetime:
    """When the row was written: with each new state, and each new label. One written by hand says when it began."""
    return row.written_on or row.key.time


def _sound(row: IndexRow) -> bool:
    if row.problem:
        _log.error("%s", row.problem)
        return False
    try:
        row.key.check()
    except ValueError as error:
        _log.warning("An index row written by hand is not followed: %s", error)
        return False
    return True
