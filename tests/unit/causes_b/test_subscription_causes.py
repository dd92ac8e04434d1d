"""What is wrong about the subscription itself: its state, customer or product."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.diagnosis import diagnose
from shared.domain.evidence import (
    Change,
    ChangeType,
    ProviderAccount,
    ProviderType,
    ProvisioningStatus,
    SubscriptionStatus,
)
from shared.domain.finding import Confidence
from shared.domain.look import Look
from tests.builders import (
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
    AUTO,
    LINKED,
    MANUAL,
    NOTHING,
    PERSON,
    WAIT,
    holds,
    reduction,
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


class TestState:
    NAME = "subscription_state_blocked"

    @pytest.mark.parametrize("status", ["suspended", "expired", "cancelled", "inactive"])
    def test_in_work_365(self, status: str) -> None:
        mine = subscription(status=SubscriptionStatus(status))
        verdict = holds(self.NAME, look(subscription=mine, provider=None))
        assert (verdict.disposition, verdict.confidence) == (PERSON, Confidence.LIKELY)
        assert (
            holds(self.NAME, look(subscription=mine, provider=shown(status="expired"))).confidence is Confidence.CERTAIN
        )

    def test_in_work_365_but_active_at_the_provider(self) -> None:
        verdict = holds(self.NAME, look(subscription=subscription(status=SubscriptionStatus.SUSPENDED)))
        assert verdict.confidence is Confidence.LIKELY
        assert verdict.against

    @pytest.mark.parametrize("status", ["suspended", "expired", "deleted", "disabled"])
    def test_at_the_provider(self, status: str) -> None:
        verdict = holds(self.NAME, look(provider=shown(status=status, suspension_reasons=("Delinquency",))))
        assert "at the provider" in verdict.sentence
        assert any(fact.value == "Delinquency" for fact in verdict.proof)

    @pytest.mark.parametrize("status", ["active", "pending", None])
    def test_what_is_no_end(self, status: str | None) -> None:
        ruled_out(self.NAME, look(provider=shown(status=status)))

    @pytest.mark.parametrize(
        "head",
        [
            change(change_type=ChangeType.ACTIVATE, quantity=None),
            change(change_type=ChangeType.DEACTIVATE, quantity=None),
            reduction(-20),
        ],
        ids=["activation", "deactivation", "seats to none"],
    )
    def test_a_state_that_the_change_itself_makes_or_mends(self, head: Change) -> None:
        for status in (SubscriptionStatus.CANCELLED, SubscriptionStatus.SUSPENDED, SubscriptionStatus.INACTIVE):
            ruled_out(self.NAME, look(provisioned(), head, subscription=subscription(status=status)))

    def test_a_change_of_a_type_that_is_not_known_could_be_it(self) -> None:
        one = look(
            provisioned(), change(change_type=None), subscription=subscription(status=SubscriptionStatus.EXPIRED)
        )
        assert holds(self.NAME, one).confidence is Confidence.LOW

    def test_a_reduction_that_leaves_seats_is_none(self) -> None:
        one = look(provisioned(), reduction(-19), subscription=subscription(status=SubscriptionStatus.SUSPENDED))
        assert holds(self.NAME, one)

    def test_a_do_nothing_provider(self) -> None:
        nothing = subscription(provider=replace(MICROSOFT, type=NOTHING))
        assert holds(self.NAME, look(subscription=nothing)).disposition is PERSON

    @pytest.mark.parametrize("code", ["800012", "800091", "2011", "900277", "900115", "6000", "900311"])
    def test_a_code_stays_a_persons_beside_an_active_subscription(self, code: str) -> None:
        verdict = holds(self.NAME, look(provisioned(), failed(code)))
        assert (verdict.disposition, verdict.confidence, verdict.cured) == (PERSON, Confidence.LIKELY, False)
        assert verdict.against

    def test_being_suspended_takes_its_time(self) -> None:
        for provider in (None, shown()):
            verdict = holds(self.NAME, look(provisioned(), failed("2001"), provider=provider))
            assert (verdict.disposition, verdict.until) == (WAIT, NOW - HOUR + DAY)
        later = holds(self.NAME, look(provisioned(), failed("2001"), now=NOW + DAY))
        assert (later.disposition, later.cured) == (AUTO, True)
        assert holds(self.NAME, look(provisioned(), failed("2001"), provider=None, now=NOW + DAY)).disposition is PERSON


class TestCustomer:
    NAME = "customer_missing"
    account = ProviderAccount("a", TENANT, CUSTOMER)

    def of(self, head: Change | None = None, **values: Any) -> Look:
        return look(provisioned(), head or change(), subscription=subscription(**values))

    def test_none(self) -> None:
        verdict = holds(self.NAME, self.of(customer_id=None))
        assert (verdict.disposition, verdict.confidence) == (PERSON, Confidence.CERTAIN)

    def test_none_but_account_and_contract_agree(self) -> None:
        verdict = holds(self.NAME, self.of(customer_id=None, account=self.account))
        assert verdict.disposition is APPROVE
        assert CUSTOMER in verdict.next_step
        assert diagnose(self.of(customer_id=None, account=self.account)).disposition is APPROVE

    @pytest.mark.parametrize(
        "values",
        [
            {"account": replace(account, customer_id="another")},
            {"account": replace(account, customer_id=None)},
            {"account": account, "contract_customer_id": None},
            {"account": account, "contract_active": False},
        ],
    )
    def test_none_and_they_do_not_agree(self, values: dict[str, Any]) -> None:
        assert holds(self.NAME, self.of(customer_id=None, **values)).disposition is PERSON

    @pytest.mark.parametrize(
        "values",
        [
            {"customer_active": False},
            {"contract_id": None, "contract_customer_id": None},
            {"contract_active": False},
            {"contract_customer_id": "another"},
        ],
    )
    def test_wrong(self, values: dict[str, Any]) -> None:
        assert holds(self.NAME, self.of(**values)).disposition is PERSON

    def test_the_change_names_another_account(self) -> None:
        assert holds(self.NAME, self.of(change(account_id="another"))).disposition is PERSON

    @pytest.mark.parametrize(
        "values",
        [
            {},
            {"customer_active": None, "contract_active": None},
            {"contract_customer_id": CUSTOMER.upper()},
            {"contract_customer_id": None},
            {"account": account},
        ],
    )
    def test_in_order_as_far_as_was_read(self, values: dict[str, Any]) -> None:
        ruled_out(self.NAME, self.of(change(account_id=CUSTOMER), **values))

    def test_the_complaint_of_a_change_without_account(self) -> None:
        verdict = holds(self.NAME, self.of(failed(NO_ACCOUNT)))
        assert verdict.disposition is PERSON
        assert "Set the change's Account" in verdict.next_step

    def test_the_complaint_after_the_account_was_set(self) -> None:
        verdict = holds(self.NAME, self.of(failed(NO_ACCOUNT, account_id=CUSTOMER)))
        assert (verdict.disposition, verdict.cured) == (AUTO, True)

    def test_the_complaint_while_it_is_not_known_whether_the_account_is_active(self) -> None:
        verdict = holds(self.NAME, self.of(failed(NO_ACCOUNT, account_id=CUSTOMER), customer_active=None))
        assert (verdict.disposition, verdict.confidence) == (PERSON, Confidence.LOW)


class TestProduct:
    NAME = "product_or_price_invalid"

    @pytest.mark.parametrize("values", [{"part_number": None}, {"part_number": ""}, {"product_active": False}])
    def test_it_cannot_be_ordered(self, values: dict[str, Any]) -> None:
        verdict = holds(self.NAME, look(subscription=subscription(**values)))
        assert (verdict.disposition, verdict.advice) == (PERSON, False)

    @pytest.mark.parametrize("kind", [MANUAL, NOTHING, LINKED])
    def test_nothing_is_ordered_by_number_there(self, kind: ProviderType) -> None:
        mine = subscription(provider=replace(MICROSOFT, type=kind), part_number=None)
        ruled_out(self.NAME, look(subscription=mine))

    @pytest.mark.parametrize("blank", ["price_list_id", "currency"])
    def test_blanks_are_advice_and_hold_nothing_back(self, blank: str) -> None:
        one = look(subscription=subscription(**{blank: None}))
        assert holds(self.NAME, one).advice
        assert (diagnose(one).cause, diagnose(one).disposition) == ("trigger_missed", AUTO)
        assert diagnose(one).findings[-1].cause == self.NAME

    def test_what_holds_goes_before_advice(self) -> None:
        assert not holds(self.NAME, look(subscription=subscription(currency=None, part_number=None))).advice

    @pytest.mark.parametrize("code", ["400013", "900222", "0x80100010"])
    def test_its_message(self, code: str) -> None:
        one = look(provisioned(), failed(f'{{"code": "{code}"}}'))
        assert (diagnose(one).cause, diagnose(one).disposition) == (self.NAME, PERSON)

    def test_in_order(self) -> None:
        ruled_out(self.NAME, look())
        ruled_out(self.NAME, look(subscription=subscription(product_active=None)))
