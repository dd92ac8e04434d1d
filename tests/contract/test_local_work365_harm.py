"""The local Work 365 does harm if it is made to, and says so. Each test makes it do one kind."""

from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from local.partner_center.errors import Refusal
from local.partner_center.model import Order
from local.work365_engine.harm import HarmKind
from local.work365_engine.options import EngineOptions, Quirk
from tests.contract.local_work365_town import NOON, OTHER_TENANT, PART, TENANT, TODAY, Town


@pytest.fixture
def town() -> Town:
    return Town()


def test_a_provisioned_change_that_is_retriggered_is_ordered_again(town: Town) -> None:
    subscription = town.subscribe()
    change = town.change(subscription)
    town.engine.cycle()
    town.toggle(change)
    town.engine.cycle()
    assert (town.seats(subscription), town.harm()) == (20, ["ordered_twice"])
    assert town.engine.harm[0].change_id == change


def test_an_order_behind_a_timeout_is_made_again_by_a_retrigger(town: Town) -> None:
    subscription = town.subscribe()
    town.provider.rules.append(Refusal.known("504", executes=True))
    change = town.change(subscription)
    town.cycles(5)
    town.provider.rules.clear()
    assert (town.seats(subscription), town.harm()) == (15, [])
    town.save("license_change_log", change, provisioning_status="awaiting_provisioning")
    town.engine.cycle()
    assert (town.seats(subscription), town.harm()) == (20, ["ordered_twice"])


def test_the_same_job_set_back_to_waiting_orders_again(town: Town) -> None:
    subscription = town.subscribe()
    town.options.quirks[subscription] = Quirk(provisions_without_saying=True)
    change = town.change(subscription)
    town.engine.cycle()
    assert (town.seats(subscription), town.harm()) == (15, [])
    town.save("work365_job", town.jobs(change)[0]["id"], job_status="waiting")
    town.engine.cycle()
    assert (town.seats(subscription), town.harm()) == (20, ["ordered_twice"])


def test_an_order_from_before_the_story_counts_too(town: Town) -> None:
    subscription = town.subscribe(at_provider=15)
    town.options.workflow_on = False
    change = town.change(subscription)
    bought = town.at_provider(subscription)
    town.provider.orders.append(
        Order(NOON - timedelta(days=1), "Microsoft CSP", bought.tenant_id, bought.id, 5, 15, change)
    )
    town.engine.run_now()
    assert town.harm() == ["ordered_twice"]


def test_ordering_what_the_provider_already_shows(town: Town) -> None:
    subscription = town.subscribe(at_provider=15, total=18)
    change = town.change(subscription, 5)
    town.change(subscription, 3, effective_date=TODAY + timedelta(days=3))
    town.engine.cycle()
    assert (town.seats(subscription), town.harm()) == (20, ["over_ordered"])
    assert town.engine.harm[0].change_id == change


def test_two_live_jobs_order_twice() -> None:
    town = Town(EngineOptions(steps_per_cycle=1))
    subscription = town.subscribe()
    change = town.change(subscription)
    town.engine.cycle()
    town.toggle(change)
    assert town.job_states(change) == ["dispatched", "waiting"]
    town.cycles(5)
    # One job was a step ahead: the other found the change settled.
    assert sorted(town.job_states(change)) == ["not_applicable", "succeeded"]
    subscription = town.subscribe()
    change = town.change(subscription)
    town.toggle(change)
    town.cycles(3)
    assert (town.job_states(change), town.harm()) == (["succeeded", "succeeded"], ["ordered_twice"])


def test_run_now_beside_a_job_in_progress_orders_twice(town: Town) -> None:
    subscription = town.subscribe()
    town.options.quirks[subscription] = Quirk(slow_cycles=2)
    change = town.change(subscription)
    town.engine.cycle()
    town.options.quirks.clear()
    town.engine.run_now()
    assert (town.status(change), town.harm()) == ("provisioned", [])
    town.cycles(3)
    assert (town.seats(subscription), town.harm()) == (20, ["ordered_twice"])


def test_run_now_picks_up_what_was_held_back(town: Town) -> None:
    held, missed = town.subscribe(), town.subscribe()
    waiting = town.change(held)
    town.save("work365_job", town.jobs(waiting)[0]["id"], scheduled_for=NOON + timedelta(days=30))
    town.options.workflow_on = False
    jobless = town.change(missed)
    cancelled = town.change(town.subscribe())
    town.add(
        "work365_job",
        {"type": "sync_license_change_log", "license_change_log": cancelled, "job_status": "cancelled"},
    )
    future = town.change(town.subscribe(), effective_date=TODAY + timedelta(days=9))
    town.cycles(2)
    assert town.provider.orders == []
    town.engine.run_now()
    assert {town.status(change) for change in (waiting, jobless, cancelled)} == {"provisioned"}
    assert town.status(future) == "awaiting_provisioning"


def test_a_later_change_that_slips_past_one_being_toggled(town: Town) -> None:
    subscription = town.subscribe(total=18)
    town.options.missed = {}
    town.options.workflow_on = False
    first = town.change(subscription, 5, effective_date=TODAY - timedelta(days=2))
    town.options.workflow_on = True
    town.save("license_change_log", first, provisioning_status="not_applicable")
    second = town.change(subscription, 3)
    town.engine.cycle()
    assert (town.status(second), town.harm()) == ("provisioned", [])
    town.save("license_change_log", first, provisioning_status="awaiting_provisioning")
    assert town.harm() == ["out_of_order"]
    assert town.engine.harm[0].change_id == first


