"""What a change does with seats: adds some, gives some back, ends the subscription, or touches none at all."""

from collections.abc import Iterable
from decimal import Decimal

from shared.domain.chain import UNPROVISIONED
from shared.domain.evidence import Change, ChangeSource, ChangeType
from shared.domain.look import Look


def seats(change: Change | None) -> Decimal | None:
    """The change's seats with their sign; None when they could not be read or are no number."""
    quantity = change.quantity if change is not None else None
    return quantity if quantity is not None and quantity.is_finite() else None


def gives_back(change: Change | None) -> bool:
    """Whether the change takes seats away."""
    return change is not None and change.change_type is ChangeType.UPDATE and (seats(change) or 0) < 0


def touches_none(change: Change) -> bool:
    """A change of price alone: Work 365 keeps one as an audit entry. A quantity that was not read is not zero."""
    return change.change_type is ChangeType.UPDATE and seats(change) == 0


def ends_it(look: Look) -> bool:
    """Whether the head cancels the subscription: a deactivation, or seats down to none."""
    head, after = look.head, look.chain.after
    if head is None:
        return False
    if head.change_type is ChangeType.DEACTIVATE:
        return True
    return gives_back(head) and not counted_by_use(look) and after is not None and after.is_finite() and after <= 0


def counted_by_use(look: Look) -> bool:
    """Quantities of a usage-based subscription say nothing about seats (rule 2)."""
    return look.evidence.subscription.product_class == "usage"


def billed_without(look: Look) -> list[Change]:
    """Invoiced changes that were never provisioned, in the order of their ids.

    Without those that concern no seats of the customer: price changes, and what the provider made itself; and without
    what was archived by this app, which a person wanted neither provisioned nor billed.
    """
    archived = (c for c in look.evidence.changes if _billed_without(c) and c.id not in look.closed)
    return sorted(archived, key=lambda c: c.id)


def _billed_without(change: Change) -> bool:
    waits = change.archived and change.status in UNPROVISIONED
    return waits and not touches_none(change) and change.source is not ChangeSource.PROVIDER


def total(changes: Iterable[Change]) -> Decimal | None:
    """The sum of their seats; None when one is not known."""
    each = [seats(change) for change in changes]
    known = [one for one in each if one is not None]
    return sum(known, Decimal(0)) if len(known) == len(each) else None
