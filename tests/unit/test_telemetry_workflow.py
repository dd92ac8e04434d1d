"""What the workflow shows of itself, on the fake telemetry, which refuses what the catalogue does not know."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain import signals
from shared.domain.breaker import Outcome
from shared.domain.case import State
from shared.domain.policy import Caps, Mode
from shared.domain.signals import Step
from shared.errors import Unreachable
from shared.ports import WriteResult
from shared.workflow.census import take_census
from shared.workflow.park import park
from shared.workflow.watching import outcome_of
from tests.builders import SUBSCRIPTION
from tests.fakes.telemetry import FakeTelemetry, SeenSpan
from tests.workflow_kit import Crash, Town, without_answer

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def seen() -> FakeTelemetry:
    return FakeTelemetry()


def town_of(seen: FakeTelemetry, **values: Any) -> Town:
    town = Town(telemetry=seen, **values)
    town.stuck()
    return town


class TestSpans:
    async def test_one_trace_leads_from_the_sweep_to_the_remediation(self, seen: FakeTelemetry) -> None:
        await town_of(seen).sweep()
        (sweep,), (diagnose,), (remediate,) = seen.of(Step.SWEEP), seen.of(Step.DIAGNOSE), seen.of(Step.REMEDIATE)
        assert {span.trace for span in (sweep, diagnose, remediate)} == {sweep.trace}
        assert (sweep.parent, diagnose.parent, remediate.parent) == ("", sweep.id, diagnose.id)

    async def test_and_on_to_the_news(self, seen: FakeTelemetry) -> None:
        await town_of(seen, mode=Mode.APPROVE).sweep()
        (diagnose,), (notify,) = seen.of(Step.DIAGNOSE), seen.of(Step.NOTIFY)
        assert (notify.trace, notify.parent) == (diagnose.trace, diagnose.id)

    async def test_each_move_of_a_case_says_what_became_of_it(self, seen: FakeTelemetry) -> None:
        await town_of(seen).sweep()
        moves = [span.attributes for span in seen.of(Step.CASE)]
        assert {move["case_id"] for move in moves} == {f"{SUBSCRIPTION}-1"}
        assert [(m["state_before"], m["state"], m["action"], m["outcome"]) for m in moves] == [
            ("", "ready", "", "diagnosed_ready"),
            ("ready", "remediating", "retrigger", "intent"),
            ("remediating", "remediating", "retrigger", "not_applicable_set"),
            ("remediating", "remediating", "retrigger", "second_write"),
            ("remediating", "verifying", "retrigger", "retriggered"),
        ]
        assert {move["cause"] for move in moves} == {"trigger_missed"}

    async def test_a_case_that_has_nothing_new_to_say_says_nothing(self, seen: FakeTelemetry) -> None:
        town = town_of(seen, mode=Mode.OBSERVE)
        await town.sweep()
        before = len(seen.of(Step.CASE))
        await town.pass_time(HOUR)
        assert len(seen.of(Step.DIAGNOSE)) > 1
        assert len(seen.of(Step.CASE)) == before

    async def test_an_error_is_named_by_its_type(self, seen: FakeTelemetry) -> None:
        town = town_of(seen)
        await town.sweep()
        town.clock.advance(HOUR)
        without_answer(town)
        with pytest.raises(Unreachable):
            await town.pass_time(timedelta(0))
        assert seen.of(Step.DIAGNOSE)[-1].attributes == {"error_type": "Unreachable"}

    async def test_parking_is_a_step_of_its_own(self, seen: FakeTelemetry) -> None:
        town = town_of(seen)
        await park(town.ctx, [SUBSCRIPTION], "diagnose")
        (parked,), (case,) = seen.of(Step.PARK), seen.of(Step.CASE)
        assert (case.parent, case.attributes["outcome"]) == (parked.id, "parked")


class TestCounters:
    async def test_sweeps_and_suspects(self, seen: FakeTelemetry) -> None:
        town = town_of(seen)
        await town.sweep()
        without_answer(town)
        await town.sweep()
        assert seen.total(signals.SWEEPS, complete="true") == 1
        assert seen.total(signals.SWEEPS, complete="false") == 1
        assert seen.total(signals.SUSPECTS) == 1, "an incomplete sweep says nothing of suspects"

    async def test_effects_by_action_and_outcome(self, seen: FakeTelemetry) -> None:
        await town_of(seen).sweep()
        assert seen.total(signals.EFFECTS) == seen.total(signals.EFFECTS, action="retrigger", outcome="done") == 2

    async def test_transitions(self, seen: FakeTelemetry) -> None:
        await town_of(seen).sweep()
        went = {dict(labels)["from"]: dict(labels)["to"] for (name, labels) in seen.counters if "transitions" in name}
        assert went == {"none": "ready", "ready": "remediating", "remediating": "verifying"}

    async def test_a_refusal_counts_once_however_often_it_is_asked_again(self, seen: FakeTelemetry) -> None:
        town = town_of(seen, limits={"caps": Caps(0, 0, 0)})
        await town.sweep()
        await town.pass_time(2 * HOUR)
        await town.pass_time(2 * HOUR)
        assert seen.total(signals.REFUSALS) == seen.total(signals.REFUSALS, guard="caps") == 1

    async def test_a_refusal_when_the_request_was_about_to_be_sent(self, seen: FakeTelemetry) -> None:
        town = town_of(seen)
        reads = iter(["mutes of the evidence", "mutes of the group", "pauses of the group"])

        def gone_afterwards(request: str) -> None:
            if request == "query pauses" and next(reads, None) is None:
                raise Unreachable("storage", "Storage is gone.")

        await town.swept_before()
        await town.queues.diagnose([SUBSCRIPTION])
        message = town.queues.take()
        assert message is not None
        await town.run(message)
        town.tables.before_request = gone_afterwards
        message = town.queues.take()
        assert message is not None
        await town.run(message)
        assert town.written() == []
        assert seen.total(signals.REFUSALS, guard="controls") == 1

    async def test_hourly_caps(self, seen: FakeTelemetry) -> None:
        await town_of(seen, limits={"caps": Caps(4, 10, 2)}).sweep()
        used = {cap: seen.total(signals.CAPS_USED, cap=cap) for cap in ("changes", "seats", "customers")}
        assert used == {"changes": 0.25, "seats": 0.5, "customers": 0.5}

    async def test_a_breaker_that_opens_is_counted_once_and_seen_while_it_is_open(self, seen: FakeTelemetry) -> None:
        town = town_of(seen)
        breakers, limits = town.ctx.breakers, town.policy.breaker
        for _ in range(limits.failures + 3):
            town.clock.advance(timedelta(seconds=1))
            await breakers.count("dataverse", Outcome(False, "503"), limits, town.clock.now())
        assert seen.total(signals.BREAKER_OPENINGS, breaker="dataverse") == 1
        await take_census(town.ctx)
        assert seen.total(signals.BREAKERS_OPEN, breaker="dataverse") == 1
        town.clock.advance(limits.open_for)
        assert await breakers.probe("dataverse", limits, town.clock.now())
        await breakers.count("dataverse", Outcome(True), limits, town.clock.now())
        await take_census(town.ctx)
        assert seen.total(signals.BREAKERS_OPEN, breaker="dataverse") == 0


class TestCensus:
    async def test_cases_by_state_and_cause_and_how_long(self, seen: FakeTelemetry) -> None:
        town = town_of(seen, mode=Mode.APPROVE)
        await town.sweep()
        assert await town.state() is State.AWAITING_APPROVAL
        town.clock.advance(3 * HOUR)
        await take_census(town.ctx)
        assert seen.total(signals.CASES, state="awaiting_approval", cause="trigger_missed") == 1
        assert seen.total(signals.CASES) == 1
        assert seen.total(signals.OLDEST_IN_STATE, state="awaiting_approval") == 3 * 3600
        assert seen.total(signals.OLDEST_IN_STATE) == 3 * 3600, "other states have none"
        assert {dict(labels)["state"] for name, labels in seen.gauges if name == "unstuck.cases.oldest_seconds"} == {
            state.value for state in State if state is not State.RESOLVED
        }
        assert seen.total(signals.OLDEST_OPEN) == 3 * 3600
        assert seen.total(signals.SWEEP_AGE, complete="true") == 3 * 3600

    async def test_it_is_taken_by_the_wake_timer(self, seen: FakeTelemetry) -> None:
        town = town_of(seen)
        await town.pass_time(timedelta(0))
        assert any(name == "unstuck.cases.oldest_seconds" for name, _ in seen.gauges)

    async def test_a_change_left_at_not_applicable(self, seen: FakeTelemetry) -> None:
        town = town_of(seen)
        await town.swept_before()

        await half_toggled(town)
        await take_census(town.ctx)
        assert seen.total(signals.NOT_APPLICABLE) == 0, "the retrigger may still be under way"
        town.clock.advance(town.policy.action_time_limit + timedelta(seconds=1))
        await take_census(town.ctx)
        assert seen.total(signals.NOT_APPLICABLE) == 1

    async def test_what_cannot_be_read_is_not_shown_and_fails_nothing(self, seen: FakeTelemetry) -> None:
        town = town_of(seen)
        await town.sweep()
        town.tables.unavailable = Unreachable("storage", "Storage is gone.")
        await take_census(town.ctx)
        assert seen.total(signals.CASES) == 1
        assert not any(name == "unstuck.breakers.open" for name, _ in seen.gauges)


async def half_toggled(town: Town) -> None:
    """The worker dies after its first write, and the mode becomes observe: the change stays at Not Applicable."""
    town.crash_at_save(lambda case: case.intent is not None and case.intent.phase == "second_write", saved=False)
    with pytest.raises(Crash):
        await town.sweep()
    town.with_mode(Mode.OBSERVE)
    await town.pass_time(town.policy.action_time_limit)
    assert (await town.case()).cause == "half_toggled"


@pytest.mark.parametrize("outcome", ["done", "version_changed", "refused", "deferred", "unknown"])
def test_every_outcome_of_a_write_has_its_name(outcome: str) -> None:
    flags: dict[str, Any] = {outcome: True}
    assert outcome_of(WriteResult("x", **flags)) == outcome


def test_the_fake_refuses_what_the_catalogue_does_not_know(seen: FakeTelemetry) -> None:
    with pytest.raises(AssertionError):
        seen.count(signals.EFFECTS, {"action": "retrigger"})
    with pytest.raises(AssertionError):
        seen.gauge(signals.EFFECTS, 1, {"action": "retrigger", "outcome": "done"})
    with pytest.raises(AssertionError):
        SeenSpan(Step.CASE, "", "", "").note({"customer": "x"})
