"""The watch over the app itself: when it does not do its work, people are told once, and once when it does again. Pure.

What is watched is what came of the work (complete sweeps, cases that move), not whether a timer ran: whatever the
reason, a source that is out or a timer that stands still, it shows there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.policy import Policy
from shared.domain.schedule import Schedule

PERIODS = 3
"""So many times of a schedule in a row without success are too many."""

GRACE = timedelta(minutes=10)
"""However often timers run: less than this is no news."""

LONG_DUE = timedelta(minutes=30)
"""A case that has been due for longer should have been looked at, however much there is to do."""

_CLAIM = timedelta(minutes=2)
"""So long one worker has to tell people before another one does."""


class Concern(StrEnum):
    """What may be wrong with the app."""

    STANDSTILL = "standstill"
    """No sweep is complete, or due cases are not looked at."""
    UNREADABLE = "unreadable"
    """Rows of cases that make no sense: nothing is done with them until a person mends them."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look at the app found."""

    now: datetime
    complete_on: datetime | None
    """When the last complete sweep ended; None when there never was one."""
    problem: str
    """What the last sweep said went wrong; empty when it went well or there was none."""
    due_since: datetime | None = None
    """The longest due case that can be read; None when none has been due for long."""
    due: int = 0
    """Cases that have been due for long, as far as they were counted."""
    unreadable: int = 0
    """Of those, cases that cannot be read."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that people are to know of."""

    since: datetime
    text: str
    told: bool = False
    over: bool = False
    """It has passed, and people who were told of it do not know that yet."""
    claimed_until: datetime | None = None
    """Some worker is telling people, and has until then."""

    @property
    def owed(self) -> bool:
        """Whether people believe something else than what is so."""
        return self.told is self.over


@dataclass(frozen=True, slots=True)
class Vigil:
    """What is remembered from look to look."""

    since: datetime | None = None
    """The first look ever: from then on sweeps are expected."""
    looked_on: datetime | None = None
    standing_since: datetime | None = None
    """From then on each look found cases that had been due for long. An app that was off begins anew."""
    alarms: Mapping[Concern, Alarm] = field(default_factory=dict)


def late(schedule: Schedule, since: datetime, least: timedelta, now: datetime) -> bool:
    """Whether the schedule has had its times since then, three of them, and `least` has passed."""
    deadline = since
    for _ in range(PERIODS):
        deadline = schedule.after(deadline)
    return now > max(deadline, since + least)


def troubles(vigil: Vigil, sight: Sight, policy: Policy) -> dict[Concern, str]:
    """What is wrong now, in words."""
    standing = [*_sweeps(vigil, sight, policy), *_cases(vigil, sight, policy)]
    found = {Concern.STANDSTILL: " ".join(standing)} if standing else {}
    if sight.unreadable:
        count = "One case" if sight.unreadable == 1 else f"{sight.unreadable} cases"
        found[Concern.UNREADABLE] = f"{count} cannot be read, so nothing is done there; the log names the rows."
    return found


def _sweeps(vigil: Vigil, sight: Sight, policy: Policy) -> list[str]:
    since = sight.complete_on or vigil.since
    if since is None or not late(policy.sweeps, since, GRACE, sight.now):
        return []
    ever = "" if sight.complete_on else " the app was set up,"
    reason = f"The last one says: {sight.problem}" if sight.problem else "None was begun: see whether its timer runs."
    return [f"No sweep has been complete since{ever} {_minute(since)}. {reason}"]


def _cases(vigil: Vigil, sight: Sight, policy: Policy) -> list[str]:
    since = vigil.standing_since
    if sight.due_since is None or since is None or not late(policy.wakes, since, GRACE, sight.now):
        return []
    count = "One case is" if sight.due == 1 else f"{sight.due} cases are"
    return [f"{count} due and not looked at, the first since {_minute(sight.due_since)}."]


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def looked(vigil: Vigil, sight: Sight, policy: Policy) -> Vigil:
    """The vigil after one look, with the news that this worker is to tell claimed for it."""
    now = sight.now
    vigil = Vigil(vigil.since or now, now, _standing_since(vigil, sight, policy), vigil.alarms)
    wrong = troubles(vigil, sight, policy)
    alarms = {c: after for c in Concern if (after := _alarm(vigil.alarms.get(c), wrong.get(c), now)) is not None}
    return replace(vigil, alarms=alarms)


def _standing_since(vigil: Vigil, sight: Sight, policy: Policy) -> datetime | None:
    if sight.due_since is None:
        return None
    was_off = vigil.looked_on is None or late(policy.wakes, vigil.looked_on, GRACE, sight.now)
    return sight.now if was_off or vigil.standing_since is None else vigil.standing_since


def _alarm(before: Alarm | None, wrong: str | None, now: datetime) -> Alarm | None:
    if before is None:
        return Alarm(now, wrong, claimed_until=now + _CLAIM) if wrong is not None else None
    taken = before.claimed_until is not None and now < before.claimed_until
    if wrong is None and not before.told and not taken:
        return None  # nobody knows of it
    after = replace(before, text=wrong or before.text, over=wrong is None)
    return replace(after, claimed_until=now + _CLAIM) if after.owed and not taken else after


def claimed(before: Vigil, after: Vigil) -> dict[Concern, Alarm]:
    """What the look that led from one to the other has claimed to tell."""
    claims = {concern: alarm.claimed_until for concern, alarm in before.alarms.items()}
    return {c: a for c, a in after.alarms.items() if a.owed and a.claimed_until != claims.get(c)}


def told(vigil: Vigil, claims: Mapping[Concern, Alarm], *, delivered: bool) -> Vigil:
    """The vigil after people were told; after they could not be, the next look tries again."""
    after = {c: _after_telling(alarm, claims.get(c), delivered=delivered) for c, alarm in vigil.alarms.items()}
    return replace(vigil, alarms={c: alarm for c, alarm in after.items() if alarm is not None})


def _after_telling(there: Alarm, said: Alarm | None, *, delivered: bool) -> Alarm | None:
    if said is None or there.since != said.since:
        return there
    if not delivered:
        return replace(there, claimed_until=None)
    if said.over and there.over:
        return None
    return replace(there, told=not said.over, claimed_until=None)
