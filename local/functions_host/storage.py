"""Storage queues as the host sees them: clients by binding, encoding, and who is woken by a new message."""

import asyncio
import base64
import binascii
import contextlib

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from local.functions_host.metadata import Binding
from local.functions_host.settings import Settings, connection_string, resolve

_POISON = "-poison"
_LONGEST_NAME = 63


class Queue:
    """One queue. Messages are bytes here; base64 or not is host.json's matter."""

    def __init__(self, client: QueueClient, base64_encoded: bool) -> None:
        self.client = client
        self.name = client.queue_name
        self.filled = asyncio.Event()  # set when this host has written to it
        self._base64 = base64_encoded

    async def create(self) -> None:
        """Make sure that it exists."""
        with contextlib.suppress(ResourceExistsError):
            await self.client.create_queue()

    async def send(self, body: bytes) -> None:
        """Add a message; the queue is created if it is absent, as by the SDK's output binding."""
        await self.send_text(base64.b64encode(body).decode() if self._base64 else body.decode())

    async def send_text(self, text: str) -> None:
        """Add a message as it stands on the wire."""
        try:
            await self.client.send_message(text)
        except ResourceNotFoundError:
            await self.create()
            await self.client.send_message(text)
        self.filled.set()

    def decoded(self, text: str) -> bytes | None:
        """The body of a message; None if it is not encoded as host.json says."""
        if not self._base64:
            return text.encode()
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return None


class Storage:
    """All queues that the app names, each with one client."""

    def __init__(self, settings: Settings, base64_encoded: bool) -> None:
        self._settings = settings
        self._base64 = base64_encoded
        self._queues: dict[tuple[str, str], Queue] = {}

    def queue(self, binding: Binding) -> Queue:
        """The queue that a trigger or output binding names; `CannotStart` if a setting is missing."""
        name = resolve(binding.text("queueName"), self._settings).lower()
        return self._queue(connection_string(binding.connection, self._settings), name)

    def poison_queue(self, binding: Binding) -> Queue | None:
        """Where its poison goes. A poison queue has none, nor has one whose name would grow too long."""
        name = self.queue(binding).name
        if name.endswith(_POISON) or len(name + _POISON) > _LONGEST_NAME:
            return None
        return self._queue(connection_string(binding.connection, self._settings), name + _POISON)

    async def close(self) -> None:
        for queue in self._queues.values():
            await queue.client.close()

    def _queue(self, connection: str, name: str) -> Queue:
        key = (connection, name)
        if key not in self._queues:
            # The SDK's first pause of 15 s is meant for a data centre, not for an emulator next door.
            client = QueueClient.from_connection_string(
                connection, name, initial_backoff=1, increment_base=1, retry_total=3
            )
            self._queues[key] = Queue(client, self._base64)
        return self._queues[key]
