"""What waiting costs: the nearest date that takes something away, seats, and what they cost."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from shared.domain.costs import cost_of_waiting
from shared.domain.diagnosis import diagnose
from shared.domain.evidence import ChangeType, SubscriptionStatus
from shared.domain.finding import Cost
from shared.domain.policy import Mode, Policy
from tests.builders import DAY, HOUR, NOW, change, look, provisioned, shown, subscription
from tests.unit.causes_b.kit import RENEWAL, WITHIN, first_order, reduction, refundable

PRICE = Decimal("20.60")
TERM, INVOICE = "the term ends", "the next invoice is made"
SEATS, CANCEL = "the window for giving these seats back closes", "the window for cancelling closes"


def cost(*args: object, **values: object) -> Cost:
    got = cost_of_waiting(look(*args, **values))  # type: ignore[arg-type]
    assert got is not None
    return got


def test_seats_times_price_without_the_sign() -> None:
    assert cost(provisioned(), change(unit_price=PRICE)) == Cost(None, "", Decimal(5), Decimal("103.00"), "EUR")
    assert cost(provisioned(), reduction(unit_price=PRICE)).amount == Decimal("103.00")


@pytest.mark.parametrize(
    ("quantity", "price", "seats", "amount"),
    [
        (Decimal(5), None, Decimal(5), None),
        (None, PRICE, None, None),
        (Decimal(0), PRICE, None, None),  # a change of price costs no seats
        (Decimal("1E999999"), Decimal("1E999999"), Decimal("1E999999"), None),
        (Decimal("NaN"), PRICE, None, None),
        (Decimal(5), Decimal("Infinity"), Decimal(5), None),
        (Decimal(5), Decimal(0), Decimal(5), Decimal(0)),
    ],
)
def test_what_is_not_known_or_absurd_is_no_amount(
    quantity: Decimal | None, price: Decimal | None, seats: Decimal | None, amount: Decimal | None
) -> None:
    got = cost(change(quantity=quantity, unit_price=price))
    assert (got.seats, got.amount) == (seats, amount)
    assert (got.currency is None) == (amount is None)


def test_usage_has_no_seats() -> None:
    got = cost(provisioned(), change(unit_price=PRICE), subscription=subscription(product_class="usage"))
    assert (got.seats, got.amount) == (None, None)


class TestDeadline:
    def test_the_nearest_of_term_and_invoice(self) -> None:
        mine = subscription(next_invoice_on=date(2026, 12, 1))
        got = cost(subscription=mine, provider=shown(commitment_end=RENEWAL))
        assert (got.deadline, got.deadline_is) == (datetime(2026, 12, 1, tzinfo=UTC), INVOICE)
        got = cost(subscription=mine, provider=shown(commitment_end=NOW + HOUR))
        assert (got.deadline, got.deadline_is) == (NOW + HOUR, TERM)

    def test_days_begin_where_work_365_runs(self) -> None:
        zone = ZoneInfo("Europe/Amsterdam")
        mine = subscription(next_invoice_on=date(2026, 12, 1))
        got = cost(subscription=mine, policy=Policy(mode=Mode.AUTO, time_zone=zone))
        assert got.deadline == datetime(2026, 11, 30, 23, tzinfo=UTC)

    def test_what_lies_behind_us_is_none(self) -> None:
        mine = subscription(next_invoice_on=date(2026, 11, 22), end_date=date(2026, 10, 1))
        assert cost(subscription=mine).deadline is None

    def test_a_reduction_has_its_batches_windows_first(self) -> None:
        mine = subscription(next_invoice_on=date(2026, 12, 1))
        got = cost(provisioned(), reduction(), subscription=mine, provider=refundable((9, NOW + HOUR), (9, NOW + DAY)))
        assert (got.deadline, got.deadline_is) == (NOW + HOUR, SEATS)

    def test_an_increase_that_is_not_bought_has_no_window(self) -> None:
        assert cost(provider=refundable((9, NOW + HOUR))).deadline is None

    def test_seats_that_are_bought_already_have_one(self) -> None:
        assert cost(provider=refundable((5, NOW + HOUR), quantity=25)).deadline == NOW + HOUR

    def test_work_365s_rule_where_the_provider_was_not_read(self) -> None:
        mine = subscription(reduction_behavior=WITHIN, reduction_window_days=7)
        got = cost(first_order(NOW - 6 * DAY), reduction(), subscription=mine, provider=None)
        assert (got.deadline, got.deadline_is) == (NOW + DAY, SEATS)

    def test_a_cancellation_has_its_own(self) -> None:
        ending = change(change_type=ChangeType.DEACTIVATE, quantity=None)
        got = cost(provisioned(), ending, provider=shown(cancellation_until=NOW + HOUR))
        assert (got.deadline, got.deadline_is) == (NOW + HOUR, CANCEL)

    def test_year_9999_is_no_crash(self) -> None:
        mine = subscription(next_invoice_on=date.max, end_date=date.max)
        assert cost(subscription=mine, policy=Policy(mode=Mode.AUTO, time_zone=ZoneInfo("Asia/Tokyo"))).deadline


def test_without_a_change_there_is_no_cost() -> None:
    assert cost_of_waiting(look(provisioned())) is None


def test_what_is_billed_without_being_provisioned_has_its_amount() -> None:
    mine = subscription(status=SubscriptionStatus.ACTIVE)
    assert cost(provisioned(), change(archived=True, unit_price=PRICE), subscription=mine).amount == Decimal("103.00")


def test_the_diagnosis_tells_it_with_every_finding() -> None:
    seen = look(provisioned(), replace(change(), unit_price=PRICE))
    assert {f.cost for f in diagnose(seen).findings} == {Cost(None, "", Decimal(5), Decimal("103.00"), "EUR")}
