"""Speed, in requests, counted by the local Dataverse: what a sweep, a diagnosis and a retrigger may cost."""

from math import ceil

import pytest

from shared.domain.case import State
from shared.domain.policy import Caps
from shared.workflow.sweep import sweep
from tests.contract.city_kit import City, city

pytestmark = pytest.mark.anyio

SUBSCRIPTIONS = 20_000


@pytest.fixture(params=[1, 100, 1_000])
def stuck(request: pytest.FixtureRequest) -> int:
    return int(request.param)


async def test_requests_for_some_stuck_subscriptions_among_many(stuck: int) -> None:
    with city(limits={"surge": stuck, "caps": Caps(stuck, 5 * stuck, stuck)}) as town:
        town.healthy(SUBSCRIPTIONS - stuck)
        changes = town.stuck_many(stuck)
        await sweep(town.ctx)
        assert town.traffic.requests["sweep"] <= ceil(stuck / 5_000) + 1
        await _drain_counting(town, stuck)
        assert town.statuses(changes) == {"awaiting_provisioning"}
        await town.cycles(5)
        assert town.statuses(changes) == {"provisioned"}
        states = {case.state for case in town.store.history if case.number == 1}
        assert State.RESOLVED in states
        assert town.engine.harm == []


async def _drain_counting(town: City, stuck: int) -> None:
    """Diagnosis and retrigger by the queues, with what each may cost when nobody interferes."""
    messages, groups = ceil(stuck / 500), ceil(stuck / 100)
    await town.drain()
    evidence, writes = 2, 2
    assert town.traffic.requests["diagnose"] <= evidence * messages
    assert town.traffic.requests["remediate"] <= groups * (writes + 2 * evidence), "evidence is read before each write"
    assert town.traffic.requests["other"] == 0
    assert len(town.traffic.writes) == 2 * stuck
