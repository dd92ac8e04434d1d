"""Timer triggers: due times, no overlap, one host at a time."""

import asyncio
import json
import logging
from datetime import UTC, datetime

from local.functions_host.errors import WorkerUnavailable
from local.functions_host.invoker import Invoker
from local.functions_host.lease import Lease
from local.functions_host.metadata import Function
from local.functions_host.outcome import Datum
from local.functions_host.schedule import Schedule

_log = logging.getLogger("host.timers")
_NEVER = datetime.min.replace(tzinfo=UTC)


class Timer:
    """One timer trigger. It runs on this host only while this host holds its lease."""

    def __init__(self, function: Function, schedule: Schedule, lease: Lease, invoker: Invoker) -> None:
        self.function = function
        self.lease = lease
        self._schedule = schedule
        self._invoker = invoker
        self._last = _NEVER
        self._next = _NEVER
        self._busy = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with the schedule, or again after `stop`. What was due in between is not made up for."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End the schedule. A run under way is finished first."""
        async with self._busy:
            if self._task is not None:
                self._task.cancel()
                await asyncio.wait([self._task])
                self._task = None

    def datum(self) -> Datum:
        """What the handler gets as its TimerRequest. Never past due: this host keeps no monitor."""
        use_monitor = self.function.trigger.properties.get("useMonitor") is not False
        last, due = self._last.isoformat(), self._next.isoformat()
        status = {"Last": last, "LastUpdated": last, "Next": due}
        info = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": status if use_monitor else None,
            "IsPastDue": False,
        }
        return {"type": "json", "value": json.dumps(info)}

    async def _run(self) -> None:
        if self.function.trigger.properties.get("runOnStartup"):
            await self.lease.taken.wait()
            await self._fire(datetime.now(UTC))
        else:
            self._next = self._schedule(datetime.now(UTC))
        while True:
            await _until(self._next)
            await self._fire(self._next)

    async def _fire(self, due: datetime) -> None:
        """Run once. Reckoned from when it began, so a run that took too long is followed at once by the next."""
        async with self._busy:
            began = max(due, datetime.now(UTC))
            if self.lease.held:
                try:
                    await self._invoker.run(self.function, self.datum())
                except WorkerUnavailable:
                    _log.warning("%s: no worker, this run is lost", self.function.name)
            self._last = began
            self._next = self._schedule(began)


async def _until(moment: datetime) -> None:
    """Sleep until then. A clock that was set back in the meantime makes it sleep again."""
    while True:
        left = (moment - datetime.now(UTC)).total_seconds()
        if left <= 0:
            return
        await asyncio.sleep(left)
