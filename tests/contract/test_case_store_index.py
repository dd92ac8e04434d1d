"""How the real case store stays findable: crashes and pauses between the requests of a save, stale index rows.

Input: saves that are cut short between two requests. Output: what is due, open and listed afterwards.
"""

import asyncio
import logging
from datetime import timedelta

import pytest

from shared.adapters.tables.index import FIRST_SAVE_MAY_TAKE, SAVE_MAY_TAKE
from shared.adapters.tables.index_keys import labels_of
from shared.domain.case import State
from shared.errors import (
    CaseConflict,
)
from shared.ports import CaseFilter, Due, SweepReceipt
from tests.contract.case_bench import LATER, A, AzuriteBench, due, index_of, to_ready, waiting
from tests.contract.case_kit import MINUTE, NOW, Crash, moved, opened, resolved, subscription

pytestmark = [pytest.mark.anyio, pytest.mark.azurite]
LONG_AGO = FIRST_SAVE_MAY_TAKE + MINUTE


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_index_rows_are_written_before_the_case_and_old_ones_deleted_after(real: AzuriteBench) -> None:
    stored = await waiting(real)
    assert real.points.requests == ["get cases", *["put caseindex"] * 3, "transact cases"]
    real.points.clear()
    await to_ready(real, stored)
    put, delete = ["put caseindex"] * 2, ["delete caseindex"] * 2
    assert real.points.requests == [*put, "transact cases", *delete]
    assert await index_of(real) == ["listed 12:00", "open 13:00", "state|ready 12:00"]


async def test_a_save_that_changes_neither_time_nor_state_is_one_request(real: AzuriteBench) -> None:
    stored = await waiting(real)
    real.points.clear()
    await real.store.save(moved(stored.case, State.WAITING, summary="another"), stored.version)
    assert real.points.requests == ["transact cases"]
    assert await due(real) == [Due(A, NOW)]


