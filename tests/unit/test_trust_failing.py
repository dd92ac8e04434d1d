"""What can be trusted at night: what keeps failing or does not help is left alone (P19, P21).

Input: subscriptions in the town of fakes, a policy, time. Output: writes, cases, news. Not faked: the workflow, the
domain, and the adapters of the guards' tables (on tables in memory).
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.breaker import Outcome
from shared.domain.budget import Claim
from shared.domain.case import State
from shared.domain.policy import BreakerLimits, Caps, Mode, Recurrence
from shared.ports import WriteResult
from shared.workflow.approve import remediate_case
from shared.workflow.remediate import remediate
from shared.workflow.sweep import sweep
from tests.builders import DAY, HOUR, NOW, OLD, SUBSCRIPTION, change, provisioned, subscription
from tests.workflow_kit import AWAITING, NOT_APPLICABLE, Town

pytestmark = pytest.mark.anyio

RETRIGGER = [NOT_APPLICABLE, AWAITING]
ANOTHER_OLD, ANOTHER = "22222222-0000-0000-0000-0000000000f0", "22222222-0000-0000-0000-0000000000f1"
OTHER = "11111111-0000-0000-0000-0000000000f1"
QUARTER = timedelta(minutes=15)


@pytest.fixture
def town() -> Town:
    return Town()


class TestBreakers:
    async def test_throttled_writes_open_it_and_one_probe_decides(self, town: Town) -> None:
        town.limits = {"breaker": BreakerLimits(failures=2, open_for=QUARTER)}
        ids = town.many(6)
        put_off = WriteResult("", deferred=True, reason="503")
        town.work365.before_write = lambda write: replace(put_off, change_id=write.change_id)
        await sweep(town.ctx)
        await town.run(town.queues.take())  # type: ignore[arg-type]
        town.queues.lose_all()
        for each in ids:
            await remediate(town.ctx, [f"{each}-1"])
        assert len(town.work365.batches) == 2, "the breaker is open"
        assert "rests" in (await town.case(ids[5])).held_back
        town.clock.advance(QUARTER)
        await remediate(town.ctx, [f"{each}-1" for each in ids])
        assert town.work365.batches[2:] == [1], "one probe"
        town.work365.before_write = lambda _: None
        town.clock.advance(QUARTER)
        await town.pass_time(HOUR)
        assert all(town.written(f"22222222-0000-0000-0000-{n:012d}")[:2] == RETRIGGER for n in range(6))

    async def test_a_probe_is_not_burnt_while_the_hour_is_full(self, town: Town) -> None:
        town.limits = {"caps": Caps(changes=1), "breaker": BreakerLimits(failures=1, open_for=QUARTER)}
        ids = town.many(2)
        await town.sweep()
        assert len(town.work365.batches) == 2, "the hour is full"
        await town.ctx.breakers.count("dataverse", Outcome(False, "503"), town.policy.breaker, town.clock.now())
        town.clock.advance(QUARTER)
        await remediate(town.ctx, [f"{each}-1" for each in ids])
        assert (await town.ctx.breakers.read()).breakers["dataverse"].probe_until is None
        assert "the hour's budget" in "".join([(await town.case(i)).held_back for i in ids])

    async def test_whoever_does_not_get_the_probe_gives_its_budget_back(self, town: Town) -> None:
        town.limits = {"caps": Caps(changes=2), "breaker": BreakerLimits(failures=1, open_for=QUARTER)}
        ids = town.many(2)
        await sweep(town.ctx)
        await town.run(town.queues.take())  # type: ignore[arg-type]
        town.queues.lose_all()
        await town.ctx.breakers.count("dataverse", Outcome(False, "503"), town.policy.breaker, town.clock.now())
        town.clock.advance(QUARTER)
        await remediate(town.ctx, [f"{each}-1" for each in ids])
        assert len(town.work365.batches) == 2, "one probe"
        third = Claim("third", NOW, 1, "third")
        assert (await town.ctx.limits.reserve([third], town.policy.caps, town.clock.now())).granted == {"third"}

    async def test_retry_after_is_honoured_for_all(self, town: Town) -> None:
        ids = town.many(2)
        throttled = WriteResult("", deferred=True, reason="429", retry_after=300)
        town.work365.before_write = lambda write: replace(throttled, change_id=write.change_id)
        await sweep(town.ctx)
        await town.run(town.queues.take())  # type: ignore[arg-type]
        town.queues.lose_all()
        for each in ids:
            await remediate(town.ctx, [f"{each}-1"])
        assert len(town.work365.batches) == 1
        assert (await town.case(ids[1])).due_on == NOW + timedelta(minutes=5)

    async def test_a_provider_that_is_down_for_six_hours_is_asked_a_few_times(self, town: Town) -> None:
        ids = town.many(30)
        town.provider.problem, town.provider.transient = "503", True
        await town.sweep()
        for n in range(6 * 12):
            await town.queues.diagnose([ids[n % 30]])  # somebody asks all the time
            await town.pass_time(timedelta(minutes=5))
        asked = len(town.provider.reads)
        assert 20 <= asked <= 32, "a few until it opens, then one every quarter of an hour"
        assert town.work365.writes == []
        town.provider.problem = None
        for _ in range(12):
            await town.pass_time(timedelta(minutes=5))
            for write in [w for w in town.work365.writes if town.work365.change(w.change_id).status is AWAITING]:
                town.work365.provision(write.change_id)
        assert {await town.state(i) for i in ids} <= {State.VERIFYING, State.RESOLVED}

    async def test_a_yes_does_not_retrigger_at_a_provider_that_is_down(self, town: Town) -> None:
        town.mode = Mode.APPROVE
        town.stuck()
        await town.sweep()
        stored = await town.store.load(SUBSCRIPTION)
        assert stored is not None
        assert stored.case.plan is not None
        town.tables.edit(
            *("breakers", "breaker", "microsoft_csp"),
            schema_version=1,
            in_a_row=5,
            calls="[]",
            not_before=(NOW + HOUR).isoformat(),
        )
        await remediate_case(town.ctx, stored, stored.case.plan.digest, "Ann")
        await town.drain()
        assert town.work365.writes == []


class TestFixesThatDoNotHelp:
    async def test_a_cause_that_is_not_cured_by_it_stops_and_is_escalated(self, town: Town) -> None:
        town.limits = {"attempts": 1, "breaker": BreakerLimits(failures=3)}
        town.many(3)
        await town.sweep()
        for _ in range(12):
            await town.pass_time(QUARTER)
        assert len(town.work365.writes) == 6
        town.stuck(provisioned(ANOTHER_OLD), change(ANOTHER), of=subscription(id=OTHER))
        await town.sweep()
        case = await town.case(OTHER)
        assert (case.state, town.written(ANOTHER)) == (State.AWAITING_APPROVAL, [])
        assert "kept failing to help" in case.summary
        kinds = [n.kind for n in town.notifier.told if n.case_id == case.id]
        assert kinds == ["awaiting_approval"]
        for _ in range(10):
            await town.pass_time(QUARTER)
        diagnosed = [kind for kind in await town.history(OTHER) if kind.startswith("diagnosed")]
        assert diagnosed == ["diagnosed_awaiting_approval"], "and it stays so, quietly"

    async def test_one_that_a_person_wanted_and_that_helps_frees_the_others(self, town: Town) -> None:
        await self.test_a_cause_that_is_not_cured_by_it_stops_and_is_escalated(town)
        stored = await town.store.load(OTHER)
        assert stored is not None
        assert stored.case.plan is not None
        await remediate_case(town.ctx, stored, stored.case.plan.digest, "Ann")
        await town.drain()
        assert town.written(ANOTHER) == RETRIGGER
        town.work365.provision(ANOTHER)
        await town.pass_time(QUARTER)
        last, old = "22222222-0000-0000-0000-0000000000e1", "22222222-0000-0000-0000-0000000000e0"
        town.stuck(provisioned(old), change(last), of=subscription(id="11111111-0000-0000-0000-0000000000e1"))
        await town.sweep()
        assert town.written(last) == RETRIGGER

    async def test_the_same_subscription_needing_it_again_and_again_is_a_persons(self, town: Town) -> None:
        town.limits = {"recurrence": Recurrence(times=2, within=30 * DAY)}
        seats = 20
        for n in range(3):
            stuck = f"22222222-0000-0000-0000-0000000000{n}9"
            town.stuck(
                provisioned(OLD, seats),
                change(stuck, created_on=town.clock.now() - HOUR, effective_date=town.clock.now().date()),
                seats=seats,
                of=subscription(),
            )
            await town.sweep()
            if n < 2:
                assert town.written(stuck) == RETRIGGER
                town.work365.provision(stuck)
                seats += 5
                for _ in range(6):
                    await town.pass_time(QUARTER)
                assert await town.state() is State.RESOLVED
        case = await town.case()
        assert (case.state, town.written("22222222-0000-0000-0000-000000000029")) == (State.AWAITING_APPROVAL, [])
        assert "2 former cases" in case.summary
