"""Surges: what is too much at once, what is a silence, and what a person confirms (P10, P20)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.surge import Watch, looked, too_late
from tests.builders import DAY, HOUR, NOW

QUARTER = timedelta(minutes=15)


def some(count: int, first: int = 0) -> list[str]:
    return [f"subscription {n}" for n in range(first, first + count)]


def usual(suspects: int = 0) -> Watch:
    """Two sweeps a quarter of an hour apart."""
    early = looked(Watch(), some(suspects), 50, NOW - QUARTER, paused=False)
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
