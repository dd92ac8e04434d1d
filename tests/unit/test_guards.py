"""Every guard bites: for each there is one way here to trip it, and it alone says no.

Guards are found by reflection: one that is added and not tripped here fails the test (the seed of promise P25).
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain import guards
from shared.domain.breaker import Breaker
from shared.domain.budget import Wait
from shared.domain.case import Case, State
from shared.domain.diagnosis import diagnose
from shared.domain.guards import FIRST, SECOND, STILL, Guard, Question, first_no
from shared.domain.intent import Attempt
from shared.domain.look import Look
from shared.domain.pause import Pause, Scope
from shared.domain.plan import plan_for
from shared.domain.policy import Level, Mode, Quiet
from shared.domain.recurrence import fix_of
from shared.domain.situation import DATAVERSE, Organization, Share, Situation
from shared.domain.surge import Hold, Watch
from tests.builders import (
    DAY,
    HOUR,
    NOW,
    POLICY,
    STUCK,
    SUBSCRIPTION,
    half_toggled,
    look,
    our_intent,
    provisioned,
    subscription,
)

ORGANIZATION = "00000000-0000-0000-0000-0000000000aa"
CALM = Situation(Organization(ORGANIZATION, ORGANIZATION), NOW, (), {}, Watch(looked_on=NOW))
OPEN = Breaker(5, open_until=NOW + HOUR, reason="503")
PAUSE = Pause(Scope.SUBSCRIPTION, SUBSCRIPTION, "Ann", "an audit", NOW, NOW + DAY)
HOLD = Hold("1", NOW, 60, 50, after_silence=False)


def question(seen: Look | None = None, situation: Situation = CALM, **values: Any) -> Question:
    """A retrigger that nothing speaks against."""
    seen = seen or look()
    diagnosis = diagnose(seen)
    plan = plan_for(seen, diagnosis)
    share = values.pop("share", Share())
    case = Case(SUBSCRIPTION, 1, NOW, State.READY, plan=plan, intent=seen.intent, **values)
    return Question(case, seen, diagnosis, plan, situation, share)


def half_done(situation: Situation = CALM, **values: Any) -> Question:
    """The second write of a retrigger that nothing speaks against."""
    return question(look(provisioned(), half_toggled(), intent=our_intent(), **values), situation)


def calm_but(**values: Any) -> Situation:
    return replace(CALM, **values)


def at_night(moment: datetime) -> tuple[datetime, datetime] | None:
    return (moment - HOUR, moment + HOUR)


def moved() -> Question:
    asked = question()
    assert asked.plan is not None
    return replace(asked, case=replace(asked.case, plan=replace(asked.plan, digest="another")))


def left_open() -> Question:
    asked = question()
    return replace(asked, case=replace(asked.case, intent=our_intent(change_id="another")))


def another_policy(**values: Any) -> Question:
    return question(look(policy=replace(POLICY, **values)))


NIGHT = Quiet("the night", "nobody is there", at_night)

TRIPPED: Mapping[Guard, Callable[[], Question]] = {
    guards.mode: lambda: half_done(policy=replace(POLICY, mode=Mode.OBSERVE)),
    guards.organization: lambda: question(situation=calm_but(organization=Organization(None, ORGANIZATION))),
    guards.plan: moved,
    guards.recurrence: lambda: question(fixed_before=(NOW - DAY, NOW - 2 * DAY, NOW - 3 * DAY)),
    guards.ineffective: lambda: question(situation=calm_but(breakers={fix_of(look(), "trigger_missed"): OPEN})),
    guards.approval: lambda: another_policy(causes={"trigger_missed": Level.APPROVE}),
    guards.intent: left_open,
    guards.attempts: lambda: question(look(attempts=(Attempt(STUCK, NOW - 9 * HOUR, "x", "a"),) * 2)),
    guards.controls: lambda: question(situation=calm_but(unreadable=("the row makes no sense",))),
    guards.pause: lambda: question(situation=calm_but(pauses=(PAUSE,))),
    guards.evidence_age: lambda: question(situation=calm_but(now=NOW + timedelta(minutes=6))),
    guards.dataverse_breaker: lambda: question(situation=calm_but(breakers={DATAVERSE: OPEN})),
    guards.provider_breaker: lambda: question(situation=calm_but(breakers={"microsoft_csp": OPEN})),
    guards.quiet: lambda: another_policy(quiet=(NIGHT,)),
    guards.surge: lambda: question(situation=calm_but(watch=Watch(looked_on=NOW, hold=HOLD))),
    guards.silence: lambda: question(situation=calm_but(watch=Watch(silent=True))),
    guards.caps: lambda: question(share=Share(wait=Wait("the hour is full: wait", NOW + HOUR))),
    guards.still_ours: lambda: question(),
}
"""Each guard with a question to which it says no."""

STOP_HALF_DONE = {"mode", "organization", "controls", "pause", "evidence_age", "breaker", "second_write"}
"""Guards that stop even the second write of a retrigger."""


def all_guards() -> set[Guard]:
    """Every function of the module that takes a question and may refuse."""
    own = [f for _, f in inspect.getmembers(guards, inspect.isfunction) if f.__module__ == guards.__name__]
    return {f for f in own if not f.__name__.startswith("_") and list(inspect.signature(f).parameters) == ["q"]}


def test_every_guard_is_asked_and_has_a_way_to_trip_it() -> None:
    assert all_guards() == set(TRIPPED) == {*FIRST, *SECOND, *STILL}


def test_nothing_stands_against_what_is_in_order() -> None:
    assert first_no(FIRST, question()) is None
    assert first_no(STILL, question()) is None
    assert first_no(SECOND, half_done()) is None


@pytest.mark.parametrize("guard", TRIPPED, ids=lambda guard: guard.__name__)
def test_it_bites_alone_and_says_what_to_do(guard: Guard) -> None:
    asked = TRIPPED[guard]()
    list_ = SECOND if guard in (guards.mode, guards.still_ours) else FIRST
    refusals = {g.__name__: no for g in list_ if (no := g(asked)) is not None}
    assert list(refusals) == [guard.__name__], "the others let it pass"
    assert len(refusals[guard.__name__].reason) > 20


BEGINNING = [guards.provider_breaker, guards.quiet, guards.surge, guards.silence, guards.caps]


@pytest.mark.parametrize("guard", BEGINNING, ids=lambda guard: guard.__name__)
def test_what_is_half_done_is_finished_all_the_same(guard: Guard) -> None:
    asked = TRIPPED[guard]()
    policy = asked.look.policy
    half = half_done(asked.situation, policy=policy)
    assert guard(replace(half, share=asked.share)) is None


@pytest.mark.parametrize("guard", [guards.pause, guards.controls, guards.evidence_age, guards.dataverse_breaker])
def test_these_stop_the_second_write_too(guard: Guard) -> None:
    no = first_no(SECOND, half_done(TRIPPED[guard]().situation))
    assert no is not None
    assert no.guard in STOP_HALF_DONE


def test_a_yes_lets_a_person_overrule_recurrence_and_no_pause() -> None:
    asked = TRIPPED[guards.recurrence]()
    assert asked.plan is not None
    said = replace(asked.case, approved_digest=asked.plan.digest, approved_by="Ann", approved_on=NOW)
    assert first_no(FIRST, replace(asked, case=said)) is None
    paused = replace(asked, case=said, situation=calm_but(pauses=(PAUSE,)))
    assert getattr(first_no(FIRST, paused), "guard", None) == "pause"


@pytest.mark.parametrize("target", [SUBSCRIPTION.upper(), "66666666-0000-0000-0000-000000000001"])
def test_a_pause_meets_its_subscription_or_customer(target: str) -> None:
    scope = Scope.SUBSCRIPTION if target == SUBSCRIPTION.upper() else Scope.CUSTOMER
    assert guards.pause(question(situation=calm_but(pauses=(replace(PAUSE, scope=scope, target=target),)))) is not None


@pytest.mark.parametrize("scope", [Scope.ENVIRONMENT, Scope.PROVIDER, Scope.CUSTOMER, Scope.SUBSCRIPTION])
def test_a_pause_of_something_else_is_none_and_one_that_is_over_neither(scope: Scope) -> None:
    elsewhere = replace(PAUSE, scope=scope, target="99999999-0000-0000-0000-00000000ffff")
    over = replace(PAUSE, until=NOW)
    assert guards.pause(question(situation=calm_but(pauses=(elsewhere, over)))) is None


def test_what_is_not_known_might_be_what_is_paused() -> None:
    nameless = look(subscription=subscription(customer_id=None))
    wish = replace(PAUSE, scope=Scope.CUSTOMER, target="66666666-0000-0000-0000-000000000001")
    assert guards.pause(question(nameless, calm_but(pauses=(wish,)))) is not None


def test_a_breaker_that_cannot_be_read_counts_as_open_and_a_probe_passes() -> None:
    broken = calm_but(broken={DATAVERSE: "the row makes no sense"})
    assert guards.dataverse_breaker(question(situation=broken)) is not None
    half_open = calm_but(breakers={DATAVERSE: replace(OPEN, open_until=NOW)})
    assert guards.dataverse_breaker(question(situation=half_open)) is None
    lost = Share(taken=frozenset({DATAVERSE}))
    assert guards.dataverse_breaker(question(situation=half_open, share=lost)) is not None
    probing = calm_but(breakers={DATAVERSE: replace(OPEN, open_until=NOW, probe_until=NOW + HOUR)})
    won = Share(probes=frozenset({DATAVERSE}))
    assert guards.dataverse_breaker(question(situation=probing)) is not None
    assert guards.dataverse_breaker(question(situation=probing, share=won)) is None


def test_before_the_first_complete_sweep_nothing_is_begun() -> None:
    never = replace(CALM, watch=Watch())
    said = guards.silence(replace(question(), situation=never))
    assert said is not None
    assert "no sweep has been complete yet" in said.reason
