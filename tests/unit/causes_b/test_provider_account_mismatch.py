"""Provider accounts that are empty, ambiguous or not the customer's, and those that only seem so."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.diagnosis import diagnose
from shared.domain.evidence import (
    Change,
    ProviderAccount,
    ProviderReading,
    ProviderSubscription,
    ProviderType,
    ProvisioningStatus,
    Subscription,
)
from shared.domain.finding import Confidence
from shared.domain.look import Look
from tests.builders import (
    AT_PROVIDER,
    DAY,
    HOUR,
    MICROSOFT,
    NOW,
    TENANT,
    change,
    look,
    provisioned,
    shown,
    subscription,
)
from tests.unit.causes_b.kit import (
    APPROVE,
    LINKED,
    MANUAL,
    NOTHING,
    PERSON,
    create,
    holds,
    ruled_out,
)

FAILED = ProvisioningStatus.FAILED
CUSTOMER = subscription().customer_id or ""
NO_ACCOUNT = (
    "Account does not exist for Subscription. Specify the Account and change the state to 'Awaiting Provisioning' "
    "to retry the sync."
)


def failed(code: str, **values: Any) -> Change:
    return change(status=FAILED, message=f'{{"code": {code}}}' if code.isdigit() else code, **values)


class TestProviderAccount:
    NAME = "provider_account_mismatch"
    good = ProviderAccount("a", TENANT, CUSTOMER, MICROSOFT.id, active=True)
    confirmed = ProviderReading(NOW, relationship=True)

    def empty(self, *accounts: ProviderAccount, **values: Any) -> Look:
        mine = subscription(account=None, provider_subscription_id=None)
        defaults: dict[str, Any] = {
            "subscription": mine,
            "accounts_of_customer": accounts,
            "accounts_at_provider": {TENANT.casefold(): self.confirmed},
            "provider": None,
            "linked_at_provider": frozenset(),
        }
        return look(create(), **{**defaults, **values})

    def set_to(self, account: ProviderAccount, **values: Any) -> Look:
        return look(**{"subscription": subscription(account=account), **values})

    def test_exactly_one_confirmed_and_nothing_bought(self) -> None:
        verdict = holds(self.NAME, self.empty(self.good))
        assert (verdict.disposition, verdict.confidence) == (APPROVE, Confidence.CERTAIN)
        assert "tenant" in verdict.next_step

    @pytest.mark.parametrize(
        ("accounts", "why"),
        [
            ((), "has no provider account"),
            ((good, replace(good, id="b", tenant_id="t")), "2 accounts match"),
            ((replace(good, tenant_id=None),), "no Provider Specific Id"),
            ((replace(good, customer_id=None),), "not known to be this customer's"),
            ((replace(good, customer_id="another"),), "not known to be this customer's"),
            ((replace(good, active=None),), "could not be read"),
            ((replace(good, provider_id=None),), "could not be read"),
            ((replace(good, active=False),), "has no provider account"),
            ((replace(good, provider_id="another"),), "has no provider account"),
        ],
    )
    def test_which_one_is_not_clear(self, accounts: tuple[ProviderAccount, ...], why: str) -> None:
        verdict = holds(self.NAME, self.empty(*accounts))
        assert verdict.disposition is PERSON
        assert why in verdict.sentence

    @pytest.mark.parametrize(
        "values",
        [
            {"accounts_at_provider": {}},
            {"accounts_at_provider": {"another": confirmed}, "provider": confirmed},
            {"accounts_at_provider": {TENANT: ProviderReading(NOW)}},
            {"accounts_at_provider": {TENANT: ProviderReading(NOW, relationship=False)}},
            {"accounts_at_provider": {TENANT: ProviderReading(NOW, problem="429", transient=True, relationship=True)}},
            {"linked_at_provider": None},
            {"accounts_of_customer": None},
            {"accounts_at_provider": {TENANT: ProviderReading(NOW, shown().subscriptions, relationship=True)}},
        ],
        ids=[
            "not asked",
            "another asked",
            "not confirmed",
            "no customer",
            "throttled",
            "links not read",
            "accounts not read",
            "bought already",
        ],
    )
    def test_one_that_is_not_confirmed_is_a_persons(self, values: dict[str, Any]) -> None:
        assert holds(self.NAME, self.empty(self.good, **values)).disposition is PERSON

    def test_one_of_another_provider_beside_is_no_second(self) -> None:
        other = replace(self.good, id="b", provider_id="another")
        assert holds(self.NAME, self.empty(other, self.good)).disposition is APPROVE

    @pytest.mark.parametrize(
        "account",
        [
            replace(good, customer_id="another"),
            replace(good, provider_id="another"),
            replace(good, active=False),
        ],
    )
    def test_one_that_is_not_the_customers(self, account: ProviderAccount) -> None:
        assert holds(self.NAME, self.set_to(account)).disposition is PERSON

    def test_a_tenant_that_is_no_customer(self) -> None:
        no_customer = replace(shown(), relationship=False)
        assert holds(self.NAME, self.set_to(self.good, provider=no_customer)).disposition is PERSON

    def test_a_tenant_without_the_linked_subscription(self) -> None:
        verdict = holds(self.NAME, self.set_to(self.good, provider=self.confirmed))
        assert (verdict.disposition, verdict.confidence) == (PERSON, Confidence.LIKELY)

    def test_another_tenant_that_has_the_linked_subscription(self) -> None:
        elsewhere = {"other-tenant": replace(shown(), relationship=True)}
        verdict = holds(self.NAME, self.set_to(self.good, provider=self.confirmed, accounts_at_provider=elsewhere))
        assert verdict.confidence is Confidence.CERTAIN
        assert "other-tenant" in verdict.sentence

    def test_seats_bought_in_a_wrong_tenant_are_named_with_their_date(self) -> None:
        wrong = subscription(account=replace(self.good, customer_id="another"), provider_subscription_id=None)
        bought = ProviderSubscription("f", 25, "active", "CFQ7TTC0LH16:0001", NOW - HOUR, cancellation_until=NOW + DAY)
        reading = ProviderReading(NOW, (bought,), relationship=True)
        one = look(create(), subscription=wrong, provider=reading, linked_at_provider=frozenset())
        verdict = holds(self.NAME, one)
        assert any("2026-11-23" in fact.value for fact in verdict.proof)
        assert "cancel them in time" in verdict.next_step

    def test_no_provider_or_an_inactive_one(self) -> None:
        assert holds(self.NAME, look(subscription=subscription(provider=None))).disposition is PERSON
        off = subscription(provider=replace(MICROSOFT, active=False))
        assert holds(self.NAME, look(subscription=off)).disposition is PERSON

    @pytest.mark.parametrize("kind", [MANUAL, NOTHING, LINKED])
    def test_providers_that_need_no_account(self, kind: ProviderType) -> None:
        ruled_out(self.NAME, look(subscription=subscription(provider=replace(MICROSOFT, type=kind), account=None)))

    def test_in_order(self) -> None:
        ruled_out(self.NAME, look())
        ruled_out(self.NAME, self.set_to(replace(self.good, customer_id=CUSTOMER.upper())))
        ruled_out(self.NAME, self.set_to(self.good, provider=ProviderReading(NOW, problem="403")))

    def test_found_since_the_message_asks_for_a_yes(self) -> None:
        known = replace(shown(), relationship=True)
        verdict = holds(self.NAME, look(provisioned(), failed("20003"), provider=known))
        assert (verdict.disposition, verdict.cured) == (APPROVE, True)

    @pytest.mark.parametrize(
        ("message", "provider"),
        [
            ("20003", None),
            ("20003", shown()),
            ("20003", ProviderReading(NOW, problem="403")),
            ("AADSTS90002: Tenant not found.", replace(shown(), relationship=True)),
        ],
    )
    def test_a_message_that_nothing_newer_denies(self, message: str, provider: ProviderReading | None) -> None:
        verdict = holds(self.NAME, look(provisioned(), failed(message), provider=provider))
        assert (verdict.disposition, verdict.cured) == (PERSON, False)


def test_one_whose_link_is_not_there_is_not_called_suspended() -> None:
    gone: Subscription = subscription(provider_subscription_id=AT_PROVIDER[:-1] + "9")
    one = look(provisioned(), change(quantity=Decimal(5)), subscription=gone)
    assert diagnose(one).cause == "provider_account_mismatch"
