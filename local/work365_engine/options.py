"""What can be set about the engine, by whoever builds a world or drives a test."""

from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from local.partner_center.errors import Refusal

# The id that the "Work 365" application user has unless a world says otherwise.
WORK365_USER_ID = "0f6ce7c8-7a0c-4f0e-9d0b-36500000c001"

# The workflow that gives a change its job, and the one that hands due jobs to the back-end. Where an
# environment has rows for them, they work only while activated.
TRIGGER_WORKFLOW = "Work 365 - Sync License Change Log"
DISPATCH_WORKFLOW = "Work 365 - Run Work 365 Job"

# The scheduled job that merges scheduled changes; where an environment has a row for it, it runs only while enabled.
MERGE_JOB = "Process Scheduled License Change Logs"

# Without these two the application user may read and write nothing of Work 365's (work-365-security-roles).
SERVICE_ROLES = ("Work 365 Service", "Work 365 Portal Service")


@dataclass
class Quirk:
    """How one subscription (by its Work 365 id) misbehaves.

    `ignores`: everything is accepted and nothing ever happens. `slow_cycles`: a job stays In progress for so
    many cycles, None for ever. `fails_with`: the provider answers this. `provisions_without_saying`: the
    provider does it, Work 365 gets a 504 and leaves the change as it was. `succeeds_without_doing`: the job says
    Succeeded, nothing was ordered and the change stays as it was. `workflow_fails`: what each run of the
    workflow says in its System Job instead of making a job.
    """

    ignores: bool = False
    slow_cycles: int | None = 0
    fails_with: Refusal | None = None
    provisions_without_saying: bool = False
    succeeds_without_doing: bool = False
    workflow_fails: str | None = None


@dataclass
class EngineOptions:
    """Work 365's settings and what is wrong with it. May be changed while the engine runs."""

    user_id: str = WORK365_USER_ID
    """The system_user by whom the engine writes; while that user is disabled or lacks a role it does nothing."""

    cycle_seconds: float = 2.0
    """Pause between cycles of `Engine.run`."""

    steps_per_cycle: int = 3
    """How far a job gets in one cycle: 1 shows each state for a cycle, 3 is from Waiting to its end."""

    max_tries: int = 5
    """Calls to the provider before a job that is retried becomes Failed."""

    retry_wait: timedelta = timedelta(0)
    """How long a job waits in Retry, beyond the next cycle."""

    time_zone: str = "UTC"
    """Work 365's own time zone (IANA name), in which dates begin."""

    workflow_on: bool = True
    """Off: a change set to Awaiting Provisioning gets no job."""

    merge_scheduled: bool = True
    """Off: scheduled changes stay Pending past their date."""

    plugin_touch: int = 0
    """Percent of the saves of a change's status after which an asynchronous plug-in saves the row again."""

    touches: int = 0
    """How many more saves of a change's status, by others, are followed by such a save whatever the percentage."""

    touched: int = 0
    """How many were, because of `touches`."""

    missed: dict[str, int] = field(default_factory=dict)
    """By change id, how many of its next triggers get lost."""

    quirks: dict[str, Quirk] = field(default_factory=dict)
    """By subscription id."""

    stuck_jobs: set[str] = field(default_factory=set)
    """Names of scheduled jobs that the back-end does not come to run."""

    done_by_hand: set[str] = field(default_factory=set)
    """Ids of changes that a person has really made at a manual provider."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as an object; ZoneInfoNotFoundError for an unknown name."""
        return ZoneInfo(self.time_zone)

    def quirk(self, subscription_id: str | None) -> Quirk:
        """The quirk of a subscription; none is a Quirk that changes nothing."""
        return self.quirks.get(subscription_id or "", _NO_QUIRK)


_NO_QUIRK = Quirk()
