"""A subscription as the first batch gave it, what it asks of the second, and both put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.adapters.work365.environment_reads import Setting
from shared.adapters.work365.more import More, Noted
from shared.adapters.work365.rows import Row, Rows, Shared
from shared.domain.chain import UNPROVISIONED
from shared.domain.evidence import (
    Change,
    ChangeSource,
    ChangeType,
    Evidence,
    ProvisioningStatus,
    Related,
    ScheduledChange,
    Subscription,
)


@dataclass(frozen=True)
class Draft:
    """One subscription with its changes; `noted` is what was not understood or did not come of it."""

    subscription: Subscription
    changes: tuple[Change, ...]
    scheduled: tuple[ScheduledChange, ...]
    noted: Noted

    @property
    def changes_with_jobs(self) -> list[str]:
        return [change.id for change in self.changes if _may_have_job(change)]

    @property
    def scheduled_ids(self) -> list[str]:
        return [each.id for each in self.scheduled]

    @property
    def orders_first(self) -> bool:
        return any(c.change_type is ChangeType.CREATE and _may_have_job(c) for c in self.changes)

    @property
    def regarded(self) -> list[str]:
        """What System Jobs may be about. A change that came from the provider is not waited for."""
        changes = [c.id for c in self.changes if _may_have_job(c) and c.source is not ChangeSource.PROVIDER]
        return [self.subscription.id, *changes, *self.scheduled_ids]

    @property
    def account_in_doubt(self) -> bool:
        """Whether its provider account is empty, not active, or another customer's: then the others matter."""
        account = self.subscription.account
        if self.subscription.customer_id is None:
            return False
        return account is None or not account.active or account.customer_id != self.subscription.customer_id

    def evidence(self, more: More, setting: Setting, read_on: datetime, own_user_id: str | None) -> Evidence:
        """Everything about it. What the second batch has for it brings along what was not understood or read."""
        found, subscription = self.noted.copy(), self.subscription
        found.unmapped = {**setting.notes, **found.unmapped}
        found.unread[:0] = setting.unread
        parent = more.related_to(subscription.parent_id, "parent", found)
        linked = more.related_to(subscription.linked_id, "linked subscription", found)
        return Evidence(
            subscription=subscription,
            changes=self.changes,
            read_on=read_on,
            scheduled=self.scheduled,
            jobs=more.jobs_of(self.changes_with_jobs, self.scheduled_ids, found),
            parent=parent,
            ancestors=more.above(subscription.parent_id, parent, found),
            linked=linked,
            accounts_of_customer=more.accounts_of(subscription.customer_id, found) if self.account_in_doubt else None,
            system_jobs=more.system_jobs_about(self.regarded, found),
            environment=more.within(setting.environment),
            linked_at_provider=more.linked_at_provider(found) if self.orders_first else None,
            own_user_id=own_user_id,
            service_user_ids=setting.application_users,
            unread=tuple(dict.fromkeys(found.unread)),
            unmapped=found.unmapped,
        )


def draft(row: Row, rows: Rows, shared: Shared) -> Draft:
    """The draft of a subscription's row."""
    own = rows.afresh()
    changes, all_changes = own.collection(row, "license_change_log")
    scheduled, all_scheduled = own.collection(row, "scheduled_license_change_log")
    subscription = own.subscription(row, shared)
    cut_off = [("changes", all_changes), ("scheduled changes", all_scheduled)]
    own.unread[:0] = [what for what, complete in cut_off if not complete]
    return Draft(
        subscription=subscription,
        changes=tuple(own.change(each) for each in changes),
        scheduled=tuple(own.scheduled(each) for each in scheduled),
        noted=Noted(own.unmapped, own.unread),
    )


def related(row: Row, rows: Rows, shared: Shared) -> tuple[Related, Noted]:
    """Another subscription with its changes, and what of it did not come or was not understood."""
    own = rows.afresh()
    changes, complete = own.collection(row, "license_change_log")
    found = Related(own.subscription(row, shared), tuple(own.change(each) for each in changes))
    missing = [] if complete else ["its License Change Logs"]
    return found, Noted(own.unmapped, [*missing, *own.unread])


def parents_of(drafts: Sequence[Draft]) -> list[str]:
    """The ids of all parents, each once."""
    return sorted({d.subscription.parent_id for d in drafts if d.subscription.parent_id})


def linked_of(drafts: Sequence[Draft]) -> list[str]:
    """The ids of all subscriptions that others are linked to, each once."""
    return sorted({d.subscription.linked_id for d in drafts if d.subscription.linked_id})


def customers_of(drafts: Sequence[Draft]) -> list[str]:
    """The ids of the customers of these subscriptions, each once."""
    return sorted({d.subscription.customer_id for d in drafts if d.subscription.customer_id})


def _may_have_job(change: Change) -> bool:
    """Not provisioned, or set to Not Applicable, perhaps by us."""
    return not change.archived and (
        change.status in UNPROVISIONED or change.status is ProvisioningStatus.NOT_APPLICABLE or change.status is None
    )
