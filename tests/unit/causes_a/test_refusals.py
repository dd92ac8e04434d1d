"""Causes that only a message proves: agreement, review, credit, offer, quantity; and a sandbox known by its name."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.causes import (
    credit_or_risk_hold,
    customer_agreement_missing,
    customer_under_review,
    offer_unavailable,
    quantity_cap_exceeded,
)
from shared.domain.diagnosis import diagnose
from shared.domain.evidence import ChangeType, ProviderType
from shared.domain.finding import Confidence
from shared.domain.look import Look
from tests.builders import DAY, LATER, MICROSOFT, NOW, change, look, provisioned, shown, subscription
from tests.unit.causes_a.kit import APPROVE, AUTO, MINUTE, PERSON, WAIT, Rule, failed, found, ruled_out


def says(code: int | str) -> str:
    return f'{{"code":{code},"description":"x"}}'


REFUSALS = [
    pytest.param(customer_agreement_missing.look_for, says(13605), id="agreement"),
    pytest.param(customer_agreement_missing.look_for, says(900124), id="partner agreement"),
    pytest.param(customer_under_review.look_for, says(800075), id="not approved"),
    pytest.param(customer_under_review.look_for, says(900416), id="locked"),
    pytest.param(credit_or_risk_hold.look_for, says(800023), id="credit"),
    pytest.param(credit_or_risk_hold.look_for, says(800069), id="risk"),
    pytest.param(offer_unavailable.look_for, says(2091), id="no longer sold"),
    pytest.param(quantity_cap_exceeded.look_for, says(800066), id="too many subscriptions"),
]


@pytest.mark.parametrize(("rule", "message"), REFUSALS)
def test_a_refusal_is_a_persons_however_old_it_is(rule: Rule, message: str) -> None:
    for minutes in (5, 60 * 24 * 30):
        seen = look(provisioned(), failed(message, minutes))
        finding = found(rule, seen)
        assert (finding.disposition, finding.confidence) == (PERSON, Confidence.CERTAIN)
        assert finding.who != "no one"
        assert diagnose(seen).cause == finding.cause


@pytest.mark.parametrize(("rule", "message"), REFUSALS)
def test_no_message_or_another_message_is_no_refusal(rule: Rule, message: str) -> None:
    assert "no message" in ruled_out(rule, look())
    assert "something else" in ruled_out(rule, look(provisioned(), failed(says(27009))))
    assert "not one that a rule knows" in ruled_out(rule, look(provisioned(), failed("Postal code 800023 is wrong?!")))
    assert ruled_out(rule, look(provisioned())) == "no change is unprovisioned"


@pytest.mark.parametrize(("rule", "message"), REFUSALS)
def test_what_the_provider_shows_all_the_same_is_closed_and_never_sent_again(rule: Rule, message: str) -> None:
    finding = found(rule, look(provisioned(), failed(message), provider=shown(25)))
    assert (finding.disposition, finding.cured) == (APPROVE, True)


def test_something_that_got_through_since_speaks_against_it() -> None:
    since = provisioned(LATER, quantity=0, actual_provisioned_on=NOW - 10 * MINUTE)
    finding = found(customer_agreement_missing.look_for, look(provisioned(), since, failed(says(13605))))
    assert (finding.disposition, finding.confidence) == (PERSON, Confidence.LIKELY)
    assert [fact.what for fact in finding.against] == ["provisioned since"]


def test_an_older_success_says_nothing() -> None:
    before = provisioned(LATER, quantity=0, actual_provisioned_on=NOW - DAY)
    assert not found(customer_agreement_missing.look_for, look(before, failed(says(13605)))).against


class TestUnderReview:
    def test_a_review_is_waited_for_a_day(self) -> None:
        finding = found(customer_under_review.look_for, look(provisioned(), failed(says(800073))))
        assert (finding.disposition, finding.until) == (WAIT, NOW - 60 * MINUTE + DAY)

    def test_afterwards_it_is_tried_as_far_as_that_is_safe(self) -> None:
        seen = look(provisioned(), failed(says(800073), 60 * 25))
        assert found(customer_under_review.look_for, seen).disposition is AUTO
        unread = look(provisioned(), failed(says(800073), 60 * 25), provider=None)
        assert found(customer_under_review.look_for, unread).disposition is APPROVE


class TestQuantity:
    def test_the_code_that_misleads_is_not_told_as_a_certain_limit(self) -> None:
        finding = found(quantity_cap_exceeded.look_for, look(provisioned(), failed(says(800089))))
        assert "Provider Part Number" in finding.next_step

    def test_a_maximum_beside_a_reduction_is_doubted(self) -> None:
        finding = found(quantity_cap_exceeded.look_for, look(provisioned(), failed(says(2002), quantity=Decimal(-5))))
        assert finding.confidence is Confidence.LIKELY

    sandbox = replace(MICROSOFT, name="Microsoft CSP Sandbox")

    def seen(self, seats: int | str, before: int = 20, **values: Any) -> Look:
        provider = values.pop("provider", self.sandbox)
        return look(
            provisioned(quantity=before),
            change(quantity=Decimal(seats), **values),
            subscription=subscription(provider=provider),
            provider=shown(before),
        )

    def test_a_sandbox_allows_25_seats(self) -> None:
        finding = found(quantity_cap_exceeded.look_for, self.seen(6))
        assert (finding.disposition, finding.confidence) == (PERSON, Confidence.LIKELY)

    def test_up_to_25_a_reduction_and_any_other_provider_are_not_capped(self) -> None:
        assert ruled_out(quantity_cap_exceeded.look_for, self.seen(5))
        assert ruled_out(quantity_cap_exceeded.look_for, self.seen(-5, before=100))
        assert ruled_out(quantity_cap_exceeded.look_for, self.seen(6, provider=MICROSOFT))
        assert ruled_out(quantity_cap_exceeded.look_for, self.seen(6, message="Something odd"))

    def test_a_quantity_that_is_no_number_is_no_crash(self) -> None:
        assert ruled_out(quantity_cap_exceeded.look_for, self.seen("NaN"))


def test_an_offer_refused_for_a_deactivation_is_doubted() -> None:
    ending = failed(says(2091), change_type=ChangeType.DEACTIVATE, quantity=Decimal(-20))
    assert found(offer_unavailable.look_for, look(provisioned(), ending)).confidence is Confidence.LIKELY


def test_a_manual_providers_old_message_stays_a_persons() -> None:
    manual = subscription(provider=replace(MICROSOFT, type=ProviderType.MANUAL, connector=None))
    assert diagnose(look(provisioned(), failed(says(2091)), subscription=manual, provider=None)).disposition is PERSON
