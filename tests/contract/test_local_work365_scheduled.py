"""Scheduled changes in the local Work 365, what its plug-ins do behind a save, and its life as a task."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.work365_engine.options import WORK365_USER_ID, EngineOptions, Quirk
from tests.contract.local_work365_town import TODAY, Town


@pytest.fixture
def town() -> Town:
    return Town()


def schedule(town: Town, subscription: str, quantity: int = 5, **values: Any) -> str:
    row = {
        "name": "in time",
        "subscription": subscription,
        "change_type": "update",
        "effective_date": TODAY,
        "quantity": quantity,
        "status": "pending",
    }
    return town.add("scheduled_license_change_log", row | values)


def is_provisioned(row: dict[str, Any] | None) -> bool:
    return row is not None and row.get("provisioning_status") == "provisioned"


def made_from(town: Town, subscription: str) -> list[dict[str, Any]]:
    return town.records.find("license_change_log", subscription=subscription)


def test_a_scheduled_change_becomes_a_change_at_its_date(town: Town) -> None:
    subscription = town.subscribe(total=10, status="provisioned")
    scheduled = schedule(town, subscription, effective_date=TODAY + timedelta(days=1))
    town.engine.cycle()
    assert made_from(town, subscription) == []
    town.clock.now = datetime(2026, 11, 21, 0, 5, tzinfo=UTC)
    town.engine.cycle()
    assert town.row("scheduled_license_change_log", scheduled)["status"] == "archived"
    (change,) = made_from(town, subscription)
    assert (change["quantity"], change["provisioning_status"]) == (5, "provisioned")
    assert town.row("subscription", subscription)["quantity"] == 15
    assert (town.seats(subscription), town.harm()) == (15, [])


def test_it_is_sent_on_its_provision_on(town: Town) -> None:
    subscription = town.subscribe(total=10)
    schedule(town, subscription, provision_on=TODAY + timedelta(days=2))
    town.engine.cycle()
    (change,) = made_from(town, subscription)
    job = town.jobs(change["id"])[0]
    assert (job["job_status"], job["scheduled_for"]) == ("waiting", datetime(2026, 11, 22, 0, 5, tzinfo=UTC))
    town.clock.advance(days=2)
    town.engine.cycle()
    assert town.status(change["id"]) == "provisioned"


@pytest.mark.parametrize(
    ("status", "words"), [("awaiting_provisioning", "prior changes"), ("suspended", "the Subscription is suspended")]
)
def test_a_merge_fails_where_it_must(town: Town, status: str, words: str) -> None:
    subscription = town.subscribe(status=status)
    if status == "awaiting_provisioning":
        town.options.workflow_on = False
        town.change(subscription)
    scheduled = schedule(town, subscription)
    later = schedule(town, subscription, quantity=1)
    town.engine.cycle()
    for one in (scheduled, later):
        assert town.row("scheduled_license_change_log", one)["status"] == "merge_failed"
    reports = town.records.find("work365_job", type="merge_scheduled_change", job_status="failed")
    assert all(words in report["results"] for report in reports)
    assert len(reports) == 2
    assert len(made_from(town, subscription)) == (status == "awaiting_provisioning")


def test_a_failed_merge_holds_up_those_after_it(town: Town) -> None:
    subscription = town.subscribe(status="provisioned", at_provider=15)
    schedule(town, subscription, effective_date=TODAY - timedelta(days=1), status="merge_failed")
    later = schedule(town, subscription)
    town.engine.cycle()
    assert town.row("scheduled_license_change_log", later)["status"] == "merge_failed"


@pytest.mark.parametrize("how", ["option", "quirk"])
def test_merging_can_be_off(town: Town, how: str) -> None:
    subscription = town.subscribe()
    if how == "option":
        town.options.merge_scheduled = False
    else:
        town.options.quirks[subscription] = Quirk(ignores=True)
    scheduled = schedule(town, subscription)
    town.engine.cycle()
    assert town.row("scheduled_license_change_log", scheduled)["status"] == "pending"


def test_a_plug_in_saves_the_row_again() -> None:
    for percent, expected in ((0, 0), (100, 200), (30, 60)):
        town = Town(EngineOptions(plugin_touch=percent))
        subscription = town.subscribe()
        touched = 0
        for _ in range(100):
            change = town.change(subscription, provisioning_status="provisioned")
            for status in ("not_applicable", "awaiting_provisioning"):
                town.save("license_change_log", change, provisioning_status=status)
                before = town.row("license_change_log", change)
                town.options.workflow_on = False
                town.engine._workflow.run_plugins()
                after = town.row("license_change_log", change)
                if after["etag"] != before["etag"]:
                    touched += 1
                    assert after["modified_by"] == WORK365_USER_ID
                    assert {**after, "etag": 0, "modified_by": 0} == {**before, "etag": 0, "modified_by": 0}
        # Which rows are hit depends on their ids, which are new in every run: about so many is all there is to say.
        assert abs(touched - expected) <= 50 * (0 < percent < 100)


def test_with_a_loop_the_plug_in_comes_right_after_the_reply() -> None:
    town = Town(EngineOptions(plugin_touch=100))

    async def save() -> tuple[str, str]:
        change = town.change(town.subscribe())
        reply = town.row("license_change_log", change)["etag"]
        await asyncio.sleep(0)
        return reply, town.row("license_change_log", change)["etag"]

    reply, afterwards = asyncio.run(save())
    assert reply != afterwards


def test_run_cycles_until_it_is_cancelled(town: Town) -> None:
    async def live() -> None:
        provisioned = asyncio.Event()
        town.records.subscribe(lambda saved: provisioned.set() if is_provisioned(saved.after) else None)
        task = asyncio.create_task(town.engine.run())
        await asyncio.wait_for(provisioned.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    town.change(town.subscribe(), effective_date=TODAY + timedelta(days=1))
    town.options.cycle_seconds = 0
    town.engine.cycle()
    town.clock.advance(days=1)
    asyncio.run(live())


def test_twenty_thousand_subscriptions_do_not_slow_a_cycle_of_few_jobs(town: Town) -> None:
    """Counted in SQL statements, not in time: what a cycle asks does not grow with what is healthy."""
    statements: list[str] = []
    stuck = [town.change(town.subscribe()) for _ in range(3)]
    rows = [{"name": str(n), "status": "provisioned", "quantity": n} for n in range(20_000)]
    town.records.create_many("subscription", rows, by=town.customer)
    town.records.store.db.set_trace_callback(statements.append)
    town.engine.cycle()
    assert [town.status(change) for change in stuck] == ["provisioned"] * 3
    assert len(statements) < 250
