"""What happens to one queue message, from being taken to being deleted, given back or put away."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from datetime import datetime

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueMessage

from local.functions_host.errors import WorkerUnavailable
from local.functions_host.hostjson import QueueOptions
from local.functions_host.invoker import Invoker
from local.functions_host.metadata import Function
from local.functions_host.outcome import Datum, Lost, Outcome, Succeeded
from local.functions_host.storage import Queue, Storage

_log = logging.getLogger("host.queues")


class Delivery:
    """Brings the messages of one queue to one function."""

    def __init__(
        self,
        function: Function,
        storage: Storage,
        invoker: Invoker,
        options: QueueOptions,
        visibility_seconds: int,
    ) -> None:
        self.function = function
        self.queue: Queue = storage.queue(function.trigger)
        self.options = options
        self.visibility_seconds = visibility_seconds
        self._poison = storage.poison_queue(function.trigger)
        self._invoker = invoker

    async def process(self, message: QueueMessage) -> None:
        """Run the function on one message that was just received, and do what its outcome asks for."""
        try:
            body = self.queue.decoded(message.content)
            if body is None or (message.dequeue_count or 0) > self.options.max_dequeue_count:
                await self._to_poison(message)
                return
            async with self._hidden(message):
                outcome = await self._invoker.run(self.function, _body(body), _metadata(message))
            await self._complete(message, outcome)
        except WorkerUnavailable:
            _log.warning("%s: no worker for message %s", self.function.name, message.id)
        except AzureError as error:  # somebody else has it by now, it or its queue is gone, or storage is
            _log.warning("%s: message %s: %s", self.function.name, message.id, error.message)

    async def _complete(self, message: QueueMessage, outcome: Outcome) -> None:
        if isinstance(outcome, Succeeded):
            await self.queue.client.delete_message(message)
        elif isinstance(outcome, Lost):
            return  # as if this whole machine had gone: nobody is left to give it back
        elif (message.dequeue_count or 0) >= self.options.max_dequeue_count:
            await self._to_poison(message)
        elif self._poison is not None:
            delay = int(self.options.visibility_timeout.total_seconds())
            await self.queue.client.update_message(message, visibility_timeout=delay)

    async def _to_poison(self, message: QueueMessage) -> None:
        """A queue without poison queue keeps it, hidden: letting it show at once would be a fast loop."""
        if self._poison is None:
            return
        _log.warning("%s: message %s goes to %s", self.function.name, message.id, self._poison.name)
        await self._poison.send_text(message.content)
        await self.queue.client.delete_message(message)

    @contextlib.asynccontextmanager
    async def _hidden(self, message: QueueMessage) -> AsyncIterator[None]:
        """Keep the message hidden, renewing at half of its time."""
        done = asyncio.Event()
        renewing = asyncio.create_task(self._renew(message, done))
        try:
            yield
        finally:
            done.set()
            await renewing  # not cancelled: a renewal under way brings the receipt that deletes the message

    async def _renew(self, message: QueueMessage, done: asyncio.Event) -> None:
        while not await wait(done, self.visibility_seconds / 2):
            try:
                renewed = await self.queue.client.update_message(message, visibility_timeout=self.visibility_seconds)
            except AzureError as error:
                _log.warning("%s: cannot renew message %s: %s", self.function.name, message.id, error.message)
                return
            message.pop_receipt = renewed.pop_receipt


async def wait(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event came within this time."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _body(body: bytes) -> Datum:
    return {"type": "string", "value": body.decode(errors="replace")}


def _metadata(message: QueueMessage) -> dict[str, Datum]:
    def moment(time: datetime | None) -> Datum:
        return {"type": "json", "value": json.dumps(time and time.isoformat())}

    return {
        "Id": {"type": "string", "value": message.id},
        "PopReceipt": {"type": "string", "value": message.pop_receipt},
        "DequeueCount": {"type": "json", "value": json.dumps(message.dequeue_count)},
        "InsertionTime": moment(message.inserted_on),
        "ExpirationTime": moment(message.expires_on),
        "NextVisibleTime": moment(message.next_visible_on),
    }
