"""Ages, receipts and filters by age, on the real case store and on the fake; and what a list costs in requests."""

import asyncio
import itertools
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.case import State
from shared.errors import Unreachable
from shared.ports import Aging, CaseFilter, SweepReceipt
from tests.contract.case_bench import AzuriteBench, Bench
from tests.contract.case_kit import MINUTE, NOW, moved, opened, resolved, subscription

pytestmark = pytest.mark.anyio

OPEN = CaseFilter(open_only=True)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_ages_are_of_open_cases_the_oldest_first_as_people_write_names(bench: Bench) -> None:
    names: dict[str, Any] = {
        "cause": "trigger_missed",
        "provider_name": "Microsoft CSP",
        "customer_name": "Contoso",
        "assignee": "Ann",
    }
    for n in (2, 1, 3):
        await bench.store.save(moved(opened(n, on=NOW + n * MINUTE), State.WAITING, **names), None)
    await bench.store.save(resolved(moved(opened(4), State.WAITING).case), None)
    expected = [
        Aging(
            *(subscription(n), 1, State.WAITING, NOW + n * MINUTE),
            *("trigger_missed", "Microsoft CSP", "Contoso", "Ann"),
        )
        for n in (1, 2, 3)
    ]
    assert list(await bench.store.aging()) == expected


async def test_ages_follow_a_case_from_state_to_state(bench: Bench) -> None:
    stored = await bench.store.save(opened(), None)
    stored = await bench.store.save(moved(stored.case, State.NEEDS_PERSON, cause="unknown"), stored.version)
    (found,) = await bench.store.aging()
    assert (found.state, found.cause, found.assignee) == (State.NEEDS_PERSON, "unknown", "")
    await bench.store.save(resolved(stored.case), stored.version)
    assert list(await bench.store.aging()) == []


@pytest.mark.azurite
async def test_a_stale_row_counts_no_case_twice(real: AzuriteBench) -> None:
    stored = await real.store.save(opened(), None)
    [(partition, row)] = [key for key in await real.rows("caseindex") if key[0].startswith("state|")]
    await real.store.save(moved(stored.case, State.WAITING), stored.version)
    real.clock.advance(MINUTE)
    await real.put("caseindex", partition, row, written_on="2026-11-22T00:00:00.000000Z")
    await real.put("caseindex", "state|waiting", "nonsense")
    (found,) = await real.store.aging()
    assert found.state is State.WAITING


@pytest.mark.azurite
async def test_a_closed_case_whose_rows_were_left_behind_is_not_counted_once_open_cases_were_listed(
    real: AzuriteBench,
) -> None:
    stored = await real.store.save(opened(), None)
    real.points.fail("before", "delete caseindex", Unreachable("storage", "no network"))
    await real.store.save(resolved(stored.case), stored.version)
    real.points.clear()
    assert len(await real.rows("caseindex")) == 4
    assert len(await real.store.aging()) == 1, "all of its rows agree, so it is believed"
    real.clock.advance(MINUTE)
    assert (await real.store.list_cases(OPEN, 9, None)).cases == ()
    assert list(await real.store.aging()) == []
    assert {partition for partition, _ in await real.rows("caseindex")} == {"open", "state|resolved"}, "both are gone"


@pytest.mark.azurite
async def test_a_case_that_is_in_no_state_when_each_is_read_is_counted(real: AzuriteBench) -> None:
    """It moves on when the rows of the state that it goes to were read, and those of the one it leaves were not."""
    stored = await real.store.save(opened(), None)
    others, begun, done = asyncio.Event(), itertools.count(1), itertools.count(1)
    of_open = 2  # all that are listed are asked for first, then the states in their order

    async def before() -> None:
        if next(begun) == of_open:
            await others.wait()
            await real.store.save(moved(stored.case, State.WAITING), stored.version)

    async def after() -> None:
        if next(done) == len(OPEN.states):
            others.set()

    real.points.before["query caseindex"], real.points.after["query caseindex"] = before, after
    (found,) = await real.store.aging()
    assert found.state is State.WAITING
    assert real.points.requests.count("get cases") == 2, "one for the save that it was, one for the doubt"


