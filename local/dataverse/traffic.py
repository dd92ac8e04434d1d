"""What came in and what it changed: counted by purpose, and kept for whoever checks the app afterwards."""

import re
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from local.dataverse.store import Clock, RowChange

PURPOSES = frozenset({"sweep", "diagnose", "remediate"})
# Enough for any one test or demo; a stack that stays up for days must not grow for ever.
KEPT_CALLS = 20_000
_PURPOSE = re.compile(r"^unstuck/\S+.*\((\w+)\)$")
_STAMPS = frozenset({"created_on", "modified_on", "modified_by", "etag", "id"})


@dataclass(frozen=True)
class Call:
    """One HTTP request. `status` None means that the connection was cut; `parts` counts those of a $batch."""

    on: datetime
    purpose: str
    method: str
    target: str
    status: int | None
    parts: int


@dataclass(frozen=True)
class Write:
    """One committed write through the Web API; `changes` has (before, after) by column key, without stamps."""

    on: datetime
    user: str
    table: str
    id: str
    kind: Literal["created", "updated", "deleted"]
    changes: Mapping[str, tuple[Any, Any]]
    purpose: str


class Traffic:
    """Counts and lists; `requests` are HTTP requests, `parts` requests inside $batch, both by purpose."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.requests: Counter[str] = Counter()
        self.parts: Counter[str] = Counter()
        self.calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self.writes: list[Write] = []

    def arrived(self, purpose: str) -> None:
        """Counts an HTTP request, whatever becomes of it."""
        self.requests[purpose] += 1

    def arrived_part(self, purpose: str) -> None:
        """Counts a request inside a $batch that was reached."""
        self.parts[purpose] += 1

    def answered(self, purpose: str, method: str, target: str, status: int | None, parts: int) -> None:
        """Notes how a request ended."""
        self.calls.append(Call(self._clock(), purpose, method, target, status, parts))

    def on_change(self, change: RowChange) -> None:
        """Keeps a committed write if it came through the Web API. Subscribe this to the records."""
        if change.source == "web_api":
            self.writes.append(
                Write(
                    self._clock(),
                    change.by,
                    change.table,
                    change.id,
                    _kind(change),
                    _changes(change),
                    change.purpose,
                )
            )

    def reset(self) -> None:
        """Forgets everything so far."""
        self.requests.clear()
        self.parts.clear()
        self.calls.clear()
        self.writes.clear()


def purpose_of(user_agent: str | None) -> str:
    """sweep, diagnose or remediate from `unstuck/x.y (purpose)`; everything else is other."""
    match = _PURPOSE.match(user_agent or "")
    return match.group(1) if match and match.group(1) in PURPOSES else "other"


def _kind(change: RowChange) -> Literal["created", "updated", "deleted"]:
    if change.before is None:
        return "created"
    return "deleted" if change.after is None else "updated"


def _changes(change: RowChange) -> dict[str, tuple[Any, Any]]:
    before, after = change.before or {}, change.after or {}
    keys = [key for key in (after or before) if key not in _STAMPS]
    return {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}
