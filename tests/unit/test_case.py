"""The state machine of a case, and the chain of its events."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.case import (
    ACTING,
    FINAL,
    MOVES,
    Case,
    Event,
    IllegalMove,
    Recorded,
    State,
    first_broken,
    record,
    subscription_of,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SUBSCRIPTION = "11111111-0000-4000-8000-000000000001"


def case(state: State = State.OPEN) -> Case:
    return Case(SUBSCRIPTION, 1, NOW, state)


def story(length: int = 5) -> Recorded:
    """A case with some events of different content."""
    recorded: Case | Recorded = case()
    for step in range(length):
        details = {"step": step, "seats": Decimal(step), "on": NOW, "names": ["a", "b"]}
        at = NOW + timedelta(minutes=step)
        recorded = record(recorded, at, by=f"by{step}", kind=f"kind{step}", text=f"text{step}", details=details)
    assert isinstance(recorded, Recorded)
    return recorded


@pytest.mark.parametrize(("before", "to"), list(itertools.product(State, State)))
def test_a_case_moves_only_as_the_table_says(before: State, to: State) -> None:
    def move() -> Recorded:
        return record(case(before), NOW, by="test", kind="moved", text="", state=to)

    if to is before or to in MOVES[before]:
        assert move().case.state is to
    else:
        with pytest.raises(IllegalMove, match=f"is {before} and cannot become {to}"):
            move()


def test_every_state_is_in_the_table_and_can_be_left_and_reached() -> None:
    assert set(MOVES) == set(State)
    assert {state for state in State if not MOVES[state]} == FINAL == {State.RESOLVED, State.DISMISSED}
    reached = {to for moves in MOVES.values() for to in moves}
    assert set(State) - reached == {State.OPEN}


@pytest.mark.parametrize("final", sorted(FINAL))
def test_only_a_case_on_which_nothing_of_ours_is_open_can_be_closed(final: State) -> None:
    into_final = {before for before, moves in MOVES.items() if final in moves}
    assert into_final == set(State) - ACTING - FINAL


def test_an_effect_is_begun_only_where_it_may_be() -> None:
    into_remediating = {before for before, moves in MOVES.items() if State.REMEDIATING in moves}
    assert into_remediating == {State.READY, State.AWAITING_APPROVAL, *ACTING}
    into_unsettled = {before for before, moves in MOVES.items() if State.UNSETTLED in moves}
    assert into_unsettled == ACTING


def test_a_refused_move_leaves_the_case_as_it_was() -> None:
    before = case(State.RESOLVED)
    with pytest.raises(IllegalMove):
        record(before, NOW, by="test", kind="moved", text="", state=State.OPEN)
    assert before == case(State.RESOLVED)


def test_record_counts_and_chains_events_over_several_saves() -> None:
    recorded = record(case(), NOW, by="a", kind="k", text="first")
    saved = recorded.case
    again = record(record(saved, NOW, by="a", kind="k", text="second"), NOW, by="a", kind="k", text="third")
    assert [event.sequence for event in again.events] == [2, 3]
    assert again.events[0].previous_hash == recorded.events[0].hash
    assert (again.case.last_sequence, again.case.last_hash) == (3, again.events[-1].hash)
    assert first_broken((*recorded.events, *again.events), again.case) is None


_OTHER: dict[str, Any] = {
    "sequence": 99,
    "on": NOW - timedelta(days=1),
    "by": "somebody else",
    "kind": "another",
    "text": "something else",
    "details": {"step": 99},
    "previous_hash": "0" * 64,
    "hash": "f" * 64,
}


@pytest.mark.parametrize("position", range(5))
@pytest.mark.parametrize("column", _OTHER)
def test_whichever_event_is_altered_is_named(column: str, position: int) -> None:
    events = list(story().events)
    events[position] = replace(events[position], **{column: _OTHER[column]})
    assert first_broken(events, story().case) == position + 1


@pytest.mark.parametrize("position", range(5))
def test_an_altered_event_with_a_hash_to_match_breaks_the_next_one_or_the_end(position: int) -> None:
    recorded = story()
    forged = story_with_other_text(recorded.events[position], recorded)
    events = (*recorded.events[:position], forged, *recorded.events[position + 1 :])
    assert first_broken(events, recorded.case) == min(position + 2, 5)


def story_with_other_text(event: Event, recorded: Recorded) -> Event:
    before = replace(recorded.case, last_sequence=event.sequence - 1, last_hash=event.previous_hash)
    return record(before, event.on, by=event.by, kind=event.kind, text="forged", details=event.details).events[0]


@pytest.mark.parametrize("position", range(5))
def test_whichever_event_is_dropped_is_named(position: int) -> None:
    recorded = story()
    events = recorded.events[:position] + recorded.events[position + 1 :]
    assert first_broken(events, recorded.case) == position + 1


def test_a_missing_end_shows_only_against_the_case() -> None:
    recorded = story()
    assert first_broken(recorded.events[:3]) is None
    assert first_broken(recorded.events[:3], recorded.case) == 4
    assert first_broken((), recorded.case) == 1


def test_an_event_too_many_is_named() -> None:
    longer = story(6)
    assert first_broken(longer.events, story(5).case) == 6


@given(st.permutations(range(5)))
def test_events_in_another_order_are_not_whole(order: list[int]) -> None:
    events = story().events
    shuffled = tuple(events[index] for index in order)
    assert (first_broken(shuffled) is None) == (list(order) == sorted(order))


def test_a_case_id_says_its_subscription() -> None:
    assert subscription_of(case().id) == SUBSCRIPTION


@pytest.mark.parametrize(
    "text", ["", "x", SUBSCRIPTION, f"{SUBSCRIPTION}-", f"{SUBSCRIPTION}-x", "-1", f"{SUBSCRIPTION}1"]
)
def test_what_is_no_case_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a case id"):
        subscription_of(text)
