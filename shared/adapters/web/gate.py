"""One gate for all requests made with one credential.

Dataverse counts per user, not per request, and asks for longer waits the more is sent while it refuses
(api-limits). So a 429 to one request holds back all: the gate is shut until its Retry-After is over, and
afterwards lets through half as many at once, growing again with every success.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.adapters.web.timing import Patience, Timing

# A Retry-After beyond this is not believed: it would hold a whole process back because of one odd header.
_LONGEST_SHUT_SECONDS = 3600.0
_FIRST_BACKOFF_SECONDS = 2.0
_MOST_BACKOFF_SECONDS = 60.0
_SPREAD_SECONDS = 0.5
_MINUTE_SECONDS = 60.0


class Shut(Exception):
    """The gate stays shut for longer than this call may wait; `seconds` is how long."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"held back for {seconds:.0f} s")


class Gate:
    """Lets at most `widest` requests through at once, starting with `first`, and `per_minute` in sixty seconds."""

    def __init__(self, timing: Timing, *, widest: int, first: int, per_minute: int | None = None) -> None:
        self._timing = timing
        self._widest = float(widest)
        self._width = float(min(first, widest))
        self._inside = 0
        self._shut_until = float("-inf")
        self._refusals = 0
        self.episode = 0
        """Counts throttlings; see `turn`."""
        self._change: asyncio.Future[None] | None = None
        self._begun: deque[float] = deque(maxlen=per_minute or 0)

    @property
    def width(self) -> int:
        """How many requests may be under way at once now."""
        return int(self._width)

    @asynccontextmanager
    async def turn(self, patience: Patience) -> AsyncIterator[int]:
        """A place inside, waited for as long as `patience` lasts. Raises Shut.

        What it yields is the episode (from one throttling to the next) in which the request is sent: hand it
        back with the outcome.
        """
        await self._enter(patience)
        try:
            yield self.episode
        finally:
            self._inside -= 1
            self._tell()

    def throttled(self, episode: int, retry_after: float | None) -> None:
        """A 429 came: shut for `retry_after` seconds, or for a growing while when none was given."""
        if episode == self.episode:  # requests sent together are refused together: that is one refusal
            self.episode += 1
            self._refusals += 1
            self._width = max(1.0, self._width / 2)
        if retry_after is None:
            retry_after = self._timing.backoff(self._refusals, first=_FIRST_BACKOFF_SECONDS, most=_MOST_BACKOFF_SECONDS)
        until = self._timing.now() + min(retry_after, _LONGEST_SHUT_SECONDS)
        self._shut_until = max(self._shut_until, until)
        self._tell()

    def went_well(self, episode: int) -> None:
        """Any other answer came. Those to requests from before a throttling say nothing about after it."""
        if episode == self.episode:
            self._refusals = 0
            self._width = min(self._widest, self._width + 1 / self._width)

    async def _enter(self, patience: Patience) -> None:
        while True:
            shut = max(self._shut_until - self._timing.now(), self._too_early())
            if shut > 0:
                if not patience.take(shut):
                    raise Shut(shut)
                # A little more than asked for, by chance, so that several processes do not come back at once.
                await self._timing.sleep(shut + self._timing.chance() * _SPREAD_SECONDS)
            elif self._inside < self.width:
                self._inside += 1
                self._begun.append(self._timing.now())  # the oldest falls out by itself
                return
            else:
                await self._changed()

    def _too_early(self) -> float:
        """Seconds until the oldest of the last `per_minute` requests is a minute old."""
        if not self._begun.maxlen or len(self._begun) < self._begun.maxlen:
            return 0.0
        return self._begun[0] + _MINUTE_SECONDS - self._timing.now()

    async def _changed(self) -> None:
        if self._change is None or self._change.done():
            self._change = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._change)

    def _tell(self) -> None:
        if self._change is not None and not self._change.done():
            self._change.set_result(None)
