"""Queue triggers and queue outputs on the local host, seen from the queues."""

import asyncio
import json
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from azure.storage.queue import QueueMessage

from local.azurite import Azurite
from local.functions_host import FunctionsHost
from local.functions_host.delivery import Delivery
from local.functions_host.hostjson import QueueOptions
from local.functions_host.invoker import Invoker
from local.functions_host.metadata import Binding, Function
from local.functions_host.outcome import Outcome, Succeeded
from local.functions_host.storage import Storage
from tests.host.functions_host_kit import DEADLINE, TestQueue, eventually, host, log_of

pytestmark = [pytest.mark.host, pytest.mark.azurite]


class Desk:
    """One host on the app `queues`, with queues of its own, so that tests do not meet."""

    def __init__(self, azurite: Azurite, folder: Path, **options: object) -> None:
        self._mark = uuid.uuid4().hex[:8]
        self._connection = azurite.connection_string
        self.work, self.told, self.list = map(self._queue, ("work", "told", "list"))
        self.poison = self._queue("work", "-poison")
        values = {
            "AzureWebJobsStorage": self._connection,
            "Other": self._connection,
            "WORK": self.work.client.queue_name,
            "TOLD": self.told.client.queue_name,
            "LIST": self.list.client.queue_name,
        }
        self.host: FunctionsHost = host("queues", folder, values, **options)

    def _queue(self, name: str, end: str = "") -> TestQueue:
        return TestQueue(self._connection, f"{name}-{self._mark}{end}")

    def post(self, path: str, **more: object) -> httpx.Response:
        headers = {"x-functions-key": self.host.master_key}
        return httpx.post(self.host.url + path, headers=headers, timeout=60, **more)  # type: ignore[arg-type]

    @property
    def log(self) -> Path:
        return log_of(self.host)

    def __enter__(self) -> "Desk":
        self.host.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.host.stop()
        for queue in (self.work, self.told, self.list, self.poison):
            queue.client.close()


@pytest.fixture
def desk(azurite: Azurite, tmp_path: Path) -> Iterator[Desk]:
    with Desk(azurite, tmp_path, stop_grace_seconds=0.5) as running:
        yield running


def wish(do: str, **more: object) -> str:
    return json.dumps({"do": do, **more})


def test_a_message_reaches_the_function_with_its_metadata_and_is_deleted(desk: Desk) -> None:
    desk.work.send(wish("tell", text="ü"))
    told = desk.told.next("the function tells")
    assert told["body"] == wish("tell", text="ü")
    assert told["tries"] == 1
    assert told["id"]
    assert told["receipt"]
    inserted, expires, visible = map(datetime.fromisoformat, told["times"])
    assert inserted < visible < expires
    eventually(lambda: desk.work.count() == 0, "the message is deleted")


def test_a_failing_message_is_tried_as_often_as_host_json_says_and_then_is_poison(desk: Desk) -> None:
    desk.work.send(wish("fail"))
    told = desk.told.next("the poison handler tells")
    assert told["poison"]
    assert told["body"] == wish("fail")
    assert desk.work.count() == 0
    tries = desk.log.read_text().count("RuntimeError: on purpose")
    assert tries == 3, "maxDequeueCount"


def test_a_message_over_its_tries_is_poison_without_being_run(azurite: Azurite, tmp_path: Path) -> None:
    desk = Desk(azurite, tmp_path)
    desk.work.client.create_queue()
    desk.work.send(wish("tell"))
    for _ in range(3):  # taken three times by somebody who died of it
        eventually(lambda: desk.work.client.receive_message(visibility_timeout=1), "it shows again")
    with desk:
        told = desk.told.next("the poison handler tells")
    assert told["poison"]
    assert told["body"] == wish("tell")


def test_a_message_that_is_not_base64_is_poison(desk: Desk) -> None:
    desk.work.client.send_message("not base64!")
    eventually(lambda: "goes to work-" in desk.log.read_text(), "it is moved")
    eventually(lambda: desk.work.count() == 0, "it is deleted where it was")
    assert desk.poison.count() == 1, "and stays hidden there, for nobody can read it"
    assert "Failed(" not in desk.log.read_text(), "the handlers never see it"


def test_a_failing_poison_handler_leaves_its_message_hidden(desk: Desk) -> None:
    desk.poison.send(wish("fail", poison="fail"))
    log = desk.log
    eventually(lambda: "even here" in log.read_text(), "it fails")
    desk.work.send(wish("tell"))
    assert desk.told.next("other messages go on")["tries"] == 1
    assert desk.poison.count() == 1
    assert desk.poison.client.peek_messages() == []
    assert log.read_text().count("RuntimeError: even here") == 1


