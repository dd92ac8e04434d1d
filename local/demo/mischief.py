"""Kills the app's worker while the demo runs, at moments that a seed decides."""

import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

# Between two kills; a killed worker is back within about two seconds.
_SHORTEST, _LONGEST = 0.2, 5.0


class Mischief:
    """So many kills. `kill` returns the process id of the one that died."""

    def __init__(self, kills: int, seed: int, kill: Callable[[], int], now: float) -> None:
        self._left = kills
        self._random = random.Random(seed)  # noqa: S311  for a rehearsal, not for secrets
        self._kill = kill
        self._pool = ThreadPoolExecutor(1)
        self._under_way: Future[int] | None = None
        self._next = now + self._pause()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    @property
    def is_over(self) -> bool:
        """Whether all kills are done."""
        return self._left == 0 and self._under_way is None

    def play(self, now: float) -> int | None:
        """To be called often; the process id of a worker that was just killed."""
        if self._under_way is not None:
            if not self._under_way.done():
                return None
            killed, self._under_way = self._under_way, None
            self._next = now + self._pause()
            if killed.exception() is None:
                self._left -= 1
                return killed.result()
        elif self._left and now >= self._next:
            self._under_way = self._pool.submit(self._kill)
        return None

    def _pause(self) -> float:
        return self._random.uniform(_SHORTEST, _LONGEST)
