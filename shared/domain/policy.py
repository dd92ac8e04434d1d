"""What the operator decides: how long is too long, how often, and whether to act at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from shared.domain.schedule import EVERY_FIVE_MINUTES, EVERY_MINUTE, Schedule


class Mode(StrEnum):
    """How far the app may go. There is no default: it writes to a billing system."""

    OBSERVE = "observe"
    """Diagnose, say what would be done, write nothing to Dataverse."""
    APPROVE = "approve"
    """Write only what a person has said yes to."""
    AUTO = "auto"
    """Retrigger by itself where the cause's disposition is `auto`."""


class Level(StrEnum):
    """How far the app may go with one cause or one action. The mode is the ceiling of all."""

    OFF = "off"
    """Not offered at all: a person sees the cause and what to do by hand."""
    SUGGEST = "suggest"
    """Say what would be done; nobody can have it done by the app."""
    APPROVE = "approve"
    """Do it after a person's yes."""
    AUTO = "auto"
    """Do it without asking, where the diagnosis allows that."""


_RISING = tuple(Level)
"""From the strictest to the freest."""


def strictest_level(*levels: Level) -> Level:
    """The one that allows the least; `auto` when there is none."""
    return min(levels, key=_RISING.index, default=Level.AUTO)


CEILING: Mapping[Mode, Level] = {
    Mode.OBSERVE: Level.SUGGEST,
    Mode.APPROVE: Level.APPROVE,
    Mode.AUTO: Level.AUTO,
}
"""How far a mode lets any cause go, whatever the policy says."""


