"""A process of ours that says one line of JSON when it is ready, and ends when its standard input does."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Self

ROOT = Path(__file__).parents[1]


class ChildDidNotStart(Exception):
    """It exited or said nothing in time; its log says why."""


class Child:
    """One run of `python -m MODULE ARGUMENTS`. Starting it again is another one."""

    def __init__(self, module: str, arguments: Sequence[str], log: IO[bytes]) -> None:
        self.name = module
        self._process = subprocess.Popen(  # noqa: S603  our own interpreter and arguments
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            **_apart(),
        )
        self._lines: queue.Queue[bytes] = queue.Queue()
        # Read by a thread: a pipe cannot be waited for with a limit on every platform.
        threading.Thread(target=self._read, daemon=True).start()
        self.said: dict[str, Any] = {}

    def ready(self, within_seconds: float = 90) -> Self:
        """Waits for its line, which is then in `said`. Raises ChildDidNotStart."""
        try:
            line = self._lines.get(timeout=within_seconds)
        except queue.Empty:
            line = b""
        if not line:
            self.stop(0)
            raise ChildDidNotStart(f"{self.name} did not start (exit code {self.exit_code})")
        self.said = json.loads(line)
        return self

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def stop(self, within_seconds: float = 20) -> None:
        """Ends it in order, by closing its standard input, or else by force."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def kill(self) -> None:
        """Ends it as a crash would."""
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        if self._process.stdout:
            self._lines.put(self._process.stdout.readline())


def _apart() -> dict[str, Any]:
    """A process group of its own: Ctrl-C reaches only the program that started it, which stops it in order."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"process_group": 0}
