"""What every Provider keeps to: the fake that workflow tests use, and the adapter on the local Partner Center.

Input: the same customers and subscriptions in both. Output: what the port answers, which must not differ.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import httpx
import pytest

from local.partner_center import model
from local.partner_center import provider as local_provider
from local.partner_center.traffic import Fault
from local.partner_center.web_api import AUDIENCE, create_app
from local.partner_center.web_api import PartnerCenter as LocalPartnerCenter
from shared.adapters.partner_center.client import PartnerCenter
from shared.adapters.partner_center.provider import PartnerCenterProvider
from shared.adapters.web.transport import HttpTransport
from shared.domain.evidence import ProviderSubscription
from shared.ports import Provider
from tests.contract.local_live_server import live
from tests.contract.web_kit import Tokens, VirtualTime
from tests.fakes.clock import ManualClock
from tests.fakes.provider import FakeProvider

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BOUGHT = NOW - timedelta(days=300)
TENANT, NOBODY = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
ONE, TWO = "33333333-3333-4333-8333-333333333333", "44444444-4444-4444-8444-444444444444"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Bench(Protocol):
    """A provider, and a hand on what it has."""

    @property
    def port(self) -> Provider: ...

    def hold(self, id: str, quantity: int) -> None: ...

    def break_down(self) -> None: ...


@dataclass
class FakeBench:
    port: FakeProvider = field(default_factory=lambda: FakeProvider(ManualClock(NOW)))

    def hold(self, id: str, quantity: int) -> None:
        self.port.hold(TENANT, ProviderSubscription(id, quantity, "active", "P:1", BOUGHT, False))

    def break_down(self) -> None:
        self.port.problem, self.port.transient = "down", True


@dataclass
class RealBench:
    port: PartnerCenterProvider
    local: LocalPartnerCenter

    def hold(self, id: str, quantity: int) -> None:
        self.local.provider.add_subscription(model.ProviderSubscription(id, TENANT, "P:1", quantity, BOUGHT))

    def break_down(self) -> None:
        self.local.traffic.faults.append(Fault("unavailable"))


@pytest.fixture(params=["fake", "real"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "fake":
        fake = FakeBench()
        fake.port.hold(TENANT)
        yield fake
        return
    sold = local_provider.Provider(lambda: NOW)
    sold.add_customer(TENANT, "Contoso")
    local = LocalPartnerCenter(sold, lambda: NOW, lambda _: AUDIENCE, app_and_user=True)
    async with live(create_app(local)) as url, httpx.AsyncHTTPTransport() as sockets:
        center = PartnerCenter(
            url,
            tokens=Tokens(),
            transport=HttpTransport(sockets),
            product="unstuck/0.1",
            timing=VirtualTime().timing(),
        )
        yield RealBench(PartnerCenterProvider(center, ManualClock(NOW)), local)


async def test_what_a_customer_has(bench: Bench) -> None:
    bench.hold(ONE, 20)
    bench.hold(TWO, 3)
    reading = (await bench.port.read([TENANT]))[TENANT]
    assert (reading.readable, reading.relationship, reading.read_on) == (True, True, NOW)
    seen = [(s.id, s.quantity, s.status, s.product, s.created_on) for s in reading.subscriptions]
    assert seen == [(ONE, 20, "active", "P:1", BOUGHT), (TWO, 3, "active", "P:1", BOUGHT)]
    assert [s.has_next_term_instructions for s in reading.subscriptions] == [False, False]


async def test_a_customer_without_anything_is_one_all_the_same(bench: Bench) -> None:
    reading = (await bench.port.read([TENANT]))[TENANT]
    assert (reading.readable, reading.relationship, reading.subscriptions) == (True, True, ())


async def test_every_tenant_that_is_asked_for_gets_its_own_answer(bench: Bench) -> None:
    readings = await bench.port.read([NOBODY, TENANT])
    assert (readings[TENANT].relationship, readings[NOBODY].relationship) == (True, False)
    assert (readings[NOBODY].readable, readings[NOBODY].transient) == (False, False)
    assert await bench.port.read([]) == {}


async def test_a_provider_that_is_down_gives_a_reading_that_says_so(bench: Bench) -> None:
    bench.hold(ONE, 20)
    bench.break_down()
    reading = (await bench.port.read([TENANT]))[TENANT]
    assert (reading.readable, reading.transient, reading.relationship) == (False, True, None)
    details = (await bench.port.details([(TENANT, ONE)]))[ONE]
    assert (details.provisioning, details.order_status, bool(details.problem)) == (None, None, True)


async def test_what_became_of_the_last_order(bench: Bench) -> None:
    bench.hold(ONE, 20)
    details = await bench.port.details([(TENANT, ONE), (TENANT, TWO)])
    one, two = details[ONE], details[TWO]
    assert (one.provisioning, one.provisioned_quantity, one.order_status) == ("success", 20, "completed")
    assert (one.problem, one.read_on) == (None, NOW)
    assert (two.provisioning, two.order_status, bool(two.problem)) == (None, None, True)
    assert await bench.port.details([]) == {}
