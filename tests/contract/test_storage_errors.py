"""What the storage adapters raise when the service answers badly, late or not at all.

Input: a server that answers as it is told, over real sockets. Not faked: Microsoft's clients; only their own retries
are switched off, so that nothing waits.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueServiceClient

from shared.adapters.queues import StorageQueues
from shared.adapters.tables import TableCaseStore
from shared.adapters.tables.client import Tables
from shared.errors import (
    Forbidden,
    Garbled,
    NotFound,
    OutcomeUnknown,
    Refused,
    ServiceTrouble,
    SignInRefused,
    SourceError,
    Throttled,
    Unreachable,
    VersionConflict,
)
from tests.contract.case_kit import opened, subscription
from tests.fakes.clock import ManualClock

pytestmark = pytest.mark.anyio
KEY = "c2VjcmV0LWtleS10aGF0LW11c3Qtbm90LXNob3c="
GUID = "11111111-0000-4000-8000-000000000001"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def serving(answer: bytes | None) -> AsyncIterator[str]:
    """The address of a server that gives this answer to everything; None cuts the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer or b"")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


def answering(status: int, code: str = "Whatever", headers: str = "") -> bytes:
    body = f'{{"odata.error":{{"code":"{code}","message":{{"lang":"en","value":"in its own words"}}}}}}'
    head = f"HTTP/1.1 {status} Reason\r\nContent-Type: application/json\r\nx-ms-error-code: {code}\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


def connection(url: str) -> str:
    account = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1"
    return f"{account};AccountKey={KEY};TableEndpoint={url}/devstoreaccount1;QueueEndpoint={url}/devstoreaccount1;"


async def reading(url: str) -> None:
    async with tables_at(url) as tables:
        await tables.get("cases", "a", "b")


async def listing(url: str) -> None:
    async with tables_at(url) as tables:
        await tables.query("cases", "PartitionKey eq @p", {"p": "a"}, None)


async def writing(url: str) -> None:
    async with tables_at(url) as tables:
        await tables.put("cases", {"PartitionKey": "a", "RowKey": "b"})


async def saving(url: str) -> None:
    async with tables_at(url) as tables:
        await tables.transact("cases", [{"PartitionKey": "a", "RowKey": "b"}])


@asynccontextmanager
async def tables_at(url: str) -> AsyncIterator[Tables]:
    service = TableServiceClient.from_connection_string(connection(url), retry_total=0)
    tables = Tables(service)
    tables._ready["cases"] = service.get_table_client("cases")  # it is there; what counts is the request after
    try:
        yield tables
    finally:
        await tables.close()


async def sending(url: str) -> None:
    queues = StorageQueues(QueueServiceClient.from_connection_string(connection(url), retry_total=0))
    try:
        await queues.diagnose([GUID])
    finally:
        await queues.close()


def _seen(error: SourceError) -> str:
    return f"{error} {error!r} {error.detail}"


@pytest.mark.parametrize(
    ("status", "code", "read", "write"),
    [
        (400, "InvalidInput", Refused, Refused),
        (401, "NoAuthenticationInformation", SignInRefused, SignInRefused),
        (403, "AuthenticationFailed", SignInRefused, SignInRefused),
        (403, "AuthorizationPermissionMismatch", Forbidden, Forbidden),
        (404, "TableNotFound", NotFound, NotFound),
        (409, "TableBeingDeleted", VersionConflict, VersionConflict),
        (412, "UpdateConditionNotSatisfied", VersionConflict, VersionConflict),
        (500, "InternalError", ServiceTrouble, OutcomeUnknown),
        (503, "ServerBusy", Throttled, Throttled),
        (504, "GatewayTimeout", ServiceTrouble, OutcomeUnknown),
    ],
)
async def test_each_answer_has_its_meaning(
    status: int, code: str, read: type[SourceError], write: type[SourceError]
) -> None:
    async with serving(answering(status, code)) as url:
        expectations = [(reading, read), (listing, read), (writing, write), (saving, write), (sending, write)]
        for doing, expected in expectations:
            with pytest.raises(SourceError) as caught:
                await doing(url)
            assert type(caught.value) is expected
            assert caught.value.source == "storage"
            assert caught.value.status == status
            assert KEY not in _seen(caught.value)


async def test_the_services_own_words_and_code_are_kept() -> None:
    async with serving(answering(400, "PropertyValueTooLarge")) as url:
        with pytest.raises(Refused, match="in its own words") as caught:
            await writing(url)
    assert caught.value.code == "PropertyValueTooLarge"


async def test_when_to_come_back_is_passed_on() -> None:
    async with serving(answering(503, "ServerBusy", "Retry-After: 7\r\n")) as url:
        with pytest.raises(Throttled) as caught:
            await reading(url)
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("answer", [None, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"nonsense\r\n\r\n"])
async def test_no_clear_answer_leaves_the_outcome_of_a_write_open(answer: bytes | None) -> None:
    async with serving(answer) as url:
        for doing in (writing, saving, sending):
            with pytest.raises(OutcomeUnknown):
                await doing(url)
        for doing in (reading, listing):
            with pytest.raises((Unreachable, Garbled)):
                await doing(url)


async def test_a_closed_door_means_that_nothing_was_written() -> None:
    async with serving(None) as url:
        pass  # the port is free again, and nobody listens
    for doing in (reading, listing, writing, saving, sending):
        with pytest.raises(Unreachable) as caught:
            await doing(url)
        assert KEY not in _seen(caught.value)


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
@pytest.mark.parametrize("body", ["<html></html>", "{", "[]", "null", '"x"', "{}", '{"value":7}', '{"value":[{}]}', ""])
async def test_an_answer_of_another_kind_is_no_row(kind: str, body: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    async with serving((head + body).encode()) as url:
        with pytest.raises((Garbled, Unreachable)):
            await reading(url)
        if body != "{}":  # to the client, no page and an empty page are the same
            with pytest.raises((Garbled, Unreachable)):
                await listing(url)


async def test_the_store_and_the_queues_make_no_request_until_they_are_used() -> None:
    async with serving(answering(500)) as url:
        store = TableCaseStore.connect(connection(url), ManualClock())
        queues = StorageQueues.connect(connection(url))
        await store.close()
        await queues.close()


async def test_many_reads_at_once_fail_with_one_plain_error() -> None:
    async with serving(answering(403, "AuthorizationFailure")) as url:
        store = TableCaseStore(
            Tables(TableServiceClient.from_connection_string(connection(url), retry_total=0)), ManualClock()
        )
        try:
            with pytest.raises(Forbidden, match="Storage Table Data Contributor"):
                await store.load_many([subscription(n) for n in range(50)])
            with pytest.raises(Forbidden):
                await store.save(opened(), None)
        finally:
            await store.close()
