"""What the local Work 365 looks at before it calls the provider, and what it then leaves in the rows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.partner_center.errors import known_errors
from local.work365_engine.options import EngineOptions, Quirk
from tests.contract.local_work365_town import NOON, OTHER_TENANT, TODAY, Town, open_batch

PRIOR = (
    "There are one or more prior License Change Logs for this Subscription that are either "
    "Awaiting Provisioning or have Failed Provisioning."
)
NO_ACCOUNT = (
    "Account does not exist for Subscription. Specify the Account and change the state to "
    "‘Awaiting Provisioning’ to retry the sync."  # noqa: RUF001
)


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.mark.parametrize("column", ["effective_date", "start_date"])
def test_a_date_in_the_future_is_waited_for(town: Town, column: str) -> None:
    tomorrow = TODAY + timedelta(days=1)
    dates = {"effective_date": TODAY, "start_date": TODAY} | {column: tomorrow}
    subscription = town.subscribe(start_date=dates["start_date"])
    change = town.change(subscription, effective_date=dates["effective_date"])
    town.engine.cycle()
    job = town.jobs(change)[0]
    assert (job["job_status"], job["scheduled_for"]) == ("waiting", datetime(2026, 11, 21, 0, 5, tzinfo=UTC))
    town.clock.now = datetime(2026, 11, 21, 0, 4, tzinfo=UTC)
    town.engine.cycle()
    assert town.status(change) == "awaiting_provisioning"
    town.clock.now = datetime(2026, 11, 21, 0, 5, tzinfo=UTC)
    town.engine.cycle()
    assert town.status(change) == "provisioned"


def test_a_job_made_too_early_never_leaves_waiting() -> None:
    town = Town(EngineOptions(steps_per_cycle=1, workflow_on=False))
    change = town.change(town.subscribe(), effective_date=TODAY + timedelta(days=1))
    row = {"type": "sync_license_change_log", "license_change_log": change, "job_status": "waiting"}
    town.add("work365_job", row)
    seen = set()
    for _ in range(3):
        town.engine.cycle()
        seen |= set(town.job_states(change))
    assert seen == {"waiting"}


def test_days_begin_in_work_365s_time_zone() -> None:
    # 12:00 UTC on the 20th is 01:00 on the 21st in Auckland, and still the 20th for UTC.
    tomorrow = TODAY + timedelta(days=1)
    here, there = Town(), Town(EngineOptions(time_zone="Pacific/Auckland"))
    results = []
    for town in (here, there):
        change = town.change(town.subscribe(), effective_date=tomorrow)
        town.engine.cycle()
        results.append(town.status(change))
    assert results == ["awaiting_provisioning", "provisioned"]


def test_a_date_that_is_pulled_forward_needs_a_retrigger(town: Town) -> None:
    change = town.change(town.subscribe(), effective_date=TODAY + timedelta(days=9))
    town.save("license_change_log", change, effective_date=TODAY)
    town.engine.cycle()
    assert town.status(change) == "awaiting_provisioning"
    town.toggle(change)
    town.engine.cycle()
    assert town.status(change) == "provisioned"
    town.clock.advance(days=10)
    town.engine.cycle()
    assert sorted(town.job_states(change)) == ["not_applicable", "succeeded"]
    assert town.harm() == []


@pytest.mark.parametrize("missing", ["provider", "provider_account", "customer"])
def test_without_provider_or_account_it_fails_with_work_365s_words(town: Town, missing: str) -> None:
    subscription = town.subscribe()
    town.save("subscription", subscription, **{missing: None})
    change = town.change(subscription)
    town.engine.cycle()
    assert (town.status(change), town.message(change)) == ("failed_provisioning", NO_ACCOUNT)
    assert town.provider.calls == []


def test_an_inactive_provider_account_counts_as_missing(town: Town) -> None:
    change = town.change(town.subscribe())
    town.save("provider_account", town.account, state="inactive")
    town.engine.cycle()
    assert town.message(change) == NO_ACCOUNT


def test_an_inactive_provider_blocks(town: Town) -> None:
    change = town.change(town.subscribe())
    town.save("provider", town.csp, state="inactive")
    town.engine.cycle()
    assert (town.status(change), town.provider.calls) == ("failed_provisioning", [])


@pytest.mark.parametrize(("tenant", "code"), [(OTHER_TENANT, "60003"), ("contoso.example", "900118"), (None, "900118")])
def test_a_wrong_tenant_is_what_the_provider_complains_of(town: Town, tenant: str | None, code: str) -> None:
    account = town.add_account(tenant)
    change = town.change(town.subscribe(provider_account=account))
    town.engine.cycle()
    assert town.message(change) == f"{known_errors()[code].text} ({code})"


def test_a_manual_provider_is_mailed_and_waited_for(town: Town) -> None:
    manual = town.add_provider("Phone", "manual")
    change = town.change(town.subscribe(provider=manual))
    town.engine.cycle()
    town.engine.run_now()
    assert town.status(change) == "awaiting_provisioning"
    assert [(mail.change_id, mail.provider_name) for mail in town.engine.mails] == [(change, "Phone")]
    assert town.provider.calls == []


def test_do_nothing_sets_not_applicable(town: Town) -> None:
    provider = town.add_provider("Do Nothing", "do_nothing")
    subscription = town.subscribe(provider=provider, at_provider=None)
    change = town.change(subscription)
    town.engine.cycle()
    assert (town.status(change), town.job_states(change)) == ("not_applicable", ["not_applicable"])
    assert town.row("subscription", subscription)["status"] == "provisioned"


def test_a_change_of_price_alone_is_not_sent(town: Town) -> None:
    change = town.change(town.subscribe(at_provider=15), 0)
    town.engine.cycle()
    assert (town.status(change), town.provider.calls) == ("not_applicable", [])


@pytest.mark.parametrize("first", ["awaiting_provisioning", "failed_provisioning"])
def test_an_earlier_change_blocks_a_later_one(town: Town, first: str) -> None:
    subscription = town.subscribe(total=18)
    town.options.workflow_on = False
    town.change(subscription, 5, provisioning_status=first, effective_date=TODAY - timedelta(days=1))
    town.options.workflow_on = True
    # Made earlier, effective later: the effective date decides.
    second = town.change(subscription, 3, on=NOON - timedelta(days=5))
    town.engine.cycle()
    assert (town.status(second), town.message(second)) == ("failed_provisioning", PRIOR)
    assert town.jobs(second)[0]["results"] == PRIOR
    assert town.provider.calls == []


@pytest.mark.parametrize(
    "earlier",
    [
        {"status": "archived", "provisioning_status": "failed_provisioning"},
        {"provisioning_status": "provisioned"},
        {"provisioning_status": "not_applicable"},
    ],
)
def test_archived_and_settled_changes_block_nothing(town: Town, earlier: dict[str, Any]) -> None:
    subscription = town.subscribe(total=18)
    town.change(subscription, 5, effective_date=TODAY - timedelta(days=1), **earlier)
    second = town.change(subscription, 3)
    town.engine.cycle()
    assert town.status(second) == "provisioned"


def test_changes_of_one_day_go_in_the_order_in_which_they_were_made(town: Town) -> None:
    subscription = town.subscribe(total=18)
    first = town.change(subscription, 5, on=NOON - timedelta(minutes=2))
    second = town.change(subscription, 3, on=NOON - timedelta(minutes=1))
    town.engine.cycle()
    assert [order.change_id for order in town.provider.orders] == [first, second]
    assert (town.seats(subscription), town.harm()) == (18, [])


@pytest.mark.parametrize("status", ["merge_failed", "pending"])
def test_a_scheduled_change_that_should_have_been_merged_blocks(town: Town, status: str) -> None:
    town.options.merge_scheduled = False
    subscription = town.subscribe()
    yesterday = TODAY - timedelta(days=1)
    town.add(
        "scheduled_license_change_log",
        {"subscription": subscription, "effective_date": yesterday, "quantity": 1, "status": status},
    )
    change = town.change(subscription)
    town.engine.cycle()
    assert town.message(change) == PRIOR


@pytest.mark.parametrize(
    ("status", "code"),
    [("suspended", "800091"), ("expired", "800012"), ("cancelled", "800012"), ("inactive", "800012")],
)
@pytest.mark.parametrize("where", ["work365", "provider"])
def test_a_closed_subscription_is_refused(town: Town, status: str, code: str, where: str) -> None:
    subscription = town.subscribe()
    change = town.change(subscription)
    if where == "work365":
        town.save("subscription", subscription, status=status)
    else:
        town.at_provider(subscription).status = "suspended" if status == "suspended" else "expired"
    town.engine.cycle()
    assert town.message(change) == f"{known_errors()[code].text} ({code})"


def test_suspended_subscriptions_can_be_activated_and_the_other_way_round(town: Town) -> None:
    subscription = town.subscribe(status="suspended", at_provider=15)
    town.at_provider(subscription).status = "suspended"
    town.change(subscription, 0, change_type="activate")
    town.engine.cycle()
    assert town.at_provider(subscription).status == "active"
    assert town.row("subscription", subscription)["status"] == "provisioned"
    town.change(subscription, 0, change_type="deactivate")
    town.engine.cycle()
    assert town.at_provider(subscription).status == "suspended"
    assert town.row("subscription", subscription)["status"] == "suspended"
    assert (town.provider.orders, town.harm()) == ([], [])


def test_seats_go_back_only_inside_their_window(town: Town) -> None:
    closed, still_open = town.subscribe(total=6), town.subscribe(at_provider=None, total=6)
    town.buy(still_open, 10, refundable=[open_batch(4)])
    late, early = town.change(closed, -4), town.change(still_open, -4)
    town.engine.cycle()
    assert town.status(early) == "provisioned"
    assert town.message(late) == (
        "You have passed your 7-day window for reducing seats for this subscription. (900257)"
    )


def test_a_first_order_makes_a_subscription_and_keeps_its_id(town: Town) -> None:
    subscription = town.subscribe(at_provider=None, total=15)
    change = town.change(subscription, 15, change_type="create")
    town.engine.cycle()
    bought = town.at_provider(subscription)
    assert (bought.quantity, bought.offer_id, bought.status) == (15, "CFQ7TTC0LH18:0001", "active")
    assert bought.refundable_now(town.clock())[0].quantity == 15
    assert (town.status(change), town.harm()) == ("provisioned", [])


def test_a_first_order_needs_a_part_number(town: Town) -> None:
    bare = town.add("product", {"name": "Nameless"})
    change = town.change(town.subscribe(at_provider=None, product=bare), 15, change_type="create")
    town.engine.cycle()
    assert town.message(change) == "Provider Part Number is not specified on the Product."


def test_part_of_a_seat_is_refused(town: Town) -> None:
    subscription = town.subscribe()
    change = town.change(subscription)
    town.options.workflow_on = False
    town.save("license_change_log", change, quantity=town.row("license_change_log", change)["quantity"] / 2)
    town.engine.cycle()
    assert (town.message(change) or "").endswith("(2002)")


def test_a_linked_change_works_through_the_other_subscription(town: Town) -> None:
    linking = town.add_provider("Linked", "linked_subscription")
    main = town.subscribe(total=12)
    child = town.subscribe(provider=linking, linked=main, at_provider=None)
    town.options.quirks[main] = Quirk(slow_cycles=2)
    own = town.change(main, 2)
    change = town.change(child, 5)
    town.engine.cycle()
    # It waits by itself for the other one, without failing.
    assert (town.status(own), town.status(change)) == ("awaiting_provisioning", "awaiting_provisioning")
    town.cycles(3)
    assert (town.status(own), town.status(change)) == ("provisioned", "provisioned")
    assert (town.seats(main), town.harm()) == (17, [])


def test_a_linked_change_without_a_linked_subscription_fails(town: Town) -> None:
    linking = town.add_provider("Linked", "linked_subscription")
    change = town.change(town.subscribe(provider=linking, at_provider=None))
    town.engine.cycle()
    assert town.message(change) == "Linked Subscription is not specified."
