"""A person's yes, and the levels that ask for one: bound to its plan, for a while, used once.

Input: subscriptions in a town of fakes, and policies. Output: states, writes, events and plans.
Not faked: the workflow.
"""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.breaker import Outcome
from shared.domain.case import State, record
from shared.domain.diagnosis import diagnose
from shared.domain.evidence import ChangeType, ProvisioningStatus
from shared.domain.intent import Attempt
from shared.domain.levels import allowed
from shared.domain.look import Look
from shared.domain.plan import plan_for
from shared.domain.policy import Exemption, Level, Mode, strictest_level
from shared.domain.recurrence import fix_of, limits_of
from shared.errors import NotPossible, SettingsError
from shared.workflow.approve import remediate_case
from shared.workflow.diagnose import diagnose_subscriptions
from tests.builders import (
    AT_PROVIDER,
    DAY,
    HOUR,
    NOW,
    POLICY,
    STUCK,
    SUBSCRIPTION,
    TENANT,
    change,
    look,
    provisioned,
    shown,
    subscription,
)
from tests.ruled_town import CAUSE, CUSTOMER, Ruled
from tests.workflow_kit import AWAITING, NOT_APPLICABLE, Crash

pytestmark = pytest.mark.anyio

RETRIGGER = [NOT_APPLICABLE, AWAITING]
LOOK_AGAIN = timedelta(minutes=30)


@pytest.fixture
def town() -> Ruled:
    made = Ruled()
    made.stuck()
    return made


class TestLevels:
    """What each level does with one stuck change that the diagnosis would free by itself."""

    async def test_off_is_left_to_a_person_and_shows_no_plan(self, town: Ruled) -> None:
        town.at(Level.OFF)
        await town.sweep()
        case = await town.case()
        assert (case.state, case.plan, town.written()) == (State.NEEDS_PERSON, None, [])
        assert "has this switched off" in case.next_step
        with pytest.raises(NotPossible, match="has this switched off"):
            await town.say_yes()

    async def test_suggest_shows_the_plan_that_nobody_can_say_yes_to(self, town: Ruled) -> None:
        town.at(Level.SUGGEST)
        await town.sweep()
        case = await town.case()
        assert (case.state, town.written()) == (State.NEEDS_PERSON, [])
        assert case.plan is not None
        assert case.plan.steps == (NOT_APPLICABLE, AWAITING)
        assert "only suggests" in case.next_step
        with pytest.raises(NotPossible):
            await town.say_yes()
        await town.drain()
        assert town.written() == []

    async def test_approve_waits_for_a_yes_and_then_acts(self, town: Ruled) -> None:
        town.at(Level.APPROVE)
        await town.sweep()
        assert (await town.state(), town.written()) == (State.AWAITING_APPROVAL, [])
        assert "the policy asks for a yes" in (await town.case()).next_step
        await town.say_yes()
        await town.drain()
        assert town.written() == RETRIGGER

    async def test_auto_acts(self, town: Ruled) -> None:
        town.at(Level.AUTO)
        await town.sweep()
        assert town.written() == RETRIGGER

    async def test_auto_asks_where_the_diagnosis_does(self, town: Ruled) -> None:
        town.at(Level.AUTO)
        town.provider.hold(TENANT, replace(town.provider.subscriptions[TENANT][AT_PROVIDER], status="active"))
        shows = town.provider.subscriptions[TENANT][AT_PROVIDER]
        town.provider.hold(TENANT, replace(shows, has_next_term_instructions=True))
        await town.sweep()
        assert (await town.state(), town.written()) == (State.AWAITING_APPROVAL, [])

    async def test_the_action_s_level_counts_like_the_cause_s(self, town: Ruled) -> None:
        town.rules = {"actions": {"retrigger": Level.APPROVE}}
        await town.sweep()
        assert (await town.state(), town.written()) == (State.AWAITING_APPROVAL, [])

    async def test_an_exemption_holds_until_it_expires(self, town: Ruled) -> None:
        town.rules = {"exemptions": (Exemption(Level.OFF, "a migration", NOW + HOUR, customer_id=CUSTOMER),)}
        await town.sweep()
        assert (await town.state(), town.written()) == (State.NEEDS_PERSON, [])
        await town.pass_time(LOOK_AGAIN)
        assert town.written() == []
        await town.pass_time(LOOK_AGAIN)
        assert town.written() == RETRIGGER

    @pytest.mark.parametrize("level", Level)
    async def test_observe_decides_the_same_and_writes_nothing(self, level: Level) -> None:
        cases = []
        for mode in (Mode.AUTO, Mode.OBSERVE):
            town = Ruled(mode)
            town.stuck()
            town.at(level)
            cases.append(await town.found())
            if mode is Mode.OBSERVE:
                await town.drain()
                assert town.work365.writes == []
        auto, observe = cases
        assert (observe.state, observe.plan, observe.next_step) == (auto.state, auto.plan, auto.next_step)

    async def test_nothing_more_is_done_once_the_tries_are_used_up(self, town: Ruled) -> None:
        await town.sweep()
        town.at(Level.OFF, attempts=1)
        await town.pass_time(3 * HOUR)
        assert await town.state() is State.ESCALATED


