"""Both case stores behind one handle: the fake of the workflow's tests, and the real one on Azurite.

`edit` and `remove` are a person in Storage Explorer.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient

from local.azurite import Azurite
from shared.adapters.tables import TableCaseStore
from shared.domain.case import State
from shared.ports import CaseStore, Due, Stored
from tests.contract.case_kit import MINUTE, NOW, Failpoints, WatchedTables, moved, opened, subscription
from tests.fakes.case_store import FakeCaseStore
from tests.fakes.clock import ManualClock

TABLES = ("cases", "caseindex", "sweeps")


class Bench(Protocol):
    """A case store, its clock, and its rows by hand."""

    @property
    def store(self) -> CaseStore: ...

    @property
    def clock(self) -> ManualClock: ...

    async def edit(self, partition: str, row: str, **columns: Any) -> None:
        """Writes these columns of a row, which need not be there; None takes a column away."""

    async def remove(self, partition: str, row: str) -> None: ...


@dataclass
class FakeBench:
    store: FakeCaseStore
    clock: ManualClock

    async def edit(self, partition: str, row: str, **columns: Any) -> None:
        there = self.store.cases.setdefault(partition, {})
        edited = {"PartitionKey": partition, "RowKey": row, **there.get(row, {}), **columns}
        there[row] = {name: value for name, value in edited.items() if value is not None}
        self.store.versions[partition] = "edited by hand"

    async def remove(self, partition: str, row: str) -> None:
        del self.store.cases[partition][row]


@dataclass
class AzuriteBench:
    store: TableCaseStore
    clock: ManualClock
    points: Failpoints
    tables: WatchedTables
    """What the store makes its requests with."""
    service: TableServiceClient
    """For what a person does in Storage Explorer."""

    async def edit(self, partition: str, row: str, **columns: Any) -> None:
        await self.put("cases", partition, row, **columns)

    async def remove(self, partition: str, row: str) -> None:
        await self.service.get_table_client("cases").delete_entity(partition, row)

    async def put(self, table: str, partition: str, row: str, **columns: Any) -> None:
        client = await self.service.create_table_if_not_exists(table)
        try:
            entity = dict(await client.get_entity(partition, row))
        except ResourceNotFoundError:
            entity = {"PartitionKey": partition, "RowKey": row}
        edited = {name: value for name, value in (entity | columns).items() if value is not None}
        await client.upsert_entity(edited, mode=UpdateMode.REPLACE)

    async def rows(self, table: str) -> list[tuple[str, str]]:
        """Partition and row keys of all rows, sorted."""
        found = self.service.get_table_client(table).list_entities()
        return sorted([(entity["PartitionKey"], entity["RowKey"]) async for entity in found])


@asynccontextmanager
async def on_fake() -> AsyncIterator[FakeBench]:
    """A store in memory."""
    yield FakeBench(FakeCaseStore(), ManualClock())


@asynccontextmanager
async def on_azurite(azurite: Azurite) -> AsyncIterator[AzuriteBench]:
    """The real store on empty tables, with failpoints around its requests."""
    async with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        async for table in service.list_tables():
            if table.name in TABLES:
                await service.delete_table(table.name)
        clock, points = ManualClock(), Failpoints()
        tables = WatchedTables.connect(azurite.connection_string)
        tables.points = points
        store = TableCaseStore(tables, clock)
        try:
            yield AzuriteBench(store, clock, points, tables, service)
        finally:
            await store.close()


A = subscription(1)
LATER = NOW + 60 * MINUTE


async def index_of(real: AzuriteBench) -> list[str]:
    """Index rows, shortened to partition and time."""
    return [f"{partition} {row[11:16]}" for partition, row in await real.rows("caseindex")]


async def due(real: AzuriteBench, at: timedelta = timedelta(0)) -> list[Due]:
    return list(await real.store.due(NOW + at, 10))


async def waiting(real: AzuriteBench) -> Stored:
    return await real.store.save(moved(opened(), State.WAITING, due_on=NOW), None)


async def to_ready(real: AzuriteBench, stored: Stored) -> Stored:
    """A save that changes the due time and the state."""
    return await real.store.save(moved(stored.case, State.READY, due_on=LATER), stored.version)
