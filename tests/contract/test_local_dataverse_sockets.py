"""The local Dataverse over a real connection: cuts that really cut, links that lead back."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from local.dataverse.faults import (
    CutAfter,
    CutBefore,
    Fault,
)
from local.dataverse.server import server_config
from tests.contract.local_dataverse import USER, Answer, Dataverse, row_url


@pytest.fixture
def dataverse() -> Iterator[Dataverse]:
    with Dataverse() as environment:
        yield environment


def accounts(dataverse: Dataverse, *names: str) -> list[str]:
    """The addresses of new accounts."""
    return [row_url("account", dataverse.records.create("account", {"name": n}, by=USER)) for n in names]


def names(dataverse: Dataverse) -> list[str]:
    return [row["name"] for row in dataverse.records.find("account")]


@asynccontextmanager
async def served(dataverse: Dataverse) -> AsyncIterator[httpx.AsyncClient]:
    """The app under uvicorn on a port of its own, and a client of it."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(server_config(dataverse.app))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}/api/data/v9.2/"
    try:
        async with httpx.AsyncClient(base_url=base, headers={"Authorization": "Bearer token"}) as client:
            yield client
    finally:
        server.should_exit = True
        await task
        listener.close()


def test_cuts_end_the_tcp_connection_without_an_answer(dataverse: Dataverse) -> None:
    (url,) = accounts(dataverse, "A")

    async def run() -> Answer:
        async with served(dataverse) as client:
            dataverse.faults.add(Fault(CutBefore()))
            with pytest.raises(httpx.TransportError):
                await client.patch(url, json={"name": "B"})
            assert names(dataverse) == ["A"]
            dataverse.faults.add(Fault(CutAfter()))
            with pytest.raises(httpx.TransportError):
                await client.patch(url, json={"name": "B"})
            assert names(dataverse) == ["B"]
            # The server lives on.
            response = await client.get("accounts?$select=name")
            return Answer(response.status_code, response.headers, response.text)

    answer = asyncio.run(run())
    assert [row["name"] for row in answer.rows] == ["B"]


def test_a_cut_sends_not_one_byte(dataverse: Dataverse) -> None:
    async def run() -> bytes:
        async with served(dataverse) as client:
            dataverse.faults.add(Fault(CutBefore()))
            reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
            head = "GET /api/data/v9.2/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\n\r\n"
            writer.write(head.encode())
            received = await reader.read()
            writer.close()
            return received

    assert asyncio.run(run()) == b""


def test_links_lead_back_to_the_server_that_gave_them(dataverse: Dataverse) -> None:
    accounts(dataverse, "A", "B", "C")

    async def run() -> list[str]:
        async with served(dataverse) as client:
            prefer = {"Prefer": "odata.maxpagesize=2"}
            first = (await client.get("accounts?$select=name", headers=prefer)).json()
            assert first["@odata.nextLink"].startswith(str(client.base_url))
            # As a client would: the address exactly as it came.
            second = (await client.get(first["@odata.nextLink"], headers=prefer)).json()
            return [row["name"] for row in first["value"] + second["value"]]

    assert asyncio.run(run()) == ["A", "B", "C"]


def test_headers_and_body_do_not_wait_for_each_other(dataverse: Dataverse) -> None:
    """Without TCP_NODELAY every answer would wait 40 ms for an acknowledgement."""
    options: list[int] = []

    async def spy(scope: Any, receive: Any, send: Any) -> None:
        connection = scope["state"]["transport"].get_extra_info("socket")
        options.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await dataverse.app(scope, receive, send)

    async def run() -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(server_config(spy))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        async with httpx.AsyncClient(headers={"Authorization": "Bearer token"}) as client:
            answer = await client.get(f"http://127.0.0.1:{listener.getsockname()[1]}/api/data/v9.2/WhoAmI")
        server.should_exit = True
        await task
        listener.close()
        return answer.status_code

    assert asyncio.run(run()) == 200
    assert options
    assert all(options)
