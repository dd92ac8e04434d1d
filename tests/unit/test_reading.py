"""Whom the workflow asks: the provider only where Dataverse leaves doubt, and for details only where that does too.

Input: a subscription in a fake Work 365 with the findings that rules would give for it. Output: the tenants that the
fake provider was asked for, and what of its answers reaches the evidence. Not faked: reading, and the engine that
turns findings into a diagnosis.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.causes import CAUSES
from shared.domain.evidence import ChangeType, Evidence, ProviderAccount, ProviderDetails, ProviderSubscription
from shared.domain.finding import Confidence, Disposition, Finding, RuledOut
from shared.domain.look import Look
from shared.workflow.reading import read
from tests.builders import (
    AT_PROVIDER,
    MICROSOFT,
    NOW,
    STUCK,
    SUBSCRIPTION,
    TENANT,
    change,
    provisioned,
    subscription,
)
from tests.workflow_kit import Town

AUTO, APPROVE, WAIT, PERSON = Disposition.AUTO, Disposition.APPROVE, Disposition.WAIT, Disposition.PERSON
SECOND, THIRD = "33333333-0000-0000-0000-000000000002", "33333333-0000-0000-0000-000000000003"
SOON, JUST_NOW = NOW + timedelta(minutes=5), NOW - timedelta(seconds=1)

type Given = tuple[str, Disposition] | tuple[str, Disposition, Any]


class Desk:
    """A town in which the rules find what the test says, whatever the evidence."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.town = Town()
        self.found: tuple[Given, ...] = ()
        self.after_reading: tuple[Given, ...] | None = None
        verdicts = {name: self._rule(name) for name in CAUSES}
        monkeypatch.setattr("shared.domain.diagnosis.CAUSES", verdicts)
        self.town.stuck()

    def finds(self, *found: Given, then: tuple[Given, ...] | None = None) -> None:
        """`then`: what the rules find once the provider was read."""
        self.found, self.after_reading = found, then

    def have(self, *changes: Any, **values: Any) -> None:
        held = self.town.work365.held[SUBSCRIPTION]
        if changes:
            held.changes = {c.id: c for c in changes}
        held.subscription = replace(held.subscription, **values)

    def also(self, monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
        """More evidence than the fake Work 365 gives."""
        real = self.town.work365.read_evidence

        async def more(ids: Any, *, purpose: str) -> Any:
            got = await real(ids, purpose=purpose)
            return replace(got, evidence={i: replace(e, **values) for i, e in got.evidence.items()})

        monkeypatch.setattr(self.town.work365, "read_evidence", more)

    def look(self) -> Evidence:
        got = asyncio.run(read(self.town.ctx, {SUBSCRIPTION: None}, purpose="diagnose"))
        return got.looks[SUBSCRIPTION].evidence

    @property
    def asked(self) -> list[str]:
        return [tenant for tenants in self.town.provider.reads for tenant in tenants]

    @property
    def asked_for_details(self) -> list[tuple[str, str]]:
        return [each for wanted in self.town.provider.asked_for_details for each in wanted]

    def _rule(self, name: str) -> Callable[[Look], Finding | RuledOut]:
        def look_for(look: Look) -> Finding | RuledOut:
            given = self.found
            if self.after_reading is not None and look.evidence.provider is not None:
                given = self.after_reading
            for cause, disposition, *until in given:
                if cause == name:
                    text = "A sentence."
                    return Finding(
                        name, disposition, Confidence.LIKELY, text, text, "x", until=until[0] if until else None
                    )
            return RuledOut(name, "the test says so")

        return look_for


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


DOUBT: list[Given] = [
    ("trigger_missed", AUTO),
    ("consent_expired", APPROVE),
    ("half_toggled", PERSON),
    ("unknown", PERSON),
    ("attempt_outcome_unknown", WAIT, SOON),
    ("provider_operation_pending", WAIT, SOON),
    ("provider_unavailable", WAIT, JUST_NOW),
    ("provider_unavailable", PERSON),
    ("reduction_window_closed", PERSON),
    ("subscription_state_blocked", PERSON),
    ("provider_account_mismatch", PERSON),
    ("set_aside_by_hand", PERSON),
    ("parent_not_provisioned", PERSON),
    ("billed_not_provisioned", PERSON),
]


@pytest.mark.parametrize("finding", DOUBT, ids=lambda f: f"{f[0]}-{f[1]}")
def test_the_provider_is_asked_where_there_is_doubt(desk: Desk, finding: Given) -> None:
    desk.finds(finding)
    reading = desk.look().provider
    assert desk.asked == [TENANT]
    assert reading is not None
    assert reading.subscriptions[0].id == AT_PROVIDER


SETTLED: list[tuple[Given, ...]] = [
    (("not_stuck_yet", WAIT, SOON),),
    (("future_effective_date", WAIT, SOON), ("reduction_window_closed", PERSON)),
    (("consent_expired", PERSON),),
    (("offer_unavailable", PERSON),),
    (("provider_unavailable", WAIT, SOON),),
    (("provider_unavailable", WAIT),),
    (("parent_not_provisioned", WAIT), ("subscription_state_blocked", PERSON)),
    (("manual_provider", PERSON),),
]


@pytest.mark.parametrize("findings", SETTLED, ids=lambda f: f[0][0])
def test_and_not_where_it_would_change_nothing(desk: Desk, findings: tuple[Given, ...]) -> None:
    desk.finds(*findings)
    assert desk.look().provider is None
    assert desk.asked == []


def test_only_microsoft_can_be_asked(desk: Desk) -> None:
    desk.finds(("trigger_missed", AUTO))
    desk.have(provider=replace(MICROSOFT, connector="pax8"))
    assert desk.look().provider is None
    desk.have(provider=replace(MICROSOFT, connector=None))
    assert desk.look().provider is None
    desk.have(provider=MICROSOFT, account=None)
    assert desk.look().provider is None
    assert desk.asked == []


def test_a_first_order_that_nobody_refused_may_be_there(desk: Desk) -> None:
    first = change(change_type=ChangeType.CREATE)
    desk.finds(("product_or_price_invalid", PERSON))
    desk.have(first, provider_subscription_id=None)
    assert desk.look().provider is not None
    refused = replace(first, message="The offer is no longer available (2091)")
    desk.have(refused)
    desk.finds(("offer_unavailable", PERSON))
    assert desk.look().provider is None
    desk.have(first)
    for waits in ("future_effective_date", "parent_not_provisioned"):
        desk.finds((waits, WAIT, SOON))
        assert desk.look().provider is None


def test_what_somebody_set_aside_is_looked_for_although_no_change_is_stuck(desk: Desk) -> None:
    desk.have(provisioned(), change(status="not_applicable"))
    desk.have(status="awaiting_provisioning")
    desk.finds(("no_change_log", PERSON))
    assert desk.look().provider is None
    desk.finds(("no_change_log", PERSON), ("unknown", PERSON))
    assert desk.look().provider is None
    desk.finds(("set_aside_by_hand", PERSON))
    assert desk.look().provider is not None


def test_one_answer_serves_all_subscriptions_of_a_customer(desk: Desk) -> None:
    desk.finds(("trigger_missed", AUTO))
    ids = desk.town.many(3)
    got = asyncio.run(read(desk.town.ctx, dict.fromkeys(ids), purpose="diagnose"))
    assert desk.town.provider.reads == [(TENANT,)]
    assert all(look.evidence.provider is not None for look in got.looks.values())


def account(tenant: str | None, provider: str | None = MICROSOFT.id) -> ProviderAccount:
    return ProviderAccount(f"account of {tenant}", tenant, provider_id=provider)


def test_the_only_account_of_a_customer_answers_for_a_subscription_without_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.finds(("provider_account_mismatch", PERSON))
    desk.have(account=None)
    closed = replace(account(TENANT), active=False)
    accounts = (account(SECOND.upper()), account(None), account(THIRD, "another provider"), closed)
    desk.also(monkeypatch, accounts_of_customer=accounts)
    desk.town.provider.hold(SECOND, ProviderSubscription("bought", 5))
    evidence = desk.look()
    assert desk.asked == [SECOND]
    assert evidence.provider is not None
    assert evidence.provider.subscriptions[0].id == "bought"
    assert evidence.accounts_at_provider == {SECOND: evidence.provider}


def test_several_accounts_are_all_asked_and_none_of_them_speaks_for_the_subscription(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.finds(("provider_account_mismatch", PERSON))
    desk.have(account=None, provider=None)
    desk.also(monkeypatch, accounts_of_customer=(account(SECOND), account(THIRD)))
    desk.town.provider.hold(THIRD)
    evidence = desk.look()
    assert desk.asked == [SECOND, THIRD]
    assert evidence.provider is None
    assert [evidence.accounts_at_provider[t].relationship for t in (SECOND, THIRD)] == [False, True]
    assert desk.asked_for_details == []


def test_an_account_in_doubt_is_read_beside_the_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.finds(("provider_account_mismatch", PERSON))
    desk.also(monkeypatch, accounts_of_customer=(account(SECOND), account(TENANT)))
    evidence = desk.look()
    assert sorted(desk.asked) == [TENANT, SECOND]
    assert evidence.provider is not None
    assert evidence.provider.subscriptions[0].id == AT_PROVIDER
    assert set(evidence.accounts_at_provider) == {TENANT, SECOND}


@pytest.mark.parametrize("rest", [(PERSON,), (WAIT, JUST_NOW)])
@pytest.mark.parametrize("cause", ["attempt_outcome_unknown", "provider_operation_pending"])
def test_details_are_asked_where_the_last_call_is_still_unclear(desk: Desk, cause: str, rest: Any) -> None:
    desk.finds((cause, *rest))
    desk.town.provider.said[AT_PROVIDER] = ProviderDetails(NOW, "pending", 20, "pending")
    evidence = desk.look()
    assert desk.asked_for_details == [(TENANT, AT_PROVIDER)]
    assert evidence.provider_details == ProviderDetails(NOW, "pending", 20, "pending")


@pytest.mark.parametrize("cause", ["attempt_outcome_unknown", "provider_operation_pending"])
def test_and_not_before_what_it_did_can_show(desk: Desk, cause: str) -> None:
    desk.finds((cause, WAIT, SOON))
    evidence = desk.look()
    assert evidence.provider is not None
    assert evidence.provider_details is None
    assert desk.asked_for_details == []


def test_and_not_where_reading_the_provider_has_cleared_it(desk: Desk) -> None:
    desk.finds(("attempt_outcome_unknown", PERSON), then=(("already_applied", APPROVE),))
    assert desk.look().provider_details is None
    desk.finds(("subscription_state_blocked", PERSON))
    assert desk.look().provider_details is None
    assert desk.asked_for_details == []


def test_details_need_a_provider_that_answers_and_a_link(desk: Desk) -> None:
    desk.finds(("attempt_outcome_unknown", PERSON))
    desk.town.provider.problem = "429"
    assert desk.look().provider_details is None
    desk.town.provider.problem = None
    desk.have(provider_subscription_id=None)
    assert desk.look().provider_details is None
    assert desk.asked_for_details == []
    assert STUCK in desk.town.work365.held[SUBSCRIPTION].changes


def test_rules_that_fail_ask_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(look: Look) -> Finding | RuledOut:
        raise ValueError

    monkeypatch.setattr("shared.domain.diagnosis.CAUSES", {"unknown": fails})
    assert desk.look().provider is None
    assert desk.asked == []


def test_a_subscription_that_is_not_stuck_costs_no_question(desk: Desk) -> None:
    desk.finds(("trigger_missed", AUTO))
    desk.have(provisioned(), status=subscription(status="active").status)
    assert desk.look().provider is None
    assert desk.asked == []
