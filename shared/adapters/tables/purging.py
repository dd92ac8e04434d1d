"""Purges cases that were closed long ago: events, case row and index rows go together.

    1  only where the events do not fit into one transaction: the case row becomes its remains, then events go
    2  one transaction: the last events, and the case row goes (the newest of its subscription leaves its remains)
    3  the index row goes

Whatever it dies at, the index row is still there, so the next run finds the case and goes on. A case whose row is
its remains is shown to nobody, so nobody sees a history with events missing.
"""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from shared.adapters.tables.client import Replace, Tables
from shared.adapters.tables.held import Current
from shared.adapters.tables.index import CaseIndex, IndexRow
from shared.adapters.tables.index_keys import state_partition
from shared.adapters.tables.keys import CASE, events_of, former_row, grounds_row, partition_of
from shared.adapters.tables.lists import CASES, CaseLists
from shared.adapters.tables.receipts import PARTITION, TABLE, row_before
from shared.adapters.tables.remains import remains_of
from shared.domain.case import State
from shared.errors import CaseUnreadable, NotFound, VersionConflict
from shared.ports import Clock

MOST_LOOKED_AT = 5_000
"""Index rows that one run reads. Cases that were opened long ago and closed lately stand before those to purge."""

AT_ONCE = 100
"""Rows that one transaction deletes."""

_PAGE = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Purger:
    """Deletes from the tables `cases`, `caseindex` and `sweeps`."""

    tables: Tables
    index: CaseIndex
    lists: CaseLists
    clock: Clock

    async def cases(self, closed_before: datetime, limit: int) -> list[str]:
        """See CaseStore.purge."""
        gone: list[str] = []
        async for row in self._candidates(closed_before):
            if len(gone) >= limit:
                break
            if await self._purged(row, closed_before):
                gone.append(f"{row.key.subscription_id}-{row.key.number}")
        return gone

    async def receipts(self, started_before: datetime, limit: int) -> int:
        """See CaseStore.purge_receipts."""
        where = "PartitionKey eq @partition and RowKey gt @after"
        values = {"partition": PARTITION, "after": row_before(started_before)}
        keys = [(PARTITION, str(f.row["RowKey"])) for f in await self.tables.query(TABLE, where, values, limit)]
        for start in range(0, len(keys), AT_ONCE):
            await self.tables.transact(TABLE, [], deletes=keys[start : start + AT_ONCE])
        return len(keys)

    async def _candidates(self, closed_before: datetime) -> AsyncIterator[IndexRow]:
        """Index rows of resolved cases that were opened before then, oldest first. What was dismissed stays."""
        looked_at = 0
        after = ""
        while looked_at < MOST_LOOKED_AT:
            rows = await self.index.labelled(state_partition(State.RESOLVED), {}, after, _PAGE)
            looked_at += len(rows)
            for row in rows:
                if _followed(row) and row.key.time < closed_before:
                    yield row
            if len(rows) < _PAGE or (_followed(rows[-1]) and rows[-1].key.time >= closed_before):
                break
            after = rows[-1].key.row

    async def _purged(self, row: IndexRow, closed_before: datetime) -> bool:
        """Whether this row's case is gone now. One that cannot be read, or that somebody works on, stays."""
        try:
            found = await self.lists.case_of(row)
            if found is None or found.case.number != row.key.number:
                await self.index.drop(row, found.case if found else None, found.held.keys if found else None)
                return False
            if found.case.open or found.case.resolved_on is None or found.case.resolved_on >= closed_before:
                return False
            await self._delete(found)
            await self.index.remove([row.key])
        except CaseUnreadable as error:
            _log.error("Not purged: %s", error)
            return False
        except (VersionConflict, NotFound) as error:
            _log.info("Case %s-%d is purged later: %s", row.key.subscription_id, row.key.number, error)
            return False
        return True

    async def _delete(self, found: Current) -> None:
        case, partition = found.case, partition_of(found.case.subscription_id)
        newest = await self.tables.get(CASES, partition, CASE)
        is_newest = newest is not None and newest.etag == found.held.etag
        key = CASE if is_newest else former_row(case.number)
        etag, rows = found.held.etag, await self._rows_of(partition, case.number)
        while len(rows) >= AT_ONCE:
            if not found.purged and etag == found.held.etag:
                left = remains_of(case, key, self.clock.now(), events_left=True)
                named = {"state_row": found.held.keys.state_row.row}
                [etag] = await self.tables.transact(CASES, [], Replace({**left, **named}, etag))
            await self.tables.transact(CASES, [], deletes=rows[:AT_ONCE])
            rows = rows[AT_ONCE:]
        if is_newest:
            left = remains_of(case, key, self.clock.now(), events_left=False)
            await self.tables.transact(CASES, [], Replace(left, etag), deletes=rows)
        else:
            await self.tables.transact(CASES, [], deletes=[*rows, (partition, key)])

    async def _rows_of(self, partition: str, number: int) -> list[tuple[str, str]]:
        """Keys of everything that belongs to one case, its own row excepted."""
        first, behind = events_of(number)
        where = "PartitionKey eq @partition and RowKey ge @first and RowKey lt @behind"
        values = {"partition": partition, "first": first, "behind": behind}
        found = await self.tables.query(CASES, where, values, None)
        grounds = await self.tables.get(CASES, partition, grounds_row(number))
        return [(partition, str(each.row["RowKey"])) for each in (*found, *([grounds] if grounds else []))]


def _followed(row: IndexRow) -> bool:
    try:
        row.key.check()
    except ValueError:
        return False
    return not row.problem
