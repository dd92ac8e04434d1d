"""When a fix is needed too often, or does not help, a person is asked."""

from dataclasses import replace

from shared.domain.breaker import Breaker
from shared.domain.case import Case, Recorded, State, record
from shared.domain.diagnosis import diagnose
from shared.domain.finding import Disposition
from shared.domain.intent import Attempt
from shared.domain.policy import Policy, Recurrence
from shared.domain.recurrence import cautious, fixed_before, helped, too_often
from tests.builders import DAY, HOUR, NOW, POLICY, STUCK, SUBSCRIPTION, half_toggled, look, our_intent, provisioned


def case(**values: object) -> Case:
    return Case(SUBSCRIPTION, 1, NOW, **values)  # type: ignore[arg-type]


def test_only_fixes_within_the_time_count() -> None:
    policy = replace(POLICY, recurrence=Recurrence(2, 30 * DAY))
    assert not too_often([NOW - 31 * DAY, NOW - DAY], policy, NOW)
    assert too_often([NOW - 29 * DAY, NOW - DAY], policy, NOW)


def test_a_former_case_counts_once_with_its_last_fix_and_what_was_refused_does_not() -> None:
    tries = (
        Attempt(STUCK, NOW - 2 * HOUR, "x"),
        Attempt(STUCK, NOW - HOUR, "x"),
        Attempt(STUCK, NOW, "x", "", "no"),
    )
    assert fixed_before(case(attempts=tries, fixed_before=(NOW - DAY,))) == (NOW - DAY, NOW - HOUR)
    assert fixed_before(None) == fixed_before(case()) == ()


def test_too_often_asks_a_person_and_says_why() -> None:
    often = case(fixed_before=(NOW - 3 * DAY, NOW - 2 * DAY, NOW - DAY))
    found = cautious(diagnose(look()), often, look(), Breaker())
    assert found.disposition is Disposition.APPROVE
    assert [f.cause for f in found.findings] == ["trigger_missed", "fixed_too_often"]
    assert cautious(diagnose(look()), case(), look(), Breaker()) == diagnose(look())


def test_a_fix_that_does_not_help_asks_a_person_while_it_rests() -> None:
    resting = Breaker(5, open_until=NOW + HOUR)
    found = cautious(diagnose(look()), case(), look(), resting)
    assert [f.cause for f in found.findings] == ["trigger_missed", "fix_does_not_help"]
    assert cautious(diagnose(look()), case(), look(), replace(resting, open_until=NOW)) == diagnose(look())


def test_what_is_half_done_is_finished_all_the_same() -> None:
    half = look(provisioned(), half_toggled(), intent=our_intent())
    often = case(fixed_before=(NOW - 3 * DAY, NOW - 2 * DAY, NOW - DAY))
    assert cautious(diagnose(half), often, half, Breaker(5, open_until=NOW + HOUR)) == diagnose(half)


def test_whether_it_helped_is_told_by_the_step_that_shows_it() -> None:
    before = case(state=State.VERIFYING, attempts=(Attempt(STUCK, NOW, "x"),), change_id=STUCK)
    seen = record(before, NOW, by="x", kind="provisioned", text="", provisioned_since=NOW)
    assert helped(seen, before) is True
    assert helped(record(before, NOW, by="x", kind="y", text="", state=State.ESCALATED), before) is False
    assert helped(Recorded(before), before) is None
    another = record(before, NOW, by="x", kind="y", text="", state=State.READY, change_id="the next of the chain")
    assert helped(another, before) is None
    assert helped(seen, replace(before, attempts=())) is None


def test_the_limits_come_from_the_policy() -> None:
    assert Policy(mode=POLICY.mode).recurrence == Recurrence(3, 30 * DAY)
