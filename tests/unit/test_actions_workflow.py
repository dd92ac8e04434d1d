"""Actions beyond the retrigger, from asking to done: what is saved, what is remembered, what goes wrong."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.case import Case, Recorded, State
from shared.domain.evidence import (
    ChangeType,
    JobStatus,
    ProviderAccount,
    ProviderType,
    ProvisioningStatus,
)
from shared.domain.pause import Pause, Scope
from shared.domain.policy import Level, Mode
from shared.errors import Garbled, NotFound, NotPossible, Throttled
from shared.ports import RowWrite, WriteResult
from shared.workflow.approve import remediate_case
from shared.workflow.ask import ask, withdraw
from shared.workflow.diagnose import diagnose_subscriptions
from shared.workflow.remediate import remediate
from tests.builders import (
    AT_PROVIDER,
    DAY,
    HOUR,
    LATER,
    MICROSOFT,
    NOW,
    STUCK,
    SUBSCRIPTION,
    TENANT,
    WORK365_USER,
    change,
    job,
    provisioned,
    subscription,
)
from tests.workflow_kit import AWAITING, NOT_APPLICABLE, Crash, Town

pytestmark = pytest.mark.anyio

DONE_ON = (NOW - HOUR).isoformat()
MINUTE = timedelta(minutes=1)
PROVISIONED, FAILED = ProvisioningStatus.PROVISIONED, ProvisioningStatus.FAILED


async def asked(town: Town, action: str, reason: str = "", by: str = "Ann", **values: str) -> Case:
    stored = await town.store.load(SUBSCRIPTION)
    assert stored is not None
    return await ask(town.ctx, stored, action, values, by=by, reason=reason)


async def said_yes(town: Town, by: str = "Bob") -> None:
    """The yes, without what follows from it."""
    stored = await town.store.load(SUBSCRIPTION)
    assert stored is not None
    assert stored.case.plan is not None
    await remediate_case(town.ctx, stored, stored.case.plan.digest, by)


async def yes(town: Town, by: str = "Bob") -> None:
    await said_yes(town, by)
    await town.drain()


async def crashing(town: Town) -> None:
    """Runs the queues until the worker dies; its messages are lost with it."""
    with pytest.raises(Crash):
        await town.drain()
    town.queues.waiting.clear()


def news(town: Town, kind: str) -> list[str]:
    return [each.text for each in town.notifier.told if each.kind == kind]


async def takes(town: Town, action: str, reason: str = "", **values: str) -> None:
    await asked(town, action, reason, **values)
    await yes(town)


@pytest.fixture
def manual() -> Town:
    """A change at a manual provider, which a person has made there."""
    town = Town()
    town.stuck(of=subscription(provider=replace(MICROSOFT, type=ProviderType.MANUAL, connector=None)))
    return town


@pytest.fixture
def price() -> Town:
    """A change of price, which has nothing to provision."""
    town = Town()
    town.stuck(provisioned(), change(quantity=Decimal(0)))
    return town


@pytest.fixture
def chain() -> Town:
    """A change that a person has stopped, and one behind it. Everything else would do."""
    town = Town(mode=Mode.APPROVE)
    behind = change(LATER, name="Increase by 3", quantity=Decimal(3), created_on=NOW - HOUR / 2)
    town.stuck(provisioned(), change(), behind)
    return town


@pytest.fixture
def later() -> Town:
    """An increase that begins in ten days."""
    town = Town()
    town.stuck(provisioned(), change(effective_date=(NOW + 10 * DAY).date(), created_on=NOW - 2 * DAY))
    return town


ACCOUNT = ProviderAccount(
    "77777777-0000-0000-0000-000000000009",
    TENANT,
    customer_id="66666666-0000-0000-0000-000000000001",
    provider_id=MICROSOFT.id,
    active=True,
)


@pytest.fixture
def no_account() -> Town:
    """A first order without a provider account; the customer has exactly one."""
    town = Town()
    first = change(change_type=ChangeType.CREATE, name="Create 5", quantity=Decimal(5))
    own = subscription(account=None, provider_subscription_id=None, quantity=Decimal(5))
    town.work365.accounts = (ACCOUNT,)
    town.work365.hold(own, first)
    town.provider.hold(TENANT)
    return town


class TestDone:
    async def test_a_manual_completion_is_asked_for_planned_said_yes_to_and_saved(self, manual: Town) -> None:
        await manual.sweep()
        case = await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        assert case.state is State.AWAITING_APPROVAL
        assert case.plan is not None
        assert manual.work365.amendments == [], "nothing is saved before somebody says yes"
        await yes(manual)
        assert manual.work365.change(STUCK).status is PROVISIONED
        assert manual.work365.change(STUCK).actual_provisioned_on == NOW - HOUR
        await manual.pass_time(HOUR)
        assert await manual.state() is State.RESOLVED

    async def test_a_change_of_price_is_offered_closed_and_stays_no_riddle(self, price: Town) -> None:
        await price.sweep()
        assert await price.state() is State.AWAITING_APPROVAL
        await yes(price)
        assert price.work365.change(STUCK).status is NOT_APPLICABLE
        await price.pass_time(HOUR)
        assert await price.state() is State.RESOLVED
        assert (await diagnose_subscriptions(price.ctx, [SUBSCRIPTION]))[SUBSCRIPTION] is None

    async def test_what_the_provider_has_is_offered_to_be_marked(self) -> None:
        town = Town()
        town.stuck(provisioned(), change(status=FAILED, message="timeout"), seats=25)
        town.work365.held[SUBSCRIPTION].jobs.append(job(JobStatus.FAILED))
        await town.sweep()
        await yes(town)
        marked = town.work365.change(STUCK)
        assert (marked.status, marked.actual_provisioned_on) == (PROVISIONED, NOW - HOUR)
        assert town.written() == [], "never by a retrigger"

    async def test_an_archived_change_lets_the_next_one_go_and_is_no_riddle(self, chain: Town) -> None:
        await chain.sweep()
        await takes(chain, "archive_change", "the customer has withdrawn it")
        assert chain.work365.change(STUCK).archived
        case = await chain.case()
        assert (case.change_id, case.cause) == (LATER, "trigger_missed"), case.summary
        await yes(chain)
        assert (chain.written(), chain.written(LATER)) == ([], [NOT_APPLICABLE, AWAITING])
        chain.work365.provision(LATER)
        chain.provider.set_quantity(TENANT, AT_PROVIDER, 23)
        await chain.pass_time(HOUR)
        await chain.pass_time(HOUR)
        assert await chain.state() is State.RESOLVED

    async def test_a_filled_account_and_the_retrigger_shown_with_it_need_one_yes(self, no_account: Town) -> None:
        await no_account.sweep()
        case = await no_account.case()
        assert (case.state, case.plan and case.plan.then != "") == (State.AWAITING_APPROVAL, True), case.summary
        await yes(no_account)
        assert no_account.work365.held[SUBSCRIPTION].subscription.account == ACCOUNT
        assert no_account.written() == [NOT_APPLICABLE, AWAITING]

    async def test_pulled_forward_it_is_left_to_work_365_for_its_time(self, later: Town) -> None:
        await later.sweep()
        assert await later.state() is State.WAITING
        await takes(later, "pull_forward")
        assert later.work365.change(STUCK).effective_date == NOW.date()
        assert later.work365.runs == [(STUCK,)]
        assert (await later.state(), later.written()) == (State.WAITING, []), "not retriggered beside its own job"

    async def test_a_job_that_was_run_is_not_overtaken_by_a_retrigger(self, chain: Town) -> None:
        await chain.sweep()
        await takes(chain, "run_job")
        chain.with_mode(Mode.AUTO)
        await chain.pass_time(MINUTE)
        assert (chain.work365.runs, chain.written()) == ([(STUCK,)], [])
        await chain.pass_time(HOUR)
        assert chain.written() == [NOT_APPLICABLE, AWAITING], "it did not help, and its time is over"


class TestTheYesThatCarriesOver:
    async def test_not_to_another_tenant(self, no_account: Town) -> None:
        no_account.with_mode(Mode.APPROVE)
        await no_account.sweep()
        elsewhere = "33333333-0000-0000-0000-000000000009"
        other = replace(ACCOUNT, id="77777777-0000-0000-0000-000000000008", tenant_id=elsewhere)
        no_account.provider.hold(elsewhere)

        def moved(write: RowWrite, result: WriteResult) -> WriteResult:
            no_account.work365.edit_subscription(SUBSCRIPTION, account=other)
            return result

        no_account.work365.after_amend = moved
        await yes(no_account)
        assert no_account.written() == []
        assert await no_account.state() is State.AWAITING_APPROVAL

    async def test_not_where_something_was_bought_meanwhile(self, no_account: Town) -> None:
        await no_account.sweep()

        def bought(write: RowWrite, result: WriteResult) -> WriteResult:
            no_account.stuck(change(), of=subscription(id="11111111-0000-0000-0000-000000000009"))
            return result

        no_account.work365.after_amend = bought
        await yes(no_account)
        assert no_account.written() == []


class TestNoAnswer:
    async def test_lost_after_the_effect_it_is_found_done(self, manual: Town) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        manual.work365.after_amend = lambda w, _: WriteResult(w.row_id, unknown=True, reason="cut")
        await yes(manual)
        await manual.pass_time(MINUTE)
        assert len(manual.work365.amendments) == 1
        assert len((await manual.case()).done) == 1
        await manual.pass_time(HOUR)
        assert await manual.state() is State.RESOLVED

    async def test_lost_before_the_effect_it_is_waited_for_and_then_done_on_the_same_yes(self, manual: Town) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        manual.work365.before_amend = lambda w: WriteResult(w.row_id, unknown=True, reason="cut")
        await yes(manual)
        assert await manual.state() is State.UNSETTLED
        manual.work365.before_amend = lambda _: None
        await manual.pass_time(MINUTE)
        assert manual.work365.amendments == [], "the first one might still land"
        await manual.pass_time(10 * MINUTE)
        assert len(manual.work365.amendments) == 1
        assert manual.work365.change(STUCK).status is PROVISIONED

    async def test_taken_back_by_a_person_before_we_looked_it_is_not_done_again(self, price: Town) -> None:
        await price.sweep()
        price.work365.after_amend = lambda w, _: WriteResult(w.row_id, unknown=True, reason="cut")
        await said_yes(price)
        await remediate(price.ctx, [(await price.case()).id])
        price.work365.edit(STUCK, status=AWAITING)
        await price.pass_time(10 * MINUTE)
        assert len(price.work365.amendments) == 1
        assert await price.state() is State.AWAITING_APPROVAL
        assert len(news(price, "awaiting_approval")) == 2, "that a yes is wanted again is news"

    async def test_an_answer_that_never_comes_ends_with_a_person_who_is_told(self, manual: Town) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        tries: list[str] = []
        manual.work365.before_amend = lambda w: (
            tries.append(w.row_id) or WriteResult(w.row_id, unknown=True, reason="cut")  # type: ignore[func-returns-value]
        )
        await yes(manual)
        for _ in range(60):
            await manual.pass_time(HOUR)
        assert (await manual.case()).asked is None
        assert len(tries) == 5
        assert any("did not get through" in text for text in news(manual, "not_done"))

    async def test_a_job_whose_run_was_not_answered_is_not_run_again_without_a_new_yes(self, chain: Town) -> None:
        await chain.sweep()
        await asked(chain, "run_job")
        fails(chain, Garbled("dataverse", "what?"))
        await yes(chain)
        await chain.pass_time(HOUR)
        assert len(chain.work365.runs) == 1
        assert await chain.state() is State.AWAITING_APPROVAL


def fails(town: Town, error: Exception) -> None:
    """Running a job is tried, and fails like this."""
    run = town.work365.run_jobs

    async def failing(change_ids: Any) -> str:
        await run(change_ids)
        raise error

    town.work365.run_jobs = failing  # type: ignore[method-assign]


class TestSomeoneGetsInBetween:
    async def test_a_newer_version_is_not_written_over(self, price: Town) -> None:
        await price.sweep()

        def edited(write: RowWrite) -> WriteResult | None:
            price.work365.before_amend = lambda _: None
            price.work365.edit(STUCK, quantity=Decimal(2))
            return None

        price.work365.before_amend = edited
        await yes(price)
        await price.pass_time(MINUTE)
        assert price.work365.amendments == []
        assert price.work365.change(STUCK).status is not NOT_APPLICABLE

    async def test_a_plug_in_that_saves_it_costs_another_try_on_the_same_yes(self, manual: Town) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)

        def touched(write: RowWrite) -> WriteResult | None:
            manual.work365.before_amend = lambda _: None
            manual.work365.edit(STUCK, by=WORK365_USER)
            return None

        manual.work365.before_amend = touched
        await yes(manual)
        await manual.pass_time(MINUTE)
        assert manual.work365.change(STUCK).status is PROVISIONED

    @pytest.mark.parametrize("with_a_touch", [True, False])
    @pytest.mark.parametrize("answer", [{"version_changed": True}, {"deferred": True}, {"refused": True}])
    async def test_a_half_done_toggle_that_could_not_be_marked_is_still_ours(
        self, answer: dict[str, Any], with_a_touch: bool
    ) -> None:
        town = await half_done_and_there()
        town.work365.before_amend = lambda w: WriteResult(w.row_id, **answer, reason="no")
        await said_yes(town)
        await remediate(town.ctx, [(await town.case()).id])
        if with_a_touch:
            town.work365.edit(STUCK, by=WORK365_USER)
        case = await town.case()
        assert case.intent is not None, "nobody would know any more that this Not Applicable is ours"
        assert case.intent.retriggers
        town.work365.before_amend = lambda _: None
        await town.pass_time(HOUR)
        assert (await town.case()).cause == "half_toggled"

    async def test_a_half_done_toggle_is_marked_where_the_provider_has_it(self) -> None:
        town = await half_done_and_there()
        await yes(town)
        await town.pass_time(HOUR)
        assert (town.work365.change(STUCK).status, await town.state()) == (PROVISIONED, State.RESOLVED)
        assert (await town.case()).intent is None

    async def test_what_was_closed_and_is_set_aside_again_by_somebody_is_asked_about(self, chain: Town) -> None:
        await chain.sweep()
        await takes(chain, "close_not_applicable", "not wanted")
        chain.work365.edit(STUCK, status=AWAITING)
        await chain.pass_time(HOUR)
        assert (await chain.case()).done[0].undone_on is not None
        chain.work365.edit(STUCK, status=NOT_APPLICABLE)
        await chain.pass_time(HOUR)
        assert "set_aside_by_hand" in [f.cause for f in (await chain.case()).diagnosis.findings]  # type: ignore[union-attr]


async def half_done_and_there() -> Town:
    """Our retrigger was cut between its writes, and the provider got there meanwhile."""
    town = Town()
    town.stuck()
    town.work365.held[SUBSCRIPTION].jobs.append(job(JobStatus.NOT_APPLICABLE))
    town.crash_at_save(lambda case: case.intent is not None and "second" in case.intent.phase, saved=False)
    with pytest.raises(Crash):
        await town.sweep()
    town.queues.waiting.clear()
    assert town.work365.change(STUCK).status is NOT_APPLICABLE
    town.provider.set_quantity(TENANT, AT_PROVIDER, 25)
    town.work365.held[SUBSCRIPTION].jobs[:] = [job(JobStatus.SUCCEEDED)]
    await town.pass_time(HOUR)
    case = await town.case()
    assert case.plan is not None, case.summary
    assert case.plan.action == "mark_provisioned"
    return town


class TestRefused:
    async def test_whoever_wanted_it_is_told_and_a_second_try_needs_a_second_yes(self, manual: Town) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        manual.work365.before_amend = lambda w: WriteResult(w.row_id, refused=True, reason="plug-in says no")
        await yes(manual)
        assert any("plug-in says no" in text for text in news(manual, "not_done"))
        manual.work365.before_amend = lambda _: None
        await manual.pass_time(HOUR)
        assert manual.work365.amendments == []
        assert (await manual.case()).asked is None

    async def test_deferred_it_is_done_later_on_the_same_yes(self, manual: Town) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        manual.work365.before_amend = lambda w: WriteResult(w.row_id, deferred=True, reason="429", retry_after=60)
        await yes(manual)
        manual.work365.before_amend = lambda _: None
        await manual.pass_time(30 * timedelta(seconds=1))
        assert manual.work365.amendments == []
        await manual.pass_time(MINUTE)
        assert len(manual.work365.amendments) == 1

    async def test_a_job_that_was_throttled_is_run_later_on_the_same_yes(self, chain: Town) -> None:
        await chain.sweep()
        await asked(chain, "run_job")
        run = chain.work365.run_jobs
        fails(chain, Throttled("dataverse", "429", retry_after=60))
        await yes(chain)
        chain.work365.run_jobs = run  # type: ignore[method-assign]
        await chain.pass_time(2 * MINUTE)
        assert (len(chain.work365.runs), len((await chain.case()).done)) == (2, 1)

    async def test_a_way_to_run_jobs_that_is_not_there_is_told_and_not_tried_again(self, chain: Town) -> None:
        await chain.sweep()
        await asked(chain, "run_job")
        fails(chain, NotFound("dataverse", "no such workflow"))
        await yes(chain)
        await chain.pass_time(2 * HOUR)
        assert len(chain.work365.runs) == 1
        assert any("no such workflow" in text for text in news(chain, "not_done"))

    async def test_units_of_the_hour_are_given_back(self, manual: Town) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        manual.work365.before_amend = lambda w: WriteResult(w.row_id, refused=True, reason="no")
        await yes(manual)
        assert spent(manual) == []
        manual.work365.before_amend = lambda _: None
        await takes(manual, "mark_provisioned", provisioned_on=DONE_ON)
        assert len(spent(manual)) == 1


def spent(town: Town) -> list[Any]:
    return [each for found in town.tables.rows["budgets"].values() for each in json.loads(found.row["spent"])]


class TestCrashes:
    @pytest.mark.parametrize("saved", [True, False])
    @pytest.mark.parametrize("state", [State.READY, State.REMEDIATING, State.VERIFYING])
    async def test_at_every_save_it_is_done_once_and_remembered(self, state: State, saved: bool) -> None:
        town = Town()
        town.stuck(of=subscription(provider=replace(MICROSOFT, type=ProviderType.MANUAL, connector=None)))
        await town.sweep()
        await asked(town, "mark_provisioned", provisioned_on=DONE_ON)
        town.crash_at_save(lambda case: case.state is state, saved=saved)
        with pytest.raises(Crash):
            await yes(town)
        town.queues.waiting.clear()
        if state is State.READY and not saved:
            await said_yes(town)
        for _ in range(4):
            await town.pass_time(10 * MINUTE)
        assert [w.row_id for w in town.work365.amendments] == [STUCK]
        assert len((await town.case()).done) == 1

    async def test_a_worker_whose_time_is_over_runs_no_job(self, chain: Town) -> None:
        """It slept while another row of its group was saved. No version of a row would refuse the run."""
        other, priced = "11111111-0000-0000-0000-000000000007", "22222222-0000-0000-0000-000000000007"
        chain.stuck(provisioned(f"{priced[:-1]}8"), change(priced, quantity=Decimal(0)), of=subscription(id=other))
        await chain.sweep()
        await asked(chain, "run_job")
        await said_yes(chain)
        second = await chain.store.load(other)
        assert second is not None
        assert second.case.plan is not None
        await remediate_case(chain.ctx, second, second.case.plan.digest, "Bob")
        chain.work365.before_amend = lambda _: chain.clock.advance(HOUR)
        await remediate(chain.ctx, [(await chain.case()).id, second.case.id])
        assert [w.row_id for w in chain.work365.amendments] == [priced]
        assert chain.work365.runs == []


class TestAtOnce:
    async def test_sixteen_times_the_same_message_has_one_effect(self, manual: Town) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        await said_yes(manual)
        case_id = (await manual.case()).id
        await asyncio.gather(*(remediate(manual.ctx, [case_id]) for _ in range(16)))
        await manual.drain()
        assert (len(manual.work365.amendments), len((await manual.case()).done)) == (1, 1)

    async def test_sixteen_times_the_same_job_is_run_once(self, chain: Town) -> None:
        await chain.sweep()
        await asked(chain, "run_job")
        await said_yes(chain)
        case_id = (await chain.case()).id
        await asyncio.gather(*(remediate(chain.ctx, [case_id]) for _ in range(16)))
        assert chain.work365.runs == [(STUCK,)]

    async def test_two_who_want_different_things_do_not_push_each_other_aside(self, chain: Town) -> None:
        await chain.sweep()
        await asked(chain, "archive_change", "why", by="Ann")
        with pytest.raises(NotPossible, match="Ann has asked"):
            await asked(chain, "run_job", by="Bob")
        case = await chain.case()
        assert case.asked is not None
        assert case.asked.action == "archive_change"

    async def test_what_is_asked_for_meanwhile_voids_the_yes_to_something_else(self, chain: Town) -> None:
        await chain.sweep()
        await said_yes(chain, "Bob")
        await asked(chain, "archive_change", "why")
        await chain.drain()
        assert (chain.written(), chain.work365.amendments) == ([], [])
        assert await chain.state() is State.AWAITING_APPROVAL


class TestWithdrawnAndExpired:
    async def test_withdrawn_nobody_can_say_yes_to_it(self, manual: Town) -> None:
        await manual.sweep()
        case = await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        assert case.plan is not None
        stored = await manual.store.load(SUBSCRIPTION)
        assert stored is not None
        left = await withdraw(manual.ctx, stored, by="Ann")
        assert (left.state, left.asked, left.plan) == (State.NEEDS_PERSON, None, None)
        again = await manual.store.load(SUBSCRIPTION)
        assert again is not None
        with pytest.raises(NotPossible):
            await remediate_case(manual.ctx, again, case.plan.digest, "Bob")

    async def test_withdrawn_and_the_worker_dies_there_is_no_plan_left_either(self, manual: Town) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        manual.crash_at_save(lambda case: case.asked is None, saved=True)
        stored = await manual.store.load(SUBSCRIPTION)
        assert stored is not None
        with pytest.raises(Crash):
            await withdraw(manual.ctx, stored, by="Ann")
        case = await manual.case()
        assert (case.plan, case.asked, case.state) == (None, None, State.WAITING)

    async def test_asked_again_it_is_news_again(self, manual: Town) -> None:
        await manual.sweep()
        for _ in range(2):
            await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
            await manual.drain()
            stored = await manual.store.load(SUBSCRIPTION)
            assert stored is not None
            await withdraw(manual.ctx, stored, by="Ann")
        assert len(news(manual, "awaiting_approval")) == 2

    async def test_without_a_yes_it_expires_and_who_asked_is_told(self, manual: Town) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        await manual.pass_time(3 * DAY)
        assert (await manual.case()).asked is None
        assert any("nobody said yes" in text for text in news(manual, "not_done"))

    async def test_with_a_yes_that_is_held_back_it_does_not_expire_with_the_request(self, manual: Town) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        await manual.pass_time(2 * DAY)
        await paused(manual)
        await yes(manual)
        await manual.pass_time(1.5 * DAY)
        assert manual.work365.amendments == []
        await unpaused(manual)
        await manual.pass_time(DAY)
        assert manual.work365.change(STUCK).status is PROVISIONED

    async def test_what_got_done_meanwhile_is_dropped_and_told(self, manual: Town) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        await said_yes(manual)
        manual.work365.provision(STUCK)
        await manual.drain()
        await manual.pass_time(HOUR)
        assert (manual.work365.amendments, await manual.state()) == ([], State.RESOLVED)
        assert len(news(manual, "not_done")) == 1

    async def test_archived_meanwhile_it_is_not_written(self, price: Town) -> None:
        await price.sweep()
        await said_yes(price)
        price.work365.edit(STUCK, archived=True)
        await price.drain()
        assert price.work365.amendments == []

    async def test_failed_that_came_back_to_awaiting_needs_another_yes(self, price: Town) -> None:
        price.work365.edit(STUCK, status=FAILED)
        await price.sweep()
        await said_yes(price)
        price.work365.edit(STUCK, status=AWAITING)
        await price.drain()
        assert (price.work365.amendments, await price.state()) == ([], State.AWAITING_APPROVAL)


async def paused(town: Town) -> None:
    now = town.clock.now()
    await town.controls["pauses"].put(Pause(Scope.EVERYTHING, "", "Eve", "stop", now, now + 30 * DAY))


async def unpaused(town: Town) -> None:
    for each in await town.controls["pauses"].read():
        await town.controls["pauses"].remove(each)
    await town.swept_before()


class TestHeldBack:
    async def test_a_pause_between_the_intent_and_the_save_stops_it(self, manual: Town) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        await said_yes(manual)
        await paused(manual)
        rows, manual.tables.rows["pauses"] = manual.tables.rows["pauses"], {}

        def at_intent(recorded: Recorded) -> None:
            if recorded.case.intent is not None:
                manual.tables.rows["pauses"] = rows

        manual.store.after_save = at_intent
        await remediate(manual.ctx, [(await manual.case()).id])
        assert manual.work365.amendments == []
        assert (await manual.case()).intent is None
        assert spent(manual) == []
        await unpaused(manual)
        await manual.pass_time(HOUR)
        assert len(manual.work365.amendments) == 1, "on the same yes"

    @pytest.mark.parametrize("level", [Level.OFF, Level.SUGGEST])
    async def test_what_the_policy_takes_away_meanwhile_is_dropped_and_told(self, manual: Town, level: Level) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        manual.limits["actions"] = {"mark_provisioned": level}
        await manual.pass_time(HOUR)
        case = await manual.case()
        assert (case.asked, case.plan, case.state) == (None, None, State.NEEDS_PERSON)
        assert any("policy" in text for text in news(manual, "not_done"))

    @pytest.mark.parametrize("level", [Level.OFF, Level.SUGGEST])
    async def test_what_the_policy_does_not_allow_is_not_taken_on(self, manual: Town, level: Level) -> None:
        manual.limits["actions"] = {"mark_provisioned": level}
        await manual.sweep()
        with pytest.raises(NotPossible, match="policy"):
            await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        assert (await manual.case()).asked is None

    async def test_observed_only_it_is_planned_and_never_saved(self, manual: Town) -> None:
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        await said_yes(manual)
        manual.with_mode(Mode.OBSERVE)
        await manual.drain()
        await manual.pass_time(HOUR)
        assert manual.work365.amendments == []
        with pytest.raises(NotPossible, match="observe"):
            await said_yes(manual)

    async def test_who_asks_does_not_say_yes_where_the_policy_wants_two(self, manual: Town) -> None:
        manual.limits["approver_is_not_requester"] = True
        await manual.sweep()
        await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
        with pytest.raises(NotPossible, match="somebody else"):
            await said_yes(manual, "ann")
        await yes(manual, "Bob")
        assert manual.work365.change(STUCK).status is PROVISIONED

    async def test_no_action_is_ever_done_without_a_yes_in_auto(self, price: Town) -> None:
        await price.sweep()
        for _ in range(50):
            await price.pass_time(HOUR)
        assert (price.work365.amendments, price.written()) == ([], [])

    async def test_an_action_that_nobody_knows_is_named(self, manual: Town) -> None:
        await manual.sweep()
        with pytest.raises(NotPossible, match="is no action: it should be one of"):
            await asked(manual, "delete_change")
        with pytest.raises(NotPossible, match=r"values\.when"):
            await asked(manual, "mark_provisioned", when="now")


def shows(town: Town) -> tuple[Any, ...]:
    """What a person sees of the rows, versions and who saved them aside."""
    held = town.work365.held[SUBSCRIPTION]
    own = replace(held.subscription, etag="", status=None)
    plain: dict[str, Any] = {"etag": "", "modified_on": None, "modified_by": None}
    return own, tuple(replace(c, **plain) for c in held.changes.values())


class TestUndo:
    """Promise P18."""

    async def undo(self, town: Town, number: int = 1) -> None:
        await takes(town, "undo", number=str(number))

    async def test_of_a_manual_completion(self, manual: Town) -> None:
        before = shows(manual)
        await manual.sweep()
        await takes(manual, "mark_provisioned", provisioned_on=DONE_ON)
        assert shows(manual) != before
        await self.undo(manual)
        assert shows(manual) == before
        assert (await manual.case()).done[0].undone_on is not None

    async def test_of_a_closing(self, price: Town) -> None:
        before = shows(price)
        await price.sweep()
        await yes(price)
        await self.undo(price)
        assert shows(price) == before
        await price.pass_time(HOUR)
        assert len(news(price, "awaiting_approval")) == 2, "that it could be closed is news again"

    async def test_of_an_archiving(self, chain: Town) -> None:
        before = shows(chain)
        await chain.sweep()
        await takes(chain, "archive_change", "why")
        await self.undo(chain)
        assert shows(chain) == before
        assert (await chain.case()).change_id == STUCK

    async def test_of_a_date_that_was_pulled_forward(self, later: Town) -> None:
        before = shows(later)
        await later.sweep()
        await takes(later, "pull_forward")
        await self.undo(later)
        assert shows(later) == before

    async def test_not_of_a_date_once_the_change_is_provisioned(self, later: Town) -> None:
        await later.sweep()
        await takes(later, "pull_forward")
        later.work365.provision(STUCK)
        with pytest.raises(NotPossible, match="provisioned since"):
            await asked(later, "undo", number="1")

    async def test_not_while_its_job_runs(self, later: Town) -> None:
        await later.sweep()
        await takes(later, "pull_forward")
        later.work365.held[SUBSCRIPTION].jobs.append(job(JobStatus.IN_PROGRESS))
        with pytest.raises(NotPossible, match="still live"):
            await asked(later, "undo", number="1")

    async def test_not_of_what_was_invoiced_since(self, manual: Town) -> None:
        await manual.sweep()
        await takes(manual, "mark_provisioned", provisioned_on=DONE_ON)
        manual.work365.edit(STUCK, archived=True)
        with pytest.raises(NotPossible, match="archived since"):
            await asked(manual, "undo", number="1")

    async def test_not_where_a_person_has_edited_what_it_set(self, manual: Town) -> None:
        await manual.sweep()
        await takes(manual, "mark_provisioned", provisioned_on=DONE_ON)
        manual.work365.edit(STUCK, actual_provisioned_on=NOW - 2 * DAY)
        with pytest.raises(NotPossible, match="somebody has changed it"):
            await asked(manual, "undo", number="1")

    async def test_a_plug_in_that_saved_the_row_does_not_matter(self, manual: Town) -> None:
        await manual.sweep()
        await takes(manual, "mark_provisioned", provisioned_on=DONE_ON)
        manual.work365.edit(STUCK, by=WORK365_USER, message="done")
        await self.undo(manual)
        assert manual.work365.change(STUCK).status is AWAITING

    async def test_an_edit_between_the_yes_and_the_save_is_kept(self, manual: Town) -> None:
        await manual.sweep()
        await takes(manual, "mark_provisioned", provisioned_on=DONE_ON)
        await asked(manual, "undo", number="1")
        await said_yes(manual)
        manual.work365.edit(STUCK, actual_provisioned_on=NOW - 2 * DAY)
        await manual.drain()
        assert manual.work365.change(STUCK).actual_provisioned_on == NOW - 2 * DAY
        assert any("somebody has changed it" in text for text in news(manual, "not_done"))

    async def test_not_twice_and_not_of_an_undoing(self, manual: Town) -> None:
        await manual.sweep()
        await takes(manual, "mark_provisioned", provisioned_on=DONE_ON)
        await self.undo(manual)
        for number in ("1", "2", "0", "-1", "x", ""):
            with pytest.raises(NotPossible):
                await asked(manual, "undo", number=number)

    async def test_done_undone_and_done_again_is_undone_by_its_own_number(self, manual: Town) -> None:
        await manual.sweep()
        await takes(manual, "mark_provisioned", provisioned_on=DONE_ON)
        await self.undo(manual)
        await takes(manual, "mark_provisioned", provisioned_on=DONE_ON)
        await self.undo(manual, 2)
        first, second = (await manual.case()).done
        assert first.undone_on is not None
        assert second.undone_on is not None
        assert manual.work365.change(STUCK).status is AWAITING

    async def test_not_of_an_archiving_after_the_next_one_went_on(self, chain: Town) -> None:
        await chain.sweep()
        await takes(chain, "archive_change", "why")
        chain.work365.provision(LATER)
        with pytest.raises(NotPossible, match="rests on it"):
            await asked(chain, "undo", number="1")

    async def test_of_an_account_until_the_change_is_provisioned(self, no_account: Town) -> None:
        before = shows(no_account)
        no_account.limits["actions"] = {"retrigger": Level.OFF}
        await no_account.sweep()
        await yes(no_account)
        assert shows(no_account) != before
        await self.undo(no_account)
        assert shows(no_account) == before

    async def test_nothing_is_left_at_our_own_not_applicable(self) -> None:
        town = await half_done_and_there()
        await yes(town)
        with pytest.raises(NotPossible, match="half-done"):
            await asked(town, "undo", number="1")

    async def test_not_of_what_cannot_be(self, chain: Town) -> None:
        await chain.sweep()
        await takes(chain, "run_job")
        with pytest.raises(NotPossible, match="is an order"):
            await asked(chain, "undo", number="1")

    async def test_takes_of_the_hour_where_nothing_is_stuck(self, manual: Town) -> None:
        await manual.sweep()
        await takes(manual, "mark_provisioned", provisioned_on=DONE_ON)
        before = len(spent(manual))
        await self.undo(manual)
        assert len(spent(manual)) == before + 1

    async def test_a_case_sees_so_many_actions_and_no_more(self, manual: Town) -> None:
        manual.limits["caps"] = replace(manual.policy.caps, changes=1000)
        await manual.sweep()
        for number in range(1, 21):
            await takes(manual, "mark_provisioned", provisioned_on=DONE_ON)
            await self.undo(manual, number)
        with pytest.raises(NotPossible, match="20 actions"):
            await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)


async def test_a_marking_does_not_say_that_retriggering_helps() -> None:
    """The breaker of a fix is closed by retriggers that helped, not by what a person wanted done instead."""
    town = Town()
    town.stuck()
    await town.sweep()
    assert town.written() == [NOT_APPLICABLE, AWAITING]
    await town.pass_time(HOUR)
    town.provider.set_quantity(TENANT, AT_PROVIDER, 25)
    town.work365.held[SUBSCRIPTION].jobs.append(job(JobStatus.SUCCEEDED, modified_on=town.clock.now() - 30 * MINUTE))
    for _ in range(3):
        await town.pass_time(HOUR)
    assert (await town.case()).plan is not None, (await town.case()).summary
    await yes(town)
    await town.pass_time(HOUR)
    breakers = (await town.ctx.breakers.read()).breakers
    assert all(b.in_a_row for name, b in breakers.items() if name.startswith("fix:"))
    assert await town.state() is State.RESOLVED
