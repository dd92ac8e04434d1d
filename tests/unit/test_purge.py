"""History that was kept long enough goes, night by night, and a subscription's next case goes on counting.

Input: a town of fakes and much time. Output: what is left. Not faked: the workflow and the domain.
"""

from datetime import timedelta

import pytest

from shared.domain.case import State
from shared.errors import Unreachable
from shared.workflow import purge as purging
from shared.workflow.purge import purge
from tests.builders import DAY, STUCK, SUBSCRIPTION, change
from tests.workflow_kit import Town

pytestmark = pytest.mark.anyio


@pytest.fixture
def town() -> Town:
    return Town()


async def freed(town: Town, change_id: str = STUCK) -> None:
    """A change that is stuck, retriggered, provisioned, and whose case is resolved."""
    await town.sweep()
    town.work365.provision(change_id)
    for _ in range(3):
        await town.pass_time(timedelta(hours=1))
    assert await town.state() is State.RESOLVED


async def test_a_case_is_kept_for_as_long_as_the_policy_says(town: Town) -> None:
    town.limits = {"history_kept": 30 * DAY}
    town.stuck()
    await freed(town)
    town.clock.advance(30 * DAY - timedelta(hours=3))
    assert await purge(town.ctx) == 0
    town.clock.advance(timedelta(hours=4))
    assert await purge(town.ctx) == 1
    assert await town.store.load_case(SUBSCRIPTION, 1) is None
    assert await town.store.timeline(SUBSCRIPTION, 1) == ()


async def test_the_next_case_counts_on_and_knows_of_the_fix_before(town: Town) -> None:
    town.stuck()
    await freed(town)
    fixed_on = (await town.case()).attempts[-1].on
    town.clock.advance(401 * DAY)
    assert await purge(town.ctx) == 1
    another = "22222222-0000-0000-0000-000000000009"
    now = town.clock.now()
    town.work365.held[SUBSCRIPTION].changes[another] = change(
        another, created_on=now - DAY, modified_on=now - DAY, effective_date=now.date() - DAY
    )
    await town.sweep()
    case = await town.case()
    assert (case.number, case.fixed_before) == (2, (fixed_on,))
    assert case.open


async def test_open_cases_stay_however_old_they_are(town: Town) -> None:
    town.stuck(change(quantity=None))
    await town.sweep()
    town.clock.advance(5_000 * DAY)
    assert await purge(town.ctx) == 0
    assert (await town.case()).open


async def test_one_night_does_so_much_and_the_next_goes_on(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "MOST_CASES", 2)
    monkeypatch.setattr(purging, "_PORTION", 1)
    ids = town.many(5)
    await town.sweep()
    for n in range(5):
        town.work365.provision(f"22222222-0000-0000-0000-{n:012d}")
    for _ in range(3):
        await town.pass_time(timedelta(hours=1))
    assert {await town.state(i) for i in ids} == {State.RESOLVED}
    town.clock.advance(401 * DAY)
    assert [await purge(town.ctx) for _ in range(4)] == [2, 2, 1, 0]


async def test_under_an_invalid_policy_nothing_goes(town: Town) -> None:
    town.stuck()
    await freed(town)
    town.clock.advance(401 * DAY)
    town.limits = {"problems": ("history_kept_days should be 30 or more",)}
    assert await purge(town.ctx) == 0
    assert await town.state() is State.RESOLVED


async def test_storage_that_fails_is_said_and_the_next_night_makes_up_for_it(town: Town) -> None:
    town.stuck()
    await freed(town)
    town.clock.advance(401 * DAY)
    town.store.unavailable = Unreachable("storage", "no network")
    with pytest.raises(Unreachable):
        await purge(town.ctx)
    town.store.unavailable = None
    assert await purge(town.ctx) == 1
