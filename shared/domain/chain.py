"""A subscription's changes in the order in which Work 365 provisions them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from shared.domain.evidence import Change, ChangeSource, Evidence, ProvisioningStatus

UNPROVISIONED = frozenset({ProvisioningStatus.AWAITING, ProvisioningStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Chain:
    """The unprovisioned changes of one subscription. Only `head` is ever acted on (rule 6)."""

    head: Change | None
    behind: tuple[Change, ...]
    before: Decimal | None
    """Seats the provider should show while the head is not applied; None when a quantity is missing."""
    after: Decimal | None
    """Seats the provider should show once the head is applied."""


def in_order(changes: Iterable[Change]) -> list[Change]:
    """Changes by effective date, then creation, then id so that the order never depends on the rows' order."""
    return sorted(
        changes,
        key=lambda c: (
            c.effective_date or (c.created_on.date() if c.created_on else date.max),
            c.created_on or datetime.max.replace(tzinfo=UTC),
            c.id,
        ),
    )


def chain_of(evidence: Evidence, own_change_id: str | None = None) -> Chain:
    """The chain of a subscription.

    `own_change_id` is the change that we ourselves set to Not Applicable: it is still unprovisioned although
    it no longer looks so.
    """
    unprovisioned = [c for c in in_order(evidence.changes) if _is_open(c, own_change_id)]
    # What we left half done is finished before anything else of the subscription is looked at.
    unprovisioned.sort(key=lambda c: not _is_ours(c, own_change_id))
    head = unprovisioned[0] if unprovisioned else None
    before = _settled(evidence.changes, own_change_id)
    after = None
    if head is not None and before is not None and head.quantity is not None:
        after = before + head.quantity
    return Chain(head, tuple(unprovisioned[1:]), before, after)


def _is_open(change: Change, own_change_id: str | None) -> bool:
    if change.archived:
        return False
    if change.status in UNPROVISIONED:
        return True
    return _is_ours(change, own_change_id)


def _is_ours(change: Change, own_change_id: str | None) -> bool:
    return change.id == own_change_id and change.status is ProvisioningStatus.NOT_APPLICABLE


def _settled(changes: Iterable[Change], own_change_id: str | None) -> Decimal | None:
    """What is at the provider already: provisioned changes, and those that came from the provider.

    A change's quantity is a delta and later unprovisioned changes are in the subscription's total already,
    so the total is never compared (rule 2).
    """
    total = Decimal(0)
    for change in changes:
        from_provider = (
            change.status is ProvisioningStatus.NOT_APPLICABLE
            and change.source is ChangeSource.PROVIDER
            and change.id != own_change_id
        )
        if change.status is not ProvisioningStatus.PROVISIONED and not from_provider:
            continue
        if change.quantity is None:
            return None
        total += change.quantity
    return total