def test_an_earlier_change_that_appears_while_a_later_one_is_under_way(town: Town) -> None:
    subscription = town.subscribe(total=18)
    town.options.quirks[subscription] = Quirk(slow_cycles=1)
    town.change(subscription, 3)
    town.engine.cycle()
    town.options.workflow_on = False
    town.change(subscription, 5, effective_date=TODAY - timedelta(days=2))
    town.cycles(2)
    assert town.harm() == ["out_of_order"]


def test_an_archived_change_set_to_awaiting_is_ordered(town: Town) -> None:
    change = town.change(town.subscribe(), status="archived", provisioning_status="not_applicable")
    town.save("license_change_log", change, provisioning_status="awaiting_provisioning")
    town.engine.cycle()
    assert town.harm() == ["archived_ordered"]


def test_a_change_from_the_provider_set_to_awaiting_is_ordered(town: Town) -> None:
    subscription = town.subscribe(at_provider=15)
    change = town.change(subscription, change_source="provider", provisioning_status="not_applicable")
    town.toggle(change)
    town.engine.cycle()
    assert sorted(town.harm()) == ["over_ordered", "provider_sourced_ordered"]


def test_ordering_behind_a_manual_providers_back(town: Town) -> None:
    subscription = town.subscribe()
    town.options.quirks[subscription] = Quirk(slow_cycles=1)
    town.change(subscription)
    town.engine.cycle()
    town.save("subscription", subscription, provider=town.add_provider("Phone", "manual"))
    town.cycles(2)
    assert town.harm() == ["manual_ordered"]


@pytest.mark.parametrize("done", [True, False])
def test_a_manual_change_marked_provisioned_must_have_been_done(town: Town, done: bool) -> None:
    subscription = town.subscribe(provider=town.add_provider("Phone", "manual"))
    change = town.change(subscription)
    if done:
        town.options.done_by_hand.add(change)
    town.save("license_change_log", change, provisioning_status="provisioned")
    assert town.harm() == ([] if done else ["manual_not_done"])
    town.engine.cycle()
    assert town.row("subscription", subscription)["status"] == "provisioned"


@pytest.mark.parametrize(("at_provider", "harm"), [(15, []), (10, ["marked_without_provider"])])
def test_a_change_marked_provisioned_must_be_at_the_provider(town: Town, at_provider: int, harm: list[str]) -> None:
    town.options.workflow_on = False
    change = town.change(town.subscribe(at_provider=at_provider))
    town.save("license_change_log", change, provisioning_status="provisioned")
    assert town.harm() == harm


def test_a_first_order_marked_provisioned_without_anything_bought(town: Town) -> None:
    change = town.change(town.subscribe(at_provider=None), 15, change_type="create")
    town.save("license_change_log", change, provisioning_status="provisioned")
    assert town.harm() == ["marked_without_provider"]


@pytest.mark.parametrize(("at_provider", "harm"), [("suspended", []), ("active", ["marked_without_provider"])])
def test_a_deactivation_marked_provisioned_is_compared_by_status(town: Town, at_provider: str, harm: list[str]) -> None:
    subscription = town.subscribe(at_provider=15)
    if at_provider == "suspended":
        town.at_provider(subscription).status = "suspended"
    change = town.change(subscription, 0, change_type="deactivate")
    town.save("license_change_log", change, provisioning_status="provisioned")
    assert town.harm() == harm


def test_a_first_order_beside_one_that_nobody_linked(town: Town) -> None:
    subscription = town.subscribe(at_provider=None)
    town.buy(subscription, 15)
    town.save("subscription", subscription, provider_subscription_id=None)
    town.change(subscription, 15, change_type="create")
    town.engine.cycle()
    assert town.harm() == ["second_subscription"]


def test_a_second_subscription_of_a_product_is_fine_if_the_first_is_linked(town: Town) -> None:
    town.subscribe(at_provider=15)
    town.change(town.subscribe(at_provider=None), 15, change_type="create")
    town.engine.cycle()
    assert (len(town.provider.subscriptions(TENANT)), town.harm()) == (2, [])


def test_ordering_in_the_tenant_of_another_customer(town: Town) -> None:
    town.provider.add_customer(OTHER_TENANT, "Fabrikam")
    fabrikam = town.add("account", {"name": "Fabrikam"})
    account = town.add_account(OTHER_TENANT, customer=fabrikam)
    town.change(town.subscribe(at_provider=None, provider_account=account), 15, change_type="create")
    town.engine.cycle()
    assert town.provider.subscriptions(OTHER_TENANT)[0].offer_id == PART
    assert town.harm() == ["wrong_tenant"]


def test_a_deleted_change(town: Town) -> None:
    change = town.change(town.subscribe())
    town.records.delete("license_change_log", change, by=town.customer)
    assert town.harm() == ["change_deleted"]
    town.engine.cycle()
    assert town.provider.calls == []


def test_a_healthy_life_harms_nobody(town: Town) -> None:
    subscription = town.subscribe(at_provider=None, total=15)
    town.change(subscription, 15, change_type="create")
    town.engine.cycle()
    for delta in (5, -3, 2):
        total = town.row("subscription", subscription)["quantity"] + Decimal(delta)
        town.save("subscription", subscription, quantity=total)
        town.clock.advance(hours=1)
        town.change(subscription, delta)
        town.engine.cycle()
    assert town.seats(subscription) == 19
    assert town.harm() == []


def test_every_kind_of_harm_and_every_quirk_is_in_the_docs() -> None:
    text = (Path(__file__).parents[2] / "docs" / "local-work365.md").read_text(encoding="utf-8")
    for name in (*get_args(HarmKind), *(field.name for field in fields(Quirk))):
        assert f"`{name}`" in text, name
