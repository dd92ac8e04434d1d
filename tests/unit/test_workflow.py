"""The workflow from sweep to resolved, with fakes: what happens, in what order, and when something gets in between."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from shared.domain.case import Case, State
from shared.domain.evidence import ChangeSource, ChangeType, Job, JobStatus, ProvisioningStatus, SubscriptionStatus
from shared.domain.intent import Phase
from shared.domain.policy import Mode
from shared.errors import NotPossible, Throttled, Unreachable
from shared.ports import StatusWrite, WriteResult
from shared.workflow.approve import remediate_case
from shared.workflow.park import park
from shared.workflow.remediate import remediate
from shared.workflow.sweep import sweep
from tests.builders import (
    AT_PROVIDER,
    HOUR,
    LATER,
    NOW,
    PARENT,
    SOMEONE,
    STUCK,
    SUBSCRIPTION,
    TENANT,
    WORK365_USER,
    change,
    provisioned,
    subscription,
)
from tests.workflow_kit import AWAITING, NOT_APPLICABLE, Crash, Town

pytestmark = pytest.mark.anyio

RETRIGGER = [NOT_APPLICABLE, AWAITING]
CYCLE = timedelta(minutes=15)
FAILED = ProvisioningStatus.FAILED


@pytest.fixture
def town() -> Town:
    return Town()


async def settle_down(town: Town, hours: int = 12) -> None:
    """Time goes by in job cycles; Work 365 provisions what stands at Awaiting after one of ours."""
    for _ in range(hours * 4):
        for write in [w for w in town.work365.writes if w.status is AWAITING]:
            if town.work365.change(write.change_id).status is AWAITING:
                town.work365.provision(write.change_id)
        await town.pass_time(CYCLE)


class TestTheMainJob:
    async def test_found_explained_freed_verified_resolved(self, town: Town) -> None:
        town.stuck()
        await town.sweep()
        assert await town.state() is State.VERIFYING
        assert town.written() == RETRIGGER
        town.work365.provision(STUCK)
        await town.pass_time(CYCLE)
        assert await town.state() is State.VERIFYING, "accepted is not success, and success must stay"
        await town.pass_time(CYCLE)
        await town.pass_time(CYCLE)
        assert await town.state() is State.RESOLVED
        assert await town.history() == [
            "opened",
            "diagnosed_ready",
            "intent",
            "not_applicable_set",
            "second_write",
            "retriggered",
            "provisioned",
            "resolved",
        ]

    async def test_each_change_is_run_once(self, town: Town) -> None:
        town.stuck()
        await town.sweep()
        assert town.work365.runs == [(STUCK,)]

    async def test_healthy_subscriptions_leave_no_case(self, town: Town) -> None:
        town.work365.hold(subscription(status=SubscriptionStatus.PROVISIONED), provisioned())
        await town.sweep()
        assert town.store.history == []

    async def test_a_chain_is_freed_in_order_each_after_the_one_before(self, town: Town) -> None:
        town.stuck(provisioned(), change(), change(LATER, quantity=Decimal(2), created_on=NOW - HOUR / 2))
        await town.sweep()
        assert town.written(LATER) == []
        town.work365.provision(STUCK)
        town.provider.set_quantity(TENANT, AT_PROVIDER, 25)
        await town.pass_time(CYCLE)
        assert (town.written(STUCK), town.written(LATER)) == (RETRIGGER, RETRIGGER)

    async def test_an_add_on_follows_its_parent(self, town: Town) -> None:
        town.stuck(of=subscription(id=PARENT))
        addon = subscription(parent_id=PARENT, provider_subscription_id="44444444-0000-0000-0000-000000000009")
        town.stuck(
            provisioned("22222222-0000-0000-0000-000000000009"),
            change(
                LATER,
                status=FAILED,
                message="27009: can't enable a child subscription, when the parent subscription isn't Active",
            ),
            of=addon,
        )
        await town.sweep()
        assert (await town.case()).cause == "parent_not_provisioned"
        assert (await town.state(), await town.state(PARENT)) == (State.WAITING, State.VERIFYING)
        await settle_down(town)
        assert (await town.state(), await town.state(PARENT)) == (State.RESOLVED, State.RESOLVED)
        assert town.written(LATER) == [AWAITING], "a Failed change goes back in one write"

    async def test_a_new_trouble_after_resolved_is_a_new_case(self, town: Town) -> None:
        town.stuck()
        await town.sweep()
        await settle_down(town)
        town.work365.hold(
            subscription(), provisioned(), provisioned(STUCK, 5), change(LATER, created_on=town.clock.now() - HOUR)
        )
        town.provider.set_quantity(TENANT, AT_PROVIDER, 25)
        await town.sweep()
        assert (await town.case()).id == f"{SUBSCRIPTION}-2"


class TestWhoDecides:
    async def test_observe_writes_nothing(self, town: Town) -> None:
        town.mode = Mode.OBSERVE
        town.stuck()
        await town.sweep()
        await town.pass_time(HOUR)
        assert (await town.state(), town.work365.writes) == (State.READY, [])

    async def test_approve_waits_for_a_yes_to_exactly_this_plan(self, town: Town) -> None:
        town.mode = Mode.APPROVE
        town.stuck()
        await town.sweep()
        assert (await town.state(), town.work365.writes) == (State.AWAITING_APPROVAL, [])
        stored = await town.store.load(SUBSCRIPTION)
        assert stored is not None
        assert stored.case.plan is not None
        with pytest.raises(NotPossible, match="moved"):
            await remediate_case(town.ctx, stored, "f" * 32, "Ann")
        await remediate_case(town.ctx, stored, stored.case.plan.digest, "Ann")
        await town.drain()
        assert town.written() == RETRIGGER
        assert {e.by for e in await town.store.timeline(SUBSCRIPTION, 1) if e.kind == "retriggered"} == {"Ann"}

    async def test_a_yes_is_void_when_the_deciding_evidence_has_moved(self, town: Town) -> None:
        town.mode = Mode.APPROVE
        town.stuck()
        await town.sweep()
        stored = await town.store.load(SUBSCRIPTION)
        assert stored is not None
        assert stored.case.plan is not None
        await remediate_case(town.ctx, stored, stored.case.plan.digest, "Ann")
        town.work365.edit(STUCK, quantity=Decimal(50))
        await town.drain()
        assert town.work365.writes == []
        assert await town.state() is State.AWAITING_APPROVAL

    async def test_observe_refuses_a_yes(self, town: Town) -> None:
        town.mode = Mode.OBSERVE
        town.stuck()
        await town.sweep()
        stored = await town.store.load(SUBSCRIPTION)
        assert stored is not None
        assert stored.case.plan is not None
        with pytest.raises(NotPossible, match="observe"):
            await remediate_case(town.ctx, stored, stored.case.plan.digest, "Ann")

    async def test_a_copied_environment_is_never_written_to(self, town: Town) -> None:
        town.copied()
        town.stuck()
        await town.sweep()
        await town.pass_time(HOUR)
        case = await town.case()
        assert town.work365.writes == []
        assert "organisation" in case.held_back
        assert (await town.history()).count("held_back_by_organization") == 1

    async def test_an_organization_that_is_not_known_is_not_the_right_one(self, town: Town) -> None:
        town.work365.organization_id = None
        town.stuck()
        await town.sweep()
        assert town.work365.writes == []


class TestPeople:
    async def test_a_person_is_told_once_and_the_case_notices_when_it_is_mended(self, town: Town) -> None:
        town.stuck(provisioned(), change(message="nobody knows this"))
        await town.sweep()
        await town.pass_time(HOUR)
        await town.pass_time(HOUR)
        assert [news.kind for news in town.notifier.told] == ["needs_person"]
        town.work365.provision(STUCK)
        await town.pass_time(HOUR)
        await town.pass_time(HOUR)
        assert await town.state() is State.RESOLVED

    async def test_news_that_was_not_delivered_is_told_later(self, town: Town) -> None:
        town.notifier.unavailable = Unreachable("webhook", "no answer")
        town.stuck(provisioned(), change(message="nobody knows this"))
        with pytest.raises(Unreachable):
            await town.sweep()
        town.notifier.unavailable = None
        town.queues.lose_all()
        await town.pass_time(HOUR)
        assert len(town.notifier.told) == 1

    async def test_a_retrigger_that_does_not_help_stops_by_itself(self, town: Town) -> None:
        town.stuck()
        await town.sweep()
        for _ in range(40):
            await town.pass_time(CYCLE)
        assert await town.state() is State.ESCALATED
        assert town.written() == RETRIGGER * 2
        assert [news.kind for news in town.notifier.told] == ["escalated"]

    async def test_a_first_order_is_retriggered_once_only(self, town: Town) -> None:
        unlinked = subscription(provider_subscription_id=None)
        town.work365.hold(unlinked, change(change_type=ChangeType.CREATE, quantity=Decimal(25)))
        town.provider.hold(TENANT)
        await town.sweep()
        for _ in range(40):
            await town.pass_time(CYCLE)
        assert (await town.state(), town.written()) == (State.ESCALATED, RETRIGGER)


class TestSomeoneGetsInBetween:
    async def test_a_person_edits_before_the_first_write(self, town: Town) -> None:
        def edit(write: StatusWrite) -> None:
            town.work365.before_write = lambda _: None
            town.work365.edit(write.change_id, message="I am looking at this one")

        town.work365.before_write = edit
        town.stuck()
        await town.sweep()
        assert town.written() == []
        assert await town.state() is State.NEEDS_PERSON

    async def test_a_person_takes_the_change_between_the_two_writes(self, town: Town) -> None:
        def edit(write: StatusWrite, result: WriteResult) -> WriteResult:
            if write.status is NOT_APPLICABLE:
                town.work365.edit(write.change_id, name="Mine now")
            return result

        town.work365.after_write = edit
        town.stuck()
        await town.sweep()
        assert town.written() == [NOT_APPLICABLE]
        case = await town.case()
        assert (case.state, case.cause) == (State.NEEDS_PERSON, "half_toggled")

    async def test_a_plug_in_touches_the_row_between_the_two_writes(self, town: Town) -> None:
        def touch(write: StatusWrite, result: WriteResult) -> WriteResult:
            town.work365.edit(write.change_id, WORK365_USER)
            return result

        town.work365.after_write = touch
        town.stuck()
        await town.sweep()
        assert town.written() == RETRIGGER

    async def test_a_plug_in_touches_it_right_before_the_second_write(self, town: Town) -> None:
        def touch(write: StatusWrite) -> None:
            if write.status is AWAITING:
                town.work365.before_write = lambda _: None
                town.work365.edit(write.change_id, WORK365_USER)

        town.work365.before_write = touch
        town.stuck()
        await town.sweep()
        assert town.written() == RETRIGGER
        assert "version_changed" in await town.history()

    async def test_the_provider_gets_there_between_the_two_writes(self, town: Town) -> None:
        def order(write: StatusWrite, result: WriteResult) -> WriteResult:
            if write.status is NOT_APPLICABLE:
                town.provider.set_quantity(TENANT, AT_PROVIDER, 25)
            return result

        town.work365.after_write = order
        town.stuck()
        await town.sweep()
        assert town.written() == [NOT_APPLICABLE], "a second order would have followed"
        assert await town.state() is State.NEEDS_PERSON, "nobody knows when it was applied, so there is no plan"

    async def test_a_job_that_appears_after_the_diagnosis_stops_the_write(self, town: Town) -> None:
        town.stuck()
        await sweep(town.ctx)
        await town.run(town.queues.take())  # type: ignore[arg-type]  # diagnosed: ready
        live = Job("88888888-0000-0000-0000-000000000001", STUCK, JobStatus.IN_PROGRESS, modified_on=NOW)
        town.work365.held[SUBSCRIPTION].jobs.append(live)
        await town.drain()
        assert town.work365.writes == []
        assert await town.state() is State.WAITING

    async def test_the_same_message_twice_at_once_writes_once(self, town: Town) -> None:
        import asyncio

        town.stuck()
        await sweep(town.ctx)
        await town.run(town.queues.take())  # type: ignore[arg-type]
        case = await town.case()
        await asyncio.gather(*(remediate(town.ctx, [case.id]) for _ in range(16)))
        assert town.written() == RETRIGGER


def _unknown(write: StatusWrite, _: WriteResult) -> WriteResult:
    return WriteResult(write.change_id, unknown=True, reason="the connection was cut")


class TestLostReplies:
    @pytest.mark.parametrize("lost", [NOT_APPLICABLE, AWAITING])
    async def test_a_reply_lost_after_the_effect_is_settled_by_reading(
        self, town: Town, lost: ProvisioningStatus
    ) -> None:
        def lose(write: StatusWrite, result: WriteResult) -> WriteResult:
            return _unknown(write, result) if write.status is lost else result

        town.work365.after_write = lose
        town.stuck()
        await town.sweep()
        assert town.written() == RETRIGGER
        assert "outcome_unknown" in await town.history()
        town.work365.after_write = lambda _, result: result
        await settle_down(town)
        assert (await town.state(), town.written()) == (State.RESOLVED, RETRIGGER)

    @pytest.mark.parametrize("lost", [NOT_APPLICABLE, AWAITING])
    async def test_a_reply_lost_before_the_effect_is_tried_again_after_reading(
        self, town: Town, lost: ProvisioningStatus
    ) -> None:
        def lose(write: StatusWrite) -> WriteResult | None:
            if write.status is not lost:
                return None
            town.work365.before_write = lambda _: None
            return WriteResult(write.change_id, unknown=True, reason="the connection was cut")

        town.work365.before_write = lose
        town.stuck()
        await town.sweep()
        await settle_down(town)
        assert (await town.state(), town.written()) == (State.RESOLVED, RETRIGGER)

    @pytest.mark.parametrize("when", [NOT_APPLICABLE, AWAITING])
    async def test_a_write_that_was_put_off_is_made_later(self, town: Town, when: ProvisioningStatus) -> None:
        def put_off(write: StatusWrite) -> WriteResult | None:
            if write.status is not when:
                return None
            town.work365.before_write = lambda _: None
            return WriteResult(write.change_id, deferred=True, reason="429", retry_after=40)

        town.work365.before_write = put_off
        town.stuck()
        await town.sweep()
        assert AWAITING not in town.written()
        await town.pass_time(timedelta(seconds=41))
        assert town.written() == RETRIGGER

    async def test_refused_first_writes_are_bounded(self, town: Town) -> None:
        town.work365.before_write = lambda w: WriteResult(w.change_id, refused=True, reason="a plug-in said no")
        town.stuck()
        await town.sweep()
        for _ in range(40):
            await town.pass_time(CYCLE)
        assert await town.state() is State.ESCALATED
        assert len(town.work365.batches) == 2

    async def test_a_refused_second_write_ends_with_a_person_who_knows(self, town: Town) -> None:
        def refuse(write: StatusWrite) -> WriteResult | None:
            if write.status is NOT_APPLICABLE:
                return None
            return WriteResult(write.change_id, refused=True, reason="a plug-in said no")

        town.work365.before_write = refuse
        town.stuck()
        await town.sweep()
        case = await town.case()
        assert (case.state, case.cause) == (State.ESCALATED, "half_toggled")
        town.work365.before_write = lambda _: None
        town.work365.edit(STUCK, SOMEONE, status=AWAITING)
        await settle_down(town)
        assert (await town.case()).intent is None


CRASHES: dict[str, Callable[[Case], bool]] = {
    "opening": lambda c: c.state is State.READY and c.intent is None,
    "intent": lambda c: c.intent is not None and c.intent.phase is Phase.INTENDED,
    "first write": lambda c: c.intent is not None and c.intent.phase is Phase.NOT_APPLICABLE_SET,
    "second write": lambda c: bool(c.attempts) and c.state is State.VERIFYING and c.provisioned_since is None,
    "provisioned": lambda c: c.provisioned_since is not None and c.state is State.VERIFYING,
    "resolved": lambda c: c.state is State.RESOLVED,
}


class TestTheWorkerDies:
    @pytest.mark.parametrize("saved", [False, True], ids=["before the save", "after the save"])
    @pytest.mark.parametrize("where", CRASHES)
    async def test_at_any_save_and_nothing_is_lost(self, town: Town, where: str, saved: bool) -> None:
        town.stuck()
        town.crash_at_save(CRASHES[where], saved=saved)
        died = 0
        try:
            await town.sweep()
        except Crash:
            died += 1
        town.queues.lose_all()  # the instance's messages come back late; none is needed
        for _ in range(48):
            for write in [w for w in town.work365.writes if w.status is AWAITING]:
                if town.work365.change(write.change_id).status is AWAITING:
                    town.work365.provision(write.change_id)
            town.clock.advance(CYCLE)
            try:
                await town.sweep()
                await town.pass_time(timedelta(seconds=1))
            except Crash:
                died += 1
        assert died == 1, "the crash this test is about did not happen"
        assert await town.state() is State.RESOLVED
        assert town.written() == RETRIGGER

    async def test_right_after_the_first_write_took_effect(self, town: Town) -> None:
        def die(write: StatusWrite, result: WriteResult) -> WriteResult:
            town.work365.after_write = lambda _, r: r
            raise Crash

        town.work365.after_write = die
        town.stuck()
        with pytest.raises(Crash):
            await town.sweep()
        assert town.work365.change(STUCK).status is NOT_APPLICABLE
        await town.pass_time(timedelta(minutes=6))
        assert town.written() == RETRIGGER
        assert "half_toggled" in [e.details.get("cause") for e in await town.store.timeline(SUBSCRIPTION, 1)]

    async def test_nobody_touches_a_case_that_a_worker_is_at(self, town: Town) -> None:
        town.stuck()
        town.crash_at_save(CRASHES["first write"], saved=True)
        with pytest.raises(Crash):
            await town.sweep()
        await town.sweep()
        assert town.written() == [NOT_APPLICABLE], "its time is not over yet"


class TestSources:
    async def test_a_sweep_that_could_not_read_everything_concludes_nothing(self, town: Town) -> None:
        town.stuck()
        town.work365.unavailable = Throttled("dataverse", "come back later", retry_after=30)
        receipt = await sweep(town.ctx)
        assert (receipt.complete, receipt.problem != "") == (False, True)
        assert town.queues.sent == []
        assert (await town.store.last_receipt()) == receipt

    async def test_dataverse_silent_between_the_two_writes_leaves_it_to_wake(self, town: Town) -> None:
        def silence(write: StatusWrite, result: WriteResult) -> WriteResult:
            if write.status is NOT_APPLICABLE:
                town.work365.unavailable = Unreachable("dataverse", "no answer")
            return result

        town.work365.after_write = silence
        town.stuck()
        await town.sweep()
        assert town.written() == [NOT_APPLICABLE]
        town.work365.unavailable = None
        await town.pass_time(timedelta(minutes=6))
        assert town.written() == RETRIGGER

    async def test_a_provider_that_cannot_be_asked_is_waited_for_then_decided_by_a_person(self, town: Town) -> None:
        town.stuck()
        town.provider.problem, town.provider.transient = "429", True
        await town.sweep()
        assert await town.state() is State.WAITING
        town.provider.transient = False
        await town.pass_time(HOUR)
        assert (await town.state(), town.work365.writes) == (State.AWAITING_APPROVAL, [])

    async def test_a_missing_subscription_closes_nothing(self, town: Town) -> None:
        town.stuck(provisioned(), change(message="odd"))
        await town.sweep()
        del town.work365.held[SUBSCRIPTION]
        await town.pass_time(HOUR)
        assert await town.state() is State.NEEDS_PERSON
        assert "no longer shows" in (await town.case()).summary

    async def test_the_case_store_failing_at_one_save_hurts_no_other_case(self, town: Town) -> None:
        ids = town.many(5)

        def fail(recorded: object) -> None:
            case: Case = recorded.case  # type: ignore[attr-defined]
            if case.subscription_id == ids[2] and case.intent is not None:
                town.store.before_save = lambda _: None
                raise Unreachable("storage", "no answer")

        town.store.before_save = fail
        await town.sweep()
        states = [await town.state(each) for each in ids]
        assert states.count(State.VERIFYING) == 4
        await town.pass_time(timedelta(minutes=6))
        assert await town.state(ids[2]) is State.VERIFYING


class TestParking:
    async def test_a_message_that_failed_too_often_becomes_a_case_that_says_so(self, town: Town) -> None:
        await town.swept_before()
        town.stuck()
        await park(town.ctx, [SUBSCRIPTION], "diagnose")
        await town.drain()
        assert await town.state() is State.NEEDS_PERSON
        assert [news.kind for news in town.notifier.told] == ["parked"]
        await town.pass_time(HOUR)
        assert town.written() == RETRIGGER, "it is tried again by itself"

    async def test_a_case_with_an_open_effect_is_left_to_wake(self, town: Town) -> None:
        town.stuck()
        town.crash_at_save(CRASHES["first write"], saved=True)
        with pytest.raises(Crash):
            await town.sweep()
        await park(town.ctx, [SUBSCRIPTION], "remediate")
        assert await town.state() is State.REMEDIATING


class TestManyAtOnce:
    async def test_two_write_requests_for_a_hundred(self, town: Town) -> None:
        town.limits = {"surge": 100}
        town.many(100)
        await town.sweep()
        assert town.work365.batches == [100, 100]
        assert len(town.work365.runs) == 1
        assert town.work365.reads == ["sweep", "diagnose", "remediate", "remediate"]

    async def test_one_that_does_not_pass_holds_no_other_back(self, town: Town) -> None:
        ids = town.many(10)
        odd = next(iter(town.work365.held[ids[3]].changes.values()))
        own = next(c for c in town.work365.held[ids[3]].changes if c != odd.id)
        town.work365.edit(own, WORK365_USER, source=ChangeSource.PROVIDER)
        await town.sweep()
        assert [await town.state(i) is State.VERIFYING for i in ids].count(True) == 9


async def test_a_date_in_the_future_is_waited_for_and_read_again_daily(town: Town) -> None:
    town.stuck(provisioned(), change(effective_date=date(2027, 6, 1)))
    await town.sweep()
    case = await town.case()
    assert case.state is State.WAITING
    assert case.due_on == NOW + timedelta(days=1)