async def test_a_resolved_case_leaves_no_row_among_the_open_ones(real: AzuriteBench) -> None:
    stored = await waiting(real)
    done = await real.store.save(resolved(stored.case), stored.version)
    assert await index_of(real) == ["state|resolved 12:00"]
    await real.store.save(opened(case_number=2, on=LATER), done.version)
    assert await index_of(real) == ["listed 13:00", "open 13:00", "state|open 13:00", "state|resolved 12:00"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("request_", ["put caseindex", "transact cases", "delete caseindex"])
async def test_an_open_case_is_found_whatever_request_a_save_dies_at(
    real: AzuriteBench, when: str, request_: str
) -> None:
    stored = await waiting(real)
    real.points.fail(when, request_, Crash())
    with pytest.raises(Crash):
        await to_ready(real, stored)
    real.points.clear()
    saved = (when, request_) == ("after", "transact cases") or request_ == "delete caseindex"
    state, time = (State.READY, LATER) if saved else (State.WAITING, NOW)
    for age in (timedelta(0), SAVE_MAY_TAKE, LONG_AGO):
        real.clock.advance(age)
        assert await due(real, 60 * MINUTE) == [Due(A, time)]
        assert await real.store.open_cases() == {A: time}
        assert [each.state for each in await real.store.aging()] == [state]
        listed = (await real.store.list_cases(CaseFilter(), 10, None)).cases
        assert [(case.id, case.state) for case in listed] == [(f"{A}-1", state)]
    found = await real.store.load(A)
    assert found is not None
    assert found.case.state is state
    assert len(await index_of(real)) == 3, "what was stale has been dropped by now"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_first_save_that_dies_before_its_transaction_leaves_nothing_to_be_found(
    real: AzuriteBench, when: str
) -> None:
    real.points.fail(when, "put caseindex" if when == "after" else "transact cases", Crash())
    with pytest.raises(Crash):
        await waiting(real)
    real.points.clear()
    assert await due(real) == []
    assert await real.store.load(A) is None
    assert (await real.store.list_cases(CaseFilter(), 10, None)).cases == ()
    stored = await waiting(real)
    assert await due(real) == [Due(A, NOW)]
    assert await real.store.open_cases() == {A: stored.case.due_on}


async def test_a_stale_row_is_dropped_by_the_reader_but_not_while_its_save_may_be_under_way(real: AzuriteBench) -> None:
    stored = await waiting(real)
    real.points.fail("before", "transact cases", Crash())
    with pytest.raises(Crash):
        await to_ready(real, stored)
    real.points.clear()
    before = await index_of(real)
    assert before == ["listed 12:00", "open 12:00", "open 13:00", "state|ready 12:00", "state|waiting 12:00"]
    real.clock.advance(SAVE_MAY_TAKE - timedelta(seconds=1))
    await due(real, 60 * MINUTE)
    assert await index_of(real) == before
    real.clock.advance(timedelta(seconds=1))
    await due(real, 60 * MINUTE)
    assert await index_of(real) == ["listed 12:00", "open 12:00", "state|ready 12:00", "state|waiting 12:00"]
    await real.store.list_cases(CaseFilter(state=State.READY), 10, None)
    assert await index_of(real) == ["listed 12:00", "open 12:00", "state|waiting 12:00"]


async def test_a_row_without_any_case_stays_for_as_long_as_a_function_may_run(real: AzuriteBench) -> None:
    real.points.fail("before", "transact cases", Crash())
    with pytest.raises(Crash):
        await waiting(real)
    real.points.clear()
    real.clock.advance(FIRST_SAVE_MAY_TAKE - timedelta(seconds=1))
    assert await due(real, 60 * MINUTE) == []
    assert "open 12:00" in await index_of(real)
    real.clock.advance(timedelta(seconds=1))
    assert await due(real, 60 * MINUTE) == []
    assert "open 12:00" not in await index_of(real)


@pytest.mark.parametrize("dies", [False, True])
async def test_a_save_that_wakes_up_after_its_rows_were_dropped_is_found_all_the_same(
    real: AzuriteBench, dies: bool
) -> None:
    stored = await waiting(real)

    async def pause() -> None:
        """The saver sleeps before its transaction; meanwhile another worker reads, and drops what looks stale."""
        real.points.before.clear()
        real.clock.advance(2 * MINUTE)
        await due(real, 60 * MINUTE)
        await real.store.list_cases(CaseFilter(state=State.READY), 10, None)
        assert await index_of(real) == ["listed 12:00", "open 12:00", "state|waiting 12:00"]
        if dies:
            real.points.fail("after", "transact cases", Crash())

    real.points.before["transact cases"] = pause
    if dies:
        with pytest.raises(Crash):
            await to_ready(real, stored)
    else:
        await to_ready(real, stored)
        assert await index_of(real) == ["listed 12:00", "open 13:00", "state|ready 12:00"]
    real.points.clear()
    # Where it died, only its old rows are left. A reader puts the right ones in their place before dropping them.
    real.clock.advance(LONG_AGO)
    for _ in range(2):
        await due(real, 60 * MINUTE)
        await real.store.aging()
    assert await due(real, 60 * MINUTE) == [Due(A, LATER)]
    assert await real.store.open_cases() == {A: LATER}
    assert len((await real.store.list_cases(CaseFilter(state=State.READY), 10, None)).cases) == 1
    assert await index_of(real) == ["listed 12:00", "open 13:00", "state|ready 12:00"]


async def test_a_loser_takes_nothing_away_from_the_winner(real: AzuriteBench) -> None:
    stored = await waiting(real)
    saves = [to_ready(real, stored) for _ in range(8)]
    results = await asyncio.gather(*saves, return_exceptions=True)
    assert sum(isinstance(result, CaseConflict) for result in results) == 7
    real.clock.advance(LONG_AGO)
    for _ in range(2):
        assert await due(real, 60 * MINUTE) == [Due(A, LATER)]
        assert len((await real.store.list_cases(CaseFilter(), 10, None)).cases) == 1
        assert len(await real.store.aging()) == 1
    assert await index_of(real) == ["listed 12:00", "open 13:00", "state|ready 12:00"]


async def test_a_case_that_goes_back_and_forth_keeps_its_rows(real: AzuriteBench) -> None:
    """The first mover is slow to delete its old rows; meanwhile the case has come back to where they stood."""
    stored = await waiting(real)
    saved, come_back = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        saved.set()
        await come_back.wait()

    real.points.before["delete caseindex"] = slow
    first = asyncio.create_task(to_ready(real, stored))
    await saved.wait()
    real.points.before.clear()
    found = await real.store.load(A)
    assert found is not None
    assert found.case.state is State.READY
    back = await real.store.save(moved(found.case, State.WAITING, due_on=NOW), found.version)
    come_back.set()
    await first
    assert await due(real) == [Due(A, NOW)]
    assert (await real.store.list_cases(CaseFilter(state=State.WAITING), 9, None)).cases == (back.case,)
    assert await index_of(real) == ["listed 12:00", "open 12:00", "state|waiting 12:00"]


async def test_a_seeded_case_is_due_by_its_seeded_index_row(real: AzuriteBench) -> None:
    seed = {"schema_version": 1, "number": 1, "opened_on": "2026-11-22T12:00:00.000000Z", "state": "waiting"}
    await real.edit(A, "case", **seed, due_on="2026-11-22T12:00:00.000000Z")
    await real.put("caseindex", "open", f"2026-11-22T12:00:00.000000Z|{A}|1|seeded")
    assert await due(real) == [Due(A, NOW)]
    stored = await real.store.load(A)
    assert stored is not None
    await to_ready(real, stored)
    assert await index_of(real) == ["listed 12:00", "open 13:00", "state|ready 12:00"]


async def test_index_rows_that_make_no_sense_are_passed_over(
    real: AzuriteBench, caplog: pytest.LogCaptureFixture
) -> None:
    await waiting(real)
    for row in ("2026", "x|y|z|w", "2026-11-22T11:00:00.000000Z|a|x|y", "2026-11-22T11:00:00|a|1|y", "0|" * 3):
        await real.put("caseindex", "open", row)
        await real.put("caseindex", "state|waiting", row)
    with caplog.at_level(logging.WARNING):
        assert await due(real) == [Due(A, NOW)]
    assert "is not followed" in caplog.text
    assert await real.store.open_cases() == {A: NOW}
    assert len((await real.store.list_cases(CaseFilter(), 10, None)).cases) == 1


async def test_stale_rows_in_several_partitions_do_not_end_a_list_early(real: AzuriteBench) -> None:
    stored = await waiting(real)
    for n, partition in enumerate(["listed", "state|resolved", "state|dismissed"] * 3):
        row = f"2026-11-22T11:00:00.000000Z|{subscription(n + 50)}|1|label|{'a' * 16}"
        await real.put("caseindex", partition, row)
    page = await real.store.list_cases(CaseFilter(), 1, None)
    assert page.cases == (stored.case,)
    assert page.cursor is None
    assert len(await index_of(real)) == 3


async def test_a_stale_row_that_is_written_again_while_it_is_judged_stays(real: AzuriteBench) -> None:
    await waiting(real)
    stale = f"2026-11-22T11:00:00.000000Z|{A}|1|{'a' * 16}"
    await real.put("caseindex", "open", stale)

    async def again() -> None:
        await real.put("caseindex", "open", stale, written_on="2026-11-22T12:00:00.000000Z")

    real.points.before["delete caseindex"] = again
    assert await due(real) == [Due(A, NOW)]
    assert "open 11:00" in await index_of(real)


async def test_a_thousand_open_cases_are_read_in_pages(real: AzuriteBench) -> None:
    count = 1_050
    tables = real.tables
    at = [NOW - timedelta(minutes=n) for n in range(count)]
    seed = {"schema_version": 1, "number": 1, "state": "waiting"}
    stamps = [moment.isoformat(timespec="microseconds").replace("+00:00", "Z") for moment in at]
    rows = [
        {"PartitionKey": subscription(n), "RowKey": "case", "opened_on": stamps[n], "due_on": stamps[n], **seed}
        for n in range(count)
    ]
    index = [{"PartitionKey": "open", "RowKey": f"{stamps[n]}|{subscription(n)}|1|seeded"} for n in range(count)]
    await asyncio.gather(*(tables.put("cases", row) for row in rows))
    for start in range(0, count, 100):
        await tables.transact("caseindex", index[start : start + 100])
    real.points.clear()
    assert len(await real.store.open_cases()) == count
    assert real.points.requests == ["query caseindex"]
    found = await real.store.due(NOW, 1_020)
    assert list(found) == [Due(subscription(n), at[n]) for n in range(count - 1, count - 1_021, -1)]


async def test_the_last_of_many_receipts_is_one_request(real: AzuriteBench) -> None:
    for minutes in range(30):
        started = NOW + timedelta(minutes=minutes)
        await real.store.save_receipt(SweepReceipt(str(minutes), started, started, complete=True))
    real.points.clear()
    last = await real.store.last_receipt()
    assert last is not None
    assert last.id == "29"
    assert real.points.requests == ["query sweeps"]


def test_labels_are_bounded() -> None:
    long = labels_of(opened(customer_name="😀" * 5_000).case)["customer"]
    assert len(long.encode("utf-16-le")) <= 2_000


async def test_index_rows_of_a_newer_version_are_neither_followed_nor_dropped(real: AzuriteBench) -> None:
    await waiting(real)
    newer = f"2026-11-22T11:00:00.000000Z|{A}|7|of a later version"
    await real.put("caseindex", "open", newer, schema_version=99)
    real.clock.advance(24 * 60 * MINUTE)
    assert await due(real) == [Due(A, NOW)]
    assert set(await real.store.open_cases()) == {A}
    assert ("open", newer) in await real.rows("caseindex")


async def test_an_index_row_from_before_rows_had_a_version_is_followed(real: AzuriteBench) -> None:
    await waiting(real)
    [(partition, row)] = [keys for keys in await real.rows("caseindex") if keys[0] == "open"]
    await real.put("caseindex", partition, row, schema_version=None)
    assert await due(real) == [Due(A, NOW)]
