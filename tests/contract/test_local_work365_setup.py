"""What of its set-up keeps Work 365 from provisioning: its user, workflows, scheduled jobs, products, contracts."""

from datetime import timedelta

import pytest

from local.work365_engine.checks import INACTIVE_PRODUCT, NO_ACCOUNT, NO_REDUCTION
from local.work365_engine.options import (
    MERGE_JOB,
    SERVICE_ROLES,
    TRIGGER_WORKFLOW,
    WORK365_USER_ID,
    EngineOptions,
    Quirk,
)
from tests.contract.local_work365_town import TODAY, Town, open_batch


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.mark.parametrize("role", SERVICE_ROLES)
def test_without_a_role_nothing_is_done_until_it_is_back(town: Town, role: str) -> None:
    change = town.change(town.subscribe())
    town.records.revoke_role(WORK365_USER_ID, role)
    town.engine.cycle()
    town.engine.run_now()
    assert (town.status(change), town.job_states(change)) == ("awaiting_provisioning", ["waiting"])
    town.records.grant_role(WORK365_USER_ID, role)
    town.engine.cycle()
    assert town.status(change) == "provisioned"


@pytest.mark.parametrize("state", ["draft", "suspended"])
def test_a_workflow_that_is_not_activated_makes_no_job(town: Town, state: str) -> None:
    town.add("workflow", {"name": TRIGGER_WORKFLOW, "state": state})
    town.add("workflow", {"name": f"{TRIGGER_WORKFLOW} (copy)", "state": "activated"})
    change = town.change(town.subscribe())
    town.engine.cycle()
    assert (town.status(change), town.jobs(change)) == ("awaiting_provisioning", [])


def test_a_workflow_that_fails_leaves_a_system_job_and_no_job(town: Town) -> None:
    subscription = town.subscribe()
    town.options.quirks[subscription] = Quirk(workflow_fails="timed out")
    change = town.change(subscription)
    town.engine.cycle()
    (left,) = town.records.find("system_job", regarding=change)
    assert (left["status"], left["state"], left["message"]) == ("failed", "completed", "timed out")
    assert (town.status(change), town.jobs(change)) == ("awaiting_provisioning", [])


def test_a_job_may_say_succeeded_without_having_done_anything(town: Town) -> None:
    subscription = town.subscribe()
    town.options.quirks[subscription] = Quirk(succeeds_without_doing=True)
    change = town.change(subscription)
    town.engine.cycle()
    assert (town.status(change), town.job_states(change)) == ("awaiting_provisioning", ["succeeded"])
    assert town.provider.orders == []


@pytest.mark.parametrize("how", ["off", "stuck"])
def test_scheduled_changes_are_merged_by_a_scheduled_job_that_runs(how: str) -> None:
    town = Town(EngineOptions(stuck_jobs={MERGE_JOB} if how == "stuck" else set()))
    late = town.clock() - timedelta(days=1)
    job = town.add("scheduled_job", {"name": MERGE_JOB, "enabled": how != "off", "next_run_on": late})
    subscription = town.subscribe(total=10, status="provisioned")
    scheduled = town.add(
        "scheduled_license_change_log",
        {"subscription": subscription, "change_type": "update", "effective_date": TODAY, "quantity": 5},
    )
    town.engine.cycle()
    assert town.row("scheduled_license_change_log", scheduled)["status"] == "pending"
    town.options.stuck_jobs.clear()
    town.save("scheduled_job", job, enabled=True)
    town.engine.cycle()
    assert town.row("scheduled_license_change_log", scheduled)["status"] == "archived"
    ran = town.row("scheduled_job", job)
    assert (ran["last_run_on"], ran["next_run_on"] > town.clock()) == (town.clock(), True)


def test_a_merge_that_fails_names_its_scheduled_change(town: Town) -> None:
    subscription = town.subscribe(total=10, status="suspended")
    scheduled = town.add(
        "scheduled_license_change_log",
        {"subscription": subscription, "change_type": "update", "effective_date": TODAY, "quantity": 5},
    )
    town.engine.cycle()
    (job,) = town.records.find("work365_job", scheduled_license_change_log=scheduled)
    assert (job["type"], job["job_status"]) == ("merge_scheduled_change", "failed")


@pytest.mark.parametrize("change_type", ["create", "update"])
def test_an_inactive_product_is_not_ordered(town: Town, change_type: str) -> None:
    town.save("product", town.product, state="inactive")
    change = town.change(town.subscribe(), change_type=change_type)
    town.engine.cycle()
    assert (town.message(change), town.provider.calls) == (INACTIVE_PRODUCT, [])


@pytest.mark.parametrize("broken", ["no contract", "contract inactive", "customer inactive"])
def test_an_account_needs_a_customer_and_a_contract_in_force(town: Town, broken: str) -> None:
    subscription = town.subscribe()
    if broken == "no contract":
        town.save("subscription", subscription, billing_contract=None)
    elif broken == "contract inactive":
        town.save("billing_contract", town.contract, state="inactive")
    else:
        town.save("account", town.customer, state="inactive")
    change = town.change(subscription)
    town.engine.cycle()
    assert (town.status(change), town.message(change)) == ("failed_provisioning", NO_ACCOUNT)
    assert town.provider.calls == []


def test_disallowed_gives_no_seats_back_although_the_provider_would(town: Town) -> None:
    subscription = town.subscribe(at_provider=None, total=6, reduction_behavior="disallowed")
    town.buy(subscription, 10, refundable=[open_batch(4)])
    fewer = town.change(subscription, -4)
    town.engine.cycle()
    assert (town.message(fewer), town.provider.calls) == (NO_REDUCTION, [])


@pytest.mark.parametrize("behavior", ["allowed", "within_window", None])
def test_otherwise_the_provider_decides_about_seats(town: Town, behavior: str | None) -> None:
    subscription = town.subscribe(at_provider=None, total=6, reduction_behavior=behavior, reduction_window=7)
    town.buy(subscription, 10, refundable=[open_batch(4)])
    fewer = town.change(subscription, -4)
    town.engine.cycle()
    assert (town.status(fewer), town.seats(subscription)) == ("provisioned", 6)


def test_disallowed_does_not_keep_seats_from_being_added(town: Town) -> None:
    more = town.change(town.subscribe(reduction_behavior="disallowed"))
    town.engine.cycle()
    assert town.status(more) == "provisioned"


def test_a_customer_of_another_partner_is_refused(town: Town) -> None:
    change = town.change(town.subscribe())
    for customer in town.provider.customers.values():
        customer.relationship = "none"
    town.engine.cycle()
    assert (town.message(change) or "").endswith("(20002)")
