"""Surges: what is too much at once, what is a silence, and what a person confirms (P10, P20)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.surge import Watch, looked, too_late
from tests.builders import DAY, HOUR, NOW

QUARTER = timedelta(minutes=15)


TAKEN = Watch(stock_taken_on=NOW - 3_650 * DAY)
"""Stock was taken long ago."""


def some(count: int, first: int = 0) -> list[str]:
    return [f"subscription {n}" for n in range(first, first + count)]


def usual(suspects: int = 0) -> Watch:
    """Two sweeps a quarter of an hour apart."""
    early = looked(TAKEN, some(suspects), 50, NOW - QUARTER, paused=False)
    return looked(early, some(suspects), 50, NOW, paused=False)


@pytest.mark.parametrize(("new", "held"), [(50, False), (51, True)])
def test_more_new_suspects_than_the_limit_raise_a_hold(new: int, held: bool) -> None:
    watch = looked(usual(), some(new), 50, NOW + QUARTER, paused=False)
    assert (watch.hold is not None) is held


def test_those_of_the_sweep_before_are_not_new() -> None:
    watch = looked(usual(40), some(80), 50, NOW + QUARTER, paused=False)
    assert watch.hold is None


def test_a_hold_that_grows_is_another_one_to_whoever_confirms() -> None:
    first = looked(usual(), some(60), 50, NOW + QUARTER, paused=False)
    second = looked(first, some(70), 50, NOW + 2 * QUARTER, paused=False)
    assert first.hold is not None
    assert second.hold is not None
    assert second.hold.suspects == 70
    assert second.hold.id != first.hold.id, "a person who has seen 60 has not seen 70"
    assert looked(second, some(70), 50, NOW + 3 * QUARTER, paused=False).hold == second.hold
    told = replace(second, hold=replace(second.hold, told=True))
    few, many = (looked(told, some(n), 50, NOW + 3 * QUARTER, paused=False).hold for n in (80, 180))
    assert few is not None
    assert many is not None
    assert (few.told, many.told) == (True, False), "people are told again when it is a surge again"
    confirmed = replace(second, hold=None)
    assert looked(confirmed, some(70), 50, NOW + 3 * QUARTER, paused=False).hold is None, "these were confirmed"
    assert looked(confirmed, some(130), 50, NOW + 3 * QUARTER, paused=False).hold is not None, "these were not"


@pytest.mark.parametrize(("gap", "held"), [(QUARTER, False), (HOUR, False), (2 * HOUR, True), (7 * DAY, True)])
def test_after_a_silence_a_fifth_is_too_many(gap: timedelta, held: bool) -> None:
    watch = looked(usual(), some(11), 50, NOW + gap, paused=False)
    assert (watch.hold is not None) is held
    assert looked(usual(), some(10), 50, NOW + gap, paused=False).hold is None


def test_a_pause_is_a_silence_however_short_and_nothing_is_learnt_in_it() -> None:
    paused = looked(usual(), some(11), 50, NOW + QUARTER, paused=True)
    assert (paused.silent, paused.seen, paused.looked_on) == (True, frozenset(), NOW)
    after = looked(paused, some(11), 50, NOW + 2 * QUARTER, paused=False)
    assert after.hold is not None
    assert after.hold.after_silence
    assert not after.silent


def test_a_slow_schedule_is_no_silence_and_a_sweep_by_hand_does_not_make_it_one() -> None:
    watch = Watch()
    for n in range(4):
        watch = looked(watch, [], 50, NOW + n * 3 * HOUR, paused=False)
    watch = looked(watch, [], 50, NOW + 9 * HOUR + timedelta(seconds=5), paused=False)
    assert looked(watch, some(20), 50, NOW + 12 * HOUR, paused=False).hold is None


def test_a_day_without_a_sweep_is_too_late() -> None:
    assert too_late(usual(), NOW + DAY + QUARTER)
    assert not too_late(usual(), NOW + DAY)


@pytest.mark.parametrize("period", [DAY, DAY + timedelta(minutes=1), 3 * DAY])
def test_a_schedule_of_a_day_or_longer_is_no_silence_once_it_is_known(period: timedelta) -> None:
    watch = TAKEN
    for n in range(3):
        watch = looked(watch, [], 50, NOW + n * period, paused=False)
    assert not too_late(watch, NOW + 3 * period), "twice the usual period is too late"
    assert too_late(watch, NOW + 5 * period)
    watch = looked(watch, some(20), 50, NOW + 3 * period, paused=False)
    assert watch.hold is None


def test_a_schedule_that_was_made_slower_becomes_the_usual_one() -> None:
    watch, now = usual(), NOW
    holds = []
    for _ in range(6):
        now += DAY
        watch = looked(watch, some(11, now.day * 100), 50, now, paused=False)
        holds.append(watch.hold is not None)
        watch = replace(watch, hold=None)
    assert (holds[0], holds[-1]) == (True, False)


def test_one_outage_does_not_make_the_next_one_usual() -> None:
    after = looked(usual(), [], 50, NOW + 7 * DAY, paused=False)
    assert after.usual == HOUR
    assert looked(after, some(11), 50, NOW + 8 * DAY, paused=False).hold is not None


def test_the_first_complete_sweep_takes_stock_and_is_no_surge() -> None:
    first = looked(Watch(), some(5_000), 50, NOW, paused=False)
    assert (first.stock_taken_on, first.hold) == (NOW, None)
    second = looked(first, some(5_051), 50, NOW + QUARTER, paused=False)
    assert second.stock_taken_on == NOW
    assert second.hold is not None


def test_in_a_pause_no_stock_is_taken() -> None:
    assert looked(Watch(), some(5), 50, NOW, paused=True).stock_taken_on is None
