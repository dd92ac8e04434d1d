"""Service protection: how much one user may ask of one web server (Microsoft: api-limits).

Two of Microsoft's three limits: requests in a sliding window and requests at once. The third, execution
time, would make answers depend on the speed of this machine; give it as a fault where it is wanted.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from local.dataverse.errors import ODataError
from local.dataverse.store import Clock

# Seconds that each request sent while throttled adds to Retry-After: who does not wait waits longer.
PENALTY = 5
LONGEST_WAIT = 300


@dataclass
class _User:
    times: deque[datetime] = field(default_factory=deque)
    running: int = 0
    refused: int = 0


class Limits:
    """Sliding-window and concurrency limits per user. A $batch counts as one request."""

    def __init__(self, clock: Clock, *, requests: int = 6000, window_seconds: int = 300, concurrent: int = 52) -> None:
        self._clock = clock
        self.requests = requests
        self.window_seconds = window_seconds
        self.concurrent = concurrent
        self._users: dict[str, _User] = defaultdict(_User)

    @contextmanager
    def request(self, user_id: str) -> Iterator[int]:
        """Lets one request in and gives how many more the window holds; ODataError 429 when it is full."""
        user, now = self._users[user_id], self._clock()
        window = timedelta(seconds=self.window_seconds)
        while user.times and now - user.times[0] >= window:
            user.times.popleft()
        if user.running >= self.concurrent:
            raise self._throttled(
                user, 0, "0x80072326", f"Number of concurrent requests exceeded the limit of {self.concurrent}."
            )
        if len(user.times) >= self.requests:
            wait = ceil((user.times[0] + window - now).total_seconds())
            raise self._throttled(
                user,
                wait,
                "0x80072322",
                f"Number of requests exceeded the limit of {self.requests} "
                f"over time window of {self.window_seconds} seconds.",
            )
        user.refused = 0
        user.times.append(now)
        user.running += 1
        try:
            yield self.requests - len(user.times)
        finally:
            user.running -= 1

    def reset(self) -> None:
        """Forgets all users' requests."""
        self._users.clear()

    def _throttled(self, user: _User, wait: int, code: str, message: str) -> ODataError:
        user.refused += 1
        seconds = min(max(1, wait) + PENALTY * (user.refused - 1), LONGEST_WAIT)
        return ODataError(429, code, message, {"Retry-After": str(seconds)})