def test_of_several_causes_the_strictest_level_holds() -> None:
    (missed,) = diagnose(BEFORE).findings
    both = replace(diagnose(BEFORE), findings=(missed, replace(missed, cause="consent_expired", cured=True)))
    for first, second in itertools.product(Level, repeat=2):
        policy = replace(POLICY, causes={CAUSE: first, "consent_expired": second})
        assert allowed(replace(BEFORE, policy=policy), both, "retrigger") is strictest_level(first, second)


class TestTheMomentOfWriting:
    """What holds when the write is about to be made decides, not what held when it was planned."""

    async def test_a_level_that_was_lowered_in_between_stops_it(self, town: Ruled) -> None:
        assert (await town.found()).state is State.READY
        town.at(Level.APPROVE)
        await town.drain()
        assert (await town.state(), town.written()) == (State.AWAITING_APPROVAL, [])

    async def test_an_exemption_that_expired_in_between_stops_it(self, town: Ruled) -> None:
        raised = Exemption(Level.AUTO, "trusted", NOW + timedelta(seconds=5), customer_id=CUSTOMER)
        town.at(Level.APPROVE, exemptions=(raised,))
        assert (await town.found()).state is State.READY
        town.clock.advance(timedelta(seconds=10))
        await town.drain()
        assert (await town.state(), town.written()) == (State.AWAITING_APPROVAL, [])

    @pytest.mark.parametrize("level", [Level.OFF, Level.SUGGEST])
    async def test_a_yes_does_not_outlive_an_exemption_that_allowed_it(self, town: Ruled, level: Level) -> None:
        raised = Exemption(Level.APPROVE, "trusted", NOW + timedelta(seconds=5), customer_id=CUSTOMER)
        town.at(level, exemptions=(raised,))
        await town.found()
        await town.say_yes()
        town.clock.advance(timedelta(seconds=10))
        await town.drain()
        assert (await town.state(), town.written()) == (State.NEEDS_PERSON, [])

    async def test_a_yes_that_expired_in_between_is_none(self, town: Ruled) -> None:
        """Diagnosis and mode would let it go unasked: it is the policy that wants the yes."""
        town.at(Level.APPROVE, approval_expires=HOUR)
        await town.found()
        await town.say_yes()
        town.clock.advance(HOUR)
        await town.drain()
        assert (await town.state(), town.written()) == (State.AWAITING_APPROVAL, [])
        assert (await town.history())[-1:] == ["told"]
        assert "approval_void" in await town.history()

    async def test_what_is_half_done_is_left_to_a_person_when_the_action_is_switched_off(self, town: Ruled) -> None:
        town.at(Level.AUTO)
        town.crash_at_save(lambda case: case.intent is not None and bool(case.intent.etag_after), saved=True)
        with pytest.raises(Crash):
            await town.sweep()
        assert town.written() == [NOT_APPLICABLE]
        town.rules = {"actions": {"retrigger": Level.OFF}}
        await town.pass_time(HOUR)
        case = await town.case()
        assert (case.state, town.written()) == (State.NEEDS_PERSON, [NOT_APPLICABLE])
        assert "does not let this app finish it" in case.next_step
        town.rules = {}
        await town.pass_time(HOUR)
        assert town.written() == RETRIGGER