@pytest.mark.azurite
async def test_an_open_case_of_an_app_without_listed_rows_is_counted_and_listed_with_its_next_save(
    real: AzuriteBench,
) -> None:
    stored = await real.store.save(opened(), None)
    [(partition, row)] = [key for key in await real.rows("caseindex") if key[0] == "listed"]
    await real.service.get_table_client("caseindex").delete_entity(partition, row)
    await real.edit(subscription(), "case", listed_row=None)
    assert len(await real.store.aging()) == 1
    assert len((await real.store.list_cases(CaseFilter(state=State.OPEN), 9, None)).cases) == 1
    stored = await real.store.load(subscription()) or stored
    await real.store.save(moved(stored.case, State.OPEN, summary="x"), stored.version)
    assert len((await real.store.list_cases(OPEN, 9, None)).cases) == 1


async def test_lists_begin_and_end_at_an_age(bench: Bench) -> None:
    for n in range(1, 6):
        await bench.store.save(opened(n, on=NOW + n * MINUTE), None)

    async def found(**wanted: object) -> list[int]:
        page = await bench.store.list_cases(CaseFilter(open_only=True, **wanted), 10, None)  # type: ignore[arg-type]
        return [int(case.subscription_id[-2:]) for case in page.cases]

    assert await found(opened_before=NOW + 3 * MINUTE) == [1, 2]
    assert await found(opened_after=NOW + 3 * MINUTE) == [3, 4, 5]
    assert await found(opened_after=NOW + 2 * MINUTE, opened_before=NOW + 4 * MINUTE) == [2, 3]
    wanted = CaseFilter(open_only=True, opened_before=NOW + 4 * MINUTE)
    first = await bench.store.list_cases(wanted, 2, None)
    second = await bench.store.list_cases(wanted, 2, first.cursor)
    assert [len(first.cases), len(second.cases), second.cursor] == [2, 1, None]
    with pytest.raises(ValueError, match="another filter"):
        await bench.store.list_cases(OPEN, 2, first.cursor)


async def test_lists_are_filtered_by_who_looks_after_a_case(bench: Bench) -> None:
    for n, name in enumerate(("Ann [1]", "", "ann [1]"), start=1):
        await bench.store.save(opened(n, assignee=name), None)
    page = await bench.store.list_cases(CaseFilter(open_only=True, assignee="ANN [1]"), 10, None)
    assert [case.subscription_id for case in page.cases] == [subscription(1), subscription(3)]


async def test_receipts_come_newest_first_page_by_page_and_by_id(bench: Bench) -> None:
    receipts = [SweepReceipt(f"{n:032x}", NOW + n * MINUTE, NOW + n * MINUTE, complete=True) for n in range(5)]
    for receipt in receipts:
        await bench.store.save_receipt(receipt)
    first, cursor = await bench.store.receipts(2, None)
    second, cursor2 = await bench.store.receipts(2, cursor)
    third, end = await bench.store.receipts(2, cursor2)
    assert [*first, *second, *third] == receipts[::-1]
    assert end is None
    assert await bench.store.receipt(receipts[3].id) == receipts[3]
    assert await bench.store.receipt("f" * 32) is None
    with pytest.raises(ValueError, match="not one that this list handed out"):
        await bench.store.receipts(2, "x' or RowKey gt '")


@pytest.mark.azurite
class TestWhatItCosts:
    async def test_a_page_costs_a_page_however_many_cases_there_are(self, real: AzuriteBench) -> None:
        for n in range(1, 41):
            await real.store.save(moved(opened(n, on=NOW + n * MINUTE), State.WAITING), None)
        costs = []
        for _ in range(2):
            real.points.clear()
            page = await real.store.list_cases(OPEN, 5, None)
            assert len(page.cases) == 5
            costs.append(Counter(real.points.requests))
            for n in range(41, 61):
                if costs[1:] == []:
                    await real.store.save(moved(opened(n, on=NOW + n * MINUTE), State.WAITING), None)
        # One range of one partition, and one row for each case of the page with a few to spare.
        assert costs[0] == costs[1] == {"query caseindex": 1, "get cases": 10}

    async def test_ages_cost_one_request_for_each_open_state_and_one_for_all(self, real: AzuriteBench) -> None:
        for n in range(1, 21):
            await real.store.save(moved(opened(n, on=NOW + n * MINUTE), State.WAITING), None)
        real.points.clear()
        assert len(await real.store.aging()) == 20
        assert Counter(real.points.requests) == {"query caseindex": len(OPEN.states) + 1}

    async def test_a_receipt_costs_one_request(self, real: AzuriteBench) -> None:
        receipt = SweepReceipt("a" * 32, NOW, NOW + timedelta(seconds=1), complete=True)
        await real.store.save_receipt(receipt)
        real.points.clear()
        assert await real.store.receipt(receipt.id) == receipt
        await real.store.receipts(50, None)
        assert real.points.requests == ["query sweeps"] * 2
