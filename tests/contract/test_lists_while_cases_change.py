"""Lists that are read page by page while cases change: nothing is missed, nothing comes twice, in one order.

Input: changes between the pages, and between the requests of a page. Output: what GET /cases showed. The same at the
size of a big environment: test_ten_thousand_cases.py.
"""

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.case import FINAL, Recorded, State
from shared.entrypoints.queries import CasesQuery, PageQuery
from shared.ports import CaseFilter
from tests.contract.case_bench import AzuriteBench, Bench
from tests.contract.case_kit import MINUTE, NOW, moved, opened, resolved
from tests.contract.changing_cases import FILTERS, KINDS, STATES, Change, Changing, Walk, nth
from tests.entrypoint_kit import Front
from tests.fakes.case_store import FakeCaseStore
from tests.workflow_kit import Town

pytestmark = pytest.mark.anyio

OPEN_STATES = [state for state in STATES if state not in FINAL]
CHANGES = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(KINDS), st.integers(0, 6)), max_size=6)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def once(real: AzuriteBench, when: str, request: str, after: Recorded, version: str) -> None:
    """This is saved before or after the next request of that kind: by somebody else, while a page is read."""

    async def save() -> None:
        real.points.clear()
        await real.store.save(after, version)

    (real.points.before if when == "before" else real.points.after)[request] = save


async def changing(store: object, count: int) -> Changing:
    """A store of so many cases."""
    cases = Changing(store, {})  # type: ignore[arg-type]
    for number in range(count):
        stored = await cases.store.save(nth(number, count), None)
        cases.newest[stored.case.subscription_id] = stored
    return cases


def test_every_filter_that_a_list_takes_is_walked() -> None:
    asked = {field for query, _ in FILTERS.values() for field in query}
    assert asked == CasesQuery.model_fields.keys() - PageQuery.model_fields.keys()


@given(st.sampled_from([*FILTERS]), st.integers(1, 40), st.integers(1, 9), st.lists(CHANGES, min_size=1))
def test_on_the_fake_store(name: str, count: int, limit: int, changes: list[list[Change]]) -> None:
    async def run() -> None:
        cases = await changing(FakeCaseStore(), count)
        await Walk(name, cases).walk(limit, lambda page: changes[page - 1] if page <= len(changes) else ())

    asyncio.run(run())


@pytest.mark.parametrize("seed", range(2))
async def test_on_each_store(bench: Bench, seed: int) -> None:
    """The same walk on both, so that the fake's answers may stand for those of Azurite."""
    cases = await changing(bench.store, 60)
    for step, name in enumerate(FILTERS):

        def between(page: int, step: int = step) -> list[Change]:
            return [((seed * 31 + step * 17 + page * 7 + n) * 11, KINDS[(page + n) % len(KINDS)], n) for n in range(4)]

        await Walk(name, cases).walk(7, between)


async def test_a_cursor_of_one_filter_is_refused_by_every_other(bench: Bench) -> None:
    for number in range(1, 4):
        recorded = opened(number, cause="unknown", provider_name="P", customer_name="C", assignee="A")
        await bench.store.save(moved(recorded, State.WAITING), None)
    front = Front(Town(store=bench.store))  # type: ignore[arg-type]
    queries = [
        {},
        {"state": "waiting"},
        {"cause": "unknown"},
        {"provider": "P"},
        {"customer": "C"},
        {"assignee": "A"},
        {"opened_before": "2027-01-01T00:00:00Z"},
        {"opened_after": "2026-01-01T00:00:00Z"},
        {"state": "waiting", "cause": "unknown"},
    ]
    cursors = [(await front.ask("ListCases", query={**each, "limit": "1"})).json["next_cursor"] for each in queries]
    for n, query in enumerate(queries):
        for m, cursor in enumerate(cursors):
            answer = await front.ask("ListCases", query={**query, "cursor": cursor})
            if n == m:
                assert len(answer.json["cases"]) == 2
            else:
                answer.problem(400, "cursor")


@pytest.mark.azurite
@pytest.mark.parametrize("request_", ["query caseindex", "get cases"])
@pytest.mark.parametrize("when", ["before", "after"])
class TestWithinAPage:
    """What is wanted all the time is shown once, whatever it does between two requests of one page."""

    async def test_an_open_case_that_moves_from_any_state_to_any_other(
        self, real: AzuriteBench, when: str, request_: str
    ) -> None:
        for number, (here, there) in enumerate(itertools.permutations(OPEN_STATES, 2), start=1):
            stored = await real.store.save(opened(number, on=NOW + number * MINUTE, state=here), None)
            once(real, when, request_, moved(stored.case, there), stored.version)
            page = await real.store.list_cases(CaseFilter(open_only=True, opened_after=stored.case.opened_on), 9, None)
            assert [case.id for case in page.cases] == [stored.case.id], f"{here} to {there}"
            assert page.cases[0].state in (here, there)

    async def test_a_case_whose_other_labels_change(self, real: AzuriteBench, when: str, request_: str) -> None:
        stored = await real.store.save(moved(opened(cause="unknown"), State.NEEDS_PERSON), None)
        after = moved(stored.case, State.NEEDS_PERSON, assignee="Ann", customer_name="C")
        once(real, when, request_, after, stored.version)
        wanted = CaseFilter(state=State.NEEDS_PERSON, cause="unknown")
        assert [case.id for case in (await real.store.list_cases(wanted, 9, None)).cases] == [stored.case.id]

    async def test_a_case_that_is_closed_in_a_list_of_all(self, real: AzuriteBench, when: str, request_: str) -> None:
        stored = await real.store.save(moved(opened(), State.NEEDS_PERSON), None)
        once(real, when, request_, resolved(stored.case), stored.version)
        page = await real.store.list_cases(CaseFilter(), 9, None)
        assert [case.id for case in page.cases] == [stored.case.id]

    async def test_a_case_that_leaves_is_not_shown_as_what_it_is_not(
        self, real: AzuriteBench, when: str, request_: str
    ) -> None:
        stored = await real.store.save(moved(opened(), State.NEEDS_PERSON), None)
        once(real, when, request_, moved(stored.case, State.WAITING), stored.version)
        page = await real.store.list_cases(CaseFilter(state=State.NEEDS_PERSON), 9, None)
        assert {case.state for case in page.cases} <= {State.NEEDS_PERSON}

    async def test_a_case_that_moves_while_ages_are_counted(self, real: AzuriteBench, when: str, request_: str) -> None:
        for number, (here, there) in enumerate(itertools.permutations(OPEN_STATES, 2), start=1):
            stored = await real.store.save(opened(number, state=here), None)
            once(real, when, request_, moved(stored.case, there), stored.version)
            assert len(await real.store.aging()) == number, f"{here} to {there}"