class TestABrokenPolicy:
    """Nothing is written; what is known goes on being known."""

    async def test_diagnosis_goes_on_and_the_case_says_why_nothing_is_written(self, town: Ruled) -> None:
        town.broken()
        await town.sweep()
        case = await town.case()
        assert (case.state, case.cause, town.written()) == (State.READY, CAUSE, [])
        assert case.held_back == "the policy cannot be used: UNSTUCK_POLICY: surgee is not known"

    async def test_a_yes_is_refused(self, town: Ruled) -> None:
        town.at(Level.APPROVE)
        await town.sweep()
        town.broken()
        with pytest.raises(SettingsError, match="surgee"):
            await town.say_yes()

    async def test_it_stops_what_was_ready_before(self, town: Ruled) -> None:
        await town.found()
        town.broken()
        await town.drain()
        assert town.written() == []
        assert "surgee" in (await town.case()).held_back

    async def test_nobody_is_asked_for_a_yes_that_cannot_be_given(self, town: Ruled) -> None:
        shows = town.provider.subscriptions[TENANT][AT_PROVIDER]
        town.provider.hold(TENANT, replace(shows, has_next_term_instructions=True))
        await town.sweep()
        assert await town.state() is State.AWAITING_APPROVAL
        told = len(town.notifier.told)
        town.broken()
        await town.pass_time(HOUR)
        assert (await town.case()).held_back
        assert len(town.notifier.told) == told

    async def test_once_it_is_mended_everything_goes_on(self, town: Ruled) -> None:
        town.broken()
        await town.sweep()
        town.rules = {}
        await town.pass_time(LOOK_AGAIN)
        assert town.written() == RETRIGGER
        assert (await town.case()).held_back == ""

    async def test_a_yes_rests_meanwhile(self, town: Ruled) -> None:
        town.at(Level.APPROVE)
        await town.found()
        await town.say_yes()
        town.broken()
        await town.pass_time(HOUR)
        assert town.written() == []
        town.at(Level.APPROVE)
        await town.pass_time(HOUR)
        assert town.written() == RETRIGGER

    async def test_what_is_half_done_tells_a_person(self, town: Ruled) -> None:
        town.crash_at_save(lambda case: case.intent is not None and bool(case.intent.etag_after), saved=True)
        with pytest.raises(Crash):
            await town.sweep()
        town.broken()
        await town.pass_time(HOUR)
        case = await town.case()
        assert (case.state, town.written()) == (State.NEEDS_PERSON, [NOT_APPLICABLE])
        assert case.next_step.startswith("Mend the policy file")


