"""The shipped worlds from end to end in one process: every subscription ends as its world says, nobody is harmed.

Not faked: the app's rules, workflow and adapters, the local Dataverse, Partner Center, Work 365 and people.
"""

import pytest

from local.demo.command import DEFAULT_WORLDS
from local.worlds import find_world, read_world, shipped_worlds
from shared.domain.causes import CAUSES
from tests.contract.world_kit import WorldTown

pytestmark = pytest.mark.anyio

_SECONDS = 90


@pytest.mark.parametrize("name", shipped_worlds())
async def test_a_world_ends_as_it_says(name: str) -> None:
    town = WorldTown(world=read_world(find_world(name)))
    await town.live(_SECONDS)
    assert [verdict.text for verdict in town.verdicts() if not verdict.as_expected] == []
    assert town.harm() == []


async def test_nothing_moves_any_more_once_it_ended() -> None:
    town = WorldTown(world=read_world(find_world("every-cause")))
    await town.live(_SECONDS)
    orders, writes = len(town.environment.provider.orders), len(town.environment.traffic.writes)
    before = town.verdicts()
    for _ in range(3):
        await town.live(5)
    assert len(town.environment.provider.orders) == orders
    assert len(town.environment.traffic.writes) == writes
    assert town.verdicts() == before


def test_the_demo_shows_every_cause() -> None:
    worlds = [read_world(find_world(name)) for name in DEFAULT_WORLDS]
    shown = {group.expect.cause for world in worlds for group in world.subscriptions}
    assert shown - {None} == set(CAUSES)
