"""Table Storage as the case store uses it: a few requests, bounded, with our errors."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from shared.adapters.storage import HASTE, TROUBLE, code_of, storage_error
from shared.errors import NotFound, VersionConflict

PAGE = 1_000
"""Entities that one answer may hold; the service's own limit."""

_RETRIES: dict[str, Any] = {
    "retry_total": 4,
    "retry_connect": 2,
    "retry_status": 3,
    "retry_backoff_factor": 0.5,
    "retry_backoff_max": 4,
    **HASTE,
}

type Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A row as it was read, with its version."""

    row: Row
    etag: str


@dataclass(frozen=True, slots=True)
class Replace:
    """Put `row` where a row of the same keys stands, if that one still has version `etag`."""

    row: Row
    etag: str


class Tables:
    """The tables of one storage account. A missing table is created when it is first used.

    All methods raise SourceError with source `storage`.
    """

    def __init__(self, service: TableServiceClient, *, concurrency: int = 32) -> None:
        """`concurrency` is how many requests are under way at once, whatever the callers ask for."""
        self._service = service
        self._gate = asyncio.Semaphore(concurrency)
        self._ready: dict[str, TableClient] = {}
        self._creating = asyncio.Lock()

    @classmethod
    def connect(cls, connection_string: str) -> Self:
        """With an account key, as in local.settings.json. Makes no request."""
        return cls(TableServiceClient.from_connection_string(connection_string, **_RETRIES))

    @classmethod
    def sign_in(cls, table_url: str, credential: AsyncTokenCredential) -> Self:
        """With a managed identity: `table_url` is https://<account>.table.core.windows.net. Makes no request."""
        return cls(TableServiceClient(table_url, credential=credential, **_RETRIES))

    async def close(self) -> None:
        """Closes the connections."""
        await self._service.close()

    async def get(self, table: str, partition: str, row: str) -> Found | None:
        """One row by its keys, None when it is not there."""

        async def request(client: TableClient) -> Found | None:
            try:
                return _found(await client.get_entity(partition, row))
            except TROUBLE as error:
                if getattr(error, "status_code", None) == 404 and code_of(error) != "TableNotFound":
                    return None
                raise

        return await self._do(table, f"reading a row of table {table}", request, writes=False)

    async def query(self, table: str, where: str, parameters: Mapping[str, str], limit: int | None) -> list[Found]:
        """Rows in the order of their keys, at most `limit`; None means all. `where` must name a partition."""

        async def request(client: TableClient) -> list[Found]:
            found: list[Found] = []
            size = PAGE if limit is None else min(limit, PAGE)
            pages = client.query_entities(where, parameters=dict(parameters), results_per_page=size).by_page()
            async for page in pages:
                found += [_found(entity) async for entity in page]
                if limit is not None and len(found) >= limit:
                    return found[:limit]
            return found

        return await self._do(table, f"listing rows of table {table}", request, writes=False)

    async def put(self, table: str, row: Row) -> None:
        """Writes a row, whatever stands there. Doing it twice is the same as once."""

        async def request(client: TableClient) -> None:
            await client.upsert_entity(dict(row), mode=UpdateMode.REPLACE)

        await self._do(table, f"writing a row of table {table}", request, writes=True)

    async def delete(self, table: str, partition: str, row: str, etag: str | None = None) -> None:
        """Deletes a row, a missing one too; with `etag` only that version, else VersionConflict or NotFound."""

        async def request(client: TableClient) -> None:
            if etag is None:
                await client.delete_entity(partition, row)
            else:
                condition = MatchConditions.IfNotModified
                await client.delete_entity(partition, row, etag=etag, match_condition=condition)

        await self._do(table, f"deleting a row of table {table}", request, writes=True)

    async def transact(
        self,
        table: str,
        inserts: Sequence[Row],
        replace: Replace | None = None,
        *,
        puts: Sequence[Row] = (),
        deletes: Sequence[tuple[str, str]] = (),
    ) -> list[str]:
        """Inserts rows and replaces one, all in one partition, all or nothing; at most 100 in all.

        `puts` are written whatever stands there; `deletes` are keys of rows that must be there. Returns ETags, the
        replaced row's last. Raises VersionConflict when a row to insert is there already, one to delete is not, or
        the one to replace has another version or is gone; nothing is written then.
        """
        operations: list[Any] = [("create", dict(row)) for row in inserts]
        operations += [("upsert", dict(row), {"mode": UpdateMode.REPLACE}) for row in puts]
        operations += [("delete", {"PartitionKey": partition, "RowKey": row}) for partition, row in deletes]
        if replace is not None:
            condition = {
                "mode": UpdateMode.REPLACE,
                "etag": replace.etag,
                "match_condition": MatchConditions.IfNotModified,
            }
            operations.append(("update", dict(replace.row), condition))

        async def request(client: TableClient) -> list[str]:
            return [str(result.get("etag", "")) for result in await client.submit_transaction(operations)]

        doing = f"saving rows of table {table} in one transaction"
        try:
            return await self._do(table, doing, request, writes=True)
        except NotFound as error:
            if error.code == "TableNotFound":
                raise
            raise VersionConflict("storage", f"A row is gone while {doing}.", status=404) from error

    async def _do[T](
        self, table: str, doing: str, request: Callable[[TableClient], Awaitable[T]], *, writes: bool
    ) -> T:
        async with self._gate:
            try:
                try:
                    return await request(await self._client(table))
                except TROUBLE as error:
                    if code_of(error) != "TableNotFound":
                        raise
                    self._ready.pop(table, None)  # somebody deleted it: nothing was executed, so make it and go on
                    return await request(await self._client(table))
            except TROUBLE as error:
                raise storage_error(error, doing, writes=writes) from error

    async def _client(self, table: str) -> TableClient:
        """The client of a table that is there; asks the service once in this process."""
        if table not in self._ready:
            async with self._creating:
                if table not in self._ready:
                    self._ready[table] = await self._service.create_table_if_not_exists(table)
        return self._ready[table]


def _found(entity: TableEntity) -> Found:
    """KeyError for an answer that is no row of ours."""
    _ = entity["PartitionKey"], entity["RowKey"]
    if not isinstance(etag := entity.metadata["etag"], str):
        raise KeyError("etag")
    return Found(entity, etag)