class TestAYes:
    """Bound to its plan."""

    @pytest.fixture
    async def asked(self, town: Ruled) -> Ruled:
        town.at(Level.APPROVE)
        await town.sweep()
        return town

    async def test_it_is_on_the_record_with_its_time(self, asked: Ruled) -> None:
        case = await asked.say_yes()
        assert (case.approved_by, case.approved_on) == ("Ann", NOW)

    async def test_it_is_used_once(self, asked: Ruled) -> None:
        plan = (await asked.case()).plan
        assert plan is not None
        await asked.say_yes()
        await asked.drain()
        await asked.pass_time(HOUR)
        case = await asked.case()
        assert case.state is State.AWAITING_APPROVAL, "a second try needs a second yes"
        assert case.approved_digest == ""
        with pytest.raises(NotPossible, match="moved"):
            await asked.say_yes(digest=plan.digest)
        assert asked.written() == RETRIGGER

    async def test_two_at_once_have_one_effect(self, asked: Ruled) -> None:
        stored = await asked.store.load(SUBSCRIPTION)
        assert stored is not None
        assert stored.case.plan is not None
        digest = stored.case.plan.digest
        await asyncio.gather(*(remediate_case(asked.ctx, stored, digest, by) for by in ("Ann", "Ben", "Ann")))
        await asked.drain()
        assert asked.written() == RETRIGGER
        assert (await asked.history()).count("approved") == 1

    async def test_it_survives_a_message_that_is_repeated(self, asked: Ruled) -> None:
        await asked.say_yes()
        while asked.queues.take() is not None:  # the message that would use it up is lost
            pass
        asked.work365.edit(STUCK, modified_on=NOW)
        await asked.pass_time(timedelta(minutes=5))
        assert asked.written() == RETRIGGER

    async def test_waiting_does_not_cost_it(self, asked: Ruled) -> None:
        asked.provider.problem, asked.provider.transient = "throttled", True
        await asked.say_yes()
        await asked.drain()
        assert (await asked.case()).approved_by == "Ann"
        asked.provider.problem = None
        await asked.pass_time(HOUR)
        assert asked.written() == RETRIGGER

    async def test_an_expired_one_is_void_and_says_so(self, asked: Ruled) -> None:
        await asked.say_yes()
        while asked.queues.take() is not None:
            pass
        await asked.pass_time(4 * DAY)
        (void,) = [e for e in await asked.store.timeline(SUBSCRIPTION, 1) if e.kind == "approval_void"]
        assert void.text.startswith("The yes of Ann from 2026-11-22T12:00:00+00:00 has expired (it is good for 72 h)")
        assert (await asked.state(), asked.written()) == (State.AWAITING_APPROVAL, [])

    async def test_another_plan_replaces_it_and_says_so(self, asked: Ruled) -> None:
        await asked.say_yes()
        asked.at(Level.APPROVE, surge=51)
        await asked.drain()
        case = await asked.case()
        (replaced,) = [e for e in await asked.store.timeline(SUBSCRIPTION, 1) if e.kind == "approval_replaced"]
        assert case.plan is not None
        assert replaced.details["now"] == case.plan.digest != replaced.details["plan"]
        assert (case.state, case.approved_by, asked.written()) == (State.AWAITING_APPROVAL, "", [])

    async def test_it_is_void_once_there_is_nothing_to_do(self, asked: Ruled) -> None:
        await asked.say_yes()
        asked.work365.provision(STUCK)
        await asked.drain()
        await asked.pass_time(HOUR)
        assert "approval_void" in await asked.history()
        assert asked.written() == []

    async def test_a_yes_without_a_time_counts_as_expired(self, asked: Ruled) -> None:
        plan = (await asked.case()).plan
        assert plan is not None
        stored = await asked.store.load(SUBSCRIPTION)
        assert stored is not None
        changes: dict[str, Any] = {"approved_digest": plan.digest, "approved_by": "Ann", "state": State.READY}
        await asked.store.save(record(stored.case, NOW, by="x", kind="x", text="x", **changes), stored.version)
        await asked.queues.remediate([stored.case.id])
        await asked.drain()
        assert (await asked.state(), asked.written()) == (State.AWAITING_APPROVAL, [])


class TestAnObjectionThatFallsAway:
    """The fix rests, since it keeps not helping; a person says yes nevertheless; then its rest is over."""

    async def despite(self, town: Ruled, **more: Any) -> None:
        town.at(Level.APPROVE)
        for _ in range(town.policy.breaker.failures):
            name, limits = fix_of(look(), CAUSE), limits_of(fix_of(look(), CAUSE), town.policy)
            await town.ctx.breakers.count(name, Outcome(False, "did not help"), limits, NOW - DAY + HOUR)
        case = await town.found()
        assert case.diagnosis is not None
        assert [f.cause for f in case.diagnosis.findings] == [CAUSE, "fix_does_not_help"]
        await town.say_yes()
        town.queues.lose_all()
        town.rules |= more
        town.clock.advance(2 * HOUR)

    async def test_leaves_the_yes(self, town: Ruled) -> None:
        await self.despite(town)
        await town.sweep()
        assert town.written() == RETRIGGER
        said = [kind for kind in await town.history() if kind.startswith("approv")]
        assert said == ["approved", "approval_carried_over"]

    async def test_leaves_no_yes_to_a_plan_that_has_moved_besides(self, town: Ruled) -> None:
        await self.despite(town, version="another")
        await town.sweep()
        assert (await town.state(), town.written()) == (State.AWAITING_APPROVAL, [])
        assert "approval_replaced" in await town.history()

    async def test_leaves_no_yes_that_has_expired(self, town: Ruled) -> None:
        await self.despite(town, approval_expires=HOUR)
        await town.sweep()
        assert (await town.state(), town.written()) == (State.AWAITING_APPROVAL, [])


