"""The drill in its quick form: every guard, every failpoint, every ablation, and some hundred stories.

Input: nothing but the code. Output: what `dev.py drill` would print. Not faked: the workflow, the domain, and how a
case becomes a row. `dev.py drill --schedules 100000 --seed 0` plays as many stories as are asked for.
"""

import gc
import logging
from collections.abc import Iterator

import pytest

from drill import failpoints, stories
from drill.failpoints import Failpoint
from drill.rehearsal import Rehearsed, rehearse
from shared.domain import guards
from shared.domain.guards import Question, Refusal
from tests import guard_kit
from tests.model import ablations
from tests.model.play import Kind
from tests.model.promises import Promise
from tests.model.stage import Call, Fate

STORIES = 400

OF_NOTE = {
    "not_applicable_set",
    "retriggered",
    "version_changed",
    "outcome_unknown",
    "write_refused",
    "write_deferred",
    "intent_dropped",
    "held_back_by_second_write",
    "approved",
    "provisioned",
    "resolved",
    "told",
    "in_stock",
    "adopted",
}
"""Kinds of events that the stories must have led to: stories in which nothing happens find nothing."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The workflow logs every trouble of its plays with a traceback, and so does what is left of a broken one."""
    logging.disable(logging.CRITICAL)
    yield
    gc.collect()
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def rehearsed() -> Rehearsed:
    return rehearse(STORIES)


def test_every_guard_failpoint_ablation_and_story_ends_as_it_should(rehearsed: Rehearsed) -> None:
    assert rehearsed.good, "\n".join(rehearsed.trouble)
    assert rehearsed.trouble == ()


def test_nothing_was_left_out(rehearsed: Rehearsed) -> None:
    assert rehearsed.guards == len(guard_kit.TRIPPED)
    assert rehearsed.ablations == len(ablations.ABLATIONS) >= 10
    assert rehearsed.failpoints > 400
    assert rehearsed.schedules == STORIES
    assert rehearsed.happened >= OF_NOTE


def test_failpoints_lie_before_and_after_every_save_and_write_and_before_every_read() -> None:
    points = list(failpoints.failpoints(Kind.UPDATE))
    steps = {point.step for point in points}
    assert steps == set(range(len(steps))), "numbered without a gap"
    for call in (Call.SAVE, Call.WRITE, Call.SEND, Call.RUN_JOBS):
        deaths = {point.death for point in points if point.call is call}
        assert deaths >= {Fate.DIES, Fate.DIES_AFTER}
    assert {point.death for point in points if point.call is Call.READ} == {Fate.DIES}
    assert points == list(failpoints.failpoints(Kind.UPDATE)), "the same ones every time"


def test_a_death_that_is_not_survived_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ablations.with_every_intent_dropped(monkeypatch)
    points = failpoints.failpoints(Kind.UPDATE)
    between = [p for p in points if p.call is Call.WRITE and p.death is Fate.DIES_AFTER and p.message_comes_back]
    told = [failpoints.trouble(point) for point in between]
    assert told[0] is not None
    assert "update, step" in told[0]


def test_a_guard_that_does_not_bite_or_cannot_be_tripped_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgotten(q: Question) -> Refusal | None:
        return None

    assert guard_kit.bites(guards.pause)
    assert not guard_kit.bites(forgotten)
    monkeypatch.setitem(guard_kit.TRIPPED, guards.pause, guard_kit.question)
    assert not guard_kit.bites(guards.pause)
    forgotten.__module__ = guards.__name__
    monkeypatch.setattr(guards, "forgotten", forgotten, raising=False)
    assert forgotten in guard_kit.all_guards()


def test_a_protection_that_no_story_misses_is_told() -> None:
    harmless = ablations.Ablation(lambda _: None, frozenset({Promise.OBSERVE}))
    assert not ablations.caught(harmless, stories=3)


def test_a_story_that_breaks_a_promise_is_told_with_its_seed_and_its_shortest_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ablations.without_if_match(monkeypatch)
    broken = [each for numbers in stories.chunks(100, 0) for each in stories.play(numbers).broken]
    assert broken
    told = stories.smallest(broken)
    assert told.startswith("seed ")
    assert Promise.NOT_OVER_NEWER in told
    assert any(f"seed {each.seed}:" in told for each in broken)


def test_each_story_is_played_once() -> None:
    numbers = [number for portion in stories.chunks(60, 7) for number in portion]
    assert numbers == list(range(7, 67))
    assert list(stories.chunks(0, 7)) == []


def test_a_failpoint_says_where_it_is() -> None:
    point = Failpoint(Kind.CREATE, 12, "message", Call.WRITE, Fate.DIES_LATE, message_comes_back=False)
    assert str(point) == "create, step 12 (message, write, dies_late), its message is lost"
