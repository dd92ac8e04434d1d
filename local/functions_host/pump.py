"""Looks at one queue for one function and keeps as many messages running as host.json allows."""

import asyncio
import logging
from collections.abc import Coroutine

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueMessage

from local.functions_host.backoff import Backoff
from local.functions_host.delivery import Delivery, wait
from local.functions_host.errors import WorkerUnavailable
from local.functions_host.supervisor import Supervisor

_log = logging.getLogger("host.queues")


class QueuePump:
    """One queue trigger."""

    def __init__(self, delivery: Delivery, supervisor: Supervisor) -> None:
        self._delivery = delivery
        self._supervisor = supervisor
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def create_queue(self) -> None:
        """Make sure that the queue exists."""
        await self._delivery.queue.create()

    def start(self) -> None:
        """Begin to look for messages."""
        self._keep(self._look())

    def stop(self) -> None:
        """Take no more messages. Not by a cancellation, which could lose a batch that is on its way here."""
        self._stopping = True
        self._delivery.queue.filled.set()

    async def drain(self) -> None:
        """Wait for what is still running. Giving up waiting does not stop it."""
        while self._running:
            await asyncio.wait(self._running)

    async def _look(self) -> None:
        backoff = Backoff(self._delivery.options.max_polling_interval)
        while not self._stopping:
            self._delivery.queue.filled.clear()
            if await self._fetch():
                backoff.reset()
                await self._room()
            else:
                await wait(self._delivery.queue.filled, backoff.next_seconds())

    async def _fetch(self) -> bool:
        """Start a batch. Only with a worker there: a message taken without one would be hidden for nothing."""
        try:
            await self._supervisor.available()
            messages = await self._receive()
        except WorkerUnavailable:
            return False
        except AzureError as error:
            _log.warning("cannot read queue %s: %s", self._delivery.queue.name, error.message)
            return False
        for message in messages:
            self._keep(self._delivery.process(message))
        return bool(messages)

    async def _receive(self) -> list[QueueMessage]:
        """One request, for one batch."""
        pages = self._delivery.queue.client.receive_messages(
            messages_per_page=self._delivery.options.batch_size,
            visibility_timeout=self._delivery.visibility_seconds,
        ).by_page()
        page = await anext(pages, None)
        return [message async for message in page] if page is not None else []

    async def _room(self) -> None:
        """Wait until few enough are running. One of `_running` is the task that waits here."""
        me = asyncio.current_task()
        while len(others := self._running - {me}) > self._delivery.options.new_batch_threshold:
            await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """None of these tasks ends with an exception: if one does, the host is broken and must say so."""
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.critical("queue %s: a task died", self._delivery.queue.name, exc_info=error)
