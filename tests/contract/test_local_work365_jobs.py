"""The life of a job in the local Work 365: what starts it, how far it gets, what it leaves behind."""

import json
from datetime import timedelta

import pytest

from local.partner_center.errors import Refusal
from local.work365_engine.options import (
    DISPATCH_WORKFLOW,
    TRIGGER_WORKFLOW,
    WORK365_USER_ID,
    EngineOptions,
    Quirk,
)
from tests.contract.local_work365_town import NOON, PERSON, TODAY, Town


@pytest.fixture
def town() -> Town:
    return Town()


def test_a_change_is_provisioned(town: Town) -> None:
    subscription = town.subscribe()
    change = town.change(subscription)
    assert town.job_states(change) == ["waiting"]
    town.engine.cycle()
    row = town.row("license_change_log", change)
    assert row["provisioning_status"] == "provisioned"
    assert row["actual_provisioned_on"] == NOON
    assert row["modified_by"] == WORK365_USER_ID
    assert town.row("subscription", subscription)["status"] == "provisioned"
    job = town.jobs(change)[0]
    assert job["job_status"] == "succeeded"
    assert json.loads(job["results"])["quantity"] == 15
    assert [(order.delta, order.quantity_after, order.change_id) for order in town.provider.orders] == [(5, 15, change)]
    assert town.harm() == []


def test_each_state_can_be_seen() -> None:
    town = Town(EngineOptions(steps_per_cycle=1))
    change = town.change(town.subscribe())
    seen = []
    for _ in range(4):
        seen += town.job_states(change)
        town.engine.cycle()
    assert seen == ["waiting", "dispatched", "in_progress", "succeeded"]


def test_rows_loaded_in_bulk_trigger_nothing(town: Town) -> None:
    subscription = town.subscribe()
    rows = [{"subscription": subscription, "quantity": 5, "provisioning_status": "awaiting_provisioning"}]
    change = town.records.create_many("license_change_log", rows, by=PERSON)[0]
    town.cycles(2)
    assert (town.jobs(change), town.status(change)) == ([], "awaiting_provisioning")
    town.toggle(change)
    town.engine.cycle()
    assert town.status(change) == "provisioned"


def test_a_save_that_changes_no_status_triggers_nothing(town: Town) -> None:
    change = town.change(town.subscribe())
    town.save("license_change_log", change, name="renamed", provisioning_status="awaiting_provisioning")
    assert len(town.jobs(change)) == 1


@pytest.mark.parametrize("how", ["option", "row"])
def test_with_the_workflow_off_no_change_gets_a_job(town: Town, how: str) -> None:
    if how == "option":
        town.options.workflow_on = False
    else:
        town.add("workflow", {"name": TRIGGER_WORKFLOW, "state": "suspended"})
    change = town.change(town.subscribe())
    town.engine.cycle()
    assert (town.jobs(change), town.status(change)) == ([], "awaiting_provisioning")


def test_with_the_dispatching_workflow_off_jobs_stay_waiting(town: Town) -> None:
    workflow = town.add("workflow", {"name": DISPATCH_WORKFLOW, "state": "draft"})
    change = town.change(town.subscribe())
    town.cycles(3)
    assert town.job_states(change) == ["waiting"]
    town.save("workflow", workflow, state="activated")
    town.engine.cycle()
    assert town.job_states(change) == ["succeeded"]


def test_so_many_triggers_are_missed_as_listed(town: Town) -> None:
    subscription = town.subscribe()
    town.options.workflow_on = False
    change = town.change(subscription)
    town.options.workflow_on = True
    town.options.missed[change] = 1
    town.toggle(change)
    town.engine.cycle()
    assert (town.jobs(change), town.status(change)) == ([], "awaiting_provisioning")
    town.toggle(change)
    town.engine.cycle()
    assert town.status(change) == "provisioned"


@pytest.mark.parametrize("state", ["waiting", "cancelled"])
def test_a_job_row_made_or_set_back_by_hand_is_run(town: Town, state: str) -> None:
    town.options.workflow_on = False
    change = town.change(town.subscribe())
    values = {"type": "sync_license_change_log", "license_change_log": change, "job_status": state}
    job = town.add("work365_job", values)
    if state == "cancelled":
        town.engine.cycle()
        assert town.status(change) == "awaiting_provisioning"
        town.save("work365_job", job, job_status="waiting")
    town.engine.cycle()
    assert (town.status(change), town.job_states(change)) == ("provisioned", ["succeeded"])


