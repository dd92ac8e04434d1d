"""What goes wrong on the way to Partner Center, what is throttled, and what was asked: for tests and worlds."""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Literal

FaultKind = Literal[
    "throttled",
    "server_error",
    "unavailable",
    "forbidden",
    "html",
    "not_json",
    "empty",
    "nonsense",
    "hang_up",
    "silence",
]

_WINDOW = timedelta(minutes=1)
_PURPOSE = re.compile(r"\((\w+)\)\s*$")


@dataclass
class Fault:
    """Something that goes wrong with requests whose path contains `path`.

    `throttled` answers 429 with `retry_after` seconds; `empty` and `nonsense` answer 200 with fields that are
    missing or make no sense; `hang_up` cuts the connection in mid-answer; `silence` never answers. It ends at `until`
    (UTC) or after `times` requests, whichever comes first.
    """

    kind: FaultKind
    path: str = ""
    times: int | None = None
    until: datetime | None = None
    retry_after: int = 57
    struck: int = 0
    """How many requests it went wrong with."""

    def strikes(self, path: str, now: datetime) -> bool:
        """Whether this request is hit; counts it if so."""
        is_over = (self.until is not None and now >= self.until) or self.times == 0
        if is_over or self.path not in path:
            return False
        if self.times is not None:
            self.times -= 1
        self.struck += 1
        return True


@dataclass(frozen=True)
class RequestRecord:
    """One request as it was answered. `status` 0: it was not answered."""

    on: datetime
    method: str
    path: str
    status: int
    purpose: str
    request_id: str
    correlation_id: str


@dataclass
class Throttle:
    """So many requests a minute for each tenant id (the Subscription resource allows 500, api-throttling-guidance)."""

    clock: Callable[[], datetime]
    per_minute: int = 500
    _times: dict[str, deque[datetime]] = field(default_factory=lambda: defaultdict(deque))

    def retry_after(self, tenant_id: str) -> int | None:
        """Count a request; None lets it through, otherwise the whole seconds to wait."""
        now = self.clock()
        times = self._times[tenant_id]
        while times and now - times[0] >= _WINDOW:
            times.popleft()
        if len(times) >= self.per_minute:
            # At least a second even when no request is allowed at all.
            return ceil((_WINDOW - (now - times[0])).total_seconds()) if times else 1
        times.append(now)
        return None


@dataclass
class Traffic:
    """Faults to come and requests that were."""

    faults: list[Fault] = field(default_factory=list)
    requests: list[RequestRecord] = field(default_factory=list)

    def fault_for(self, path: str, now: datetime) -> Fault | None:
        """The fault that hits this request, if any."""
        return next((fault for fault in self.faults if fault.strikes(path, now)), None)

    def by_purpose(self) -> Counter[str]:
        """How many requests came for each purpose."""
        return Counter(record.purpose for record in self.requests)


def purpose_of(user_agent: str) -> str:
    """The word in parentheses at the end of the User-Agent, `other` where there is none."""
    match = _PURPOSE.search(user_agent)
    return match[1] if match else "other"
