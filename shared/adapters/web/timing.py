"""Time and chance as the clients see them: passed in, so that tests wait for nothing."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

type Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds that only grow, a way to wait, and chance to spread what would happen at once."""

    now: Callable[[], float] = time.monotonic
    """Seconds from any starting point; never goes back."""

    sleep: Sleep = asyncio.sleep
    """Waits that many seconds."""

    chance: Callable[[], float] = random.random
    """A number from 0 to below 1, used for jitter only."""

    def backoff(self, attempt: int, *, first: float, most: float) -> float:
        """Seconds to wait after the `attempt`th failure (from 1): doubling, the upper half of it by chance."""
        full = min(most, first * 2.0 ** min(attempt - 1, 30))
        return full * (0.5 + self.chance() / 2)


class Patience:
    """How many seconds one call may still wait, over all its requests and retries."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def take(self, seconds: float) -> bool:
        """Whether that wait still fits; if so, it counts as waited."""
        if seconds > self._left:
            return False
        self._left -= seconds
        return True
