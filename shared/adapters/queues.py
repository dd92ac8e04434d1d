"""Sends wake-ups to the storage queues that the function app listens on."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from shared.adapters.messages import (
    DELIVER,
    DIAGNOSE,
    NOTIFY,
    OPERATE,
    REMEDIATE,
    DeliverMessage,
    Message,
    OperateMessage,
    deliver_messages,
    diagnose_messages,
    encode,
    notify_messages,
    remediate_messages,
)
from shared.adapters.storage import HASTE, TROUBLE, all_of, code_of, storage_error
from shared.domain.webhook import Delivery

type _AnyMessage = Message | OperateMessage | DeliverMessage

_RETRIES: dict[str, Any] = {"initial_backoff": 1, "increment_base": 2, "random_jitter_range": 1, **HASTE}


class StorageQueues:
    """Queues on Azure Storage; a missing queue is created when it is first sent to.

    A message that was sent although its answer got lost may be there twice: a wake-up does not mind. All methods
    raise SourceError with source `storage`, and ValueError for an id that no message may carry; what was sent
    before stays sent.
    """

    def __init__(
        self, service: QueueServiceClient, *, concurrency: int = 8, traceparent: Callable[[], str] = str
    ) -> None:
        """`concurrency` is how many messages are on their way at once; `traceparent` the span they are sent in."""
        self._service = service
        self._traceparent = traceparent
        self._gate = asyncio.Semaphore(concurrency)

    @classmethod
    def connect(cls, connection_string: str, *, traceparent: Callable[[], str] = str) -> "StorageQueues":
        """With an account key, as in local.settings.json. Makes no request."""
        return cls(QueueServiceClient.from_connection_string(connection_string, **_RETRIES), traceparent=traceparent)

    @classmethod
    def sign_in(
        cls, queue_url: str, credential: AsyncTokenCredential, *, traceparent: Callable[[], str] = str
    ) -> "StorageQueues":
        """With a managed identity: `queue_url` is https://<account>.queue.core.windows.net. Makes no request."""
        return cls(QueueServiceClient(queue_url, credential=credential, **_RETRIES), traceparent=traceparent)

    async def close(self) -> None:
        """Closes the connections; the credential is its owner's to close."""
        await self._service.close()

    async def diagnose(self, subscription_ids: Sequence[str]) -> None:
        """One message for every 500 subscriptions."""
        await self._send(DIAGNOSE, diagnose_messages(subscription_ids, self._traceparent()))

    async def remediate(self, case_ids: Sequence[str]) -> None:
        """One message for every 100 cases."""
        await self._send(REMEDIATE, remediate_messages(case_ids, self._traceparent()))

    async def notify(self, subscription_ids: Sequence[str]) -> None:
        """One message for every 500 subscriptions."""
        await self._send(NOTIFY, notify_messages(subscription_ids, self._traceparent()))

    async def diagnoses_waiting(self) -> int:
        """About how many messages are in queue `diagnose`, those that nobody else can see just now included."""
        client = self._service.get_queue_client(DIAGNOSE)
        try:
            return int((await client.get_queue_properties()).approximate_message_count or 0)
        except TROUBLE as error:
            if code_of(error) == "QueueNotFound":
                return 0
            raise storage_error(error, f"counting messages of queue {DIAGNOSE}", writes=False) from error

    async def operate(self, operation_id: str) -> None:
        """One message."""
        await self._send(OPERATE, [OperateMessage(operation_id=operation_id)])

    async def deliver(self, deliveries: Sequence[Delivery], after: timedelta = timedelta()) -> None:
        """One message for each, which nobody sees before `after` is over; at most seven days."""
        await self._send(DELIVER, deliver_messages(deliveries, self._traceparent()), after)

    async def _send(self, queue: str, messages: Sequence[_AnyMessage], after: timedelta = timedelta()) -> None:
        # The Functions host decodes Base64 by default; host.json's messageEncoding is left alone.
        client = self._service.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
        hidden = int(after.total_seconds()) or None
        await all_of(self._send_one(client, message, hidden) for message in messages)

    async def _send_one(self, client: QueueClient, message: _AnyMessage, hidden: int | None) -> None:
        async with self._gate:
            try:
                await self._put(client, encode(message), hidden)
            except TROUBLE as error:
                raise storage_error(error, f"sending to queue {client.queue_name}", writes=True) from error

    async def _put(self, client: QueueClient, text: str, hidden: int | None) -> None:
        try:
            await client.send_message(text, visibility_timeout=hidden)
        except TROUBLE as error:
            if code_of(error) != "QueueNotFound":
                raise
            with suppress(ResourceExistsError):  # somebody else was faster
                await client.create_queue()
            await client.send_message(text, visibility_timeout=hidden)
