"""A Work 365 in memory, by domain values, with versions as Dataverse keeps them and a person at hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from shared.domain.evidence import (
    Change,
    Evidence,
    Job,
    ProvisioningStatus,
    Related,
    Subscription,
    SubscriptionStatus,
)
from shared.errors import SourceError
from shared.ports import Clock, EvidenceRead, StatusWrite, Suspects, WriteResult
from tests.builders import OURS, SOMEONE, WORK365_USER

OPEN = (ProvisioningStatus.AWAITING, ProvisioningStatus.FAILED)


@dataclass
class Held:
    """One subscription with its rows."""

    subscription: Subscription
    changes: dict[str, Change]
    jobs: list[Job] = field(default_factory=list)


@dataclass
class FakeWork365:
    """Port Work365. `before_write` may raise, or answer for a write; `after_write` may change what is reported."""

    clock: Clock
    organization_id: str | None
    held: dict[str, Held] = field(default_factory=dict)
    writes: list[StatusWrite] = field(default_factory=list)
    """Every write that took effect, in order."""
    batches: list[int] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    runs: list[tuple[str, ...]] = field(default_factory=list)
    unavailable: SourceError | None = None
    before_write: Callable[[StatusWrite], WriteResult | None] = lambda _: None
    after_write: Callable[[StatusWrite, WriteResult], WriteResult] = lambda _, result: result
    before_read: Callable[[], None] = lambda: None
    version: int = 1000

    def hold(self, subscription: Subscription, *changes: Change, jobs: Sequence[Job] = ()) -> None:
        self.held[subscription.id] = Held(subscription, {c.id: c for c in changes}, list(jobs))

    def change(self, change_id: str) -> Change:
        return next(h.changes[change_id] for h in self.held.values() if change_id in h.changes)

    def edit(self, change_id: str, by: str = SOMEONE, **values: object) -> None:
        """Someone saves a change."""
        for held in self.held.values():
            if change_id in held.changes:
                self.version += 1
                held.changes[change_id] = replace(
                    held.changes[change_id],
                    **{"etag": f'W/"{self.version}"', "modified_on": self.clock.now(), "modified_by": by, **values},  # type: ignore[arg-type]
                )

    def provision(self, change_id: str) -> None:
        """Work 365 gets it done."""
        self.edit(
            change_id, WORK365_USER, status=ProvisioningStatus.PROVISIONED, actual_provisioned_on=self.clock.now()
        )
        for held in self.held.values():
            if change_id in held.changes and not any(c.status in OPEN for c in held.changes.values()):
                held.subscription = replace(held.subscription, status=SubscriptionStatus.PROVISIONED)

    async def find_suspects(self, created_before: datetime, today: date) -> Suspects:
        self._check("sweep")
        return Suspects(tuple(i for i, h in self.held.items() if _suspect(h, created_before)))

    async def read_evidence(self, subscription_ids: Sequence[str], *, purpose: str) -> EvidenceRead:
        self._check(purpose)
        found = {i: self._evidence(self.held[i]) for i in subscription_ids if i in self.held}
        missing = tuple(i for i in subscription_ids if i not in self.held)
        return EvidenceRead(found, missing, self.organization_id)

    async def set_provisioning_status(self, writes: Sequence[StatusWrite]) -> Sequence[WriteResult]:
        self.batches.append(len(writes))
        return [self._write(write) for write in writes]

    async def run_jobs(self, change_ids: Sequence[str]) -> str:
        self.runs.append(tuple(change_ids))
        return "Work 365 takes it up in its next job cycle"

    async def subscription_of_change(self, change_id: str) -> str | None:
        return next((i for i, h in self.held.items() if change_id in h.changes), None)

    def _check(self, purpose: str) -> None:
        self.reads.append(purpose)
        self.before_read()
        if self.unavailable is not None:
            raise self.unavailable

    def _evidence(self, held: Held) -> Evidence:
        parent = self.held.get(held.subscription.parent_id or "")
        return Evidence(
            subscription=held.subscription,
            changes=tuple(held.changes.values()),
            read_on=self.clock.now(),
            jobs=tuple(held.jobs),
            parent=Related(parent.subscription, tuple(parent.changes.values())) if parent else None,
            linked_at_provider=frozenset(),
            own_user_id=OURS,
            service_user_ids=frozenset({OURS, WORK365_USER}),
        )

    def _write(self, write: StatusWrite) -> WriteResult:
        answer = self.before_write(write)
        if answer is not None:
            return answer
        if self.change(write.change_id).etag != write.etag:
            return WriteResult(write.change_id, version_changed=True)
        self.edit(write.change_id, OURS, status=write.status)
        self.writes.append(write)
        done = WriteResult(write.change_id, done=True, etag=self.change(write.change_id).etag)
        return self.after_write(write, done)


def _suspect(held: Held, created_before: datetime) -> bool:
    old = any(c.status in OPEN and c.created_on and c.created_on < created_before for c in held.changes.values())
    bare = held.subscription.status is SubscriptionStatus.AWAITING and not any(
        c.status in OPEN for c in held.changes.values()
    )
    return old or bare
