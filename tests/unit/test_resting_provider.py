"""A provider that keeps failing is not asked; one read of one customer finds out whether it is back (P19)."""

from datetime import timedelta

import pytest

from shared.adapters.resting_provider import RESTS, RestingProvider
from shared.adapters.tables.breakers import TableBreakers
from shared.domain.evidence import ProviderSubscription
from shared.domain.policy import BreakerLimits
from shared.errors import Unreachable
from tests.builders import AT_PROVIDER
from tests.fakes.clock import ManualClock
from tests.fakes.provider import FakeProvider
from tests.fakes.tables import FakeTables

pytestmark = pytest.mark.anyio

TENANTS = ["t1", "t2", "t3"]
QUARTER = timedelta(minutes=15)


class Site:
    """A provider with three customers, behind a breaker that opens at the second failure."""

    def __init__(self) -> None:
        self.clock, self.tables = ManualClock(), FakeTables()
        self.behind = FakeProvider(self.clock)
        for tenant in TENANTS:
            self.behind.hold(tenant, ProviderSubscription(AT_PROVIDER, 20))
        limits = BreakerLimits(failures=2, open_for=QUARTER)
        self.provider = RestingProvider(self.behind, TableBreakers(self.tables), self.clock, limits)

    async def fail(self, times: int = 2) -> None:
        self.behind.problem, self.behind.transient = "503", True
        for _ in range(times):
            await self.provider.read(TENANTS)


@pytest.fixture
def site() -> Site:
    return Site()


async def test_one_that_answers_is_asked_each_time(site: Site) -> None:
    for _ in range(3):
        assert all(reading.readable for reading in (await site.provider.read(TENANTS)).values())
    assert await site.provider.read([]) == {}
    assert site.behind.reads == [tuple(TENANTS)] * 3


async def test_after_some_failures_nobody_asks(site: Site) -> None:
    await site.fail()
    readings = await site.provider.read(TENANTS)
    assert len(site.behind.reads) == 2
    assert {(r.problem, r.transient) for r in readings.values()} == {(RESTS, True)}


async def test_one_customer_is_the_probe_and_the_others_follow_when_it_answers(site: Site) -> None:
    await site.fail()
    site.clock.advance(QUARTER)
    readings = await site.provider.read(TENANTS)
    assert (site.behind.reads[2:], readings["t1"].problem, readings["t2"].problem) == ([("t1",)], "503", RESTS)
    site.clock.advance(QUARTER)
    site.behind.problem = None
    assert all(reading.readable for reading in (await site.provider.read(TENANTS)).values())
    assert site.behind.reads[3:] == [("t1",), ("t2", "t3")]


async def test_a_customer_that_is_not_ours_is_no_failure(site: Site) -> None:
    for _ in range(9):
        await site.provider.read(["nobody"])
    assert len(site.behind.reads) == 9


async def test_a_breaker_that_cannot_be_read_counts_as_open(site: Site) -> None:
    site.tables.unavailable = Unreachable("storage", "no answer")
    reading = (await site.provider.read(["t1"]))["t1"]
    assert (reading.readable, reading.transient, site.behind.reads) == (False, True, [])
    site.tables.unavailable = None
    site.tables.edit("breakers", "breaker", "microsoft_csp", schema_version=99)
    reading = (await site.provider.read(["t1"]))["t1"]
    assert (reading.readable, reading.transient, site.behind.reads) == (False, False, [])


async def test_what_was_read_counts_though_it_could_not_be_counted(site: Site) -> None:
    def fail(request: str) -> None:
        if request == "transact breakers":
            raise Unreachable("storage", "no answer")

    site.tables.before_request = fail
    assert (await site.provider.read(["t1"]))["t1"].readable


async def test_it_rests_as_the_policy_of_the_day_says(site: Site) -> None:
    await site.fail(1)
    under = site.provider.under(BreakerLimits(failures=1))
    await under.read(["t1"])
    await site.provider.read(["t1"])
    assert len(site.behind.reads) == 2
