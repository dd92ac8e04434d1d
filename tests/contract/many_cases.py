"""A ledger of thousands of cases, made in seconds: saved by the store itself, their index rows written by the hundred.

Not faked: rows, keys and events are what the store makes of each case. Left out while seeding: that index rows are
written before the case, and the look whether there is a case already. Nobody else is there.
"""

import asyncio
from collections import defaultdict
from itertools import batched

from azure.data.tables.aio import TableServiceClient

from shared.adapters.tables.client import Found, Row, Tables
from shared.adapters.tables.index import TABLE as INDEX
from shared.adapters.tables.store import TableCaseStore
from shared.ports import Stored
from tests.contract.changing_cases import nth
from tests.fakes.clock import ManualClock

_AT_ONCE = 100


class SeedingTables(Tables):
    """Knows that every table is empty, and keeps what is put until `flush`."""

    def __init__(self, service: TableServiceClient) -> None:
        super().__init__(service)
        self._kept: dict[str, list[Row]] = defaultdict(list)

    async def get(self, table: str, partition: str, row: str) -> Found | None:
        return None

    async def put(self, table: str, row: Row) -> None:
        if table != INDEX:
            await super().put(table, row)
            return
        self._kept[str(row["PartitionKey"])].append(row)

    async def flush(self) -> None:
        """Writes what was kept, a hundred rows of a partition at once."""
        for kept in self._kept.values():
            # One after the other: the emulator hangs up on who keeps it waiting behind several of these.
            for rows in batched(kept, _AT_ONCE, strict=False):
                await self.transact(INDEX, [], puts=rows)
        self._kept.clear()


async def seed(connection_string: str, clock: ManualClock, numbers: range, of: int) -> dict[str, Stored]:
    """Saves these of so many cases into tables that do not have them; by subscription, as the store gives them."""
    found: dict[str, Stored] = {}
    async with TableServiceClient.from_connection_string(connection_string) as service:
        tables = SeedingTables(service)
        store = TableCaseStore(tables, clock)
        for some in batched(numbers, 500, strict=False):
            for stored in await asyncio.gather(*(store.save(nth(number, of), None) for number in some)):
                found[stored.case.subscription_id] = stored
        await tables.flush()
    return found
