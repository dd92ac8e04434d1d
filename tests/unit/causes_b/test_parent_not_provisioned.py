"""Add-ons and their parents: what holds them, what only seems to, and data that leads in circles."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.diagnosis import diagnose
from shared.domain.evidence import (
    Change,
    ChangeType,
    ProviderReading,
    ProviderSubscription,
    ProvisioningStatus,
    Related,
    Subscription,
    SubscriptionStatus,
)
from shared.domain.finding import Confidence
from shared.domain.look import Look
from tests.builders import (
    DAY,
    HOUR,
    LATER,
    MICROSOFT,
    NOW,
    PARENT,
    SUBSCRIPTION,
    change,
    look,
    parent,
    provisioned,
    subscription,
)
from tests.builders import shown as at_provider
from tests.unit.causes_b.kit import AUTO, NOTHING, PERSON, WAIT, holds, ruled_out

NAME = "parent_not_provisioned"
ADDON = subscription(parent_id=PARENT)
FAILED = ProvisioningStatus.FAILED
NOT_ACTIVE, NOT_ITS_PARENT, TOO_FEW = (f'{{"code": {code}}}' for code in (27009, 800029, 10018))
BUNDLE = parent(provider=replace(MICROSOFT, type=NOTHING, connector=None))


def addon(above: Related | None, head: Change | None = None, **values: Any) -> Look:
    return look(provisioned(), head or change(), **{"subscription": ADDON, "parent": above, **values})


def base(*changes: Change, seats: int = 50, **values: Any) -> Related:
    """A parent in force with that many provisioned seats, and these changes beside."""
    return parent(changes=(provisioned("base", seats), *changes), **values)


class TestHolds:
    @pytest.mark.parametrize("kind", [ChangeType.CREATE, ChangeType.ACTIVATE])
    @pytest.mark.parametrize("status", [FAILED, ProvisioningStatus.AWAITING])
    def test_the_parents_own_order_or_activation(self, kind: ChangeType, status: ProvisioningStatus) -> None:
        verdict = holds(NAME, addon(parent(changes=(change(LATER, change_type=kind, status=status),))))
        assert (verdict.disposition, verdict.waits_for) == (WAIT, PARENT)

    def test_seats_that_the_add_on_needs(self) -> None:
        more = change(LATER, quantity=Decimal(10))
        assert holds(NAME, addon(base(more, seats=20))).disposition is WAIT
        assert "holds the add-on back" in ruled_out(NAME, addon(base(more, seats=25)))

    def test_seats_that_are_not_known_are_not_enough(self) -> None:
        more = change(LATER, quantity=Decimal(10))
        assert holds(NAME, addon(base(more, change("x", quantity=None, status=ProvisioningStatus.PROVISIONED))))

    def test_a_parent_that_itself_waits_for_its_own(self) -> None:
        above = parent(status=SubscriptionStatus.AWAITING, parent_id="the base of the base")
        assert holds(NAME, addon(above, ancestors=("the base of the base",))).waits_for == PARENT

    def test_a_parent_that_ended(self) -> None:
        assert holds(NAME, addon(base(status=SubscriptionStatus.CANCELLED))).disposition is PERSON
        assert holds(NAME, addon(base(status=None))).confidence is Confidence.LOW

    def test_a_parent_that_is_suspended_at_the_provider_only(self) -> None:
        there = ProviderSubscription("b", 50, "suspended")
        reading = ProviderReading(NOW, (*at_provider().subscriptions, there))
        above = base(provider_subscription_id="B")
        assert "suspended at the provider" in holds(NAME, addon(above, provider=reading)).sentence

    def test_pax8_has_no_add_ons(self) -> None:
        pax8 = replace(ADDON, provider=replace(MICROSOFT, connector="pax8"))
        assert holds(NAME, addon(base(), subscription=pax8)).disposition is PERSON
        ruled_out(NAME, addon(BUNDLE, subscription=pax8))  # a bundle's child is none
        ruled_out(NAME, look(subscription=replace(pax8, parent_id=None)))


class TestNearMisses:
    @pytest.mark.parametrize(
        "harmless",
        [
            change(LATER, effective_date=date(2026, 12, 1), quantity=Decimal(90)),
            change(LATER, quantity=Decimal(0)),
            change(LATER, quantity=Decimal(-2)),
            change(LATER, change_type=ChangeType.DEACTIVATE),
            change(LATER, archived=True, change_type=ChangeType.CREATE),
        ],
    )
    def test_changes_of_the_parent_that_hold_nothing(self, harmless: Change) -> None:
        ruled_out(NAME, addon(base(harmless, seats=20)))

    def test_a_bundles_child_beside_an_add_on(self) -> None:
        assert "bundle" in ruled_out(NAME, addon(BUNDLE))

    def test_a_parent_that_could_not_be_read_is_left_to_what_could_not_be_read(self) -> None:
        one = addon(None, unread=("parents (403)",))
        ruled_out(NAME, one)
        assert diagnose(one).disposition is PERSON

    def test_a_parent_that_does_not_exist(self) -> None:
        verdict = holds(NAME, addon(None))
        assert (verdict.disposition, verdict.confidence) == (PERSON, Confidence.LOW)


class TestCircles:
    def test_its_own_parent(self) -> None:
        own = replace(ADDON, parent_id=SUBSCRIPTION.upper())
        verdict = holds(NAME, addon(Related(own), subscription=own))
        assert (verdict.disposition, verdict.confidence) == (PERSON, Confidence.CERTAIN)

    def test_two_that_are_each_others_parent(self) -> None:
        assert holds(NAME, addon(parent(parent_id=SUBSCRIPTION))).disposition is PERSON
        assert holds(NAME, addon(base(), ancestors=("x", SUBSCRIPTION))).disposition is PERSON

    def test_a_circle_further_up(self) -> None:
        assert holds(NAME, addon(base(parent_id="x"), ancestors=("x", "y", "x"))).disposition is PERSON

    def test_a_long_way_up_is_no_circle(self) -> None:
        ruled_out(NAME, addon(base(parent_id="x"), ancestors=("x", "y", "z")))

    def test_it_is_the_case_even_while_the_parent_waits(self) -> None:
        own = replace(ADDON, parent_id=SUBSCRIPTION)
        one = addon(Related(own, (change(),)), subscription=own)
        assert (diagnose(one).cause, diagnose(one).disposition) == (NAME, PERSON)


class TestByItsMessage:
    def failed(self, message: str) -> Change:
        return change(status=FAILED, message=message)

    def test_provisioned_since(self) -> None:
        since = base(actual := provisioned(LATER, actual_provisioned_on=NOW - HOUR / 6))
        assert actual.actual_provisioned_on is not None
        verdict = holds(NAME, addon(since, self.failed(NOT_ACTIVE)))
        assert (verdict.disposition, verdict.cured) == (AUTO, True)

    def test_an_older_repair_cures_nothing(self) -> None:
        older = base(provisioned(LATER, actual_provisioned_on=NOW - DAY))
        verdict = holds(NAME, addon(older, self.failed(NOT_ACTIVE)))
        assert (verdict.disposition, bool(verdict.against)) == (PERSON, True)

    def test_a_wrong_parent_stays_wrong(self) -> None:
        since = base(provisioned(LATER, actual_provisioned_on=NOW - HOUR / 6))
        verdict = holds(NAME, addon(since, self.failed(NOT_ITS_PARENT)))
        assert "does not belong" in verdict.sentence
        assert not verdict.cured

    def test_too_few_seats_of_the_parent(self) -> None:
        grown = change(
            LATER,
            quantity=Decimal(1),
            status=ProvisioningStatus.PROVISIONED,
            actual_provisioned_on=NOW - HOUR / 6,
        )
        assert not holds(NAME, addon(base(grown, seats=20), self.failed(TOO_FEW))).cured
        assert holds(NAME, addon(base(grown, seats=24), self.failed(TOO_FEW))).cured

    @pytest.mark.parametrize(
        ("mine", "above"), [(subscription(), None), (ADDON, BUNDLE)], ids=["no parent", "only a bundle"]
    )
    def test_no_real_parent(self, mine: Subscription, above: Related | None) -> None:
        verdict = holds(NAME, look(provisioned(), self.failed(NOT_ACTIVE), subscription=mine, parent=above))
        assert verdict.disposition is PERSON
