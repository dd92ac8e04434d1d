"""What every case store does: the real one on Azurite, and the fake that the workflow's tests run on.

Input: saves. Output: what is read back. Nothing between the store and Azurite is faked.
"""

import asyncio
from dataclasses import fields, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from shared.domain.case import Case, Recorded, State, first_broken, record
from shared.errors import CaseConflict, CaseUnreadable, Refused
from shared.ports import Stored, SweepReceipt
from tests.contract.case_bench import Bench
from tests.contract.case_kit import (
    MINUTE,
    NOW,
    diagnosis,
    fact,
    full,
    intent,
    moved,
    opened,
    resolved,
    subscription,
)

pytestmark = pytest.mark.anyio
A, B = subscription(1), subscription(2)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_an_empty_store_holds_nothing(bench: Bench) -> None:
    store = bench.store
    assert await store.load(A) is None
    assert await store.load_many([A, B]) == {}
    assert await store.timeline(A, 1) == ()
    assert await store.load_case(A, 1) is None


async def test_every_part_of_a_case_comes_back(bench: Bench) -> None:
    first = opened()
    parts = full(first.case)
    untouched = {"subscription_id", "number", "opened_on", "last_sequence", "last_hash", "state"}
    assert set(parts) == {field.name for field in fields(Case)} - untouched
    saved = await bench.store.save(moved(first, State.ESCALATED, **parts), None)
    assert saved.case == moved(first, State.ESCALATED, **parts).case
    assert await bench.store.load(A) == saved


async def test_a_case_is_found_whatever_the_case_of_its_id(bench: Bench) -> None:
    id_ = "AAAAAAAA-0000-4000-8000-000000000001"
    saved = await bench.store.save(Recorded(replace(opened().case, subscription_id=id_)), None)
    assert saved.case.subscription_id == id_.lower()
    assert await bench.store.load(id_) == await bench.store.load(id_.lower()) == saved
    assert await bench.store.load_many([id_]) == {id_: saved}


async def test_many_are_read_at_once_and_absent_ones_are_not_in_it(bench: Bench) -> None:
    saved = {subscription(n): await bench.store.save(opened(n), None) for n in range(1, 40)}
    assert await bench.store.load_many([*saved, *saved, subscription(99)]) == saved


async def test_a_save_over_an_older_version_saves_nothing(bench: Bench) -> None:
    old = await bench.store.save(opened(), None)
    new = await bench.store.save(moved(old.case, State.READY), old.version)
    with pytest.raises(CaseConflict, match=A):
        await bench.store.save(moved(old.case, State.WAITING, due_on=NOW + MINUTE), old.version)
    assert await bench.store.load(A) == new
    assert [event.kind for event in await bench.store.timeline(A, 1)] == ["opened", "moved"]


@pytest.mark.parametrize("case_number", [1, 2])
async def test_a_new_case_does_not_take_the_place_of_an_open_one(bench: Bench, case_number: int) -> None:
    saved = await bench.store.save(opened(), None)
    with pytest.raises(CaseConflict):
        await bench.store.save(opened(case_number=case_number), None)
    assert await bench.store.load(A) == saved


async def test_of_eight_who_open_the_same_case_at_once_exactly_one_does(bench: Bench) -> None:
    """All say the very same, at the same time: still only one of them may think that he did it."""
    await _one_wins(bench, opened(), None)


async def test_of_eight_who_move_a_case_at_once_exactly_one_does(bench: Bench) -> None:
    stored = await bench.store.save(opened(), None)
    await _one_wins(bench, moved(stored.case, State.READY), stored.version)


async def test_of_eight_who_reopen_a_resolved_case_at_once_exactly_one_does(bench: Bench) -> None:
    stored = await bench.store.save(opened(), None)
    await bench.store.save(resolved(stored.case), stored.version)
    await _one_wins(bench, opened(case_number=2), None)


