"""What it costs to let a change wait: the next date that takes something away, the seats, the amount."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from shared.domain.evidence import Change, ChangeType
from shared.domain.finding import Cost
from shared.domain.look import Look
from shared.domain.safety import shows_head
from shared.domain.seats import billed_without, counted_by_use, ends_it, gives_back, seats
from shared.domain.windows import room, term_ends


def cost_of_waiting(look: Look) -> Cost | None:
    """The cost of the head's waiting, or of what is billed without it; None when no change is concerned."""
    change = look.head or next(iter(billed_without(look)), None)
    if change is None:
        return None
    deadline, what = min(_deadlines(look), default=(None, ""))
    number = None if counted_by_use(look) else seats(change)
    amount = _amount(change, number)
    return Cost(
        deadline=deadline,
        deadline_is=what,
        seats=abs(number) if number else None,
        amount=amount,
        currency=look.evidence.subscription.currency if amount is not None else None,
    )


def _deadlines(look: Look) -> Iterator[tuple[datetime, str]]:
    """What comes next, each with what happens then. What lies behind us is no deadline."""
    for moment, what in _dates(look):
        if moment is not None and moment > look.now:
            yield moment, what


def _dates(look: Look) -> Iterator[tuple[datetime | None, str]]:
    shown, subscription = look.at_provider(), look.evidence.subscription
    # Seats that the provider has already are bought: then their window runs, whatever the change was.
    bought = shown is not None and shows_head(look)
    if gives_back(look.head) or bought:
        now = room(look)
        yield now.until if now is not None else None, "the window for giving these seats back closes"
    if shown is not None and (ends_it(look) or (bought and _is_first(look.head))):
        yield shown.cancellation_until, "the window for cancelling closes"
    yield term_ends(look), "the term ends"
    if subscription.next_invoice_on is not None:
        yield look.day_begins(subscription.next_invoice_on), "the next invoice is made"


def _is_first(head: Change | None) -> bool:
    return head is not None and head.change_type is ChangeType.CREATE


def _amount(change: Change, number: Decimal | None) -> Decimal | None:
    """Seats times the price of one; None when either is not known, or there are none."""
    price = change.unit_price
    if not number or price is None or not price.is_finite():
        return None
    try:
        return abs(number) * price
    except ArithmeticError:
        return None  # absurd numbers are no amount
