"""The way to storage past the local cloud: what is signed arrives as it was signed, and faults strike on it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import httpx
import pytest
import uvicorn
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.data.tables.aio import TableClient, TableServiceClient
from azure.storage.queue.aio import QueueClient

from local.azurite import Azurite, connection_string
from local.dataverse.server import server_config
from local.storage.faults import Fault, FaultKind
from local.storage.front import StorageFront

pytestmark = pytest.mark.azurite

ODD = "a|b'c (d) ÿ %20 +"
CUT = (ServiceRequestError, ServiceResponseError)


@asynccontextmanager
async def served(front: StorageFront) -> AsyncIterator[str]:
    """The front on a port of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(server_config(front))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()
        await front.aclose()


@asynccontextmanager
async def table(azurite: Azurite, *faults: Fault) -> AsyncIterator[TableClient]:
    """A new table, reached past a front on which these go wrong from then on, by a client that tries once."""
    armed: list[Fault] = []
    async with AsyncExitStack() as parts:
        url = await parts.enter_async_context(served(StorageFront(lambda: azurite.urls["Table"], lambda: armed)))
        way = connection_string({**azurite.urls, "Table": url})
        service = await parts.enter_async_context(TableServiceClient.from_connection_string(way, retry_total=0))
        client = await service.create_table(f"t{uuid4().hex}")
        armed += faults
        yield await parts.enter_async_context(client)


async def names(client: TableClient) -> list[str]:
    return [str(row["RowKey"]) async for row in client.query_entities("PartitionKey eq @p", parameters={"p": ODD})]


def row(name: str) -> dict[str, str]:
    return {"PartitionKey": ODD, "RowKey": name, "text": "ä" * 3}


def test_signed_requests_of_all_kinds_arrive(azurite: Azurite) -> None:
    async def run() -> None:
        async with table(azurite) as client:
            await client.create_entity(row("one"))
            await client.submit_transaction([("create", row("two")), ("upsert", row(ODD))])
            assert (await client.get_entity(ODD, ODD))["text"] == "äää"
            await client.delete_entity(ODD, "one")
            assert sorted(await names(client)) == sorted(["two", ODD])

    asyncio.run(run())


def test_messages_arrive_too(azurite: Azurite) -> None:
    async def run() -> None:
        async with served(StorageFront(lambda: azurite.urls["Queue"])) as url:
            way = connection_string({**azurite.urls, "Queue": url})
            async with QueueClient.from_connection_string(way, f"q{uuid4().hex}") as queue:
                await queue.create_queue()
                await queue.send_message("hello")
                message = await queue.receive_message()
                assert message is not None
                assert message.content == "hello"

    asyncio.run(run())


@pytest.mark.parametrize(("kind", "status"), [("throttled", 503), ("server_error", 500)])
def test_a_refusal_does_nothing(azurite: Azurite, kind: FaultKind, status: int) -> None:
    async def run() -> None:
        fault = Fault(kind, method="POST", path=r"/t\w+$")
        async with table(azurite, fault) as client:
            with pytest.raises(HttpResponseError) as refused:
                await client.create_entity(row("one"))
            assert refused.value.status_code == status
            assert await names(client) == []
            await client.create_entity(row("one"))
            assert fault.struck == 1

    asyncio.run(run())


@pytest.mark.parametrize(("kind", "there"), [("cut_before", []), ("cut_after", ["one"])])
def test_a_cut_ends_the_connection_before_or_after_it_was_done(
    azurite: Azurite, kind: FaultKind, there: list[str]
) -> None:
    async def run() -> None:
        async with table(azurite, Fault(kind, method="POST")) as client:
            with pytest.raises(CUT):
                await client.create_entity(row("one"))
            assert await names(client) == there

    asyncio.run(run())


def test_without_storage_behind_it_the_answer_says_so() -> None:
    async def run() -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))  # taken, so that nobody else gets it, and nobody listens there
            port = nobody.getsockname()[1]
            async with served(StorageFront(lambda: f"http://127.0.0.1:{port}")) as url, httpx.AsyncClient() as client:
                assert (await client.get(url)).status_code == 502

    asyncio.run(run())