async def _one_wins(bench: Bench, recorded: Recorded, version: str | None) -> None:
    saves = [bench.store.save(recorded, version) for _ in range(8)]
    results = await asyncio.gather(*saves, return_exceptions=True)
    won = [result for result in results if isinstance(result, Stored)]
    assert len(won) == 1
    assert all(isinstance(result, CaseConflict) for result in results if result is not won[0])
    assert await bench.store.load(A) == won[0]
    events = await bench.store.timeline(A, recorded.case.number)
    assert first_broken(events, won[0].case) is None


async def test_the_winners_version_is_good_for_the_next_save(bench: Bench) -> None:
    stored = await bench.store.save(opened(), None)
    for state in (State.READY, State.REMEDIATING, State.UNSETTLED, State.VERIFYING):
        recorded = moved(stored.case, state, intent=intent(), due_on=NOW + MINUTE)
        stored = await bench.store.save(recorded, stored.version)
    assert (await bench.store.save(resolved(stored.case), stored.version)).case.state is State.RESOLVED
    assert len(await bench.store.timeline(A, 1)) == 6


async def test_events_come_back_to_the_letter(bench: Bench) -> None:
    details = {
        "seats": Decimal("2.50"),
        "on": NOW,
        "names": ("a", "b"),
        "deep": {"ü": [1, 2.5, None, True]},
        "half": "\ud83d",
    }
    recorded = record(
        opened(), NOW + MINUTE, by="ann", kind="note", text="half an emoji \ud83d, ü \x00", details=details
    )
    recorded = record(
        recorded, NOW + MINUTE, by="ann", kind="note", text="long " * 20_000, details={"long": "😀" * 50_000}
    )
    saved = await bench.store.save(recorded, None)
    events = await bench.store.timeline(A, 1)
    assert first_broken(events, saved.case) is None
    assert [event.text for event in events] == [event.text for event in recorded.events]
    assert [event.hash for event in events] == [event.hash for event in recorded.events]
    assert events[2].details == recorded.events[2].details


async def test_an_event_altered_in_the_table_is_named(bench: Bench) -> None:
    stored = await bench.store.save(record(opened(), NOW, by="ann", kind="note", text="note"), None)
    await bench.edit(A, "event|000001|00000001", text="Never found.")
    assert first_broken(await bench.store.timeline(A, 1), stored.case) == 1
    await bench.remove(A, "event|000001|00000002")
    await bench.edit(A, "event|000001|00000001", text="Found.")
    assert first_broken(await bench.store.timeline(A, 1), stored.case) == 2


async def test_a_case_is_saved_without_an_event_where_nothing_happened(bench: Bench) -> None:
    stored = await bench.store.save(opened(), None)
    later = replace(stored.case, due_on=NOW + MINUTE)
    again = await bench.store.save(Recorded(later), stored.version)
    assert await bench.store.load(A) == again
    assert again.case == later
    with pytest.raises(CaseConflict):
        await bench.store.save(Recorded(later), stored.version)


async def test_a_resolved_case_makes_room_for_the_next_and_stays_readable(bench: Bench) -> None:
    first = await bench.store.save(opened(), None)
    done = await bench.store.save(resolved(first.case), first.version)
    second = await bench.store.save(opened(case_number=2), None)
    assert await bench.store.load(A) == second
    assert await bench.store.load_case(A, 1) == done.case
    assert await bench.store.load_case(A, 2) == second.case
    assert await bench.store.load_case(A, 3) is None
    done = await bench.store.save(resolved(second.case), second.version)
    third = await bench.store.save(opened(case_number=3), done.version)  # by its version it is replaced as well
    assert await bench.store.load_case(A, 2) == done.case
    assert [len(await bench.store.timeline(A, number)) for number in (1, 2, 3, 4)] == [2, 2, 1, 0]
    assert first_broken(await bench.store.timeline(A, 3), third.case) is None


@pytest.mark.parametrize("case_number", [1, 3])
async def test_the_next_case_has_the_next_number(bench: Bench, case_number: int) -> None:
    first = await bench.store.save(opened(), None)
    done = await bench.store.save(resolved(first.case), first.version)
    with pytest.raises(CaseConflict):
        await bench.store.save(opened(case_number=case_number), None)
    assert await bench.store.load(A) == done


