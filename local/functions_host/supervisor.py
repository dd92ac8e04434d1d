"""Keeps one worker alive: starts it, notices its death, starts the next one."""

import asyncio
import logging
from typing import IO

from local.functions_host.connection import Frame
from local.functions_host.errors import CannotStart, WorkerUnavailable
from local.functions_host.metadata import Function
from local.functions_host.options import HostOptions
from local.functions_host.outcome import Failed, Outcome
from local.functions_host.process import Door, Worker, start_worker
from local.functions_host.settings import Settings

_log = logging.getLogger("host.worker")


class Supervisor:
    """The one worker of this host, whichever process it is at the moment."""

    def __init__(self, options: HostOptions, settings: Settings, log: IO[str]) -> None:
        self._options = options
        self._settings = settings
        self._log_file = log
        self._door = Door()
        self._worker: Worker | None = None
        self._ready = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._stopped = False
        self.starts = 0

    @property
    def pid(self) -> int | None:
        return self._worker.pid if self._worker else None

    async def start(self) -> list[Function]:
        """The functions of the app, once its first worker has indexed it."""
        await self._door.open()
        worker = await self._launch()
        self._keeping = asyncio.create_task(self._keep(worker))
        return worker.functions

    async def stop(self) -> None:
        """End the worker for good. What it was running is lost, what waits for it is told so."""
        self._stopped = True
        if self._keeping:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        if self._worker:
            self._worker.connection.close()
            await self._worker.kill()
            await self._worker.connection.run()
            self._worker = None
        self._ready.set()
        self._door.close()

    async def available(self) -> Worker:
        """The worker, once there is one; `WorkerUnavailable` if none comes up in time."""
        try:
            async with asyncio.timeout(self._options.worker_start_seconds):
                while self._worker is None and not self._stopped:
                    await self._ready.wait()
        except TimeoutError:
            raise WorkerUnavailable("no worker came up in time") from None
        if self._worker is None:
            raise WorkerUnavailable("the host is stopping")
        return self._worker

    async def invoke(self, frame: Frame, timeout_seconds: float | None) -> Outcome:
        """Run one function. One that takes longer than it may costs the worker its life, as on Azure."""
        worker = await self.available()
        try:
            async with asyncio.timeout(timeout_seconds):
                return await worker.connection.invoke(frame)
        except TimeoutError:
            _log.error("%s ran longer than %s s: killing the worker", frame["name"], timeout_seconds)
            await worker.kill()
            return Failed(f"{frame['name']} ran longer than functionTimeout, {timeout_seconds} s")

    async def kill(self) -> int:
        """Kill the worker as a crash would, and say which one it was. Another one is started."""
        worker = await self.available()
        await worker.kill()
        return worker.pid

    async def signal(self, name: str) -> bool:
        """SIGSTOP or SIGCONT for the worker; False where the platform has no such thing."""
        return (await self.available()).send_signal(name)

    async def _launch(self) -> Worker:
        worker = await start_worker(self._door, self._options, self._settings, self._log_file)
        self._worker = worker
        self.starts += 1
        self._ready.set()
        _log.info("worker %s is up with %s functions", worker.pid, len(worker.functions))
        return worker

    async def _keep(self, worker: Worker) -> None:
        while True:
            await worker.run()
            self._worker = None
            self._ready.clear()
            _log.warning("worker %s died", worker.pid)
            worker = await self._relaunch()

    async def _relaunch(self) -> Worker:
        """Try until one comes up: the app may be broken for the moment, while somebody edits it."""
        while True:
            await asyncio.sleep(self._options.worker_back_off_seconds)
            try:
                return await self._launch()
            except CannotStart as error:
                _log.error("the worker does not come up again: %s", error)
