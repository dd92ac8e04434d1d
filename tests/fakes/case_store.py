"""A case store in memory: rows and conflicts as in Table Storage, so that what is read back is what would be.

Not faked: how a case and its events become rows and are read again (shared/adapters/tables/rows.py and events.py).
Faked: the tables, their versions, and the index, which is always right here.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared.adapters.tables import events, grounds, receipts, rows
from shared.adapters.tables.cursors import from_cursor, place_of, to_cursor
from shared.adapters.tables.index_keys import labels_of, wants
from shared.adapters.tables.keys import CASE, event_row, events_of, former_row, grounds_row, partition_of
from shared.adapters.tables.remains import PURGED_ON, remains_of, worth_keeping
from shared.domain.case import Case, Event, Recorded, State
from shared.domain.grounds import Grounds
from shared.errors import CaseConflict, CaseUnreadable, SourceError
from shared.ports import Aging, CaseFilter, Due, Page, Standing, Stored, SweepReceipt

type Hook = Callable[[Recorded], None]


@dataclass
class FakeCaseStore:
    """Port CaseStore. `before_save` and `after_save` are failpoints: what they raise, `save` raises.

    Before means that nothing is saved, after that everything is and only the answer is lost.
    """

    before_save: Hook = lambda _: None
    after_save: Hook = lambda _: None
    before_request: Callable[[], None] = lambda: None
    """Called at the start of everything, saves included."""
    unavailable: SourceError | None = None
    history: list[Case] = field(default_factory=list)
    """Every version of every case that was saved, in order."""
    cases: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """Rows by partition and row key, for tests that seed or break one."""
    versions: dict[str, str] = field(default_factory=dict)
    """The version of each newest case."""
    receipts_kept: list[SweepReceipt] = field(default_factory=list)
    since: dict[str, tuple[dict[str, str], datetime]] = field(default_factory=dict)
    """By partition: state and labels of the newest case, and the time of the event that brought it there."""
    _next: "itertools.count[int]" = field(default_factory=itertools.count)

    async def load(self, subscription_id: str) -> Stored | None:
        await self._turn()
        return self._stored(partition_of(subscription_id))

    async def load_many(self, subscription_ids: Sequence[str]) -> Mapping[str, Stored]:
        await self._turn()
        found = {}
        for subscription_id in subscription_ids:
            try:
                stored = self._stored(partition_of(subscription_id))
            except CaseUnreadable:
                continue
            if stored is not None:
                found[subscription_id] = stored
        return found

    async def save(self, recorded: Recorded, version: str | None) -> Stored:
        await self._turn()
        case = recorded.case
        partition = partition_of(case.subscription_id)
        row = rows.to_row(case, CASE)
        new = {event_row(case.number, e.sequence): events.to_row(partition, case.number, e) for e in recorded.events}
        self.before_save(recorded)
        there = self.cases.setdefault(partition, {})
        former = self._former(case, version)
        if taken := new.keys() & there.keys():
            raise CaseConflict(partition, f"{min(taken)} is there already")
        saved = rows.from_row(row)
        kept = grounds.to_row(partition, case.number, recorded.grounds) if recorded.grounds else None
        there |= {**former, **new, CASE: row} | ({kept["RowKey"]: kept} if kept else {})
        stands = {"state": str(saved.state), **labels_of(saved)}
        if recorded.events and self.since.get(partition, ({},))[0] != stands:
            self.since[partition] = (stands, recorded.events[-1].on)
        self.versions[partition] = str(next(self._next))
        self.history.append(saved)
        self.after_save(recorded)
        return Stored(saved, self.versions[partition])

    async def timeline(self, subscription_id: str, number: int) -> Sequence[Event]:
        await self._turn()
        there = self.cases.get(partition_of(subscription_id), {})
        first, behind = events_of(number)
        return tuple(events.from_row(there[key]) for key in sorted(there) if first <= key < behind)

    async def load_grounds(self, subscription_id: str, number: int) -> Grounds | None:
        await self._turn()
        row = self.cases.get(partition_of(subscription_id), {}).get(grounds_row(number))
        return grounds.from_row(row) if row else None

    async def load_case(self, subscription_id: str, number: int) -> Case | None:
        await self._turn()
        partition = partition_of(subscription_id)
        stored = self._stored(partition)
        newest = stored is not None and stored.case.number == number
        row = self.cases.get(partition, {}).get(CASE if newest else former_row(number))
        return rows.from_row(row) if row and PURGED_ON not in row else None

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        await self._turn()
        all_open = self._open().items()
        due = sorted((when, subscription_id) for subscription_id, when in all_open if when <= now)
        return [Due(subscription_id, when) for when, subscription_id in due][: max(limit, 0)]

    async def open_cases(self) -> Mapping[str, datetime]:
        await self._turn()
        return self._open()

    async def list_cases(self, wanted: CaseFilter, limit: int, cursor: str | None) -> Page:
        await self._turn()
        if limit < 1:
            raise ValueError("a page holds at least one case")
        after = from_cursor(cursor, wanted)
        found = sorted((case for case in self._all() if wants(wanted, case) and place_of(case) > after), key=place_of)
        page = tuple(found[:limit])
        return Page(page, to_cursor(place_of(page[-1]), wanted) if len(found) > limit else None)

    async def aging(self) -> Sequence[Aging]:
        await self._turn()
        found = [case for case in self._all() if case.open]
        return [
            Aging(
                *(case.subscription_id, case.number, case.state, case.opened_on, labels_of(case)["cause"]),
                *(case.provider_name, case.customer_name, case.assignee),
            )
            for case in sorted(found, key=lambda case: (case.opened_on, case.subscription_id))
        ]

    async def standings(self, most: int) -> Sequence[Standing]:
        await self._turn()
        found = []
        for partition in self._open():
            with suppress(CaseUnreadable):
                stored = self._stored(partition)
                if stored is not None:
                    case, (_, since) = stored.case, self.since.get(partition, ({}, stored.case.opened_on))
                    found.append(Standing(case.state, labels_of(case)["cause"], case.opened_on, since))
        found.sort(key=lambda standing: standing.opened_on)
        return [each for state in State for each in [s for s in found if s.state is state][:most]]

    async def save_receipt(self, receipt: SweepReceipt) -> None:
        await self._turn()
        others = [each for each in self.receipts_kept if each.id != receipt.id]
        self.receipts_kept = [*others, receipts.from_row(receipts.to_row(receipt))]

    async def last_receipt(self, *, complete: bool = False) -> SweepReceipt | None:
        await self._turn()
        wanted = [receipt for receipt in self.receipts_kept if receipt.complete or not complete]
        return max(wanted, key=lambda receipt: receipt.started_on, default=None)

    async def purge(self, closed_before: datetime, limit: int) -> Sequence[str]:
        await self._turn()
        old = [c for c in self._all() if not c.open and c.resolved_on is not None and c.resolved_on < closed_before]
        gone = sorted(old, key=place_of)[:limit]
        for case in gone:
            self._purge(case)
        return [case.id for case in gone]

    async def purge_receipts(self, started_before: datetime, limit: int) -> int:
        await self._turn()
        old = [receipt for receipt in self.receipts_kept if receipt.started_on < started_before][:limit]
        self.receipts_kept = [receipt for receipt in self.receipts_kept if receipt not in old]
        return len(old)

    async def receipts(self, limit: int, cursor: str | None) -> tuple[Sequence[SweepReceipt], str | None]:
        await self._turn()
        if cursor is not None and not receipts.is_key(cursor):
            raise ValueError("the cursor is not one that this list handed out")
        keyed = sorted((receipts.to_row(each)["RowKey"], each) for each in self.receipts_kept)
        after = [(key, each) for key, each in keyed if key > (cursor or "")]
        page = after[:limit]
        return [each for _, each in page], page[-1][0] if len(after) > limit else None

    async def receipt(self, id_: str) -> SweepReceipt | None:
        await self._turn()
        return next((each for each in self.receipts_kept if each.id == id_), None)

    async def _turn(self) -> None:
        """Lets others go first, as any request would, then fails where the test says so."""
        await asyncio.sleep(0)
        self.before_request()
        if self.unavailable is not None:
            raise self.unavailable

    def _stored(self, partition: str) -> Stored | None:
        row = self.cases.get(partition, {}).get(CASE)
        return Stored(rows.from_row(row), self.versions.get(partition, "seeded")) if row else None

    def _purge(self, case: Case) -> None:
        there, newest = self.cases[case.subscription_id], self._stored(case.subscription_id)
        first, behind = events_of(case.number)
        for key in [key for key in there if first <= key < behind or key == grounds_row(case.number)]:
            del there[key]
        if newest is not None and newest.case.number == case.number:
            there[CASE] = remains_of(case, CASE, case.resolved_on or case.opened_on, events_left=False)
            self.versions[case.subscription_id] = str(next(self._next))
        else:
            del there[former_row(case.number)]

    def _former(self, case: Case, version: str | None) -> dict[str, dict[str, Any]]:
        """The row to keep of the case that is replaced, if one is. Raises CaseConflict where saving is not allowed."""
        partition = partition_of(case.subscription_id)
        there = self._stored(partition)
        if version is not None and (there is None or there.version != version):
            raise CaseConflict(partition, "somebody else saved it since it was read")
        if there is None or (version is not None and there.case.number == case.number):
            return {}
        if there.case.open or case.number != there.case.number + 1:
            raise CaseConflict(partition, f"its last case is {there.case.id}, {there.case.state}")
        if not worth_keeping(self.cases[partition][CASE]):
            return {}
        key = former_row(there.case.number)
        return {key: {**self.cases[partition][CASE], "RowKey": key}}

    def _open(self) -> dict[str, datetime]:
        """Open cases with their due time; one that cannot be read is always due."""
        due = {}
        for partition in self.cases:
            try:
                stored = self._stored(partition)
            except CaseUnreadable:
                due[partition] = datetime.min.replace(tzinfo=UTC)
                continue
            if stored and stored.case.open:
                due[partition] = stored.case.due_on or stored.case.opened_on
        return due

    def _all(self) -> Iterator[Case]:
        """Every case that can be read, former ones too."""
        for there in self.cases.values():
            for key, row in there.items():
                if (key == CASE or key.startswith("former|")) and PURGED_ON not in row:
                    with suppress(CaseUnreadable):
                        yield rows.from_row(row)
