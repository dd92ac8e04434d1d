"""Questions to the guards: one that nothing speaks against, and for each guard one that it alone says no to.

Guards are found by reflection: one that is added and cannot be tripped here bites nobody (promise P25).
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain import guards
from shared.domain.breaker import Breaker
from shared.domain.budget import Wait
from shared.domain.case import Case, State
from shared.domain.diagnosis import diagnose
from shared.domain.guards import FIRST, JOBS, SECOND, STILL, Guard, Question
from shared.domain.intent import Attempt
from shared.domain.look import Look
from shared.domain.pause import Mute, Pause, Scope
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
)

LONG_AGO = NOW - 3_650 * DAY
ORGANIZATION = "00000000-0000-0000-0000-0000000000aa"
CALM = Situation(Organization(ORGANIZATION, ORGANIZATION), NOW, (), {}, Watch(looked_on=NOW, stock_taken_on=LONG_AGO))
OPEN = Breaker(5, open_until=NOW + HOUR, reason="503")
PAUSE = Pause(Scope.SUBSCRIPTION, SUBSCRIPTION, "Ann", "an audit", NOW, NOW + DAY)
MUTE = Mute(Scope.CAUSE, "trigger_missed", "Ann", "known", NOW, NOW + DAY)
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
    guards.surge: lambda: question(situation=calm_but(watch=replace(CALM.watch, hold=HOLD))),
    guards.silence: lambda: question(situation=calm_but(watch=replace(CALM.watch, silent=True))),
    guards.baseline: lambda: question(situation=calm_but(watch=replace(CALM.watch, stock_taken_on=NOW))),
    guards.mute: lambda: question(situation=calm_but(mutes=(MUTE,))),
    guards.caps: lambda: question(share=Share(wait=Wait("the hour is full: wait", NOW + HOUR))),
    guards.still_ours: lambda: question(),
}
"""Each guard with a question to which it says no."""


def all_guards() -> set[Guard]:
    """Every function of the module that takes a question and may refuse."""
    own = [f for _, f in inspect.getmembers(guards, inspect.isfunction) if f.__module__ == guards.__name__]
    return {f for f in own if not f.__name__.startswith("_") and list(inspect.signature(f).parameters) == ["q"]}


def refusals(guard: Guard) -> dict[str, str]:
    """Who says no to this guard's question, and why: it alone, if it bites."""
    asked = TRIPPED[guard]()
    together = SECOND if guard in (guards.mode, guards.still_ours) else FIRST
    return {each.__name__: no.reason for each in together if (no := each(asked)) is not None}


def bites(guard: Guard) -> bool:
    """Whether it is asked before a write, and says no where the others let it pass."""
    asked = guard in {*FIRST, *SECOND, *STILL, *JOBS}
    return asked and guard in TRIPPED and list(refusals(guard)) == [guard.__name__]
