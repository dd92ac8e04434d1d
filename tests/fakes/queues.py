"""Queues in memory: messages stay until a test takes them, in the order in which they were sent."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from shared.adapters.messages import (
    DeliverMessage,
    DiagnoseMessage,
    Message,
    NotifyMessage,
    RemediateMessage,
    deliver_messages,
    diagnose_messages,
    notify_messages,
    remediate_messages,
)
from shared.domain.webhook import Delivery
from shared.errors import SourceError


@dataclass
class FakeQueues:
    """Port Queues. Messages are those that would be sent, with the same limits."""

    waiting: deque[Message] = field(default_factory=deque)
    sent: list[Message] = field(default_factory=list)
    """Everything that was ever sent."""
    unavailable: SourceError | None = None
    operations: list[str] = field(default_factory=list)
    """Ids of operations of the HTTP API that wait for the queue `operate`."""
    deliveries: deque[tuple[DeliverMessage, timedelta]] = field(default_factory=deque)
    """Messages to the queue `deliver`, and after how long each is seen."""
    traceparent: Callable[[], str] = str

    async def operate(self, operation_id: str) -> None:
        await self._send([])
        self.operations.append(operation_id)

    async def deliver(self, deliveries: Sequence[Delivery], after: timedelta = timedelta()) -> None:
        await self._send([])
        self.deliveries.extend((message, after) for message in deliver_messages(deliveries, self.traceparent()))

    async def diagnose(self, subscription_ids: Sequence[str]) -> None:
        await self._send(diagnose_messages(subscription_ids, self.traceparent()))

    async def remediate(self, case_ids: Sequence[str]) -> None:
        await self._send(remediate_messages(case_ids, self.traceparent()))

    async def notify(self, subscription_ids: Sequence[str]) -> None:
        await self._send(notify_messages(subscription_ids, self.traceparent()))

    async def diagnoses_waiting(self) -> int:
        await asyncio.sleep(0)
        if self.unavailable is not None:
            raise self.unavailable
        return sum(isinstance(message, DiagnoseMessage) for message in self.waiting)

    def take(self) -> Message | None:
        """The oldest message, which is gone then; None when nothing waits."""
        return self.waiting.popleft() if self.waiting else None

    def lose_all(self) -> None:
        """As if the storage account had forgotten them: a lost message costs time, never correctness."""
        self.waiting.clear()

    @property
    def to_diagnose(self) -> tuple[str, ...]:
        """Subscriptions of all waiting messages to the queue `diagnose`."""
        return tuple(i for m in self.waiting if isinstance(m, DiagnoseMessage) for i in m.subscription_ids)

    @property
    def to_remediate(self) -> tuple[str, ...]:
        """Cases of all waiting messages to the queue `remediate`."""
        return tuple(i for m in self.waiting if isinstance(m, RemediateMessage) for i in m.case_ids)

    @property
    def to_notify(self) -> tuple[str, ...]:
        """Subscriptions of all waiting messages to the queue `notify`."""
        return tuple(i for m in self.waiting if isinstance(m, NotifyMessage) for i in m.subscription_ids)

    async def _send(self, messages: Sequence[Message]) -> None:
        await asyncio.sleep(0)
        if self.unavailable is not None:
            raise self.unavailable
        self.sent += messages
        self.waiting.extend(messages)
