"""Add-ons and bundles in the local Work 365: what a child needs of its parent."""

from datetime import timedelta

import pytest

from local.partner_center.errors import Refusal
from tests.contract.local_work365_town import TODAY, Town


@pytest.fixture
def town() -> Town:
    return Town()


def test_an_addon_waits_for_nobody_and_fails_without_its_parent(town: Town) -> None:
    parent = town.subscribe(at_provider=None, total=15)
    addon = town.subscribe(at_provider=None, total=5, parent=parent)
    town.provider.rules.append(Refusal.known("800095", times=1))
    base = town.change(parent, 15, change_type="create")
    change = town.change(addon, 5, change_type="create")
    town.engine.cycle()
    assert town.status(base) == "failed_provisioning"
    assert town.message(change) == (
        "can't enable a child subscription, when the parent subscription isn't Active (27009)"
    )
    town.toggle(base)
    town.cycles(5)
    # The parent is there now, and nobody comes back to the add-on.
    assert (town.status(base), town.status(change)) == ("provisioned", "failed_provisioning")
    town.toggle(change)
    town.engine.cycle()
    assert town.status(change) == "provisioned"
    assert town.at_provider(addon).parent_subscription_id == town.at_provider(parent).id


def test_an_addon_of_a_suspended_parent_is_refused(town: Town) -> None:
    parent = town.subscribe(at_provider=20, status="provisioned")
    addon = town.subscribe(at_provider=None, parent=parent)
    town.buy(addon, 10, parent_subscription_id=town.at_provider(parent).id)
    town.at_provider(parent).status = "suspended"
    change = town.change(addon)
    town.engine.cycle()
    assert (town.message(change) or "").endswith("(27009)")


@pytest.mark.parametrize(
    "parent_row", [{"status": "suspended"}, {"status": "expired"}, {"provider_subscription_id": None}]
)
def test_a_parent_that_is_closed_or_unknown_in_work_365_counts_too(
    town: Town, parent_row: dict[str, str | None]
) -> None:
    parent = town.subscribe(at_provider=20, status="provisioned")
    addon = town.subscribe(at_provider=None, parent=parent)
    town.buy(addon, 10, parent_subscription_id=town.at_provider(parent).id)
    town.save("subscription", parent, **parent_row)
    change = town.change(addon)
    town.engine.cycle()
    assert (town.message(change) or "").endswith("(27009)")


def test_an_addon_needs_as_many_seats_as_its_parent_has(town: Town) -> None:
    parent = town.subscribe(at_provider=12, status="provisioned")
    addon = town.subscribe(at_provider=None, parent=parent)
    town.buy(addon, 10, parent_subscription_id=town.at_provider(parent).id)
    change = town.change(addon, 5)
    town.engine.cycle()
    assert (town.message(change) or "").endswith("(10018)")


def test_a_parent_that_awaits_a_future_change_is_no_obstacle(town: Town) -> None:
    parent = town.subscribe(at_provider=20, total=30)
    town.change(parent, 10, effective_date=TODAY + timedelta(days=20))
    addon = town.subscribe(at_provider=None, parent=parent)
    change = town.change(addon, 15, change_type="create")
    town.engine.cycle()
    assert town.status(change) == "provisioned"


def test_the_parent_of_a_bundle_is_no_parent(town: Town) -> None:
    nothing = town.add_provider("Do Nothing", "do_nothing")
    bundle = town.subscribe(provider=nothing, at_provider=None)
    child = town.subscribe(parent=bundle)
    change = town.change(child)
    town.engine.cycle()
    assert town.status(change) == "provisioned"


def test_pax8_provisions_no_addons(town: Town) -> None:
    pax8 = town.add_provider("Pax8", "automatic", "pax8")
    parent = town.subscribe(provider=pax8, at_provider=20, status="provisioned")
    addon = town.subscribe(provider=pax8, parent=parent)
    change = town.change(addon)
    town.engine.cycle()
    assert (town.status(change), town.provider.calls) == ("failed_provisioning", [])