def test_a_job_waits_for_its_scheduled_time(town: Town) -> None:
    change = town.change(town.subscribe())
    town.save("work365_job", town.jobs(change)[0]["id"], scheduled_for=NOON.replace(hour=13))
    town.engine.cycle()
    assert town.job_states(change) == ["waiting"]
    town.clock.advance(hours=1)
    town.engine.cycle()
    assert town.job_states(change) == ["succeeded"]


def test_the_job_of_a_change_that_no_longer_awaits_is_not_applicable(town: Town) -> None:
    change = town.change(town.subscribe())
    town.save("license_change_log", change, provisioning_status="not_applicable")
    town.engine.cycle()
    assert town.job_states(change) == ["not_applicable"]
    assert town.provider.calls == []


def test_a_job_without_a_change_fails(town: Town) -> None:
    job = town.add("work365_job", {"type": "sync_license_change_log", "job_status": "waiting"})
    town.engine.cycle()
    assert town.row("work365_job", job)["job_status"] == "failed"


def test_five_tries_then_failed(town: Town) -> None:
    town.provider.rules.append(Refusal.known("800082"))
    change = town.change(town.subscribe())
    for tries in range(1, 5):
        town.engine.cycle()
        job = town.jobs(change)[0]
        assert (job["job_status"], job["attempts"]) == ("retry", tries)
        assert town.status(change) == "awaiting_provisioning"
    town.engine.cycle()
    assert town.job_states(change) == ["failed"]
    assert town.status(change) == "failed_provisioning"
    assert town.message(change) == "Subscription is not ready to be updated. Try again after sometime (800082)"
    town.cycles(3)
    assert len(town.provider.calls) == 5


def test_a_refusal_that_passes_is_survived_by_a_retry(town: Town) -> None:
    town.provider.rules.append(Refusal.known("429", 57, times=2))
    change = town.change(town.subscribe())
    town.cycles(2)
    assert town.message(change) == "Rate limit is exceeded. Try again in 57 seconds. (429)"
    town.engine.cycle()
    assert (town.status(change), town.message(change)) == ("provisioned", None)
    assert town.harm() == []


def test_a_retry_waits_as_long_as_it_is_told() -> None:
    options = EngineOptions()
    town = Town(options)
    options.retry_wait = town.clock.now - town.clock.now.replace(hour=11)
    town.provider.rules.append(Refusal.known("800003", times=1))
    change = town.change(town.subscribe())
    town.cycles(3)
    assert town.job_states(change) == ["retry"]
    town.clock.advance(hours=1)
    town.engine.cycle()
    assert town.job_states(change) == ["succeeded"]


def test_expired_consent_fails_at_once_with_entras_json(town: Town) -> None:
    town.provider.rules.append(Refusal.known("AADSTS700082", "2026-08-01T00:00:00Z", provider_name="Microsoft CSP"))
    change = town.change(town.subscribe())
    town.engine.cycle()
    assert (town.status(change), town.job_states(change)) == ("failed_provisioning", ["failed"])
    said = json.loads(town.message(change) or "")
    assert said["error"] == "invalid_grant"
    assert said["error_codes"] == [700082]
    assert "inactive for 90.00:00:00" in said["error_description"]
    assert town.jobs(change)[0]["results"] == town.message(change)


def test_a_consent_that_is_renewed_helps_only_who_is_retriggered(town: Town) -> None:
    town.provider.rules.append(Refusal.known("AADSTS700082", "x", provider_name="Microsoft CSP"))
    change = town.change(town.subscribe())
    town.engine.cycle()
    assert town.provider.lift(provider_name="Microsoft CSP") == 1
    town.cycles(3)
    assert town.status(change) == "failed_provisioning"
    town.save("license_change_log", change, provisioning_status="awaiting_provisioning")
    town.engine.cycle()
    assert (town.status(change), town.harm()) == ("provisioned", [])


