"""What these tests share: one cause asked by itself, with what it said."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from shared.domain.causes import CAUSES
from shared.domain.evidence import Change, ChangeType, ProviderReading, ProviderType, ReductionBehavior, SeatBatch
from shared.domain.finding import Disposition, Finding, RuledOut
from shared.domain.look import Look
from tests.builders import NOW, change, provisioned, shown

AUTO, WAIT, APPROVE, PERSON = Disposition.AUTO, Disposition.WAIT, Disposition.APPROVE, Disposition.PERSON
RENEWAL = datetime(2027, 1, 1, tzinfo=UTC)
MANUAL, NOTHING, LINKED = ProviderType.MANUAL, ProviderType.DO_NOTHING, ProviderType.LINKED
WITHIN, ALLOWED, DISALLOWED = (
    ReductionBehavior.WITHIN_WINDOW,
    ReductionBehavior.ALLOWED,
    ReductionBehavior.DISALLOWED,
)


def holds(cause: str, seen: Look) -> Finding:
    """The cause's finding."""
    verdict = CAUSES[cause](seen)
    assert isinstance(verdict, Finding), verdict
    assert verdict.cause == cause
    assert verdict.proof, "a finding without proof"
    assert verdict.sentence.endswith((".", "?"))
    return verdict


def ruled_out(cause: str, seen: Look) -> str:
    """Why the cause does not hold."""
    verdict = CAUSES[cause](seen)
    assert isinstance(verdict, RuledOut), verdict
    return verdict.reason


def reduction(quantity: int = -5, **values: Any) -> Change:
    return change(name="Decrease", quantity=Decimal(quantity), **values)


def create(quantity: int = 25, **values: Any) -> Change:
    return change(name="Create", change_type=ChangeType.CREATE, quantity=Decimal(quantity), **values)


def first_order(on: datetime, quantity: int = 20) -> Change:
    """The subscription's first order, provisioned then."""
    return provisioned(quantity=quantity, actual_provisioned_on=on)


def refundable(*batches: tuple[int, datetime], total: int | None = None, **values: Any) -> ProviderReading:
    """What the provider shows of 20 seats: those that may be given back, each batch until its own time."""
    return shown(refundable=tuple(SeatBatch(n, until) for n, until in batches), refundable_total=total, **values)


NEXT_YEAR, LAST_YEAR = date(2026, 12, 31), NOW.replace(year=2025)