@dataclass(frozen=True, slots=True)
class Caps:
    """What may be changed within any hour, by all instances together (promise P9)."""

    changes: int = 200
    seats: int = 2_000
    customers: int = 100


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """When no more is tried at one provider, or in Dataverse (promise P19)."""

    failures: int = 5
    """This many failures in a row, or `share` of at least `least` calls within `window`, open it."""
    share: float = 0.5
    least: int = 20
    window: timedelta = timedelta(minutes=10)
    open_for: timedelta = timedelta(minutes=15)
    """Then one call is let through as a probe; a longer Retry-After counts."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """How often the same subscription may need the same fix before a person is asked instead."""

    times: int = 3
    within: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Quiet:
    """A time in which nothing is written: quiet hours, or a freeze around an invoice run."""

    name: str
    reason: str
    windows: Callable[[datetime], tuple[datetime, datetime] | None]
    """The window that a moment falls into, None when it falls into none. Pure."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """Another level for one provider, customer or cause, until it expires. What is None fits all."""

    level: Level
    reason: str
    until: datetime
    provider_id: str | None = None
    customer_id: str | None = None
    cause: str | None = None

    @property
    def specificity(self) -> int:
        """How many of provider, customer and cause it names."""
        return sum(part is not None for part in (self.provider_id, self.customer_id, self.cause))

    def covers(self, cause: str | None, provider_id: str | None, customer_id: str | None, now: datetime) -> bool:
        """Whether it holds for these, now. What is not known is covered by nothing that names it."""
        return (
            now < self.until
            and self.cause in (None, cause)
            and _same_id(self.provider_id, provider_id)
            and _same_id(self.customer_id, customer_id)
        )


def _same_id(wanted: str | None, found: str | None) -> bool:
    return wanted is None or (found is not None and wanted.casefold() == found.casefold())


@dataclass(frozen=True, slots=True)
class Policy:
    """Times and limits of the rules. Defaults fit a Work 365 whose jobs run every 15 minutes."""

    mode: Mode

    time_zone: tzinfo = UTC
    """Where Work 365's days begin; date-only columns are judged there. UTC unless Work 365 is configured otherwise."""

    job_cycle: timedelta = timedelta(minutes=15)
    """How often Work 365 picks up waiting jobs."""

    grace: timedelta = timedelta(minutes=15)
    """Added to one job cycle before a change counts as stuck."""

    job_normal_time: timedelta = timedelta(hours=2)
    """How long a live job may take before a person is asked to look at it."""

    stable_for: timedelta = timedelta(minutes=30)
    """How long a change must stay Provisioned before its case is resolved."""

    look_again: timedelta = timedelta(minutes=30)
    """How often a case that waits for a person or for another case is read again."""

    longest_wait: timedelta = timedelta(days=1)
    """A case that waits for a date is read again at least this often, since dates get edited."""

    action_time_limit: timedelta = timedelta(minutes=5)
    """After this long a started retrigger counts as abandoned by its worker and is taken over."""

    provider_lag: timedelta = timedelta(minutes=15)
    """How far the provider's answers may lag behind its orders (order visibility, provisioning status)."""

    manual_late_after: timedelta = timedelta(days=2)
    """How long a person has to make a change at a manual provider before the case says that it is late."""

    duplicate_within: timedelta = timedelta(minutes=10)
    """Two equal changes made within this time look like one that was entered twice."""

    attempts: int = 2
    """How often one change may be retriggered. A Create is retriggered once, whatever this says."""

    version: str = "built-in"
    """Says which policy decided: the digest of the file's content. Part of every plan's digest."""

    problems: tuple[str, ...] = ()
    """What is wrong with the policy file, each where it is. While there is anything, `mode` is observe."""

    causes: Mapping[str, Level] = field(default_factory=dict)
    """The level of a cause; one that is not named has `auto`, under the mode and the diagnosis's own disposition."""

    actions: Mapping[str, Level] = field(default_factory=dict)
    """The level of an action, such as `retrigger`; one that is not named has `auto`."""

    exemptions: tuple[Exemption, ...] = ()

    caps: Caps = Caps()

    surge: int = 50
    """More new suspects than this in one sweep: none is acted on until a person confirms (promise P10)."""

    breaker: BreakerLimits = BreakerLimits()

    recurrence: Recurrence = Recurrence()

    quiet: tuple[Quiet, ...] = ()

    approval_expires: timedelta = timedelta(days=3)

    approver_is_not_requester: bool = False

    evidence_age: timedelta = timedelta(minutes=5)
    """Evidence older than this is no ground for a write."""

    sweeps: Schedule = EVERY_FIVE_MINUTES
    """When sweeps are to run: the watch over the app goes by it."""

    wakes: Schedule = EVERY_MINUTE
    """When due cases are to be woken, likewise."""

    history_kept: timedelta = timedelta(days=400)
    """How long a closed case is kept; receipts of sweeps, too."""

    @property
    def waiting_time(self) -> timedelta:
        """How long a change may stay unprovisioned before it counts as stuck."""
        return self.job_cycle + self.grace

    @property
    def broken(self) -> str:
        """Why nothing is written, when that is because of the policy file; empty otherwise."""
        return f"the policy cannot be used: {'; '.join(self.problems)}" if self.problems else ""

    def level(
        self, cause: str | None, action: str, provider_id: str | None, customer_id: str | None, now: datetime
    ) -> Level:
        """How far the app may go with this action for this cause. The mode is the ceiling."""
        return strictest_level(self.granted(cause, action, provider_id, customer_id, now), CEILING[self.mode])

    def granted(
        self, cause: str | None, action: str, provider_id: str | None, customer_id: str | None, now: datetime
    ) -> Level:
        """The level before the mode is asked: what observe mode shows, too.

        The stricter of the cause's and the action's, unless an exemption says otherwise: the one that names the
        most of provider, customer and cause, and of several such the strictest. An expired one does not count.
        """
        exempt = [e for e in self.exemptions if e.covers(cause, provider_id, customer_id, now)]
        if exempt:
            most = max(e.specificity for e in exempt)
            return strictest_level(*(e.level for e in exempt if e.specificity == most))
        return strictest_level(
            self.causes.get(cause or "", Level.AUTO),
            self.actions.get(action, Level.AUTO),
        )
