"""Everything that starts functions by itself: queue triggers and timers."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from azure.core.exceptions import AzureError
from azure.data.tables.aio import TableServiceClient

from local.functions_host.delivery import Delivery
from local.functions_host.errors import CannotStart
from local.functions_host.hostjson import HostJson
from local.functions_host.invoker import Invoker
from local.functions_host.lease import TABLE, Lease
from local.functions_host.metadata import QUEUE_TRIGGER, STORAGE, TIMER_TRIGGER, Function
from local.functions_host.options import HostOptions
from local.functions_host.pump import QueuePump
from local.functions_host.schedule import parse_schedule
from local.functions_host.settings import Settings, connection_string, resolve
from local.functions_host.storage import Storage
from local.functions_host.supervisor import Supervisor
from local.functions_host.timers import Timer

_log = logging.getLogger("host.listeners")


class Listeners:
    """The queue pumps and timers of an app."""

    def __init__(
        self,
        functions: Iterable[Function],
        options: HostOptions,
        settings: Settings,
        host_json: HostJson,
        host_id: str,
        storage: Storage,
        invoker: Invoker,
        supervisor: Supervisor,
    ) -> None:
        found = list(functions)
        self._options = options
        self._queue_options = host_json.queues
        self._storage = storage
        self._invoker = invoker
        self._leases: list[asyncio.Task[None]] = []
        self._draining: asyncio.Task[None] | None = None
        self._tables: TableServiceClient | None = None
        self._pumps = [QueuePump(self._delivery(function), supervisor) for function in _triggered(found, QUEUE_TRIGGER)]
        self.timers: dict[str, Timer] = {
            function.name: self._timer(function, settings, host_id) for function in _triggered(found, TIMER_TRIGGER)
        }

    async def start(self) -> None:
        """Begin to listen. `CannotStart` if storage does not answer."""
        try:
            for pump in self._pumps if self._options.create_trigger_queues else ():
                await pump.create_queue()
        except AzureError as error:
            raise CannotStart(f"storage does not answer: {error.message}") from error
        for pump in self._pumps:
            pump.start()
        for timer in self.timers.values():
            self._leases.append(asyncio.create_task(timer.lease.keep()))
            timer.start()

    async def stop(self, grace_seconds: float) -> None:
        """Take nothing new, and give what runs this much time to end."""
        for pump in self._pumps:
            pump.stop()
        for keeping in self._leases:
            keeping.cancel()
        self._draining = asyncio.create_task(self._drain())
        _, running = await asyncio.wait([self._draining], timeout=grace_seconds)
        if running:
            _log.warning("still running after %s s: the work is lost", grace_seconds)

    async def close(self) -> None:
        """Give up what is held in storage, once everything has ended: the worker is gone by now."""
        if self._draining is not None:
            await self._draining
        for timer in self.timers.values():
            await timer.lease.release()
        if self._tables is not None:
            await self._tables.close()

    async def _drain(self) -> None:
        """Wait for everything that still runs."""
        await asyncio.gather(
            *(pump.drain() for pump in self._pumps),
            *(timer.stop() for timer in self.timers.values()),
            *(asyncio.wait([keeping]) for keeping in self._leases),
        )

    def _delivery(self, function: Function) -> Delivery:
        return Delivery(function, self._storage, self._invoker, self._queue_options, self._options.visibility_seconds)

    def _timer(self, function: Function, settings: Settings, host_id: str) -> Timer:
        if self._tables is None:
            self._tables = TableServiceClient.from_connection_string(
                connection_string(STORAGE, settings), retry_total=1
            )
        table = self._tables.get_table_client(TABLE)
        lease = Lease(table, host_id, function.name, self._options.lease_seconds)
        schedule = parse_schedule(resolve(function.trigger.text("schedule"), settings))
        return Timer(function, schedule, lease, self._invoker)


def _triggered(functions: Sequence[Function], kind: str) -> list[Function]:
    return [function for function in functions if function.trigger.kind == kind]
