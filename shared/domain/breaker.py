"""The circuit breaker: stops calls to what keeps failing, and tries again with one probe (promise P19). Pure.

closed     calls are made and counted
open       nobody calls until its time is over; a longer Retry-After counts
half-open  its time is over: one call is let through as a probe, and decides
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.policy import BreakerLimits

LONGEST_REST = timedelta(hours=1)
"""A longer Retry-After is taken for a mistake: after this a probe is made."""

SLICES = 10
"""Into how many slices the window is divided that calls are counted in."""


class Position(StrEnum):
    """Whether calls may be made."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Slice:
    """Calls that ended within one slice of the window."""

    begins: datetime
    calls: int
    failures: int


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of the calls to one other party. The default is closed and knows of none."""

    in_a_row: int = 0
    """Failures since the last success."""
    slices: tuple[Slice, ...] = ()
    open_until: datetime | None = None
    """None while closed."""
    not_before: datetime | None = None
    """The end of the newest Retry-After: until then nobody calls, however few calls have failed."""
    probe_until: datetime | None = None
    """How long somebody's probe is waited for."""
    reason: str = ""
    """What the last failure said."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call of ours ended."""

    ok: bool
    reason: str = ""
    retry_after: float = 0.0
    """Seconds after which the other party wants to hear from us again."""
    closes: bool = False
    """A success that counts even while it is open, since it is known to be newer than what opened it."""


def position(breaker: Breaker, now: datetime) -> Position:
    """Whether calls may be made now. While somebody's probe is under way, nobody else calls."""
    if now < max(_times(breaker), default=now):
        return Position.OPEN
    return Position.CLOSED if breaker.open_until is None else Position.HALF_OPEN


def opens_at(breaker: Breaker) -> datetime | None:
    """When a call may be made again; None where nothing stands against it."""
    return max(_times(breaker), default=None)


def probed(breaker: Breaker, limits: BreakerLimits, now: datetime) -> Breaker | None:
    """The breaker with our probe under way; None when it is not half-open, or somebody else is at it."""
    if position(breaker, now) is not Position.HALF_OPEN:
        return None
    return replace(breaker, probe_until=now + limits.open_for)


def counted(breaker: Breaker, outcome: Outcome, limits: BreakerLimits, now: datetime) -> Breaker:
    """The breaker after one more call."""
    slices = _sliced(breaker.slices, outcome, limits, now)
    half_open = breaker.open_until is not None and breaker.open_until <= now
    if outcome.ok:
        if half_open or outcome.closes:
            return Breaker()
        # A call that began before it opened says nothing about now: an open breaker stays open.
        return replace(breaker, in_a_row=0, slices=slices)
    failed = replace(breaker, in_a_row=breaker.in_a_row + 1, slices=slices, reason=outcome.reason)
    rest = min(timedelta(seconds=min(outcome.retry_after, 1e9)), LONGEST_REST)
    asked = now + rest if outcome.retry_after > 0 else None
    failed = replace(failed, not_before=max((t for t in (breaker.not_before, asked) if t), default=None))
    if half_open or (breaker.open_until is None and _too_many(failed, limits)):
        return replace(failed, open_until=now + limits.open_for, probe_until=None)
    return failed


def _times(breaker: Breaker) -> list[datetime]:
    return [t for t in (breaker.open_until, breaker.not_before, breaker.probe_until) if t is not None]


def _too_many(breaker: Breaker, limits: BreakerLimits) -> bool:
    calls, failures = sum(s.calls for s in breaker.slices), sum(s.failures for s in breaker.slices)
    return breaker.in_a_row >= limits.failures or (calls >= limits.least and failures >= limits.share * calls)


def _sliced(slices: tuple[Slice, ...], outcome: Outcome, limits: BreakerLimits, now: datetime) -> tuple[Slice, ...]:
    """The slices of the window that ends now, with one more call in the last."""
    width = max(limits.window / SLICES, timedelta(seconds=1))
    begins = now - timedelta(seconds=now.timestamp() % width.total_seconds())
    kept = [s for s in slices if now - s.begins < limits.window]
    last = kept.pop() if kept and kept[-1].begins >= begins else Slice(begins, 0, 0)
    return (*kept, Slice(last.begins, last.calls + 1, last.failures + (not outcome.ok)))