class TestWhoAsked:
    """Whoever had it diagnosed by hand is on the record, and may be kept from saying yes."""

    async def asked_by(self, town: Ruled, *people: str) -> None:
        await town.swept_before()
        for by in people:
            await diagnose_subscriptions(town.ctx, [SUBSCRIPTION], by=by)

    async def test_each_is_on_the_record_once(self, town: Ruled) -> None:
        town.at(Level.APPROVE)
        await self.asked_by(town, "Ann", "Ben", "Ann")
        assert (await town.case()).requested_by == ("Ann", "Ben")
        assert (await town.history()).count("diagnosis_requested") == 2

    @pytest.mark.parametrize("by", ["Ann", "ann"])
    async def test_they_may_not_say_yes_where_the_policy_wants_somebody_else(self, town: Ruled, by: str) -> None:
        town.at(Level.APPROVE, approver_is_not_requester=True)
        await self.asked_by(town, "Ann")
        with pytest.raises(NotPossible, match="somebody else's yes"):
            await town.say_yes(by)
        await town.say_yes("Ben")
        await town.drain()
        assert town.written() == RETRIGGER

    async def test_they_may_where_it_does_not(self, town: Ruled) -> None:
        town.at(Level.APPROVE)
        await self.asked_by(town, "Ann")
        await town.say_yes("Ann")
        await town.drain()
        assert town.written() == RETRIGGER

    async def test_the_sweep_is_nobody(self, town: Ruled) -> None:
        town.at(Level.APPROVE, approver_is_not_requester=True)
        await town.sweep()
        assert (await town.case()).requested_by == ()


def digest(seen: Look) -> str:
    plan = plan_for(seen, diagnose(seen))
    assert plan is not None
    return plan.digest


BEFORE = look(provisioned(), change())


def other(**values: Any) -> Callable[[], Look]:
    return lambda: look(provisioned(), change(**values))


class TestTheDigest:
    """What a yes is bound to, and what it is not."""

    @pytest.mark.parametrize(
        "seen",
        [
            other(quantity=Decimal(4)),
            other(effective_date=date(2026, 11, 1)),
            other(id="22222222-0000-0000-0000-000000000009"),
            lambda: look(provisioned(quantity=19), change(), provider=shown(19)),
            lambda: look(provisioned(), change(), provider=shown(20, has_next_term_instructions=True)),
            lambda: look(provisioned(), change(), attempts=(Attempt(STUCK, NOW - DAY, "unstuck"),)),
            lambda: look(provisioned(), change(), policy=replace(POLICY, version="other")),
            lambda: look(
                provisioned(),
                change(change_type=ChangeType.ACTIVATE, quantity=None),
                provider=shown(20, status="suspended"),
            ),
        ],
        ids=["seats", "date", "change", "seats before", "objection", "second try", "policy", "type"],
    )
    def test_what_decides_counts(self, seen: Callable[[], Look]) -> None:
        assert digest(seen()) != digest(BEFORE)

    @pytest.mark.parametrize(
        "seen",
        [
            other(etag='W/"999"'),
            other(modified_on=NOW),
            other(name="Another name"),
            lambda: replace(BEFORE, now=NOW + HOUR),
            lambda: look(provisioned(), change(), read_on=NOW + HOUR),
            lambda: look(provisioned(), change(), subscription=subscription(customer_name="Contoso Ltd")),
            lambda: look(provisioned(), change(), policy=replace(POLICY, mode=Mode.APPROVE)),
        ],
        ids=["etag", "modified", "name", "time", "time of reading", "customer's name", "mode"],
    )
    def test_what_does_not_decide_does_not(self, seen: Callable[[], Look]) -> None:
        assert digest(seen()) == digest(BEFORE)

    def test_there_is_no_plan_for_what_is_off(self) -> None:
        off = replace(BEFORE, policy=replace(POLICY, actions={"retrigger": Level.OFF}))
        assert plan_for(off, diagnose(off)) is None

    def test_the_rules_version_counts(self) -> None:
        found = diagnose(BEFORE)
        one, two = (plan_for(BEFORE, replace(found, rule_version=version)) for version in ("1", "2"))
        assert one is not None
        assert two is not None
        assert one.digest != two.digest

    def test_a_repeated_message_does_not(self) -> None:
        """Work 365 writes the same complaint at each try, with another id and time in it."""

        def cured(message: str, etag: str) -> Look:
            stuck = change(status=ProvisioningStatus.FAILED, message=message, etag=etag, modified_on=NOW - 3 * DAY)
            return look(provisioned(), stuck)

        text = "AADSTS700082: The refresh token has expired due to inactivity. Trace ID: {} Timestamp: 2026-11-19"
        first, again = (cured(text.format(f"0000000{n}-0000-0000-0000-000000000000"), f'W/"{n}"') for n in (1, 2))
        assert digest(first) == digest(again)
