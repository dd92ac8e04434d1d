"""What is due, what is open, and lists with filters and pages, on the real case store and on the fake."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.case import State
from shared.domain.standing import Stock
from shared.ports import CaseFilter, Due, Page, Stored
from tests.contract.case_bench import Bench
from tests.contract.case_kit import MINUTE, NOW, intent, moved, opened, resolved, subscription

pytestmark = pytest.mark.anyio
ANY = CaseFilter()
NASTY = "O'Brien & Söhne #1 + 100% \"q\" \\?/ 😀 eq ' or 1"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def some(bench: Bench, count: int, **values: Any) -> list[Stored]:
    """Open cases, each opened a minute after the one before, due in the opposite order."""
    cases = []
    for n in range(1, count + 1):
        recorded = opened(n, on=NOW + n * MINUTE)
        cases.append(await bench.store.save(moved(recorded, State.WAITING, due_on=NOW - n * MINUTE, **values), None))
    return cases


async def all_pages(bench: Bench, wanted: CaseFilter, limit: int) -> list[Page]:
    pages = [await bench.store.list_cases(wanted, limit, None)]
    while pages[-1].cursor is not None:
        pages.append(await bench.store.list_cases(wanted, limit, pages[-1].cursor))
    return pages


async def ids(bench: Bench, wanted: CaseFilter) -> list[str]:
    return [case.id for case in (await bench.store.list_cases(wanted, 100, None)).cases]


async def test_nothing_is_due_or_listed_in_an_empty_store(bench: Bench) -> None:
    assert list(await bench.store.due(NOW, 10)) == []
    assert await bench.store.open_cases() == {}
    assert await bench.store.list_cases(ANY, 10, None) == Page(())


async def test_due_cases_come_longest_due_first_and_no_more_than_wanted(bench: Bench) -> None:
    await some(bench, 12)
    by_age = [Due(subscription(n), NOW - n * MINUTE) for n in range(12, 0, -1)]
    assert list(await bench.store.due(NOW, 100)) == by_age
    assert list(await bench.store.due(NOW, 12)) == by_age
    for limit in (0, 1, 5, 11):
        assert list(await bench.store.due(NOW, limit)) == by_age[:limit]
    assert list(await bench.store.due(NOW - 11 * MINUTE, 100)) == by_age[:2]


async def test_a_case_is_due_at_its_very_time_and_not_before(bench: Bench) -> None:
    tick = timedelta(microseconds=1)
    await bench.store.save(moved(opened(), State.WAITING, due_on=NOW), None)
    assert list(await bench.store.due(NOW - tick, 10)) == []
    assert list(await bench.store.due(NOW, 10)) == [Due(subscription(), NOW)]


async def test_a_case_is_due_at_its_new_time_only(bench: Bench) -> None:
    stored = (await some(bench, 1))[0]
    later = moved(stored.case, State.WAITING, due_on=NOW + MINUTE)
    await bench.store.save(later, stored.version)
    assert list(await bench.store.due(NOW, 10)) == []
    assert list(await bench.store.due(NOW + MINUTE, 10)) == [Due(subscription(), NOW + MINUTE)]
    assert await bench.store.open_cases() == {subscription(): NOW + MINUTE}


async def test_an_open_case_that_was_given_no_time_is_due_at_once(bench: Bench) -> None:
    await bench.store.save(moved(opened(), State.NEEDS_PERSON, due_on=None), None)
    assert list(await bench.store.due(NOW, 10)) == [Due(subscription(), NOW)]
    assert await bench.store.open_cases() == {subscription(): NOW}


async def test_a_resolved_case_is_neither_due_nor_open_until_there_is_a_new_one(bench: Bench) -> None:
    stored = (await some(bench, 1))[0]
    await bench.store.save(resolved(stored.case), stored.version)
    assert list(await bench.store.due(NOW + 60 * MINUTE, 10)) == []
    assert await bench.store.open_cases() == {}
    await bench.store.save(opened(case_number=2, on=NOW + MINUTE), None)
    assert await bench.store.open_cases() == {subscription(): NOW + MINUTE}
    assert list(await bench.store.due(NOW + 60 * MINUTE, 10)) == [Due(subscription(), NOW + MINUTE)]


@pytest.mark.parametrize("state", State)
async def test_cases_of_a_state_are_listed_in_pages_oldest_first(bench: Bench, state: State) -> None:
    for n in range(1, 8):
        recorded = opened(n, on=NOW + n * MINUTE)
        moved_to = replace(recorded.case, state=state, intent=intent())
        await bench.store.save(replace(recorded, case=moved_to), None)
    pages = await all_pages(bench, CaseFilter(state=state), 3)
    assert [[case.subscription_id for case in page.cases] for page in pages] == [
        [subscription(1), subscription(2), subscription(3)],
        [subscription(4), subscription(5), subscription(6)],
        [subscription(7)],
    ]
    others = [other for other in State if other is not state]
    assert all([(await bench.store.list_cases(CaseFilter(state=other), 3, None)).cases == () for other in others])


async def test_a_list_of_all_has_every_case_in_any_state_oldest_first(bench: Bench) -> None:
    for n, state in enumerate([*State, *State], start=1):
        recorded = opened(n, on=NOW + n * MINUTE)
        await bench.store.save(replace(recorded, case=replace(recorded.case, state=state, intent=intent())), None)
    everything = [subscription(n) for n in range(1, 2 * len(State) + 1)]
    for limit in (1, 3, 7, len(everything), 100):
        pages = await all_pages(bench, ANY, limit)
        assert [case.subscription_id for page in pages for case in page.cases] == everything
        assert all(len(page.cases) == limit for page in pages[:-1])
        assert len(pages) == -(-len(everything) // limit)


async def test_former_cases_are_listed_beside_the_one_that_replaced_them(bench: Bench) -> None:
    first = (await some(bench, 1))[0]
    done = await bench.store.save(resolved(first.case), first.version)
    second = await bench.store.save(opened(case_number=2, on=NOW + 5 * MINUTE), None)
    assert list((await bench.store.list_cases(ANY, 10, None)).cases) == [done.case, second.case]
    assert await ids(bench, CaseFilter(state=State.RESOLVED)) == [done.case.id]
    assert await ids(bench, CaseFilter(state=State.OPEN)) == [second.case.id]


async def test_lists_are_filtered_by_cause_provider_and_customer_together(bench: Bench) -> None:
    causes, providers, customers = ("trigger_missed", "unknown"), ("Microsoft", "Älternate"), ("Contoso", NASTY)
    everyone = list(itertools.product(causes, providers, customers))
    for n, (cause, provider, customer) in enumerate(everyone, start=1):
        recorded = opened(n, on=NOW + n * MINUTE, cause=cause, provider_name=provider, customer_name=customer)
        await bench.store.save(recorded, None)
    for asked in itertools.product((*causes, None), (*providers, None), (*customers, None)):
        wanted = CaseFilter(None, *asked)
        expected = [
            f"{subscription(n)}-1"
            for n, each in enumerate(everyone, start=1)
            if all(want in (None, has) for want, has in zip(asked, each, strict=True))
        ]
        assert await ids(bench, wanted) == expected


async def test_names_are_compared_without_case(bench: Bench) -> None:
    await bench.store.save(opened(customer_name="Größe GmbH", provider_name="Microsoft"), None)
    assert await ids(bench, CaseFilter(customer="GRÖSSE gmbh", provider="MICROSOFT")) == [f"{subscription()}-1"]
    assert await ids(bench, CaseFilter(customer="Größe")) == []


async def test_a_case_without_a_present_cause_is_listed_under_its_first(bench: Bench) -> None:
    stored = await bench.store.save(opened(cause="consent_expired", first_cause="trigger_missed"), None)
    assert await ids(bench, CaseFilter(cause="trigger_missed")) == []
    await bench.store.save(resolved(replace(stored.case, cause=None)), stored.version)
    assert await ids(bench, CaseFilter(cause="trigger_missed")) == [stored.case.id]
    assert await ids(bench, CaseFilter(cause="consent_expired")) == []


async def test_a_list_follows_a_case_that_changes_its_state_or_its_cause(bench: Bench) -> None:
    stored = await bench.store.save(opened(cause="unknown"), None)
    stored = await bench.store.save(moved(stored.case, State.READY, cause="trigger_missed"), stored.version)
    assert await ids(bench, CaseFilter(state=State.OPEN)) == []
    assert await ids(bench, CaseFilter(state=State.READY, cause="trigger_missed")) == [stored.case.id]
    stored = await bench.store.save(moved(stored.case, State.READY, cause="not_stuck_yet"), stored.version)
    assert await ids(bench, CaseFilter(cause="trigger_missed")) == []
    assert (await bench.store.list_cases(CaseFilter(cause="not_stuck_yet"), 9, None)).cases == (stored.case,)


async def test_a_case_that_moves_between_two_pages_is_not_shown_twice(bench: Bench) -> None:
    cases = await some(bench, 3)
    page = await bench.store.list_cases(ANY, 2, None)
    for stored in cases:
        await bench.store.save(moved(stored.case, State.READY), stored.version)
    rest = await bench.store.list_cases(ANY, 2, page.cursor)
    assert [case.subscription_id for case in rest.cases] == [subscription(3)]


async def test_a_cursor_belongs_to_its_filter_and_to_this_list(bench: Bench) -> None:
    await some(bench, 3)
    cursor = (await bench.store.list_cases(CaseFilter(state=State.WAITING), 1, None)).cursor
    assert cursor is not None
    with pytest.raises(ValueError, match="another filter"):
        await bench.store.list_cases(CaseFilter(state=State.READY), 1, cursor)
    with pytest.raises(ValueError, match="another filter"):
        await bench.store.list_cases(CaseFilter(state=State.WAITING, cause="unknown"), 1, cursor)
    for bad in ("", "x", "%%%", cursor[:-3], cursor + "x", "bnVsbA", "WzEsMl0", "Ü"):
        with pytest.raises(ValueError, match="cursor"):
            await bench.store.list_cases(CaseFilter(state=State.WAITING), 1, bad)


async def test_a_page_holds_at_least_one_case(bench: Bench) -> None:
    with pytest.raises(ValueError, match="at least one"):
        await bench.store.list_cases(ANY, 0, None)


async def test_the_stock_is_listed_by_what_was_decided_on_it(bench: Bench) -> None:
    for n, stock in enumerate([*Stock, Stock.HELD], start=1):
        recorded = opened(n, on=NOW + n * MINUTE)
        state = State.DISMISSED if stock is Stock.DISMISSED else State.READY
        await bench.store.save(replace(recorded, case=replace(recorded.case, stock=stock, state=state)), None)
    assert await ids(bench, CaseFilter(stock=Stock.HELD, open_only=True)) == [f"{subscription(n)}-1" for n in (2, 5)]
    assert await ids(bench, CaseFilter(stock=Stock.ADOPTED)) == [f"{subscription(3)}-1"]
    assert await ids(bench, CaseFilter(state=State.DISMISSED)) == [f"{subscription(4)}-1"]
    assert await ids(bench, CaseFilter(stock=Stock.DISMISSED, open_only=True)) == []
    assert len(await bench.store.open_cases()) == 4


async def test_a_dismissed_case_is_followed_by_a_new_one(bench: Bench) -> None:
    recorded = opened()
    left = replace(recorded.case, state=State.DISMISSED, stock=Stock.DISMISSED, due_on=None, dismissed=("x",))
    await bench.store.save(replace(recorded, case=left), None)
    assert await bench.store.open_cases() == {}
    await bench.store.save(opened(case_number=2, on=NOW + MINUTE), None)
    former = await bench.store.load_case(subscription(), 1)
    assert former is not None
    assert (former.state, former.dismissed) == (State.DISMISSED, ("x",))
