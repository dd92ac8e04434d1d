"""Whatever the evidence holds, every cause gives a finding or a reason, and the same one for any order of rows."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.causes import CAUSES
from shared.domain.costs import cost_of_waiting
from shared.domain.evidence import (
    Change,
    ChangeSource,
    ChangeType,
    Job,
    JobStatus,
    ProviderAccount,
    ProviderReading,
    ProviderRow,
    ProviderSubscription,
    ProviderType,
    ProvisioningStatus,
    ReductionBehavior,
    Related,
    ScheduledChange,
    SeatBatch,
    Subscription,
    SubscriptionStatus,
)
from shared.domain.finding import Disposition, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.policy import Mode, Policy
from tests.builders import AT_PROVIDER, NOW, OURS, SOMEONE, evidence

MINE = (
    "already_applied",
    "nothing_to_provision",
    "future_effective_date",
    "manual_provider",
    "linked_change",
    "parent_not_provisioned",
    "scheduled_change_not_applied",
    "prior_change_blocking",
    "subscription_state_blocked",
    "customer_missing",
    "provider_account_mismatch",
    "product_or_price_invalid",
    "no_change_log",
    "billed_not_provisioned",
    "set_aside_by_hand",
    "possible_duplicate",
    "reduction_window_closed",
)
ZONES = [UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Midway"), ZoneInfo("America/Santiago")]

last = datetime.max.replace(tzinfo=UTC)
moments = st.none() | st.sampled_from([NOW, NOW - timedelta(hours=1), NOW + timedelta(hours=2), last])
days = st.none() | st.sampled_from(
    [NOW.date(), date(2026, 11, 20), date(2026, 12, 1), date(2024, 2, 29), date(2026, 1, 31), date.min, date.max]
)
seats = st.none() | st.sampled_from([Decimal(n) for n in (5, -5, -20, 0, 20, "0.5", "1E999999", "NaN", "-Infinity")])
ids = st.none() | st.sampled_from(["11111111-0000-0000-0000-000000000001", "a", "A", "b"])
users = st.none() | st.sampled_from([OURS, SOMEONE])
CODES = (27009, 10018, 800012, 2001, 20003, 900257)
messages = st.sampled_from(
    [
        "",
        " ",
        "nobody knows",
        "<script>\x00",
        *(f'{{"code": {c}}}' for c in (27009, 10018, 800012, 2001, 20003, 900257)),
    ]
)
counts = st.none() | st.sampled_from([0, 5, 20, 25, -1, 10**9])
flags = st.none() | st.booleans()

changes = st.builds(
    Change,
    id=st.sampled_from(["c1", "c2", "c3"]),
    name=st.sampled_from(["", "Increase"]),
    change_type=st.none() | st.sampled_from(ChangeType),
    quantity=seats,
    effective_date=days,
    created_on=moments,
    modified_on=moments,
    modified_by=users,
    status=st.sampled_from([*[ProvisioningStatus.AWAITING] * 3, *ProvisioningStatus, None]),
    message=messages,
    actual_provisioned_on=moments,
    source=st.none() | st.sampled_from(ChangeSource),
    archived=st.sampled_from([False, False, False, True]),
    account_id=ids,
    unit_price=seats,
)
providers = st.builds(
    ProviderRow,
    id=st.just("p"),
    type=st.none() | st.sampled_from(ProviderType),
    connector=st.sampled_from([None, "microsoft_csp", "pax8"]),
    active=flags,
)
accounts = st.builds(ProviderAccount, st.just("x"), tenant_id=ids, customer_id=ids, provider_id=ids, active=flags)
subscriptions = st.builds(
    Subscription,
    id=st.just("11111111-0000-0000-0000-000000000001"),
    status=st.none() | st.sampled_from(SubscriptionStatus),
    start_date=days,
    end_date=days,
    product_class=st.sampled_from([None, "license", "usage"]),
    part_number=st.sampled_from([None, "", "CFQ7TTC0LH16:0001"]),
    customer_id=ids,
    parent_id=ids,
    linked_id=ids,
    provider=st.none() | providers,
    account=st.none() | accounts,
    provider_subscription_id=st.sampled_from([None, AT_PROVIDER]),
    customer_active=flags,
    product_active=flags,
    contract_id=ids,
    contract_customer_id=ids,
    contract_active=flags,
    next_invoice_on=days,
    reduction_behavior=st.none() | st.sampled_from(ReductionBehavior),
    reduction_window_days=counts,
    currency=ids,
)
shown = st.builds(
    ProviderSubscription,
    id=st.sampled_from([AT_PROVIDER, "f"]),
    quantity=counts,
    status=st.sampled_from([None, "active", "suspended", "deleted", "?"]),
    product=st.sampled_from([None, "cfq7ttc0lh16:0001:X"]),
    created_on=moments,
    actions=st.sampled_from([None, frozenset(), frozenset({"cancel"})]),
    refundable=st.none() | st.lists(st.builds(SeatBatch, counts, moments), max_size=2).map(tuple),
    refundable_total=counts,
    cancellation_until=moments,
    commitment_end=moments,
)
readings = st.builds(
    ProviderReading,
    moments.map(lambda on: on or NOW),
    st.lists(shown, max_size=2).map(tuple),
    problem=st.sampled_from([None, None, "403"]),
    relationship=flags,
)
related = st.builds(Related, subscriptions, st.lists(changes, max_size=2).map(tuple))
scheduled = st.builds(
    ScheduledChange,
    id=st.sampled_from(["s1", "s2"]),
    status=st.sampled_from(["", "pending", "merge_failed"]),
    effective_date=days,
    quantity=seats,
    change_type=st.none() | st.sampled_from(ChangeType),
)
jobs = st.builds(
    Job,
    id=st.sampled_from(["j1", "j2"]),
    change_id=st.sampled_from(["c1", "c2", ""]),
    status=st.none() | st.sampled_from(JobStatus),
    scheduled_for=moments,
    created_on=moments,
    modified_on=moments,
    results=messages,
    scheduled_change_id=st.sampled_from([None, "s1"]),
)


@st.composite
def looks(draw: Any) -> Look:
    seen = evidence(
        subscription=draw(subscriptions),
        provider=draw(st.none() | readings),
        scheduled=tuple(draw(st.lists(scheduled, max_size=2, unique_by=lambda s: s.id))),
        jobs=tuple(draw(st.lists(jobs, max_size=2, unique_by=lambda j: j.id))),
        parent=draw(st.none() | related),
        linked=draw(st.none() | related),
        ancestors=tuple(draw(st.lists(st.sampled_from(["a", "b", "c"]), max_size=3))),
        accounts_of_customer=draw(st.none() | st.lists(accounts, max_size=2).map(tuple)),
        linked_at_provider=draw(st.sampled_from([None, frozenset(), frozenset({AT_PROVIDER})])),
        unread=draw(st.sampled_from([(), ("parents (403)",)])),
    )
    rows = draw(st.lists(changes, min_size=1, max_size=3, unique_by=lambda c: c.id))
    # Numbers that are none never come out of the adapter, and a chain cannot be summed with them.
    numbered = [replace(c, quantity=c.quantity if c.quantity is None or c.quantity.is_finite() else None) for c in rows]
    policy = Policy(mode=Mode.AUTO, time_zone=draw(st.sampled_from(ZONES)))
    return Look(replace(seen, changes=tuple(numbered)), NOW, policy)


@given(looks())
def test_every_cause_answers_and_never_auto_without_safety(seen: Look) -> None:
    for name in MINE:
        verdict = CAUSES[name](seen)
        assert isinstance(verdict, Finding | RuledOut)
        assert verdict.cause == name
        if isinstance(verdict, RuledOut):
            assert verdict.reason
            assert not verdict.reason.endswith(".")
            continue
        assert verdict.sentence
        assert verdict.next_step
        assert verdict.proof
        if verdict.disposition is Disposition.AUTO:
            assert verdict.cured or name == "prior_change_blocking"
        if verdict.disposition is Disposition.WAIT:
            assert verdict.until or verdict.waits_for


@given(looks())
def test_a_message_of_a_cause_is_answered_by_it(seen: Look) -> None:
    if seen.head is not None and seen.reading.cause in MINE:
        assert isinstance(CAUSES[seen.reading.cause](seen), Finding)


@given(looks())
def test_the_order_of_rows_never_matters(seen: Look) -> None:
    turned: dict[str, Any] = {
        name.name: value[::-1]
        for name in fields(seen.evidence)
        if isinstance(value := getattr(seen.evidence, name.name), tuple) and name.name != "ancestors"
    }
    other = replace(seen, evidence=replace(seen.evidence, **turned))
    for name in MINE:
        assert CAUSES[name](seen) == CAUSES[name](other)
    assert cost_of_waiting(seen) == cost_of_waiting(other)


@given(looks())
def test_a_cost_is_never_negative_nor_in_the_past(seen: Look) -> None:
    cost = cost_of_waiting(seen)
    if cost is not None:
        assert cost.seats is None or cost.seats > 0
        assert cost.deadline is None or cost.deadline > seen.now
        assert (cost.deadline is None) == (cost.deadline_is == "")


@pytest.mark.parametrize("name", MINE)
def test_nothing_at_all_is_no_exception(name: str) -> None:
    bare = replace(evidence(), subscription=Subscription(""), changes=(Change(""),), provider=None)
    assert CAUSES[name](Look(bare, NOW, Policy(mode=Mode.AUTO)))
