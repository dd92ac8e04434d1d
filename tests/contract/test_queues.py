"""Wake-ups: what is sent, how it is split, and what is refused. The real sender on Azurite, and the fake.

Output: what a listener would find in the queues, decoded as the Functions host decodes it.
"""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from azure.storage.queue.aio import QueueServiceClient

from local.azurite import Azurite
from shared.adapters.messages import (
    DIAGNOSE,
    NOTIFY,
    REMEDIATE,
    DiagnoseMessage,
    Message,
    NotifyMessage,
    RemediateMessage,
    decode,
    encode,
)
from shared.adapters.queues import StorageQueues
from shared.errors import MessageUnreadable
from shared.ports import Queues
from tests.fakes.queues import FakeQueues

KINDS: dict[str, type[Message]] = {DIAGNOSE: DiagnoseMessage, REMEDIATE: RemediateMessage, NOTIFY: NotifyMessage}
A = "11111111-0000-4000-8000-000000000001"


def guids(count: int) -> list[str]:
    return [f"11111111-0000-4000-8000-{n:012d}" for n in range(count)]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Bench:
    queues: Queues
    received: Callable[[str], Awaitable[list[Message]]]
    """Takes all messages out of a queue."""


@pytest.fixture(params=["fake", pytest.param("azurite", marks=pytest.mark.azurite)])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "fake":
        fake = FakeQueues()

        async def take(queue: str) -> list[Message]:
            taken = [message for message in fake.waiting if isinstance(message, KINDS[queue])]
            fake.waiting.clear()
            return taken

        yield Bench(fake, take)
        return
    azurite: Azurite = request.getfixturevalue("azurite")
    async with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        for name in KINDS:
            if name in [queue.name async for queue in service.list_queues()]:
                await service.delete_queue(name)

        async def receive(queue: str) -> list[Message]:
            found = [raw async for raw in service.get_queue_client(queue).receive_messages(max_messages=32)]
            assert all(len(raw.content) < 48 * 1024 for raw in found)
            return [decode(KINDS[queue], base64.b64decode(raw.content, validate=True)) for raw in found]

        queues = StorageQueues.connect(azurite.connection_string)
        yield Bench(queues, receive)
        await queues.close()


def ids_of(message: Message) -> tuple[str, ...]:
    return message.case_ids if isinstance(message, RemediateMessage) else message.subscription_ids


async def _sent(bench: Bench, queue: str, ids: Sequence[str]) -> list[int]:
    """How many ids each message has; all are there, each once."""
    await getattr(bench.queues, queue)(ids)
    messages = await bench.received(queue)
    assert sorted(each for message in messages for each in ids_of(message)) == sorted(set(ids))
    return sorted(len(ids_of(message)) for message in messages)


@pytest.mark.anyio
async def test_ids_are_sent_in_messages_that_are_not_too_large(bench: Bench) -> None:
    cases = [f"{guid}-123456789" for guid in guids(250)]
    for queue in (DIAGNOSE, NOTIFY):
        assert await _sent(bench, queue, guids(1)) == [1]
        assert await _sent(bench, queue, guids(500)) == [500]
        assert await _sent(bench, queue, guids(1_201)) == [201, 500, 500]
    assert await _sent(bench, REMEDIATE, cases) == [50, 100, 100]


@pytest.mark.anyio
async def test_each_id_is_sent_once_and_nothing_is_sent_for_none(bench: Bench) -> None:
    await bench.queues.diagnose([A, A.upper(), A])
    await bench.queues.diagnose([])
    assert await bench.received(DIAGNOSE) == [DiagnoseMessage(subscription_ids=(A,))]


@pytest.mark.anyio
async def test_messages_that_wait_are_counted_those_that_are_worked_on_too(bench: Bench) -> None:
    assert await bench.queues.diagnoses_waiting() == 0
    await bench.queues.diagnose(guids(1_201))
    await bench.queues.notify(guids(1))
    assert await bench.queues.diagnoses_waiting() == 3
    if not isinstance(bench.queues, FakeQueues):
        await bench.received(DIAGNOSE)  # taken and not yet done with
        assert await bench.queues.diagnoses_waiting() == 3


@pytest.mark.anyio
async def test_what_no_listener_would_read_is_not_sent(bench: Bench) -> None:
    for send in (bench.queues.diagnose, bench.queues.notify, bench.queues.remediate):
        with pytest.raises(ValueError, match="is not a"):
            await send(["x"])


