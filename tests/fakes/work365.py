"""A Work 365 in memory, by domain values, with versions as Dataverse keeps them and a person at hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from shared.domain.amendment import SUBSCRIPTION
from shared.domain.evidence import (
    Change,
    Evidence,
    Job,
    ProviderAccount,
    ProvisioningStatus,
    Related,
    Subscription,
    SubscriptionStatus,
)
from shared.errors import SourceError
from shared.ports import Clock, EvidenceRead, RowWrite, StatusWrite, Suspects, WriteResult
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
    amendments: list[RowWrite] = field(default_factory=list)
    """Every amendment that took effect, in order."""
    accounts: tuple[ProviderAccount, ...] = ()
    """The customers' provider accounts."""
    before_amend: Callable[[RowWrite], WriteResult | None] = lambda _: None
    after_amend: Callable[[RowWrite, WriteResult], WriteResult] = lambda _, result: result
    before_read: Callable[[], None] = lambda: None
    version: int = 1000

    def hold(self, subscription: Subscription, *changes: Change, jobs: Sequence[Job] = ()) -> None:
        self.version += 1
        own = subscription if subscription.etag else replace(subscription, etag=f'W/"{self.version}"')
        self.held[subscription.id] = Held(own, {c.id: c for c in changes}, list(jobs))

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
            waits = any(c.status in OPEN and not c.archived for c in held.changes.values())
            if change_id in held.changes and not waits:
                held.subscription = replace(held.subscription, status=SubscriptionStatus.PROVISIONED)

    def edit_subscription(self, subscription_id: str, **values: object) -> None:
        """Someone saves a subscription."""
        held = self.held[subscription_id]
        self.version += 1
        held.subscription = replace(held.subscription, **{"etag": f'W/"{self.version}"', **values})  # type: ignore[arg-type]

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

    async def amend(self, writes: Sequence[RowWrite]) -> Sequence[WriteResult]:
        self.batches.append(len(writes))
        return [self._amend(write) for write in writes]

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
            accounts_of_customer=self.accounts if held.subscription.account is None else None,
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

    def _amend(self, write: RowWrite) -> WriteResult:
        answer = self.before_amend(write)
        if answer is not None:
            return answer
        if not self._is_there(write):
            return WriteResult(write.row_id, refused=True, reason="there is no such row")
        if self._etag(write) != write.etag:
            return WriteResult(write.row_id, version_changed=True)
        self._set(write)
        self.amendments.append(write)
        done = WriteResult(write.row_id, done=True, etag=self._etag(write))
        return self.after_amend(write, done)

    def _is_there(self, write: RowWrite) -> bool:
        if write.table == SUBSCRIPTION:
            return write.row_id in self.held
        return any(write.row_id in held.changes for held in self.held.values())

    def _etag(self, write: RowWrite) -> str:
        of_subscription = write.table == SUBSCRIPTION
        return (self.held[write.row_id].subscription if of_subscription else self.change(write.row_id)).etag

    def _set(self, write: RowWrite) -> None:
        values: dict[str, object] = {}
        for name, text in write.values.items():
            values |= self._of_subscription(name, text) if write.table == SUBSCRIPTION else _of_change(name, text)
        if write.table == SUBSCRIPTION:
            self.edit_subscription(write.row_id, **values)
            return
        self.edit(write.row_id, OURS, **values)
        held = next(h for h in self.held.values() if write.row_id in h.changes)
        if not any(c.status in OPEN and not c.archived for c in held.changes.values()):
            held.subscription = replace(held.subscription, status=SubscriptionStatus.PROVISIONED)

    def _of_subscription(self, name: str, text: str | None) -> dict[str, object]:
        if name == "provider_account":
            return {"account": next((a for a in self.accounts if a.id == text), None)}
        return {{"customer": "customer_id"}.get(name, name): text}


def _of_change(name: str, text: str | None) -> dict[str, object]:
    """A change's fields, as Work 365's columns name them."""
    match name:
        case "provisioning_status":
            return {"status": ProvisioningStatus(text or "")}
        case "actual_provisioned_on":
            return {name: datetime.fromisoformat(text) if text else None}
        case "effective_date":
            return {name: date.fromisoformat(text) if text else None}
        case _:
            return {"archived": text == "archived"}


def _suspect(held: Held, created_before: datetime) -> bool:
    old = any(c.status in OPEN and c.created_on and c.created_on < created_before for c in held.changes.values())
    bare = held.subscription.status is SubscriptionStatus.AWAITING and not any(
        c.status in OPEN for c in held.changes.values()
    )
    return old or bare
