"""Which cases are due, open, or in a list: found by index rows, and every one checked against its case's row.

The case's row decides, not a copy in the index: an index row is written before its case and deleted after it, so at
any moment some are early and some are late. What is due must be named by its case. A list shows what its filter wants
by the case's own row, even where the index row that led there has become stale since it was read: otherwise a case
that changes at that moment would be left out although it was wanted all the time. Stale rows are dropped when they
are old enough.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.adapters.storage import all_of
from shared.adapters.tables.ages import believed, by_case, by_row
from shared.adapters.tables.client import Tables
from shared.adapters.tables.cursors import from_cursor, place_of, to_cursor
from shared.adapters.tables.held import Current, current
from shared.adapters.tables.index import CaseIndex, IndexRow
from shared.adapters.tables.index_keys import LISTED, OPEN, labels_wanted, partitions_of, state_partition, wants
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
    """An index row with the case that it leads to, and whether that one could be read at all."""

    row: IndexRow
    there: Case | None = None
    """The case of the row's number as it is now, whether or not it names the row."""
    named: bool = False
    unreadable: bool = False

    @property
    def case(self) -> Case | None:
        """The case, if it names the row."""
        return self.there if self.named else None


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
        for row in await self._index.all_in(OPEN):
            if _sound(row):
                rows[row.key.subscription_id].append(row)
        right = {subscription: several[0].key.time for subscription, several in rows.items() if len(several) == 1}
        doubtful = [row for several in rows.values() if len(several) > 1 for row in several]
        for checked in await self._checked(doubtful):
            if checked.case or checked.unreadable:
                right.setdefault(checked.row.key.subscription_id, checked.row.key.time)
        return right

    async def page(self, wanted: CaseFilter, limit: int, cursor: str | None) -> Page:
        """Cases that a filter wants, oldest first. ValueError for a bad cursor or a limit below 1.

        A case that the filter wants from the first request of the first page to the last of the last one is shown
        exactly once, and every other at most once, whatever is saved meanwhile.
        """
        if limit < 1:
            raise ValueError("a page holds at least one case")
        after = max(from_cursor(cursor, wanted), stamp(wanted.opened_after) if wanted.opened_after else "")
        cases: dict[str, Case] = {}
        while True:
            rows, more = await self._merged(wanted, after, limit - len(cases) + _SPARE)
            for each in await self._checked(rows):
                case = each.there
                if case is None or case.id in cases or not _leads_to(each, case) or not wants(wanted, case):
                    continue
                if len(cases) == limit:
                    return Page(tuple(cases.values()), to_cursor(place_of(list(cases.values())[-1]), wanted))
                cases[case.id] = case
            if not more:
                return Page(tuple(cases.values()))
            after = rows[-1].key.row

    async def aging(self) -> list[Aging]:
        """Every open case, oldest first, as its index rows have it.

        A case is read only where they disagree, so that one which moves from state to state meanwhile is counted
        once. This is also what drops stale rows of states that nobody lists.
        """
        partitions = [LISTED, *(state_partition(state) for state in CaseFilter(open_only=True).states)]
        read = await all_of(self._index.all_in(each) for each in partitions)
        listed, *standing = ([row for row in rows if _sound(row)] for rows in read)
        found, doubtful = believed(listed, (row for rows in standing for row in rows))
        doubted: dict[str, Aging] = {}
        for checked in await self._checked(doubtful):
            if checked.there is not None and checked.there.open:
                doubted[checked.there.id] = by_case(checked.there)
            elif checked.unreadable and checked.row.key.partition != LISTED:
                found.append(by_row(checked.row))
        return sorted([*found, *doubted.values()], key=lambda case: (case.opened_on, case.subscription_id))

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
        """The first `count` index rows that may be wanted, and whether there are more.

        One partition after the other where there are several: see `partitions_of`.
        """
        labels = labels_wanted(wanted)
        before = stamp(wanted.opened_before) if wanted.opened_before else ""
        found = [await self._index.labelled(each, labels, after, count, before) for each in partitions_of(wanted)]
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
        if found is None:
            await self._index.drop(row, None, None)
            return _Checked(row)
        if found.purged:
            if row.key.partition != found.held.keys.state_row.partition:  # by that one the purge comes for it
                await self._index.drop(row, None, None)
            return _Checked(row)
        named = row.key in found.held.keys.all()
        if not named and not _unnamed(row, found):
            await self._index.drop(row, found.case, found.held.keys)
        return _Checked(row, found.case if found.case.number == row.key.number else None, named)

    async def case_of(self, row: IndexRow) -> Current | None:
        """The case of this row's number: the newest of its subscription, or a former one."""
        partition = row.key.subscription_id
        found = await self._tables.get(CASES, partition, CASE)
        newest = current(found) if found else None
        if newest is None or newest.case.number == row.key.number:
            return newest
        former = await self._tables.get(CASES, partition, former_row(row.key.number))
        return current(former) if former else newest


def _leads_to(checked: _Checked, case: Case) -> bool:
    """Whether the row stands where its case does: another place, which only a hand can have written, counts twice."""
    return checked.named or checked.row.key.row.startswith(place_of(case).rstrip("~"))


def _unnamed(row: IndexRow, found: Current) -> bool:
    """Whether the case may have lost the name of this row to an older app: then it is not stale."""
    keys = found.held.keys
    return row.key.partition == LISTED and keys.open_row is not None and keys.listed_row is None


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
