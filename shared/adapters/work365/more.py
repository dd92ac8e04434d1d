"""What the second batch gave, handed to the subscriptions that it concerns."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.adapters.work365.reader import Row
from shared.adapters.work365.rows import Rows
from shared.domain.evidence import Environment, Job, ProviderAccount, Related, SystemJob, SystemJobStatus

JOBS = "jobs"
JOBS_OF_SCHEDULED = "jobs of scheduled changes"
RELATED = "parents and linked subscriptions"
ABOVE = "the parents' parents"
LINKED = "linked subscriptions"
ACCOUNTS = "provider accounts of the customer"
SYSTEM_JOBS = "system jobs"


@dataclass
class Noted:
    """What was not understood (`unmapped`) and what did not come (`unread`) of something."""

    unmapped: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def copy(self) -> "Noted":
        return Noted(dict(self.unmapped), list(self.unread))


@dataclass
class More:
    """The rows of the second batch by what was asked for. `problems` says why some of them could not be read."""

    rows: Mapping[str, Sequence[Row]]
    problems: dict[str, str]
    reader: Rows
    related: Mapping[str, tuple[Related, Noted]]

    def __post_init__(self) -> None:
        self._jobs = self._owned(JOBS, "work365_job", "license_change_log")
        self._merges = self._owned(JOBS_OF_SCHEDULED, "work365_job", "scheduled_license_change_log")
        self._accounts = self._owned(ACCOUNTS, "provider_account", "account")
        self._system_jobs = self._owned(SYSTEM_JOBS, "system_job", "regarding")
        self._above = {self.reader.reader("subscription", row).id: row for row in self.rows.get(ABOVE, ())}
        self._linked = self._provider_ids()

    def jobs_of(self, changes: Sequence[str], scheduled: Sequence[str], found: Noted) -> tuple[Job, ...]:
        """The jobs of these changes and scheduled changes."""
        self._name_problem(JOBS, changes, found)
        self._name_problem(JOBS_OF_SCHEDULED, scheduled, found)
        rows = [row for id in sorted(changes) for row in self._jobs.get(id, ())]
        rows += [row for id in sorted(scheduled) for row in self._merges.get(id, ())]
        own = self._own(found)
        return tuple(own.job(row) for row in rows)

    def related_to(self, id: str | None, what: str, found: Noted) -> Related | None:
        """The parent or linked subscription with this id, and what could not be read of it."""
        if id is None:
            return None
        if id not in self.related:
            found.unread.append(f"{what} ({self.problems.get(RELATED, 'not found')})")
            return None
        related, noted = self.related[id]
        found.unmapped.update(noted.unmapped)
        found.unread += [f"{what}: {each}" for each in noted.unread]
        return related

    def above(self, parent_id: str | None, parent: Related | None, found: Noted) -> tuple[str, ...]:
        """The ids of a parent's parents."""
        if parent_id is None:
            return ()
        if (row := self._above.get(parent_id)) is not None:
            return self._own(found).above(row)
        self._name_problem(ABOVE, [parent_id], found)
        nearest = parent.subscription.parent_id if parent is not None else None
        return (nearest,) if nearest is not None else ()

    def accounts_of(self, customer_id: str | None, found: Noted) -> tuple[ProviderAccount, ...] | None:
        """The customer's provider accounts; None when they could not be read."""
        if customer_id is None or ACCOUNTS in self.problems:
            self._name_problem(ACCOUNTS, [customer_id] if customer_id else [], found)
            return None
        own = self._own(found)
        return tuple(own.account(row) for row in self._accounts.get(customer_id, ()))

    def system_jobs_about(self, ids: Iterable[str], found: Noted) -> tuple[SystemJob, ...]:
        """System Jobs about these rows that did not succeed, each kind with the newest that did, if any."""
        own = self._own(found)
        jobs = [own.system_job(row) for id in ids for row in self._system_jobs.get(id, ())]
        return tuple(job for job in jobs if job.status is not SystemJobStatus.SUCCEEDED) + _newest_successes(jobs)

    def linked_at_provider(self, found: Noted) -> frozenset[str] | None:
        """The provider's subscriptions that some subscription of these customers points to; None when not read."""
        self._name_problem(LINKED, ["any"], found)
        return None if LINKED in self.problems else self._linked

    def within(self, environment: Environment) -> Environment:
        """The environment; System Jobs are a table of Dataverse, closed to us for all subscriptions or for none."""
        if SYSTEM_JOBS not in self.problems:
            return environment
        named = f"{SYSTEM_JOBS} ({self.problems[SYSTEM_JOBS]})"
        return replace(environment, unread=(*environment.unread, named))

    def _own(self, found: Noted) -> Rows:
        """A reader whose notes are the subscription's own."""
        return replace(self.reader, unmapped=found.unmapped, unread=found.unread)

    def _owned(self, what: str, table: str, owner: str) -> dict[str, list[Row]]:
        by_owner: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows.get(what, ()):
            id = self.reader.reader(table, row).lookup(owner)
            if id is None:  # it may be anybody's, so nobody's are complete
                self.problems[what] = "a row that makes no sense"
                continue
            by_owner[id].append(row)
        return by_owner

    def _provider_ids(self) -> frozenset[str]:
        readers = (self.reader.reader("subscription", row) for row in self.rows.get(LINKED, ()))
        return frozenset(text.casefold() for read in readers if (text := read.text("provider_subscription_id")))

    def _name_problem(self, what: str, concerned: Sequence[str], found: Noted) -> None:
        if concerned and what in self.problems:
            found.unread.append(f"{what} ({self.problems[what]})")


def related_by_id(found: Iterable[tuple[Related, Noted]]) -> dict[str, tuple[Related, Noted]]:
    """Parents and linked subscriptions by their ids."""
    return {related.subscription.id: (related, noted) for related, noted in found}


def _newest_successes(jobs: Sequence[SystemJob]) -> tuple[SystemJob, ...]:
    failed = {(job.regarding_id, job.name) for job in jobs if job.status is not SystemJobStatus.SUCCEEDED}
    newest: dict[tuple[str, str], SystemJob] = {}
    for job in jobs:
        key, on = (job.regarding_id, job.name), job.completed_on or job.created_on
        if job.status is not SystemJobStatus.SUCCEEDED or key not in failed or on is None:
            continue
        before = newest.get(key)
        if before is None or on > (before.completed_on or before.created_on or on):
            newest[key] = job
    return tuple(newest.values())
