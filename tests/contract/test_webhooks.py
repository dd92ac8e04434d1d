"""The rows of webhooks, on Azurite and on the fake; and calls of flows over real connections.

Not faked: the adapters, httpx and its logging.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from local.azurite import Azurite
from shared.adapters.messages import DeliverMessage, decode, deliver_messages, encode
from shared.adapters.notifier import WebhookCallbacks
from shared.adapters.queues import StorageQueues
from shared.adapters.tables.client import Tables
from shared.adapters.tables.webhooks import TableWebhooks
from shared.domain.case import State
from shared.domain.webhook import Delivery, Webhook, id_of
from shared.errors import CaseUnreadable, MessageUnreadable, Refused
from shared.ports import News
from tests.builders import NOW, SUBSCRIPTION
from tests.contract.case_kit import MINUTE
from tests.fakes.tables import FakeTables
from tests.unit.test_webhook import GOOD

pytestmark = pytest.mark.anyio

SECRET = "secret-of-the-flow"
NEWS = News(
    "needs_person:1", "needs_person", f"{SUBSCRIPTION}-1", "Somebody must look.", "Look.", "", {"customer": "Ö"}
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["fake", pytest.param("azurite", marks=pytest.mark.azurite)])
async def tables(request: pytest.FixtureRequest) -> AsyncIterator[Tables]:
    if request.param == "fake":
        yield FakeTables()
        return
    azurite: Azurite = request.getfixturevalue("azurite")
    real = Tables.connect(azurite.connection_string)
    for id_ in (await TableWebhooks(real).read()).webhooks:
        await TableWebhooks(real).remove(id_)
    yield real
    await real.close()


def webhook(by: str = "Ann", **values: object) -> Webhook:
    return Webhook(id_of(by, GOOD), GOOD, by, NOW, **values)  # type: ignore[arg-type]


async def test_what_was_put_is_read(tables: Tables) -> None:
    webhooks = TableWebhooks(tables)
    first = webhook(
        "Ann \ud800", state=State.ESCALATED, cause="unknown", provider="Ö" * 200, failure="no", failed_on=NOW
    )
    second = webhook("Bob")
    await webhooks.put(first)
    await webhooks.put(second)
    kept = replace(first, by="Ann \ufffd")
    assert dict((await webhooks.read()).webhooks) == {kept.id: kept, second.id: second}
    assert await webhooks.load(second.id) == second
    assert await webhooks.load("0" * 32) is None
    for id_ in (first.id, second.id, second.id):
        await webhooks.remove(id_)
    assert (await webhooks.read()).webhooks == {}


async def test_how_a_call_ended_is_noted_unless_the_webhook_is_gone(tables: Tables) -> None:
    webhooks, own = TableWebhooks(tables), webhook()
    await webhooks.ended(own.id, "no answer", NOW)
    assert (await webhooks.read()).webhooks == {}
    await webhooks.put(own)
    await webhooks.ended(own.id, "x" * 100_000, NOW + MINUTE)
    failed = await webhooks.load(own.id)
    assert failed is not None
    assert (failed.failed_on, len(failed.failure)) == (NOW + MINUTE, 1_000)
    await webhooks.ended(own.id, "", NOW + MINUTE)
    assert await webhooks.load(own.id) == own
    await webhooks.remove(own.id)


async def test_the_longest_address_that_is_taken_fits(tables: Tables) -> None:
    webhooks = TableWebhooks(tables)
    own = replace(webhook(), callback_url=GOOD + "x" * (4_000 - len(GOOD)))
    await webhooks.put(own)
    assert await webhooks.load(own.id) == own
    await webhooks.remove(own.id)


@pytest.mark.parametrize(
    ("column", "value"),
    [("callback_url", ""), ("by", 7), ("since", "soon"), ("state", "lost"), ("schema_version", 9), ("failed_on", "x")],
)
async def test_a_row_that_makes_no_sense_is_named_without_its_address(column: str, value: object) -> None:
    tables = FakeTables()
    webhooks, own = TableWebhooks(tables), webhook()
    await webhooks.put(own)
    tables.edit("webhooks", "webhook", own.id, **{column: value})
    read = await webhooks.read()
    assert read.webhooks == {}
    assert column in read.broken[own.id]
    assert SECRET not in read.broken[own.id]
    with pytest.raises(CaseUnreadable, match=column):
        await webhooks.load(own.id)


@pytest.mark.azurite
async def test_a_delivery_is_not_seen_before_its_time(azurite: Azurite) -> None:
    queues = StorageQueues.connect(azurite.connection_string)
    owed = Delivery("0" * 32, SUBSCRIPTION, "needs_person:1", "needs_person")
    client = queues._service.get_queue_client("deliver")
    await queues.deliver([])
    await queues.deliver([owed])
    await queues.deliver([owed, owed], 10 * MINUTE)
    seen = [message async for message in client.receive_messages(max_messages=10)]
    assert len(seen) == 1
    properties = await client.get_queue_properties()
    assert properties.approximate_message_count == 3
    await client.delete_queue()
    await queues.close()


def test_a_message_carries_ids_and_is_read_strictly() -> None:
    owed = Delivery("0" * 32, SUBSCRIPTION, "needs_person:1", "needs_person", tries=2)
    [message] = deliver_messages([owed])
    assert message.delivery == owed
    assert set(json.loads(encode(message))) == {"version", "webhook_id", "subscription_id", "key", "kind", "tries"}
    assert decode(DeliverMessage, encode(message)).delivery == owed
    for wrong in ({"webhook_id": "../x"}, {"tries": -1}, {"kind": "a b"}, {"url": GOOD}, {"subscription_id": "1"}):
        with pytest.raises(MessageUnreadable, match=next(iter(wrong))):
            decode(DeliverMessage, json.dumps({**json.loads(encode(message)), **wrong}))


class Flow:
    """A flow on a real socket of this machine, which answers as it is told."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heard: list[bytes] = []

    async def __aenter__(self) -> "Flow":
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/workflows/x?sig={SECRET}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        self.heard.append(await reader.readexactly(length))
        writer.write(self.answer)
        await writer.drain()
        writer.close()