async def test_a_resolved_case_is_not_replaced_by_an_older_version(bench: Bench) -> None:
    first = await bench.store.save(opened(), None)
    await bench.store.save(resolved(first.case), first.version)
    with pytest.raises(CaseConflict):
        await bench.store.save(opened(case_number=2), first.version)


async def test_an_event_that_is_there_already_stops_the_whole_save(bench: Bench) -> None:
    stored = await bench.store.save(opened(), None)
    await bench.edit(A, "event|000001|00000002", text="somebody's")
    with pytest.raises((CaseConflict, CaseUnreadable)):
        await bench.store.save(moved(stored.case, State.READY), stored.version)
    found = await bench.store.load(A)
    assert found is not None
    assert found.case == stored.case


async def test_an_oversize_diagnosis_is_kept_shortened_and_says_so(bench: Bench) -> None:
    facts = [fact(f"message {n}", "€" * 30_000) for n in range(100)]
    many = [fact(f"change {n}", "awaiting_provisioning") for n in range(2_000)]
    stored = await bench.store.save(opened(diagnosis=diagnosis(*facts, *many), summary="long " * 10_000), None)
    assert await bench.store.load(A) == stored
    kept = stored.case.diagnosis
    assert kept is not None
    assert kept.findings[0].sentence == "Nothing triggered it."
    assert kept.findings[0].proof[0].value.endswith("… [cut: 30,000 characters]")
    assert "more, not kept" in kept.findings[0].proof[-1].value
    assert stored.case.summary.endswith("[cut: 50,000 characters]")


async def test_half_an_emoji_from_a_cut_message_is_no_reason_not_to_save(bench: Bench) -> None:
    stored = await bench.store.save(
        opened(diagnosis=diagnosis(fact(value="cut here \ud83d")), summary="cut \ud83d"), None
    )
    assert await bench.store.load(A) == stored
    assert stored.case.summary == "cut \N{REPLACEMENT CHARACTER}"


async def test_an_event_too_large_to_be_kept_whole_stops_the_save(bench: Bench) -> None:
    noted = record(opened(), NOW, by="ann", kind="note", text="", details={"note": "x" * 600_000})
    with pytest.raises(Refused, match="too large"):
        await bench.store.save(noted, None)
    assert await bench.store.load(A) is None


@pytest.mark.parametrize("bad", ["", " ", "a/b", "a\\b", "a#b", "a?b", "a|b", "a\nb", "a\x7fb", "x" * 201])
async def test_what_is_no_subscription_id_is_refused(bench: Bench, bad: str) -> None:
    with pytest.raises(ValueError, match="is not a subscription id"):
        await bench.store.load(bad)
    with pytest.raises(ValueError, match="is not a subscription id"):
        await bench.store.save(Recorded(replace(opened().case, subscription_id=bad)), None)


async def test_a_time_without_a_zone_is_refused(bench: Bench) -> None:
    naive = datetime(2026, 11, 22)  # noqa: DTZ001  that is the point
    with pytest.raises(ValueError, match="no time zone"):
        await bench.store.save(Recorded(replace(opened().case, due_on=naive)), None)


async def test_the_last_receipt_is_that_of_the_sweep_that_started_last(bench: Bench) -> None:
    store = bench.store
    assert await store.last_receipt() is None
    for minutes in (5, 60, 30):
        started = NOW + timedelta(minutes=minutes)
        await store.save_receipt(
            SweepReceipt(f"sweep {minutes}", started, started + MINUTE, True, 5, 3, 2, "ü" * 9_000)
        )
    last = await store.last_receipt()
    assert last is not None
    assert (last.id, last.started_on, last.suspects, last.queued, last.left_alone) == (
        "sweep 60",
        NOW + timedelta(minutes=60),
        5,
        3,
        2,
    )
    assert last.problem.endswith("[cut: 9,000 characters]")
    again = replace(last, complete=False, problem="page 2: HTTP 429")
    await store.save_receipt(again)
    assert await store.last_receipt() == again
