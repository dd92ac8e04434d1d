"""Starting one worker process and getting to the point where it has indexed the app."""

import asyncio
import contextlib
import hmac
import json
import secrets
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import IO, Any

from local.functions_host.connection import Connection, Frame, read_frame
from local.functions_host.errors import CannotStart
from local.functions_host.metadata import Function
from local.functions_host.options import HostOptions
from local.functions_host.settings import Settings, worker_environment

_SCRIPT = Path(__file__).with_name("worker.py")


def _apart() -> dict[str, Any]:
    """A process group of its own: Ctrl+C reaches the host alone, which then stops the worker in order.

    It also makes the kernel wake and hang up a worker that was paused when its host was killed.
    """
    if sys.platform == "win32":
        import subprocess

        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"process_group": 0}


class Worker:
    """A worker that is up: its process, its connection and the functions it found."""

    def __init__(self, process: Process, connection: Connection, functions: list[Function]) -> None:
        self._process = process
        self.connection = connection
        self.functions = functions

    @property
    def pid(self) -> int:
        return self._process.pid

    async def run(self) -> None:
        """Serve invocations until the worker is gone, whether it died or was told to."""
        await self.connection.run()
        await self.kill()

    async def kill(self) -> None:
        """End it at once (kill -9) and wait until it is gone."""
        await _kill(self._process)

    def send_signal(self, name: str) -> bool:
        """Send SIGSTOP or SIGCONT; False where the platform has no such thing."""
        number = getattr(signal, name, None)
        if number is not None:
            self._process.send_signal(number)
        return number is not None


class Door:
    """The loopback port where workers come in. Only one that was told the secret gets past it."""

    def __init__(self) -> None:
        self._expected: dict[str, asyncio.Future[Connection]] = {}
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._arrived, "127.0.0.1", 0)

    def close(self) -> None:
        if self._server:
            self._server.close()

    def expect(self) -> tuple[int, str, asyncio.Future[Connection]]:
        """The port, a fresh secret, and the connection that will come with it."""
        assert self._server is not None  # noqa: S101  opened before any worker is started
        secret = secrets.token_urlsafe(32)
        self._expected[secret] = asyncio.get_running_loop().create_future()
        return self._server.sockets[0].getsockname()[1], secret, self._expected[secret]

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await read_frame(reader) or {}
        said = str(hello.get("secret")).encode()
        known = next((secret for secret in self._expected if hmac.compare_digest(secret.encode(), said)), None)
        if known is None:
            writer.close()
            return
        waiting = self._expected.pop(known)
        if not waiting.done():
            waiting.set_result(Connection(reader, writer))


async def start_worker(door: Door, options: HostOptions, settings: Settings, log: IO[str]) -> Worker:
    """A worker that has indexed the app, or `CannotStart` with the runtime's own words."""
    port, secret, arriving = door.expect()
    process = await _spawn(options.worker_python, worker_environment(settings), log)
    told = {"port": port, "secret": secret, "app_dir": str(options.app_dir.absolute())}
    try:
        _tell(process, told)
        async with asyncio.timeout(options.worker_start_seconds):
            connection = await _first(arriving, process)
            functions = _functions(await connection.indexed())
    except TimeoutError:
        await _kill(process)
        raise CannotStart(f"the worker was not ready within {options.worker_start_seconds} s") from None
    except BaseException:
        await _kill(process)
        raise
    return Worker(process, connection, functions)


async def _spawn(python: Path, environment: dict[str, str], log: IO[str]) -> Process:
    try:
        return await asyncio.create_subprocess_exec(
            *(str(python), "-P", str(_SCRIPT)), stdin=PIPE, stdout=log, stderr=log, env=environment, **_apart()
        )
    except OSError as error:
        raise CannotStart(f"the worker's interpreter does not run: {error}") from error


def _tell(process: Process, told: Frame) -> None:
    """By standard input, since arguments and environment can be read by others."""
    assert process.stdin is not None  # noqa: S101  asked for above
    process.stdin.write(json.dumps(told).encode() + b"\n")
    process.stdin.close()


async def _first(arriving: "asyncio.Future[Connection]", process: Process) -> Connection:
    exited = asyncio.create_task(process.wait())
    exited.add_done_callback(lambda _: arriving.cancel())
    try:
        return await arriving
    except asyncio.CancelledError:
        if not exited.done():
            raise
        raise CannotStart(f"the worker exited with code {exited.result()} before it said hello") from None
    finally:
        exited.cancel()


def _functions(found: Frame | None) -> list[Function]:
    if found is None:
        raise CannotStart("the worker died while it indexed the app")
    if found["kind"] == "failed":
        raise CannotStart(f"the app does not index: {found['error']}\n{found['traceback']}")
    if not found["functions"]:
        raise CannotStart("the app has no functions")
    return [Function.read(described) for described in found["functions"]]


async def _kill(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()
