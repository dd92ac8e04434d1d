"""The circuit breaker: opens by number and by rate, honours Retry-After, and half-opens with one probe (P19)."""

from datetime import timedelta

from shared.domain.breaker import Breaker, Outcome, Position, counted, opens_at, position, probed
from shared.domain.policy import BreakerLimits
from tests.builders import NOW

LIMITS = BreakerLimits(failures=3, share=0.5, least=10, window=timedelta(minutes=10), open_for=timedelta(minutes=15))
OK, BAD = Outcome(True), Outcome(False, "503")
MINUTE = timedelta(minutes=1)


def after(*outcomes: Outcome, breaker: Breaker | None = None) -> Breaker:
    breaker = breaker or Breaker()
    for outcome in outcomes:
        breaker = counted(breaker, outcome, LIMITS, NOW)
    return breaker


def test_a_few_failures_in_a_row_open_it() -> None:
    assert position(after(BAD, BAD), NOW) is Position.CLOSED
    opened = after(BAD, BAD, BAD)
    assert (position(opened, NOW), opens_at(opened), opened.reason) == (Position.OPEN, NOW + 15 * MINUTE, "503")


def test_a_success_in_between_starts_the_count_anew() -> None:
    assert position(after(BAD, BAD, OK, BAD, BAD), NOW) is Position.CLOSED


def test_half_of_many_calls_failing_opens_it_though_none_fail_in_a_row() -> None:
    assert position(after(*[BAD, OK] * 4, BAD), NOW) is Position.CLOSED, "too few calls to tell"
    assert position(after(*[OK, BAD] * 5), NOW) is Position.OPEN


def test_calls_outside_the_window_do_not_count() -> None:
    old = after(*[BAD, OK] * 4)
    later = counted(old, BAD, LIMITS, NOW + 11 * MINUTE)
    assert [s.calls for s in later.slices] == [1]


def test_retry_after_is_honoured_even_by_a_closed_one_and_when_it_is_longer() -> None:
    asked = after(Outcome(False, "429", retry_after=60))
    assert position(asked, NOW + timedelta(seconds=59)) is Position.OPEN
    assert position(asked, NOW + timedelta(seconds=60)) is Position.CLOSED
    opened = after(BAD, BAD, Outcome(False, "429", retry_after=3_600))
    assert position(opened, NOW + 59 * MINUTE) is Position.OPEN


def test_one_probe_is_let_through_and_decides() -> None:
    opened, due = after(BAD, BAD, BAD), NOW + 15 * MINUTE
    assert probed(opened, LIMITS, NOW) is None, "not before its time is over"
    mine = probed(opened, LIMITS, due)
    assert mine is not None
    assert (position(mine, due), probed(mine, LIMITS, due)) == (Position.OPEN, None), "nobody else"
    assert position(counted(mine, OK, LIMITS, due), due) is Position.CLOSED
    again = counted(mine, BAD, LIMITS, due)
    assert (position(again, due), opens_at(again)) == (Position.OPEN, due + 15 * MINUTE)


def test_a_probe_that_never_came_back_is_replaced() -> None:
    mine = probed(after(BAD, BAD, BAD), LIMITS, NOW + 15 * MINUTE)
    assert mine is not None
    assert probed(mine, LIMITS, NOW + 30 * MINUTE) is not None


def test_a_success_that_began_before_it_opened_does_not_close_it() -> None:
    assert position(after(OK, breaker=after(BAD, BAD, BAD)), NOW) is Position.OPEN
