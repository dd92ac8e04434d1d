"""What the operator decides: how long is too long, how often, and whether to act at all."""

from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from enum import StrEnum


class Mode(StrEnum):
    """How far the app may go. There is no default: it writes to a billing system."""

    OBSERVE = "observe"
    """Diagnose, say what would be done, write nothing to Dataverse."""
    APPROVE = "approve"
    """Write only what a person has said yes to."""
    AUTO = "auto"
    """Retrigger by itself where the cause's disposition is `auto`."""


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

    @property
    def waiting_time(self) -> timedelta:
        """How long a change may stay unprovisioned before it counts as stuck."""
        return self.job_cycle + self.grace
