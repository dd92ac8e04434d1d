"""What every part of the engine works with, and the few questions that several of them ask."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from local.dataverse.records import Record, Records
from local.partner_center.provider import Provider
from local.work365_engine.harm import Harm, HarmKind
from local.work365_engine.options import EngineOptions

CHANGE, SUBSCRIPTION, JOB = "license_change_log", "subscription", "work365_job"
SCHEDULED = "scheduled_license_change_log"

AWAITING, FAILED = "awaiting_provisioning", "failed_provisioning"
PROVISIONED, NOT_APPLICABLE = "provisioned", "not_applicable"
UNPROVISIONED = (AWAITING, FAILED)

# "Positive changes run 12:05 am" in Work 365's time zone (docs.work365apps.com, subscription-management).
START_OF_DAY = time(0, 5)


@dataclass(frozen=True)
class Mail:
    """Work 365 asks the people behind a manual provider to make a change."""

    on: datetime
    change_id: str
    provider_name: str


@dataclass
class Desk:
    """The engine's surroundings. Rows are written as Work 365's application user; times are UTC."""

    records: Records
    provider: Provider
    clock: Callable[[], datetime]
    options: EngineOptions
    harm: list[Harm] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)

    def write(self, table: str, id: str, values: Mapping[str, object]) -> None:
        """Save columns of a row; KeyError when it is gone."""
        self.records.update(table, id, values, by=self.options.user_id)

    def add(self, table: str, values: Mapping[str, object]) -> str:
        """Create a row; its id."""
        return self.records.create(table, values, by=self.options.user_id)

    def row(self, table: str, id: str | None) -> Record | None:
        """The row that a lookup points to; None for an empty lookup too."""
        return self.records.get(table, id) if id else None

    def starts(self, day: date) -> datetime:
        """When a date begins for Work 365."""
        return datetime.combine(day, START_OF_DAY, self.options.zone)

    def chain(self, subscription_id: str) -> list[Record]:
        """All changes of a subscription in the order in which they take effect."""
        return sorted(self.records.find(CHANGE, subscription=subscription_id), key=place)

    def unprovisioned(self, subscription_id: str) -> list[Record]:
        """Its changes that are Awaiting or Failed and not archived (archived ones hold nothing up)."""
        return [change for change in self.chain(subscription_id) if is_unprovisioned(change)]

    def process_is_on(self, name: str) -> bool:
        """Whether a workflow of Dataverse runs; an environment without a row for it has it on."""
        rows = self.records.find("workflow", name=name)
        return not rows or any(row["state"] == "activated" for row in rows)

    def timed_job_runs(self, name: str) -> bool:
        """Whether a scheduled job is on and gets run; an environment without a row for it has it running."""
        rows = self.records.find("scheduled_job", name=name)
        return name not in self.options.stuck_jobs and (not rows or any(row["enabled"] for row in rows))

    def harmed(self, kind: HarmKind, change: Record, detail: str) -> None:
        """Write down something that must never happen."""
        self.harm.append(Harm(kind, self.clock(), change["id"], change["subscription"], detail))


def place(change: Record) -> tuple[date, datetime, str]:
    """Where a change stands in its chain."""
    return (change["effective_date"] or change["created_on"].date(), change["created_on"], change["id"])


def is_unprovisioned(change: Record) -> bool:
    """Awaiting or Failed, and not archived."""
    return change["provisioning_status"] in UNPROVISIONED and not is_archived(change)


def is_archived(change: Record) -> bool:
    """Archived means invoiced."""
    return bool(change["status"] == "archived")
