"""The provider behind the local Work 365: what it books, what it refuses by nature, and on request."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from local.partner_center.error_bodies import error_text
from local.partner_center.errors import ProviderRefusal, Refusal, known_errors, refuse
from local.partner_center.model import NextTerm, ProviderSubscription, RefundableBatch
from local.partner_center.provider import Provider

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TENANT = "11111111-1111-4111-8111-111111111111"
NOBODY = "33333333-3333-4333-8333-333333333333"
CSP, REST = "Microsoft CSP", "Own REST"


class Shop:
    """A provider with one customer and one subscription of ten seats, outside of any window."""

    def __init__(self) -> None:
        self.now = NOW
        self.provider = Provider(lambda: self.now)
        self.provider.add_customer(TENANT, "Contoso")
        self.base = self.put("base", 10)

    def put(self, id: str, quantity: int, parent: str | None = None) -> ProviderSubscription:
        subscription = ProviderSubscription(
            id, TENANT, "P:1", quantity, NOW - timedelta(days=90), parent_subscription_id=parent
        )
        self.provider.add_subscription(subscription)
        return subscription

    def change(self, delta: int = 5, id: str = "base", *, name: str = CSP, request_id: str | None = None) -> None:
        self.provider.change_quantity(name, TENANT, id, delta, "change", request_id=request_id)

    def refusal(self, delta: int = 5, id: str = "base", *, name: str = CSP) -> str | None:
        """The code by which a change is refused, None when it is not."""
        try:
            self.change(delta, id, name=name)
        except ProviderRefusal as refusal:
            return refusal.code
        return None


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_every_accepted_change_is_booked(shop: Shop) -> None:
    shop.change(5)
    shop.change(-2)
    booked = [(o.on, o.provider_name, o.delta, o.quantity_after, o.change_id) for o in shop.provider.orders]
    assert booked == [(NOW, CSP, 5, 15, "change"), (NOW, CSP, -2, 13, "change")]
    assert [call.code for call in shop.provider.calls] == [None, None]


def test_the_same_request_id_is_answered_and_not_done_again(shop: Shop) -> None:
    shop.change(5, request_id="one")
    shop.change(5, request_id="one")
    assert (shop.base.quantity, len(shop.provider.orders)) == (15, 1)
    shop.change(5, request_id="two")
    assert shop.base.quantity == 20


@pytest.mark.parametrize(
    ("status", "code"),
    [("suspended", "800091"), ("expired", "800012"), ("deleted", "800012"), ("pending", "800082")],
)
def test_only_active_subscriptions_change(shop: Shop, status: str, code: str) -> None:
    shop.base.status = status  # type: ignore[assignment]
    assert shop.refusal() == code
    assert (shop.base.quantity, shop.provider.orders) == (10, [])
    assert shop.provider.calls[0].code == code


@pytest.mark.parametrize(
    ("tenant", "id", "code"), [(NOBODY, "base", "60003"), ("contoso", "base", "900118"), (TENANT, "gone", "20003")]
)
def test_unknown_ids(shop: Shop, tenant: str, id: str, code: str) -> None:
    with pytest.raises(ProviderRefusal) as caught:
        shop.provider.change_quantity(CSP, tenant, id, 5, "change")
    assert (caught.value.code, caught.value.status) == (code, known_errors()[code].status)


def test_seats_are_given_back_from_open_windows_only(shop: Shop) -> None:
    shop.base.refundable = [
        RefundableBatch(3, NOW + timedelta(days=2)),
        RefundableBatch(2, NOW + timedelta(days=1)),
        RefundableBatch(4, NOW - timedelta(seconds=1)),
    ]
    assert shop.refusal(-6) == "900257"
    assert shop.refusal(-3) is None
    assert [(b.quantity, b.allowed_until) for b in shop.base.refundable] == [(2, NOW + timedelta(days=2))]
    assert shop.refusal(-3) == "900257"


def test_every_purchase_opens_a_window_of_its_own(shop: Shop) -> None:
    shop.change(5)
    shop.now += timedelta(days=4)
    shop.change(2)
    shop.now += timedelta(days=4)
    assert shop.refusal(-3) == "900257"
    assert shop.refusal(-2) is None


def test_the_window_is_a_setting_of_the_provider() -> None:
    provider = Provider(lambda: NOW, window_days=30)
    provider.add_customer(TENANT, "Contoso")
    bought = provider.create_subscription(CSP, TENANT, "P:1", 5, "change")
    assert bought.refundable_now(NOW + timedelta(days=29))[0].quantity == 5
    bought.refundable.clear()
    with pytest.raises(ProviderRefusal, match="30-day window"):
        provider.change_quantity(CSP, TENANT, bought.id, -1, "change")


def test_nothing_is_left_of_a_subscription_by_reduction(shop: Shop) -> None:
    shop.base.refundable = [RefundableBatch(10, NOW + timedelta(days=1))]
    assert shop.refusal(-10) == "2002"


def test_an_addon_needs_an_active_parent_with_enough_seats(shop: Shop) -> None:
    shop.put("addon", 5, parent="base")
    assert shop.refusal(6, "addon") == "10018"
    assert shop.refusal(5, "addon") is None
    shop.base.status = "suspended"
    assert shop.refusal(1, "addon") == "27009"
    with pytest.raises(ProviderRefusal, match="27009"):
        shop.provider.create_subscription(CSP, TENANT, "P:2", 1, "x", parent_subscription_id="base")
    with pytest.raises(ProviderRefusal, match="27009"):
        shop.provider.create_subscription(CSP, TENANT, "P:2", 1, "x", is_addon=True)
    with pytest.raises(ProviderRefusal, match="800029"):
        shop.provider.create_subscription(CSP, TENANT, "P:2", 1, "x", parent_subscription_id="gone")


def test_an_addon_is_resumed_after_its_parent(shop: Shop) -> None:
    shop.put("addon", 5, parent="base")
    for id in ("base", "addon"):
        shop.provider.set_status(CSP, TENANT, id, "suspended", "x")
    with pytest.raises(ProviderRefusal, match="27009"):
        shop.provider.set_status(CSP, TENANT, "addon", "active", "x")
    shop.provider.set_status(CSP, TENANT, "base", "active", "x")
    shop.provider.set_status(CSP, TENANT, "addon", "active", "x")
    assert {s.status for s in shop.provider.subscriptions(TENANT)} == {"active"}
    assert shop.provider.orders == []


def test_what_has_ended_is_not_resumed(shop: Shop) -> None:
    shop.base.status = "expired"
    with pytest.raises(ProviderRefusal, match="800012"):
        shop.provider.set_status(CSP, TENANT, "base", "active", "x")


def test_a_first_order_of_nothing_is_refused(shop: Shop) -> None:
    with pytest.raises(ProviderRefusal, match="2002"):
        shop.provider.create_subscription(CSP, TENANT, "P:2", 0, "x")


def test_a_change_in_mid_term_deletes_what_was_scheduled_for_the_next(shop: Shop) -> None:
    shop.base.scheduled_next_term = NextTerm("P", "1", 8)
    shop.change()
    assert [s.scheduled_next_term for s in shop.provider.subscriptions(TENANT)] == [None]
    assert shop.provider.orders[0].deleted_next_term == NextTerm("P", "1", 8)


@pytest.mark.parametrize(
    ("scope", "csp", "rest", "other"),
    [
        ({}, "800003", "800003", "800003"),
        ({"provider_name": CSP}, "800003", None, "800003"),
        ({"subscription_id": "other"}, None, None, "800003"),
        ({"tenant_id": NOBODY}, None, None, None),
        ({"provider_name": REST, "subscription_id": "other"}, None, None, None),
    ],
)
def test_refusals_have_a_scope(
    shop: Shop, scope: dict[str, str], csp: str | None, rest: str | None, other: str | None
) -> None:
    shop.put("other", 10)
    shop.provider.rules.append(Refusal.known("800003", **scope))
    assert [shop.refusal(), shop.refusal(name=REST), shop.refusal(id="other")] == [csp, rest, other]


def test_refusals_end_by_time_or_by_number(shop: Shop) -> None:
    shop.provider.rules = [
        Refusal.known("800003", times=2),
        Refusal.known("900192", until=NOW + timedelta(hours=1)),
    ]
    assert [shop.refusal() for _ in range(3)] == ["800003", "800003", "900192"]
    shop.now += timedelta(hours=1)
    assert shop.refusal() is None


def test_refusals_can_be_lifted(shop: Shop) -> None:
    shop.provider.rules = [Refusal.known("800003", provider_name=CSP), Refusal.known("900192", provider_name=REST)]
    assert shop.provider.lift("800003", REST) == 0
    assert shop.provider.lift(provider_name=CSP) == 1
    assert (shop.refusal(), shop.refusal(name=REST)) == (None, "900192")


def test_an_order_goes_through_behind_a_timeout(shop: Shop) -> None:
    shop.provider.rules.append(Refusal.known("504", executes=True, times=1))
    assert shop.refusal() == "504"
    assert (shop.base.quantity, len(shop.provider.orders), shop.provider.calls[0].code) == (15, 1, "504")


def test_what_would_be_refused_anyway_is_refused_behind_a_timeout_too(shop: Shop) -> None:
    shop.provider.rules.append(Refusal.known("504", executes=True))
    shop.base.status = "suspended"
    assert shop.refusal() == "800091"


@pytest.mark.parametrize(
    ("code", "shape"),
    [
        ("800082", "partner_center"),
        ("AADSTS700082", "entra"),
        ("429", "throttling"),
        ("504", "gateway"),
        ("800003", "partner_center"),
    ],
)
def test_errors_come_in_their_own_shapes(code: str, shape: str) -> None:
    refusal = refuse(code)
    assert refusal.shape == shape
    body = refusal.body(NOW)
    if shape == "gateway":
        assert body.startswith("<html>")
        return
    said = json.loads(body)
    if shape == "partner_center":
        assert (said["code"], said["source"], said["data"]) == (code, "PartnerFD", [])
    elif shape == "entra":
        assert said["error_codes"] == [700082]
        assert said["error_description"].startswith("AADSTS700082: ")
    else:
        assert said["statusCode"] == 429


def test_a_rule_may_ask_for_another_shape() -> None:
    said = json.loads(Refusal.known("900420", shape="target").use().body(NOW))
    assert said["error"]["code"] == "900420"
    # Short codes are printed as numbers, long ones as text: readers must take both.
    assert json.loads(error_text("partner_center", "20003", 404, "gone", NOW))["code"] == 20003


def test_the_same_entra_error_never_comes_as_the_same_text() -> None:
    refusal = refuse("AADSTS50173")
    assert refusal.body(NOW) != refusal.body(NOW)


def test_the_known_errors_are_usable() -> None:
    assert len(known_errors()) > 80
    for error in known_errors().values():
        assert 400 <= error.status < 600, error
        assert error.text.strip() == error.text != "", error
        assert error.code.removeprefix("AADSTS").isdigit(), error
    assert known_errors()["900257"].message(7) == (
        "You have passed your 7-day window for reducing seats for this subscription."
    )
