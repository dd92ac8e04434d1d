"""Reads the evidence of many subscriptions in two batches, and puts it together.

First batch: the subscriptions with their changes, and what the environment shares. Second: the jobs of the
changes that are not provisioned, parents, and for first orders what is already linked at the provider.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.adapters.dataverse.client import Dataverse
from shared.adapters.dataverse.parts import Get, PartResult
from shared.adapters.work365.queries import IDS_IN_A_QUERY, Queries
from shared.adapters.work365.rows import Row, Rows
from shared.domain.chain import UNPROVISIONED
from shared.domain.evidence import (
    Change,
    ChangeType,
    Evidence,
    Job,
    Parent,
    ProviderRow,
    ProvisioningStatus,
    ScheduledChange,
    Subscription,
)
from shared.errors import SourceError
from shared.ports import Clock, EvidenceRead


@dataclass
class Reading:
    """One round of reading. What a part could not give is in `unread`, in words."""

    dataverse: Dataverse
    queries: Queries
    rows: Rows
    clock: Clock
    purpose: str
    unread: list[str] = field(default_factory=list)

    async def evidence(self, ids: Sequence[str]) -> EvidenceRead:
        """Evidence of these subscriptions. Raises SourceError when they could not be read at all."""
        read_on = self.clock.now()
        first = await self._batch([self.queries.subscriptions(ids), self.queries.providers(), *self._who()])
        found, providers, who, users = first
        organization_id, own_user_id = _identity(who)
        provider_rows = {p.id: p for p in map(self.rows.provider, self._optional(providers, "providers"))}
        drafts = [self._draft(row, provider_rows) for row in found.rows]
        service_users = frozenset(
            self.rows.reader("system_user", row).id for row in self._optional(users, "application users")
        )
        more = await self._more(drafts, provider_rows)
        evidence = {
            draft.subscription.id: draft.evidence(more, read_on, own_user_id, service_users, tuple(self.unread))
            for draft in drafts
        }
        missing = tuple(i for i in ids if i not in evidence)
        return EvidenceRead(evidence, missing, organization_id)

    def _who(self) -> list[Get]:
        return [Get("WhoAmI"), self.queries.application_users()]

    def _draft(self, row: Row, providers: Mapping[str, ProviderRow]) -> "Draft":
        rows = Rows(self.rows.schema, self.rows.time_zone)
        changes, all_changes = rows.collection(row, "license_change_log")
        scheduled, all_scheduled = rows.collection(row, "scheduled_license_change_log")
        cut_off = [("changes", all_changes), ("scheduled changes", all_scheduled)]
        return Draft(
            subscription=rows.subscription(row, providers),
            changes=tuple(rows.change(each) for each in changes),
            scheduled=tuple(rows.scheduled(each) for each in scheduled),
            unread=tuple(what for what, complete in cut_off if not complete),
            unmapped=rows.unmapped,
        )

    async def _more(self, drafts: Sequence["Draft"], providers: Mapping[str, ProviderRow]) -> "More":
        """The second batch, left out when nothing asks for it."""
        changes = [change.id for draft in drafts for change in draft.changes if _may_have_job(change)]
        parents = sorted({draft.subscription.parent_id for draft in drafts if draft.subscription.parent_id})
        customers = sorted(
            {d.subscription.customer_id for d in drafts if d.orders_first and d.subscription.customer_id}
        )
        job_parts = list(self.queries.jobs(changes))
        parent_parts = [self.queries.parents(each) for each in _chunks(parents)]
        linked_parts = [self.queries.linked_at_provider(each) for each in _chunks(customers)]
        results = await self._batch([*job_parts, *parent_parts, *linked_parts])
        jobs, rest = results[: len(job_parts)], results[len(job_parts) :]
        parent_results, linked = rest[: len(parent_parts)], rest[len(parent_parts) :]
        more = More(
            jobs=[self.rows.job(row) for r in jobs for row in self._optional(r, "jobs")],
            parents=self._parents([row for r in parent_results for row in self._optional(r, "parents")], providers),
        )
        before = len(self.unread)
        linked_rows = [row for r in linked for row in self._optional(r, "linked subscriptions")]
        more.linked = self._linked(linked_rows) if len(self.unread) == before else None
        return more

    def _parents(self, rows: Iterable[Row], providers: Mapping[str, ProviderRow]) -> dict[str, Parent]:
        found = {}
        for row in rows:
            changes, _ = self.rows.collection(row, "license_change_log")
            subscription = self.rows.subscription(row, providers)
            found[subscription.id] = Parent(subscription, tuple(map(self.rows.change, changes)))
        return found

    def _linked(self, rows: Iterable[Row]) -> frozenset[str]:
        readers = (self.rows.reader("subscription", row) for row in rows)
        return frozenset(text.casefold() for read in readers if (text := read.text("provider_subscription_id")))

    async def _batch(self, parts: Sequence[Get]) -> list[PartResult]:
        return await self.dataverse.batch(parts, purpose=self.purpose) if parts else []

    def _optional(self, result: PartResult, what: str) -> list[Row]:
        """The rows of a part that a diagnosis can do without; what is missing lowers it, never counts as fine."""
        try:
            return list(result.rows)
        except SourceError as error:
            self.unread.append(f"{what} ({error.status or type(error).__name__})")
            return []


@dataclass
class Draft:
    """A subscription as the first batch gave it."""

    subscription: Subscription
    changes: tuple[Change, ...]
    scheduled: tuple[ScheduledChange, ...]
    unread: tuple[str, ...]
    unmapped: Mapping[str, str]

    @property
    def orders_first(self) -> bool:
        return any(c.change_type is ChangeType.CREATE and _may_have_job(c) for c in self.changes)

    def evidence(
        self,
        more: "More",
        read_on: datetime,
        own_user_id: str | None,
        service_user_ids: frozenset[str],
        unread: tuple[str, ...],
    ) -> Evidence:
        mine = {change.id for change in self.changes}
        return Evidence(
            subscription=self.subscription,
            changes=self.changes,
            read_on=read_on,
            scheduled=self.scheduled,
            jobs=tuple(job for job in more.jobs_by_change(mine)),
            parent=more.parents.get(self.subscription.parent_id or ""),
            linked_at_provider=more.linked if self.orders_first else None,
            own_user_id=own_user_id,
            service_user_ids=service_user_ids,
            unread=(*unread, *self.unread),
            unmapped=self.unmapped,
        )


@dataclass
class More:
    """What the second batch gave."""

    jobs: list[Job]
    parents: dict[str, Parent]
    linked: frozenset[str] | None = None
    _by_change: dict[str, list[Job]] | None = None

    def jobs_by_change(self, change_ids: Iterable[str]) -> list[Job]:
        if self._by_change is None:
            self._by_change = {}
            for job in self.jobs:
                self._by_change.setdefault(job.change_id, []).append(job)
        return [job for change_id in sorted(change_ids) for job in self._by_change.get(change_id, [])]


def _may_have_job(change: Change) -> bool:
    """Not provisioned, or set to Not Applicable, perhaps by us."""
    return not change.archived and (
        change.status in UNPROVISIONED or change.status is ProvisioningStatus.NOT_APPLICABLE or change.status is None
    )


def _identity(who: PartResult) -> tuple[str | None, str | None]:
    body = who.body if who.error is None else None
    organization, user = (body or {}).get("OrganizationId"), (body or {}).get("UserId")
    return (
        organization.casefold() if isinstance(organization, str) else None,
        user.casefold() if isinstance(user, str) else None,
    )


def _chunks(ids: Sequence[str | None]) -> list[list[str]]:
    known = [each for each in ids if each is not None]
    return [known[start : start + IDS_IN_A_QUERY] for start in range(0, len(known), IDS_IN_A_QUERY)]