def test_who_ignores_ignores_everything(town: Town) -> None:
    subscription = town.subscribe()
    town.options.quirks[subscription] = Quirk(ignores=True)
    change = town.change(subscription)
    town.toggle(change)
    town.add(
        "work365_job",
        {"type": "sync_license_change_log", "license_change_log": change, "job_status": "waiting"},
    )
    town.cycles(3)
    town.engine.run_now()
    assert (town.status(change), town.job_states(change)) == ("awaiting_provisioning", ["waiting"])
    assert town.provider.calls == []


@pytest.mark.parametrize(("slow", "end"), [(2, "succeeded"), (None, "in_progress")])
def test_a_slow_job_stays_in_progress(town: Town, slow: int | None, end: str) -> None:
    subscription = town.subscribe()
    town.options.quirks[subscription] = Quirk(slow_cycles=slow)
    change = town.change(subscription)
    town.cycles(2)
    assert town.job_states(change) == ["in_progress"]
    town.cycles(10)
    assert town.job_states(change) == [end]


def test_a_subscription_of_its_own_bad_luck(town: Town) -> None:
    unlucky, lucky = town.subscribe(), town.subscribe()
    town.options.quirks[unlucky] = Quirk(fails_with=Refusal.known("800095"))
    failed, fine = town.change(unlucky), town.change(lucky)
    town.engine.cycle()
    assert (town.status(failed), town.status(fine)) == ("failed_provisioning", "provisioned")
    assert town.message(failed) == "Can't update the seat quantity for this subscription (800095)"


def test_provisioned_without_saying_so(town: Town) -> None:
    subscription = town.subscribe()
    town.options.quirks[subscription] = Quirk(provisions_without_saying=True)
    change = town.change(subscription)
    town.engine.cycle()
    assert town.seats(subscription) == 15
    assert (town.status(change), town.message(change)) == ("awaiting_provisioning", None)
    job = town.jobs(change)[0]
    assert job["job_status"] == "failed"
    assert "504 Gateway Timeout" in job["results"]


def test_retries_of_one_job_behind_lost_answers_order_once(town: Town) -> None:
    subscription = town.subscribe()
    town.provider.rules.append(Refusal.known("504", executes=True))
    change = town.change(subscription)
    town.cycles(6)
    assert town.status(change) == "failed_provisioning"
    assert (town.seats(subscription), len(town.provider.calls)) == (15, 5)
    assert town.harm() == []


def test_a_disabled_application_user_does_nothing(town: Town) -> None:
    town.save("system_user", WORK365_USER_ID, is_disabled=True)
    change = town.change(town.subscribe())
    town.engine.cycle()
    town.engine.run_now()
    assert (town.status(change), town.job_states(change)) == ("awaiting_provisioning", ["waiting"])
    town.save("system_user", WORK365_USER_ID, is_disabled=False)
    town.engine.cycle()
    assert town.status(change) == "provisioned"


def test_a_job_in_progress_from_before_is_taken_up(town: Town) -> None:
    subscription = town.subscribe()
    town.options.workflow_on = False
    change = town.change(subscription)
    row = {"type": "sync_license_change_log", "license_change_log": change, "job_status": "in_progress"}
    town.records.create_many("work365_job", [row], by=PERSON)
    town.engine.cycle()
    assert (town.status(change), town.seats(subscription)) == ("provisioned", 15)


def test_a_subscription_is_provisioned_with_its_last_change_only(town: Town) -> None:
    subscription = town.subscribe(total=18)
    first = town.change(subscription, 5)
    town.change(subscription, 3, effective_date=TODAY + timedelta(days=1))
    town.engine.cycle()
    assert town.status(first) == "provisioned"
    assert town.row("subscription", subscription)["status"] == "awaiting_provisioning"
    town.clock.advance(days=1)
    town.engine.cycle()
    assert town.row("subscription", subscription)["status"] == "provisioned"


def test_a_new_change_makes_its_subscription_await_provisioning(town: Town) -> None:
    subscription = town.subscribe(status="provisioned")
    town.change(subscription)
    assert town.row("subscription", subscription)["status"] == "awaiting_provisioning"
