"""The case store on Table Storage. docs/ledger.md describes its tables for those who read them by hand."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from azure.core.credentials_async import AsyncTokenCredential

from shared.adapters.storage import all_of
from shared.adapters.tables import events, grounds, receipts
from shared.adapters.tables.client import Found, Tables
from shared.adapters.tables.held import Current, current
from shared.adapters.tables.index import CaseIndex
from shared.adapters.tables.keys import CASE, events_of, former_row, grounds_row, partition_of
from shared.adapters.tables.lists import CASES, CaseLists
from shared.adapters.tables.purging import Purger
from shared.adapters.tables.saving import Saver
from shared.domain.case import Case, Event, Recorded
from shared.domain.grounds import Grounds
from shared.errors import CaseUnreadable
from shared.ports import Aging, CaseFilter, Clock, Due, Page, Standing, Stored, SweepReceipt

_log = logging.getLogger(__name__)


class TableCaseStore:
    """CaseStore on the tables `cases`, `caseindex` and `sweeps`, which are created when first used.

    All methods raise SourceError with source `storage` when the service fails, and ValueError for what is no
    subscription id. Everything that reads a case raises CaseUnreadable for a row that makes no sense, except where
    many are read: there the row is left out and an error is logged that names it.
    """

    def __init__(self, tables: Tables, clock: Clock) -> None:
        """`clock` tells how old an index row is; it must be the real one where others write to the same tables."""
        self._tables = tables
        self._index = CaseIndex(tables, clock)
        self._lists = CaseLists(tables, self._index)
        self._saver = Saver(tables, self._index, clock)
        self._purger = Purger(tables, self._index, self._lists, clock)

    @classmethod
    def connect(cls, connection_string: str, clock: Clock) -> "TableCaseStore":
        """With an account key. Makes no request."""
        return cls(Tables.connect(connection_string), clock)

    @classmethod
    def sign_in(cls, table_url: str, credential: AsyncTokenCredential, clock: Clock) -> "TableCaseStore":
        """With an identity: `table_url` is https://<account>.table.core.windows.net. Makes no request."""
        return cls(Tables.sign_in(table_url, credential), clock)

    async def close(self) -> None:
        """Closes the connections; the credential is its owner's to close."""
        await self._tables.close()

    async def load(self, subscription_id: str) -> Stored | None:
        """The newest case of a subscription, open or resolved."""
        found = await self._tables.get(CASES, partition_of(subscription_id), CASE)
        return current(found).stored if found else None

    async def load_many(self, subscription_ids: Sequence[str]) -> Mapping[str, Stored]:
        """One read for each, many at once. Rows that cannot be read are left out: saving over them is refused."""
        wanted = list(dict.fromkeys(subscription_ids))
        found = await all_of(self._tables.get(CASES, partition_of(each), CASE) for each in wanted)
        stored = {each: _readable(row) for each, row in zip(wanted, found, strict=True) if row is not None}
        return {each: case for each, case in stored.items() if case is not None}

    async def save(self, recorded: Recorded, version: str | None) -> Stored:
        """See Saver.save."""
        return await self._saver.save(recorded, version)

    async def timeline(self, subscription_id: str, number: int) -> Sequence[Event]:
        """All events of one case, oldest first; one request per thousand."""
        first, behind = events_of(number)
        where = "PartitionKey eq @partition and RowKey ge @first and RowKey lt @behind"
        values = {"partition": partition_of(subscription_id), "first": first, "behind": behind}
        return tuple(events.from_row(found.row) for found in await self._tables.query(CASES, where, values, None))

    async def load_grounds(self, subscription_id: str, number: int) -> Grounds | None:
        """See CaseStore.load_grounds; one request."""
        found = await self._tables.get(CASES, partition_of(subscription_id), grounds_row(number))
        return grounds.from_row(found.row) if found else None

    async def load_case(self, subscription_id: str, number: int) -> Case | None:
        """One case by its number, None for one that was purged: at most two requests."""
        partition = partition_of(subscription_id)
        found = await self._tables.get(CASES, partition, CASE)
        newest = current(found) if found else None
        if newest is None or newest.case.number == number:
            return _shown(newest)
        former = await self._tables.get(CASES, partition, former_row(number))
        return _shown(current(former)) if former else None

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        """See CaseLists.due."""
        return await self._lists.due(now, limit)

    async def open_cases(self) -> Mapping[str, datetime]:
        """See CaseLists.open_cases."""
        return await self._lists.open_cases()

    async def list_cases(self, wanted: CaseFilter, limit: int, cursor: str | None) -> Page:
        """See CaseLists.page."""
        return await self._lists.page(wanted, limit, cursor)

    async def purge(self, closed_before: datetime, limit: int) -> Sequence[str]:
        """See Purger.cases."""
        return await self._purger.cases(closed_before, limit)

    async def purge_receipts(self, started_before: datetime, limit: int) -> int:
        """See Purger.receipts."""
        return await self._purger.receipts(started_before, limit)

    async def aging(self) -> Sequence[Aging]:
        """See CaseLists.aging."""
        return await self._lists.aging()

    async def standings(self, most: int) -> Sequence[Standing]:
        """See CaseLists.standings."""
        return await self._lists.standings(most)

    async def save_receipt(self, receipt: SweepReceipt) -> None:
        """Saving the same receipt again replaces it."""
        await self._tables.put(receipts.TABLE, receipts.to_row(receipt))

    async def last_receipt(self, *, complete: bool = False) -> SweepReceipt | None:
        """The receipt of the sweep that started last, or of the last complete one; one request."""
        where = "PartitionKey eq @partition" + (" and complete eq true" if complete else "")
        found = await self._tables.query(receipts.TABLE, where, {"partition": receipts.PARTITION}, 1)
        return receipts.from_row(found[0].row) if found else None

    async def receipts(self, limit: int, cursor: str | None) -> tuple[Sequence[SweepReceipt], str | None]:
        """Receipts, newest first; one request. The cursor is the key of the last row of the page before."""
        if cursor is not None and not receipts.is_key(cursor):
            raise ValueError("the cursor is not one that this list handed out")
        where, values = "PartitionKey eq @partition and RowKey gt @after", {"partition": receipts.PARTITION}
        found = await self._tables.query(receipts.TABLE, where, {**values, "after": cursor or ""}, limit + 1)
        page = tuple(receipts.from_row(each.row) for each in found[:limit])
        return page, str(found[limit - 1].row["RowKey"]) if len(found) > limit else None

    async def receipt(self, id_: str) -> SweepReceipt | None:
        """One receipt by its id: looked for in the receipts' partition."""
        where, values = "PartitionKey eq @partition and id eq @id", {"partition": receipts.PARTITION, "id": id_}
        found = await self._tables.query(receipts.TABLE, where, values, 1)
        return receipts.from_row(found[0].row) if found else None


def _shown(found: Current | None) -> Case | None:
    """The case; None for one of which only the remains are there."""
    return found.case if found is not None and not found.purged else None


def _readable(found: Found) -> Stored | None:
    try:
        return current(found).stored
    except CaseUnreadable as error:
        _log.error("%s", error)
        return None
