"""How open cases stand, on the real case store and on the fake, and what asking costs."""

import pytest

from shared.domain.case import FINAL, State
from tests.contract.case_bench import AzuriteBench, Bench
from tests.contract.case_kit import MINUTE, NOW, moved, opened, resolved

pytestmark = pytest.mark.anyio
OPEN_STATES = len(State) - len(FINAL)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_an_empty_store_has_none(bench: Bench) -> None:
    assert list(await bench.store.standings(10)) == []


async def test_open_cases_with_state_cause_and_since_when(bench: Bench) -> None:
    bench.clock.time = NOW
    waiting = await bench.store.save(
        moved(opened(1, on=NOW - 9 * MINUTE), State.WAITING, due_on=NOW, cause="manual_provider"), None
    )
    done = await bench.store.save(moved(opened(2), State.WAITING, due_on=NOW), None)
    await bench.store.save(resolved(done.case), done.version)
    [standing] = await bench.store.standings(10)
    assert (standing.state, standing.cause) == (State.WAITING, "manual_provider")
    assert standing.opened_on == waiting.case.opened_on


async def test_at_most_so_many_of_each_state_the_oldest(bench: Bench) -> None:
    for n in range(1, 5):
        await bench.store.save(moved(opened(n, on=NOW + n * MINUTE), State.WAITING, due_on=NOW), None)
        await bench.store.save(moved(opened(10 + n, on=NOW + n * MINUTE), State.READY, due_on=NOW), None)
    found = await bench.store.standings(2)
    assert sorted((s.state, s.opened_on) for s in found) == sorted(
        (state, NOW + n * MINUTE) for state in (State.WAITING, State.READY) for n in (1, 2)
    )


async def test_since_when_is_told_by_the_newest_state(real: AzuriteBench) -> None:
    real.clock.time = NOW
    stored = await real.store.save(moved(opened(), State.READY, due_on=NOW), None)
    real.clock.advance(5 * MINUTE)
    stored = await real.store.save(moved(stored.case, State.READY, due_on=NOW + MINUTE), stored.version)
    [standing] = await real.store.standings(10)
    assert standing.since == NOW, "a case that is only looked at again stands where it stood"
    real.clock.advance(5 * MINUTE)
    await real.store.save(moved(stored.case, State.WAITING, due_on=NOW + MINUTE), stored.version)
    [standing] = await real.store.standings(10)
    assert (standing.state, standing.since) == (State.WAITING, NOW + 10 * MINUTE)


async def test_a_stale_row_is_not_taken_for_the_case_that_has_stood_longest(real: AzuriteBench) -> None:
    real.clock.time = NOW
    stored = await real.store.save(moved(opened(), State.READY, due_on=NOW), None)
    [(partition, row)] = [each for each in await real.rows("caseindex") if each[0] == "state|ready"]
    await real.store.save(moved(stored.case, State.WAITING, due_on=NOW + MINUTE), stored.version)
    await real.put("caseindex", partition, row, written_on="2020-01-01T00:00:00.000000Z")
    found = await real.store.standings(10)
    assert [s.state for s in found] == [State.WAITING]
    assert (partition, row) not in await real.rows("caseindex"), "it is dropped on the way"


async def test_what_it_costs(real: AzuriteBench) -> None:
    for n in range(1, 31):
        state = State.WAITING if n % 2 else State.NEEDS_PERSON
        await real.store.save(moved(opened(n, on=NOW + n * MINUTE), state, due_on=NOW), None)
    real.points.requests.clear()
    assert len(await real.store.standings(5_000)) == 30
    assert real.points.requests.count("query caseindex") == OPEN_STATES
    assert real.points.requests.count("get cases") == 2, "the oldest of each state that has any is looked at"
    assert len(real.points.requests) == OPEN_STATES + 2
