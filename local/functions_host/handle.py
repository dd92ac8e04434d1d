"""A host as a child process, for tests and the demo."""

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any, Self

from local.functions_host.options import HostOptions

_ROOT = Path(__file__).parents[2]


class HostDidNotStart(Exception):
    """The host exited, or said nothing in time. `code` is its exit code; 3 means that the app cannot start."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"the host did not start: exit code {code}; its log or standard error says why")
        self.code = code


class FunctionsHost:
    """Starts a host, knows its address and keys, and stops it. It never outlives this process.

    The calls block; from asyncio use `await asyncio.to_thread(host.start)`.
    """

    url: str
    master_key: str
    host_key: str
    worker_pid: int
    functions: list[str]

    def __init__(self, options: HostOptions, stderr: IO[bytes] | None = None) -> None:
        self.options = options
        self._stderr = stderr
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, within_seconds: float = 90) -> Self:
        """Returns when the app is ready; `HostDidNotStart` otherwise."""
        self._process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
            [sys.executable, "-m", "local.functions_host", *self.options.arguments(), "--stop-with-stdin"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
        )
        ready = self._first_line(within_seconds)
        if ready is None:
            raise HostDidNotStart(self.stop())
        vars(self).update(ready)
        return self

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def wait(self, within_seconds: float | None = None) -> int:
        """Its exit code, once it has ended by itself."""
        assert self._process is not None  # noqa: S101  there is nothing to wait for before `start`
        return self._process.wait(within_seconds)

    def stop(self, within_seconds: float = 30) -> int | None:
        """Stop it in order, by closing its standard input, or else by force. Its exit code."""
        if self._process is None:
            return None
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            return self._process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def kill(self) -> None:
        """Kill the host as a crash would. Its worker ends with it."""
        if self._process is not None:
            self._process.kill()
            self.stop()

    def __enter__(self) -> Self:
        return self if self._process else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _first_line(self, within_seconds: float) -> dict[str, Any] | None:
        """Read by a thread: a pipe cannot be waited for with a limit on every platform."""
        assert self._process is not None  # noqa: S101  just started
        assert self._process.stdout is not None  # noqa: S101  asked for as a pipe
        lines: queue.Queue[bytes] = queue.Queue()
        stdout = self._process.stdout
        threading.Thread(target=lambda: lines.put(stdout.readline()), daemon=True).start()
        try:
            line = lines.get(timeout=within_seconds)
        except queue.Empty:
            self._process.kill()
            line = lines.get()
        return json.loads(line) if line else None