def test_outputs_are_written_and_a_list_is_several_messages(desk: Desk) -> None:
    assert desk.post("/send", content=wish("tell", by="http")).status_code == 202
    assert desk.told.next("the queue function is triggered by the output")["body"] == wish("tell", by="http")
    found = {eventually(desk.list.take, "a message of the list") for _ in range(4)}
    assert found == {"a", "b", "c", "bytes"}


def test_a_batch_is_worked_on_at_the_same_time(desk: Desk) -> None:
    for number in range(40):
        desk.work.send(wish("tell", number=number))
    bodies = [desk.told.next("every message is worked on")["body"] for _ in range(40)]
    assert sorted(json.loads(body)["number"] for body in bodies) == list(range(40))


def test_a_queue_function_can_be_run_by_hand(desk: Desk) -> None:
    assert desk.post("/admin/functions/work", json={"input": wish("tell", by="hand")}).status_code == 202
    told = desk.told.next("the function tells")
    assert (told["body"], told["tries"], told["id"]) == (wish("tell", by="hand"), 0, None)


def test_a_message_is_kept_hidden_for_as_long_as_its_handler_runs(azurite: Azurite) -> None:
    """Nobody else looks at the queue, so that a slow machine changes nothing: it is about receipts."""
    trigger = Binding.read({"name": "m", "type": "queueTrigger", "queueName": f"slow-{uuid.uuid4().hex[:8]}"})
    storage = Storage({"AzureWebJobsStorage": azurite.connection_string}, base64_encoded=True)
    queue = storage.queue(trigger)

    class UntilRenewedTwice(Invoker):
        def __init__(self, message: QueueMessage) -> None:
            self._message = message
            self.receipts = {message.pop_receipt}

        async def run(self, *_: object, **__: object) -> Outcome:
            while len(self.receipts) < 3:
                await asyncio.sleep(0.05)
                self.receipts.add(self._message.pop_receipt)
            return Succeeded(None, [])

    async def deliver() -> int:
        await queue.send(b"slow")
        message = await queue.client.receive_message(visibility_timeout=2)
        assert message is not None
        function = Function("slow", "id", (trigger,))
        async with asyncio.timeout(DEADLINE):
            await Delivery(function, storage, UntilRenewedTwice(message), QueueOptions(), 2).process(message)
        left = (await queue.client.get_queue_properties()).approximate_message_count
        await storage.close()
        return left or 0

    assert asyncio.run(deliver()) == 0, "the last receipt deletes it"


def test_a_message_comes_back_when_the_worker_was_killed(azurite: Azurite, tmp_path: Path) -> None:
    with Desk(azurite, tmp_path, visibility_seconds=2, worker_back_off_seconds=0.1) as desk:
        desk.work.send(wish("hang once"))
        eventually(lambda: desk.work.count() == 1 and not desk.work.client.peek_messages(), "it is taken")
        desk.post("/admin/local/worker/kill")
        told = desk.told.next("another worker gets it")
    assert told["tries"] >= 2
    assert "poison" not in told


def test_what_a_killed_worker_had_stays_hidden_until_its_time_is_up(azurite: Azurite, tmp_path: Path) -> None:
    with Desk(azurite, tmp_path, worker_back_off_seconds=0.1) as desk:
        desk.work.send(wish("hang once"))
        eventually(lambda: desk.work.count() == 1 and not desk.work.client.peek_messages(), "it is taken")
        desk.post("/admin/local/worker/kill")
        desk.work.send(wish("tell"))
        assert desk.told.next("the next worker goes on")["body"] == wish("tell")
        eventually(lambda: desk.work.count() == 1, "that one is deleted")
        assert desk.work.client.peek_messages() == []
        assert desk.told.take() is None


def test_a_host_that_stops_gives_its_messages_the_grace_and_then_leaves_them(desk: Desk) -> None:
    desk.work.send(wish("hang once"))
    eventually(lambda: desk.work.count() == 1 and not desk.work.client.peek_messages(), "it is taken")
    assert desk.host.stop() == 0
    assert desk.work.count() == 1
    assert "still running after 0.5 s: the work is lost" in desk.log.read_text()
    assert "Traceback" not in desk.log.read_text()


def test_a_message_in_a_queue_that_appears_later_is_found(azurite: Azurite, tmp_path: Path) -> None:
    with Desk(azurite, tmp_path, create_trigger_queues=False) as desk:
        log = desk.log
        eventually(lambda: "cannot read queue work" in log.read_text(), "there is no queue")
        desk.work.client.create_queue()
        desk.work.send(wish("tell"))
        assert desk.told.next("the function tells")["tries"] == 1
