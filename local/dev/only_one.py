"""A lock between processes that the operating system gives back even when its holder is killed. Runs on Python 3.8."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Callable, Iterator  # noqa: UP035  the Python that runs this may be older than ours


@contextmanager
def only_one(path: Path, when_waiting: Callable[[], None]) -> Iterator[None]:
    """Holds the lock at `path` inside the block; `when_waiting` is called once when another one has it."""
    with path.open("a+", encoding="utf-8") as file:
        if not _taken(file):
            when_waiting()
            while not _taken(file):
                time.sleep(0.2)
        yield  # closing the file gives the lock back


if sys.platform == "win32":
    import msvcrt

    def _taken(file: IO[str]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _taken(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