@pytest.mark.anyio
@pytest.mark.azurite
async def test_a_queue_that_was_deleted_under_a_running_app_is_made_again(azurite: Azurite) -> None:
    async with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        queues = StorageQueues.connect(azurite.connection_string)
        await queues.diagnose([A])
        await service.delete_queue(DIAGNOSE)
        await queues.diagnose(guids(2_000))  # four at once find it missing, and make it
        found = [raw async for raw in service.get_queue_client(DIAGNOSE).receive_messages(max_messages=32)]
        assert len(found) == 4
        await queues.close()


def test_a_message_is_read_as_it_was_written() -> None:
    messages: list[Message] = [
        DiagnoseMessage(subscription_ids=(A,)),
        RemediateMessage(case_ids=(f"{A}-12",)),
        NotifyMessage(subscription_ids=(A,)),
    ]
    for message in messages:
        assert decode(type(message), encode(message)) == message
    assert encode(messages[0]) == f'{{"version":1,"subscription_ids":["{A}"]}}'


def test_ids_are_read_in_lower_case_and_each_once() -> None:
    text = f'{{"version":1,"subscription_ids":["{A.upper()}","{A}"]}}'
    assert decode(DiagnoseMessage, text).subscription_ids == (A,)


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        (DiagnoseMessage, "", "the message: Invalid JSON"),
        (DiagnoseMessage, "x", "the message: Invalid JSON"),
        (DiagnoseMessage, b"\xff\xfe", "the message: Invalid JSON"),
        (DiagnoseMessage, "[]", "the message: Input should be an object"),
        (DiagnoseMessage, "null", "the message: Input should be an object"),
        (DiagnoseMessage, "{}", "subscription_ids: Field required"),
        (DiagnoseMessage, '{"subscription_ids":"' + A + '"}', "subscription_ids: Input should be a valid array"),
        (DiagnoseMessage, '{"subscription_ids":[]}', "subscription_ids: Tuple should have at least 1 item"),
        (DiagnoseMessage, f'{{"subscription_ids":["{A}","x"]}}', "subscription_ids[1]: 'x' is not a GUID"),
        (DiagnoseMessage, f'{{"subscription_ids":["{A}\\n"]}}', "is not a GUID"),
        (DiagnoseMessage, '{"subscription_ids":[7]}', "subscription_ids[0]: Input should be a valid string"),
        (DiagnoseMessage, '{"subscription_ids":[null]}', "subscription_ids[0]: Input should be a valid string"),
        (DiagnoseMessage, f'{{"version":2,"subscription_ids":["{A}"]}}', "version: Input should be "),
        (DiagnoseMessage, f'{{"version":true,"subscription_ids":["{A}"]}}', "version: Input should be "),
        (DiagnoseMessage, f'{{"version":"1","subscription_ids":["{A}"]}}', "version: Input should be "),
        (DiagnoseMessage, f'{{"subscription_ids":["{A}"],"do":"x"}}', "do: Extra inputs are not permitted"),
        (RemediateMessage, f'{{"subscription_ids":["{A}"]}}', "case_ids: Field required"),
        (RemediateMessage, f'{{"case_ids":["{A}"]}}', "is not a case id"),
        (RemediateMessage, f'{{"case_ids":["{A}-0"]}}', "is not a case id"),
        (RemediateMessage, f'{{"case_ids":["{A}-\u0662"]}}', "is not a case id"),
        (NotifyMessage, '{"subscription_ids":["\\u0000<script>"]}', "subscription_ids[0]: '<script>' is not a GUID"),
    ],
)
def test_a_message_that_makes_no_sense_is_refused_by_name(kind: Any, text: str | bytes, reason: str) -> None:
    with pytest.raises(MessageUnreadable) as caught:
        decode(kind, text)
    assert reason in caught.value.reason
    assert "\n" not in str(caught.value)


def test_a_message_with_too_many_ids_is_refused() -> None:
    cases: list[tuple[type[Message], str, list[str]]] = [
        (DiagnoseMessage, "subscription_ids", guids(501)),
        (NotifyMessage, "subscription_ids", guids(501)),
        (RemediateMessage, "case_ids", [f"{guid}-1" for guid in guids(101)]),
    ]
    for kind, field, ids in cases:
        text = f'{{"{field}":["' + '","'.join(ids) + '"]}'
        with pytest.raises(MessageUnreadable, match=f"{field}: Tuple should have at most"):
            decode(kind, text)


def test_of_many_problems_the_first_are_named() -> None:
    with pytest.raises(MessageUnreadable, match=r"subscription_ids\[4\].*; and .* more$"):
        decode(DiagnoseMessage, '{"subscription_ids":["' + '","'.join(["x" * 10_000] * 100) + '"]}')
