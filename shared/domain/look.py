"""What every cause looks at: the evidence, the chain, the clock and the policy, with the questions they share."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

from shared.domain.amendment import Asked, Done, closed_by
from shared.domain.chain import Chain, chain_of, in_order
from shared.domain.evidence import (
    LIVE_JOBS,
    Change,
    ChangeSource,
    Evidence,
    Job,
    ProviderSubscription,
    ProvisioningStatus,
    SubscriptionStatus,
)
from shared.domain.finding import CAUTION, Disposition, Fact
from shared.domain.intent import Attempt, Intent
from shared.domain.policy import Policy
from shared.domain.provider_errors import NOT_RECOGNISED, Reading, read_message
from shared.domain.standing import Standing

AT_REST = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.PROVISIONED})
"""A subscription in one of these is in force; Work 365 versions label it either way."""


@dataclass(frozen=True)
class Look:
    """One subscription at one moment. Pure: the same look gives the same answers."""

    evidence: Evidence
    now: datetime
    policy: Policy
    intent: Intent | None = None
    attempts: tuple[Attempt, ...] = ()
    dropped: tuple[str, ...] = ()
    """Changes that a write of ours may have reached after we gave it up."""
    asked: Asked | None = None
    """What a person wants done, beyond what the diagnosis offers."""
    done: tuple[Done, ...] = ()
    """What this case has done beyond retriggers."""
    closed_before: tuple[str, ...] = ()
    """Changes that former cases closed as Not Applicable or archived, with a person's yes."""
    standing: Standing | None = None
    """Whether the stock was taken, and what is muted; None when that could not be read."""
    dismissed: tuple[str, ...] | None = None
    """What a person dismissed in this subscription; None when nobody has."""

    @cached_property
    def chain(self) -> Chain:
        half_done = self.intent if self.intent is not None and self.intent.retriggers else None
        return chain_of(self.evidence, half_done.change_id if half_done else None)

    @cached_property
    def head(self) -> Change | None:
        return self.chain.head

    @cached_property
    def today(self) -> date:
        """The date in the time zone that Work 365 runs in."""
        return self.now.astimezone(self.policy.time_zone).date()

    def after(self, moment: datetime, by: timedelta) -> datetime:
        """`moment` plus `by`, as late as there are dates at all."""
        try:
            return moment + by
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)

    def day_begins(self, day: date) -> datetime:
        """The instant at which a date-only column's day begins where Work 365 runs."""
        return datetime.combine(day, time(), tzinfo=self.policy.time_zone)

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """The head's jobs, newest first."""
        head = self.head
        if head is None:
            return ()
        mine = [job for job in self.evidence.jobs if job.change_id == head.id]
        oldest = datetime.min.replace(tzinfo=self.now.tzinfo)
        return tuple(sorted(mine, key=lambda job: (job.created_on or oldest, job.id), reverse=True))

    @cached_property
    def gaps(self) -> bool:
        """Whether something was asked for and could not be read."""
        evidence = self.evidence
        provider_silent = evidence.provider is not None and not evidence.provider.readable
        return bool(evidence.unread or evidence.environment.unread or provider_silent)

    @cached_property
    def live_jobs(self) -> tuple[Job, ...]:
        """Jobs that Work 365 may still act on. A job in an unknown state counts as live."""
        return tuple(job for job in self.jobs if job.status is None or job.status in LIVE_JOBS)

    @cached_property
    def message(self) -> str:
        """What Work 365 last said about the head: its own message, else the newest job's result."""
        head = self.head
        if head is not None and head.message.strip():
            return head.message.strip()
        return next((job.results.strip() for job in self.jobs if job.results.strip()), "")

    @cached_property
    def reading(self) -> Reading:
        return read_message(self.message) if self.message else NOT_RECOGNISED

    @cached_property
    def message_on(self) -> datetime | None:
        """When the message was left: when the newest finished job ended, or the row's last change if it holds one.

        The row's last change is a safe bound: a later edit only makes an old message look newer, never cured.
        """
        head = self.head
        left = [job.modified_on for job in self.jobs if job.modified_on and job not in self.live_jobs]
        if head is not None and head.modified_on is not None and (head.message.strip() or not left):
            left.append(head.modified_on)
        return max(left, default=None)

    def at_provider(self) -> ProviderSubscription | None:
        """The subscription as the provider shows it, when it was read and is linked."""
        return self._at_provider

    @cached_property
    def _at_provider(self) -> ProviderSubscription | None:
        reading, wanted = self.evidence.provider, self.evidence.subscription.provider_subscription_id
        if reading is None or not reading.readable or not wanted:
            return None
        return next((s for s in reading.subscriptions if s.id.casefold() == wanted.casefold()), None)

    def last_attempt(self) -> Attempt | None:
        """Our latest retrigger of the head."""
        mine = self.attempts_on_head()
        return mine[-1] if mine else None

    def attempts_on_head(self) -> tuple[Attempt, ...]:
        head = self.head
        return tuple(a for a in self.attempts if head is not None and a.change_id == head.id)

    def begun_on(self) -> datetime | None:
        """When we last had Work 365 look at the head: by a retrigger, a save of the change, or its job."""
        head, attempt = self.head, self.last_attempt()
        mine = [d for d in self.done if head is not None and _is_about(d, head)]
        moments = [moment for d in mine for moment in (d.on, d.undone_on) if moment is not None]
        return max([*moments, *([attempt.on] if attempt is not None else [])], default=None)

    def age_from(self) -> datetime | None:
        """From when the head's waiting time counts: the latest of creation, effective date and our last doing.

        Never from modifiedon: repeated messages and toggles reset that.
        """
        head, begun = self.head, self.begun_on()
        if head is None:
            return None
        moments = [head.created_on] if head.created_on is not None else []
        if moments and head.effective_date is not None:
            moments.append(self.day_begins(head.effective_date))
        if begun is not None:
            moments.append(begun)
        return max(moments) if moments else None

    def open_changes(self, changes: Iterable[Change]) -> list[Change]:
        """Unprovisioned changes of another subscription (a parent), in order."""
        from_other = Evidence(self.evidence.subscription, tuple(in_order(changes)), self.evidence.read_on)
        chain = chain_of(from_other)
        return [chain.head, *chain.behind] if chain.head else []

    def at_not_applicable(self) -> list[Change]:
        """Changes made in Work 365 that stand at Not Applicable, which only someone's hand, or ours, sets."""
        return [
            change
            for change in self.evidence.changes
            if change.status is ProvisioningStatus.NOT_APPLICABLE
            and change.source is not ChangeSource.PROVIDER
            and not change.archived
            and change.id not in self.closed
        ]

    @cached_property
    def closed(self) -> frozenset[str]:
        """Changes that this app has closed or archived because a person said so: they are no riddle."""
        return frozenset({*self.closed_before, *closed_by(self.done)})

    def fact(self, what: str, value: object, where: str) -> Fact:
        return Fact(what, "empty" if value in (None, "") else str(value), where, self.evidence.read_on)

    def change_fact(self, what: str, value: object, change: Change | None = None) -> Fact:
        change = change or self.head
        return self.fact(what, value, f"license_change_log:{change.id if change else '?'}")


def _is_about(done: Done, head: Change) -> bool:
    """Whether it saved the head, or ran its job. What is saved at the subscription starts nothing by itself."""
    return done.amendment.row_id == head.id if done.amendment is not None else done.change_id == head.id


def strictest(first: Disposition, second: Disposition) -> Disposition:
    """The more cautious of two dispositions."""
    return max(first, second, key=CAUTION.index)
