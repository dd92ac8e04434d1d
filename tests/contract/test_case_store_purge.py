"""Purging closed cases, on both case stores: what goes, what stays, and a worker that dies in the middle of it.

Input: cases that were resolved at one time or another. Output: what the store still shows, and the rows on Azurite.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.domain.case import Case, Recorded, State, record
from shared.domain.grounds import Grounds
from shared.domain.intent import Attempt
from shared.errors import CaseConflict
from shared.ports import CaseFilter, SweepReceipt
from tests.builders import look
from tests.contract.case_bench import A, AzuriteBench, Bench
from tests.contract.case_kit import (
    CHANGE,
    MINUTE,
    NOW,
    Crash,
    full,
    moved,
    opened,
    resolved,
    subscription,
)

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)
OLD = NOW - 400 * DAY


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def closed(bench: Bench, on: datetime, *, of: int = 1, number: int = 1, fixes: int = 0, events: int = 0) -> Case:
    """A case that was opened ten minutes before it was closed, `fixes` times retriggered, with so many more events."""
    attempts = tuple(Attempt(CHANGE, on - MINUTE, "app") for _ in range(fixes))
    before = await bench.store.load(subscription(of))
    earlier = () if before is None else before.case.fixed_before
    first = opened(of, on=on - 10 * MINUTE, case_number=number, attempts=attempts, fixed_before=earlier)
    stored = await bench.store.save(first, before.version if before else None)
    for _ in range(0, events, 90):
        stored = await bench.store.save(noted(stored.case, on), stored.version)
    return (await bench.store.save(resolved(stored.case, on), stored.version)).case


def noted(case: Case, on: datetime) -> Recorded:
    recorded = Recorded(case)
    for n in range(90):
        recorded = record(recorded, on, by="app", kind="note", text=f"{n}")
    return recorded


async def listed(bench: Bench) -> list[str]:
    return [case.id for case in (await bench.store.list_cases(CaseFilter(), 50, None)).cases]


async def test_what_was_closed_long_ago_goes_and_all_else_stays(bench: Bench) -> None:
    await closed(bench, OLD - MINUTE)
    await closed(bench, OLD + MINUTE, of=2)
    await bench.store.save(opened(3, on=OLD - 9 * DAY), None)
    assert await bench.store.purge(OLD, 10) == [f"{A}-1"]
    assert await bench.store.load_case(A, 1) is None
    assert await bench.store.timeline(A, 1) == ()
    assert set(await listed(bench)) == {f"{subscription(2)}-1", f"{subscription(3)}-1"}
    assert len(await bench.store.timeline(subscription(2), 1)) == 2
    assert set(await bench.store.open_cases()) == {subscription(3)}
    assert await bench.store.purge(OLD, 10) == []


async def test_a_case_that_was_opened_long_ago_and_closed_lately_stays(bench: Bench) -> None:
    stored = await bench.store.save(opened(on=OLD - DAY), None)
    await bench.store.save(resolved(stored.case, NOW), stored.version)
    assert await bench.store.purge(OLD, 10) == []
    assert await listed(bench) == [f"{A}-1"]


async def test_no_more_than_asked_for_oldest_first(bench: Bench) -> None:
    for n in range(1, 5):
        await closed(bench, OLD - n * DAY, of=n)
    assert await bench.store.purge(OLD, 2) == [f"{subscription(4)}-1", f"{subscription(3)}-1"]
    assert await bench.store.purge(OLD, 10) == [f"{subscription(2)}-1", f"{A}-1"]


async def test_the_next_case_counts_on_and_knows_what_was_needed_too_often(bench: Bench) -> None:
    await closed(bench, OLD - 3 * DAY, fixes=1)
    await bench.store.purge(OLD - 2 * DAY, 10)
    stored = await bench.store.load(A)
    assert stored is not None
    assert (stored.case.number, stored.case.open) == (1, False)
    assert stored.case.fixed_before == (OLD - 3 * DAY - MINUTE,)
    with pytest.raises(CaseConflict):
        await bench.store.save(opened(), None)
    second = await closed(bench, NOW, number=2)
    assert second.fixed_before == (OLD - 3 * DAY - MINUTE,)
    assert await listed(bench) == [f"{A}-2"]
    assert await bench.store.load_case(A, 1) is None


async def test_former_cases_go_one_by_one_and_leave_the_newest_alone(bench: Bench) -> None:
    for number in (1, 2, 3):
        await closed(bench, OLD + (number - 3) * DAY, number=number)
    assert await bench.store.purge(OLD - MINUTE, 10) == [f"{A}-1", f"{A}-2"]
    assert await listed(bench) == [f"{A}-3"]
    assert len(await bench.store.timeline(A, 3)) == 2
    assert await bench.store.timeline(A, 1) == await bench.store.timeline(A, 2) == ()


async def test_nothing_of_a_purged_case_names_anybody(bench: Bench) -> None:
    first = opened(on=OLD - DAY)
    stored = await bench.store.save(first, None)
    whole = {**full(stored.case), "intent": None, "due_on": None, "resolved_on": OLD - DAY}
    await bench.store.save(moved(stored.case, State.RESOLVED, OLD - DAY, **whole), stored.version)
    await bench.store.purge(OLD, 10)
    left = await bench.store.load(A)
    assert left is not None
    assert (left.case.customer_name, left.case.subscription_name, left.case.diagnosis, left.case.attempts) == (
        "",
        "",
        None,
        (),
    )


async def test_a_case_with_more_events_than_a_transaction_holds_goes_whole(bench: Bench) -> None:
    await closed(bench, OLD - DAY, events=270)
    assert await bench.store.purge(OLD, 10) == [f"{A}-1"]
    assert await bench.store.timeline(A, 1) == ()


async def test_a_row_that_makes_no_sense_stays_and_the_others_go(bench: Bench) -> None:
    await closed(bench, OLD - 2 * DAY)
    await closed(bench, OLD - DAY, of=2)
    await bench.edit(A, "case", schema_version=99)
    assert await bench.store.purge(OLD, 10) == [f"{subscription(2)}-1"]
    assert len(await bench.store.timeline(A, 1)) == 2


async def test_old_receipts_go_and_the_newest_stay(bench: Bench) -> None:
    for n, complete in ((0, False), (1, True), (500, True), (401, True)):
        on = NOW - n * DAY
        await bench.store.save_receipt(SweepReceipt(f"{n}", on, on, complete=complete))
    assert await bench.store.purge_receipts(OLD, 10) == 2
    assert await bench.store.purge_receipts(OLD, 10) == 0
    last, complete_one = await bench.store.last_receipt(), await bench.store.last_receipt(complete=True)
    assert last is not None
    assert complete_one is not None
    assert (last.id, complete_one.id) == ("0", "1")


REQUESTS = ["transact cases", "delete caseindex"]


@pytest.mark.azurite
@pytest.mark.parametrize("events", [0, 270], ids=["few events", "many events"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("number", [1, 2], ids=["former", "newest"])
async def test_a_worker_that_dies_in_the_middle_is_made_up_for(
    real: AzuriteBench, number: int, request_: str, when: str, events: int
) -> None:
    for each in (1, 2):
        await closed(real, OLD - (3 - each) * DAY, number=each, events=events if each == number else 0)
    if number == 2:
        await real.store.purge(OLD - DAY - MINUTE, 10)
    cutoff = OLD if number == 2 else OLD - DAY - MINUTE
    for nth in range(1, 6):  # dies at the first such request, then at the second of the next run, and so on
        real.points.clear()
        _die_at(real, when, request_, nth)
        try:
            await real.store.purge(cutoff, 10)
        except Crash:
            shown = await real.store.load_case(A, number)
            assert shown is None or len(await real.store.timeline(A, number)) == shown.last_sequence
            assert f"{A}-{number}" not in await listed(real) or shown is not None
    real.points.clear()
    real.clock.advance(2 * 60 * MINUTE)
    await real.store.purge(cutoff, 10)
    left = [row for _, row in await real.rows("cases") if row.startswith((f"event|{number:06d}", "former"))]
    assert left == []
    assert [p for p, row in await real.rows("caseindex") if f"|{number}|" in row] == []
    assert (await closed(real, NOW, number=3)).number == 3


def _die_at(real: AzuriteBench, when: str, request: str, nth: int) -> None:
    count = 0

    async def die() -> None:
        nonlocal count
        count += 1
        if count == nth:
            raise Crash

    (real.points.before if when == "before" else real.points.after)[request] = die


async def test_the_grounds_of_a_decision_are_saved_replaced_and_purged_with_their_case(bench: Bench) -> None:
    before = replace(opened(on=OLD - DAY), grounds=Grounds(look(), "2", "first"))
    stored = await bench.store.save(before, None)
    assert await bench.store.load_grounds(A, 1) == before.grounds
    later = replace(moved(stored.case, State.WAITING, OLD - DAY), grounds=Grounds(look(), "2", "second"))
    stored = await bench.store.save(later, stored.version)
    stored = await bench.store.save(resolved(stored.case, OLD - DAY), stored.version)
    assert await bench.store.load_grounds(A, 1) == later.grounds, "a step that shows no plan leaves them as they are"
    assert await bench.store.purge(OLD, 10) == [f"{A}-1"]
    assert await bench.store.load_grounds(A, 1) is None


async def test_of_a_save_that_came_too_late_no_grounds_are_kept(bench: Bench) -> None:
    stored = await bench.store.save(replace(opened(), grounds=Grounds(look(), "2", "first")), None)
    await bench.store.save(moved(stored.case, State.READY), stored.version)
    late = replace(moved(stored.case, State.WAITING), grounds=Grounds(look(), "2", "too late"))
    with pytest.raises(CaseConflict):
        await bench.store.save(late, stored.version)
    kept = await bench.store.load_grounds(A, 1)
    assert kept is not None
    assert kept.plan_digest == "first"
