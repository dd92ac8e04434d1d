"""Real connections that behave badly: what was received decides what the client says of a write.

Input: what a server does with a connection. Output: the error, and how many requests the server has received.
Not faked: the connection. Waits between tries are virtual; only the client's own time limits are real, and short.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from shared.adapters.dataverse.client import Dataverse
from shared.adapters.dataverse.parts import Patch, etag
from shared.adapters.web.transport import HttpTransport, TransportLimits
from shared.errors import Garbled, OutcomeUnknown, SourceError, Unreachable
from tests.contract.web_kit import ID, Tokens, VirtualTime

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LINK_TARGET = (
    "/api/data/v9.2/accounts?$select=name&$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie"
    "%2520page%253d%25221%2522%253e%22%20istracking=%22False%22%20/%3E"
)

type Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Server:
    """Reads one request from each connection and then behaves as told."""

    behave: Behaviour
    port: int = 0
    requests: list[str] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head.decode().splitlines()[0])
            await self.behave(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has had enough
        finally:
            writer.close()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def half_an_answer(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b'Content-Length: 100\r\n\r\n{"value": [')
    await writer.drain()


async def half_a_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-")
    await writer.drain()


async def not_http(writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 smtp.example ready\r\n\r\n")
    await writer.drain()


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3_600)


async def a_trickle(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\n \r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def a_flood(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()


@asynccontextmanager
async def served(behave: Behaviour) -> AsyncIterator[Server]:
    server = Server(behave)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    before = asyncio.all_tasks()
    try:
        yield server
    finally:
        listening.close()
        open_connections = asyncio.all_tasks() - before
        for task in open_connections:
            task.cancel()
        await asyncio.gather(*open_connections, return_exceptions=True)
        await listening.wait_closed()


@asynccontextmanager
async def client(port: int, limits: TransportLimits | None = None) -> AsyncIterator[Dataverse]:
    transport = HttpTransport(limits=limits)
    yield Dataverse(
        f"http://127.0.0.1:{port}",
        tokens=Tokens(),
        transport=transport,
        product="unstuck/0.1.0",
        timing=VirtualTime().timing(),
    )
    await transport.aclose()


# On a machine that stalls this may be over before the server has read: so it may count less, never more.
SHORT = TransportLimits(total_seconds=0.3)
SMALL = TransportLimits(answer_bytes=1_000_000)
CASES: list[tuple[Behaviour, TransportLimits | None, type[SourceError]]] = [
    (hang_up, None, Unreachable),
    (half_an_answer, None, Garbled),
    (half_a_head, None, Unreachable),
    (not_http, None, Unreachable),
    (silence, SHORT, Unreachable),
    (a_trickle, SHORT, Unreachable),
    (a_flood, SMALL, Garbled),
]
NAMES = [case[0].__name__ for case in CASES]


@pytest.mark.parametrize(("behave", "limits", "kind"), CASES, ids=NAMES)
async def test_a_read_is_tried_again_and_then_an_error(
    behave: Behaviour, limits: TransportLimits | None, kind: type[SourceError]
) -> None:
    async with served(behave) as server, client(server.port, limits) as dataverse:
        with pytest.raises(SourceError) as caught:
            await dataverse.get_pages("accounts", purpose="sweep")
        assert type(caught.value) is kind
        assert len(server.requests) == 4 or (limits is SHORT and len(server.requests) < 4)


@pytest.mark.parametrize(("behave", "limits"), [case[:2] for case in CASES], ids=NAMES)
async def test_a_write_is_received_once_and_its_outcome_unknown(
    behave: Behaviour, limits: TransportLimits | None
) -> None:
    row = f"accounts({ID})"
    async with served(behave) as server, client(server.port, limits) as dataverse:
        with pytest.raises(OutcomeUnknown):
            await dataverse.patch(row, {"n": 1}, etag=etag('W/"1"'), purpose="remediate")
        [result] = await dataverse.batch([Patch(row, {"n": 1}, etag('W/"1"'))], purpose="remediate")
        assert isinstance(result.error, OutcomeUnknown)
        assert len(server.requests) == 2 or (limits is SHORT and len(server.requests) < 2)


async def test_where_nobody_listens_nothing_was_written() -> None:
    async with served(hang_up) as server:
        port = server.port
    async with client(port) as dataverse:
        with pytest.raises(Unreachable, match="Nothing was changed"):
            await dataverse.patch(f"accounts({ID})", {"n": 1}, etag=etag('W/"1"'), purpose="remediate")


async def test_a_link_reaches_the_server_byte_for_byte() -> None:
    async def two_pages(writer: asyncio.StreamWriter) -> None:
        link = (
            f', "@odata.nextLink": "http://127.0.0.1:{server.port}{LINK_TARGET}"' if len(server.requests) == 1 else ""
        )
        body = f'{{"value": [{{"n": {len(server.requests)}}}]{link}}}'.encode()
        writer.write(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    async with served(two_pages) as server, client(server.port) as dataverse:
        assert await dataverse.get_pages("accounts?$select=name", purpose="sweep") == [{"n": 1}, {"n": 2}]
        assert server.requests[1] == f"GET {LINK_TARGET} HTTP/1.1"


@pytest.mark.parametrize(
    "address", ["http://contoso.crm4.dynamics.com", "ftp://127.0.0.1", "contoso", "https://a@b", ""]
)
def test_a_token_goes_neither_in_clear_nor_to_a_strange_address(address: str) -> None:
    with pytest.raises(ValueError, match=r"https"):
        Dataverse(address, tokens=Tokens(), transport=HttpTransport(), product="unstuck/0.1.0")


async def test_no_error_shows_a_token() -> None:
    class BadTokens(Tokens):
        async def __call__(self) -> str:
            return "secret-token\r\nwith a line break"

    async with served(hang_up) as server:
        transport = HttpTransport()
        dataverse = Dataverse(
            f"http://127.0.0.1:{server.port}",
            tokens=BadTokens(),
            transport=transport,
            product="unstuck/0.1.0",
            timing=VirtualTime().timing(),
        )
        with pytest.raises(SourceError) as caught:
            await dataverse.get_pages("accounts", purpose="sweep")
        await transport.aclose()
    error: BaseException | None = caught.value
    while error is not None:
        assert "secret-token" not in repr(error) + str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
