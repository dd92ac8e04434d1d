"""Surges: too many new suspects at once, or some after a silence. Nothing is done until a person confirms. Pure.

A rule that has gone wrong, a restored backup or a plug-in that was switched off all look like many stuck changes.
After a silence (a pause, an outage, a deploy) less is enough, since nobody has seen what happened meanwhile.
The first complete sweep of an environment is no surge: it takes stock of what was stuck before (baseline.py).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

PERIODS = 4
"""So many usual periods without a complete sweep are a silence."""

SHORTEST_SILENCE = timedelta(hours=1)

TOO_LATE = timedelta(days=1)
"""So long without a complete sweep, and nothing new is begun: nobody knows what a sweep would find.

Where sweeps are usually further apart than half of it, twice the usual period counts instead.
"""

LATE_PERIODS = 2

SHARE_AFTER_SILENCE = 5
"""After a silence the surge limit is divided by this."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing is begun until a person has looked at this."""

    id: str
    raised_on: datetime
    suspects: int
    """New ones, in the sweeps since it was raised."""
    limit: int
    after_silence: bool
    told: bool = False
    """Whether people have been told."""

    def sentence(self) -> str:
        """What was found."""
        why = f" after a silence, in which more than {self.limit} is too many" if self.after_silence else ""
        return f"{self.suspects} subscriptions turned up at once{why}: nothing is begun until a person confirms"


@dataclass(frozen=True, slots=True)
class Watch:
    """What is remembered from sweep to sweep."""

    looked_on: datetime | None = None
    """The last complete sweep while nothing was paused."""
    usual: timedelta | None = None
    """How far apart sweeps are, as far as is known."""
    silent: bool = False
    """Everything was paused at the last sweep."""
    seen: frozenset[str] = frozenset()
    """Digests of the suspects of the last sweep that counts: what is not among them is new."""
    hold: Hold | None = None
    stock_taken_on: datetime | None = None
    """The first complete sweep. What was stuck before is stock; until then nothing is begun."""
    stock_told: bool = False
    """Whether people have been told of the stock."""


def looked(watch: Watch, suspects: Iterable[str], limit: int, now: datetime, *, paused: bool) -> Watch:
    """The watch after a complete sweep. While everything is paused, it counts as silence and nothing is learnt."""
    if paused:
        return replace(watch, silent=True)
    found = frozenset(digest_of(each) for each in suspects)
    new = len(found - watch.seen)
    silence = _silence(watch, now)
    allowed = max(limit // SHARE_AFTER_SILENCE, 1) if silence else limit
    hold = watch.hold
    if hold is not None and new:
        # Whoever confirms has seen so many: more are another hold, of which people are told when it is a surge again.
        hold = replace(hold, id=_id(now), suspects=hold.suspects + new, told=hold.told and new <= allowed)
    elif hold is None and new > allowed and watch.stock_taken_on is not None:
        hold = Hold(_id(now), now, new, allowed, silence)
    taken = watch.stock_taken_on or now
    usual = _usual(watch, now, silence=silence)
    return replace(watch, looked_on=now, usual=usual, silent=False, seen=found, hold=hold, stock_taken_on=taken)


def _id(now: datetime) -> str:
    return now.strftime("%Y%m%dT%H%M%S.%fZ")


def digest_of(subscription_id: str) -> str:
    """Eight characters: enough to tell whether a suspect is new."""
    return hashlib.sha256(subscription_id.casefold().encode()).hexdigest()[:8]


def too_late(watch: Watch, now: datetime) -> bool:
    """Whether the last complete sweep is so long ago that nothing new is begun."""
    longest = TOO_LATE if watch.usual is None else max(TOO_LATE, watch.usual * LATE_PERIODS)
    return watch.looked_on is not None and now - watch.looked_on > longest


def _silence(watch: Watch, now: datetime) -> bool:
    if watch.silent:
        return True
    if watch.looked_on is None:
        return False
    longest = TOO_LATE if watch.usual is None else max(watch.usual * PERIODS, SHORTEST_SILENCE)
    return now - watch.looked_on > longest


def _usual(watch: Watch, now: datetime, *, silence: bool) -> timedelta | None:
    """A sweep that somebody asked for in between does not make the usual period a short one.

    A silence makes it longer, by some: what comes again and again is a slow schedule, and no silence any more.
    """
    if watch.looked_on is None or watch.silent:
        return watch.usual
    gap = now - watch.looked_on
    if watch.usual is None:
        return gap
    return min(gap, watch.usual * PERIODS) if silence else max(gap, watch.usual * 3 / 4)
