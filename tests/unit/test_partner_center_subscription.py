"""A subscription as Partner Center shows it: whatever is missing or odd in it is None, and nothing breaks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.adapters.partner_center.shown import shown
from shared.adapters.partner_center.subscription import Refundable, RefundOption, Subscription, subscription

EIGHT = datetime(2026, 11, 22, 8, tzinfo=UTC)
AN_OPTION = RefundOption(None, EIGHT)
ODD: list[tuple[str, object, Callable[[Subscription], object], object]] = [
    ("quantity", "12", lambda s: s.quantity, None),
    ("quantity", True, lambda s: s.quantity, None),
    ("quantity", 12.0, lambda s: s.quantity, 12),
    ("quantity", 12.5, lambda s: s.quantity, None),
    ("quantity", -1, lambda s: s.quantity, None),
    ("quantity", 0, lambda s: s.quantity, 0),
    ("status", "Active", lambda s: s.status, "active"),
    ("status", "InGracePeriod", lambda s: s.status, "InGracePeriod"),
    ("status", 4, lambda s: s.status, None),
    ("creationDate", "2026-11-22T08:00:00.5000007Z", lambda s: s.created_on, EIGHT.replace(microsecond=500_000)),
    ("creationDate", "2026-11-22T08:00:00", lambda s: s.created_on, EIGHT),
    ("creationDate", "2026-11-22T08:00:00+02:00", lambda s: s.created_on, EIGHT - timedelta(hours=2)),
    ("creationDate", "2026-13-22T08:00:00Z", lambda s: s.created_on, None),
    ("creationDate", "0001-01-01T00:00:00+14:00", lambda s: s.created_on, None),
    ("creationDate", "yesterday", lambda s: s.created_on, None),
    ("creationDate", 7, lambda s: s.created_on, None),
    ("scheduledNextTermInstructions", {"quantity": 1}, lambda s: s.has_next_term_instructions, True),
    ("scheduledNextTermInstructions", None, lambda s: s.has_next_term_instructions, False),
    ("scheduledNextTermInstructions", {}, lambda s: s.has_next_term_instructions, None),
    ("scheduledNextTermInstructions", "yes", lambda s: s.has_next_term_instructions, None),
    ("refundOptions", [{"expiresAfter": "2026-11-22T08:00:00Z"}], lambda s: s.refund_options, (AN_OPTION,)),
    ("refundOptions", [{"expiresAt": "2026-11-22T08:00:00Z"}], lambda s: s.refund_options, (AN_OPTION,)),
    ("refundableQuantity", {"totalQuantity": 2, "details": "x"}, lambda s: s.refundable_total, 2),
    ("refundableQuantity", {"totalQuantity": 2, "details": "x"}, lambda s: s.refundable, None),
    ("refundableQuantity", {"details": [{"quantity": 1}, 7]}, lambda s: s.refundable, None),
    ("refundableQuantity", {"details": [{"quantity": "1"}]}, lambda s: s.refundable, (Refundable(None, None),)),
    ("refundableQuantity", {"details": []}, lambda s: s.refundable, ()),
    ("quantity", 10**9 + 1, lambda s: s.quantity, None),
    ("quantity", 1e300, lambda s: s.quantity, None),
    ("quantity", float("inf"), lambda s: s.quantity, None),
    ("commitmentEndDate", "9999-12-31T23:59:59.9999999Z", lambda s: s.commitment_end, None),
    ("creationDate", "0001-01-01T00:00:00", lambda s: s.created_on, None),
    ("cancellationAllowedUntilDate", "2026-11-22T08:00:00Z", lambda s: s.cancellation_until, EIGHT),
    ("cancellationAllowedUntilDate", ["2026-11-22T08:00:00Z"], lambda s: s.cancellation_until, None),
    ("status", "in\u202e limbo", lambda s: s.status, "in limbo"),
    ("suspensionReasons", ["a\nb", 7, ""], lambda s: s.suspension_reasons, ("a b",)),
    ("suspensionReasons", "x", lambda s: s.suspension_reasons, ()),
    ("refundableQuantity", [], lambda s: s.refundable_total, None),
    ("offerId", "1A2B", lambda s: s.part_number, "1A2B"),
    ("offerId", "P:S:A", lambda s: s.part_number, "P:S"),
    ("offerId", "  ", lambda s: s.part_number, None),
    ("attributes", "x", lambda s: s.etag, None),
    ("isTrial", "true", lambda s: s.is_trial, None),
    ("actions", ["Edit", "cancel"], lambda s: s.actions, ("edit", "cancel")),
    ("actions", ["edit", 7], lambda s: s.actions, None),
    ("actions", ["edit", " "], lambda s: s.actions, None),
    ("actions", [], lambda s: s.actions, ()),
    ("actions", None, lambda s: s.actions, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "get", "expected"), ODD)
def test_an_odd_field_is_none(
    name: str, value: object, get: Callable[[Subscription], object], expected: object
) -> None:
    assert get(subscription({name: value})) == expected


JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "id", "offerId", "quantity", "status", "creationDate", "commitmentEndDate", "scheduledNextTermInstructions",
    "refundableQuantity", "refundOptions", "suspensionReasons", "actions", "attributes", "autoRenewEnabled",
]  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(FIELDS), JSON_VALUE))
def test_no_resource_breaks_the_reading(resource: dict[str, Any]) -> None:
    found = subscription(resource)
    assert found.quantity is None or found.quantity >= 0
    assert shown(found).refundable_total is None or shown(found).refundable_total == found.refundable_total