TAKEN = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def test_a_flow_is_called_with_flat_json_and_no_log_has_its_address(caplog: pytest.LogCaptureFixture) -> None:
    callbacks = WebhookCallbacks(("127.0.0.1",))
    with caplog.at_level(logging.DEBUG):
        async with Flow(TAKEN) as flow:
            await callbacks.call(flow.url, NEWS)
            await callbacks.close()
    [heard] = flow.heard
    assert json.loads(heard) == {
        "key": "needs_person:1",
        "kind": "needs_person",
        "case_id": f"{SUBSCRIPTION}-1",
        "text": "Somebody must look.",
        "next_step": "Look.",
        "who": "",
        "customer": "Ö",
    }
    assert SECRET not in caplog.text
    assert not [f for f in logging.getLogger("httpx").filters if "Discretion" in type(f).__name__]


async def test_no_redirect_is_followed() -> None:
    async with Flow(TAKEN) as other:
        away = f"HTTP/1.1 307 x\r\nLocation: {other.url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        async with Flow(away) as flow:
            callbacks = WebhookCallbacks(("127.0.0.1",))
            with pytest.raises(Refused, match="points elsewhere") as caught:
                await callbacks.call(flow.url, NEWS)
            await callbacks.close()
        assert other.heard == []
    assert SECRET not in f"{caught.value} {vars(caught.value)}"


async def test_a_host_that_is_not_allowed_any_more_is_not_called() -> None:
    callbacks = WebhookCallbacks(("*.logic.azure.com",))
    async with Flow(TAKEN) as flow:
        with pytest.raises(Refused, match="https"):
            await callbacks.call(flow.url, NEWS)
        with pytest.raises(ValueError, match="https"):
            callbacks.check(flow.url)
    assert flow.heard == []
    await callbacks.close()
