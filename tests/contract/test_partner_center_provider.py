"""The port Provider over the real client, on real HTTP, against the local Partner Center.

Input: what the local provider has and how its Partner Center answers. Output: readings and details, and the requests
that the local Partner Center counted. Not faked: the adapter, its client, and HTTP down to the socket.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from local.partner_center import model
from local.partner_center.errors import Refusal
from local.partner_center.model import NextTerm, RefundableBatch
from local.partner_center.provider import Provider
from local.partner_center.traffic import Fault, FaultKind
from local.partner_center.web_api import AUDIENCE, create_app
from local.partner_center.web_api import PartnerCenter as LocalPartnerCenter
from shared.adapters.partner_center.client import Limits, PartnerCenter
from shared.adapters.partner_center.provider import NoProvider, PartnerCenterProvider
from shared.adapters.web.transport import HttpTransport
from shared.domain.evidence import ProviderReading, ProviderSubscription, SeatBatch
from tests.contract.local_live_server import live
from tests.contract.web_kit import Tokens, VirtualTime
from tests.fakes.clock import ManualClock

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TENANT = "11111111-1111-4111-8111-111111111111"
OTHER = "44444444-4444-4444-8444-444444444444"
NOBODY = "55555555-5555-4555-8555-555555555555"
ONE = "22222222-2222-4222-8222-222222222222"
TWO = "33333333-3333-4333-8333-333333333333"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Place:
    """The local Partner Center on a port, and the adapter that reads it."""

    clock: ManualClock
    sold: Provider
    local: LocalPartnerCenter
    time: VirtualTime
    port: PartnerCenterProvider

    async def read(self, tenant_id: str = TENANT) -> ProviderReading:
        return (await self.port.read([tenant_id]))[tenant_id]

    @property
    def paths(self) -> list[str]:
        """What was asked, without what all paths begin with."""
        return [r.path.removeprefix("/v1/customers/").partition("/")[2] for r in self.local.traffic.requests]


@asynccontextmanager
async def place(limits: Limits | None = None) -> AsyncIterator[Place]:
    clock = ManualClock(NOW)
    sold = Provider(clock.now)
    sold.add_customer(TENANT, "Contoso")
    sold.add_subscription(
        model.ProviderSubscription(
            ONE,
            TENANT,
            "CFQ7TTC0LH18:0001",
            12,
            NOW - 40 * DAY,
            commitment_end=NOW + 325 * DAY,
            scheduled_next_term=NextTerm("CFQ7TTC0LH18", "0001", 9),
            refundable=[RefundableBatch(2, NOW + 3 * DAY), RefundableBatch(1, NOW + DAY)],
            order_id="order-1",
        )
    )
    local = LocalPartnerCenter(sold, clock.now, lambda _: AUDIENCE)
    time = VirtualTime()
    async with live(create_app(local)) as url, httpx.AsyncHTTPTransport() as sockets:
        center = PartnerCenter(
            url,
            tokens=Tokens(),
            transport=HttpTransport(sockets),
            product="unstuck/0.1",
            timing=time.timing(),
            limits=limits,
        )
        yield Place(clock, sold, local, time, PartnerCenterProvider(center, clock))


async def test_everything_that_a_rule_may_look_at_arrives() -> None:
    async with place() as it:
        it.sold.add_subscription(
            model.ProviderSubscription(
                TWO,
                TENANT,
                "P:2",
                5,
                NOW - DAY,
                status="suspended",
                parent_subscription_id=ONE,
                auto_renew=False,
                cancellation_until=NOW + 6 * DAY,
                suspension_reasons=("CustomerInitiated",),
            )
        )
        reading = await it.read()
        one, two = reading.subscriptions
        assert (reading.relationship, reading.problem, reading.read_on) == (True, None, NOW)
        assert (one.quantity, one.status, one.product) == (12, "active", "CFQ7TTC0LH18:0001")
        assert one.refundable == (SeatBatch(1, NOW + DAY), SeatBatch(2, NOW + 3 * DAY))
        assert (one.refundable_total, one.cancellation_until) == (3, None)
        assert (one.has_next_term_instructions, one.next_term_quantity) == (True, 9)
        assert (one.commitment_end, one.auto_renew, one.order_id) == (NOW + 325 * DAY, True, "order-1")
        assert (one.actions, one.suspension_reasons, one.parent_id) == (frozenset({"edit", "cancel"}), (), None)
        assert (two.parent_id, two.auto_renew, two.actions) == (ONE, False, frozenset())
        assert (two.cancellation_until, two.suspension_reasons) == (NOW + 6 * DAY, ("CustomerInitiated",))
        assert (two.refundable, two.refundable_total) == ((), 0)
        assert it.paths == ["subscriptions"]


async def test_the_same_tenant_is_asked_once() -> None:
    async with place() as it:
        letters = "abcdefab-1111-4111-8111-111111111111"
        it.sold.add_customer(letters, "Letters")
        found = await it.port.read([letters, letters.upper(), letters])
        assert sorted(found) == [letters.upper(), letters]
        assert it.paths == ["subscriptions"]


@pytest.mark.parametrize(
    ("relationship", "means", "said"),
    [("none", False, "is none"), ("advisor", None, "is advisor"), ("unknown", None, "is unknown")],
)
async def test_a_customer_to_whom_we_do_not_sell(relationship: Any, means: bool | None, said: str) -> None:
    async with place() as it:
        it.sold.add_customer(OTHER, "Fabrikam", relationship=relationship)
        reading = await it.read(OTHER)
        assert (reading.readable, reading.relationship, reading.transient) == (False, means, False)
        assert "code 20002" in (reading.problem or "")
        assert said in (reading.problem or "")
        assert it.paths == ["subscriptions", ""]


async def test_a_tenant_that_partner_center_does_not_know() -> None:
    async with place() as it:
        reading = await it.read(NOBODY)
        assert (reading.readable, reading.relationship, reading.transient) == (False, False, False)
        assert "60003" in (reading.problem or "")
        assert it.paths == ["subscriptions", ""]


async def test_a_refusal_that_concerns_us_and_not_the_customer() -> None:
    async with place() as it:
        it.local.traffic.faults.append(Fault("forbidden", path="/subscriptions"))
        reading = await it.read()
        assert (reading.readable, reading.relationship) == (False, True)
        it.local.traffic.faults.append(Fault("forbidden"))
        reading = await it.read()
        assert (reading.readable, reading.relationship) == (False, None)
        assert "900308" in (reading.problem or "")


async def test_a_tenant_with_which_there_is_no_commerce_at_all() -> None:
    async with place() as it:
        it.sold.rules.append(Refusal.known("20002", "us", TENANT, reads=True))
        assert (await it.read()).relationship is False


async def test_a_confirmation_that_does_not_come_is_asked_for_again_later() -> None:
    async with place() as it:
        it.local.traffic.faults += [Fault("forbidden", path="/subscriptions"), Fault("unavailable")]
        reading = await it.read()
        assert (reading.readable, reading.relationship, reading.transient) == (False, None, True)


@pytest.mark.parametrize("kind", ["throttled", "server_error", "unavailable", "html", "not_json", "empty", "hang_up"])
async def test_what_passes_is_not_confirmed_by_further_requests(kind: FaultKind) -> None:
    async with place() as it:
        it.local.traffic.faults.append(Fault(kind))
        reading = await it.read()
        assert (reading.readable, reading.relationship, reading.transient) == (False, None, True)
        assert set(it.paths) == {"subscriptions"}


async def test_nonsense_is_not_known() -> None:
    async with place() as it:
        it.local.traffic.faults.append(Fault("nonsense"))
        [one] = (await it.read()).subscriptions
        assert one == ProviderSubscription(id="")
        it.local.traffic.faults[:] = [Fault("forbidden", path="/subscriptions"), Fault("nonsense")]
        assert (await it.read()).relationship is None


async def test_an_app_alone_is_told_of_the_order_only_and_asks_no_second_time() -> None:
    async with place() as it:
        it.sold.add_subscription(model.ProviderSubscription(TWO, TENANT, "P:2", 5, NOW - DAY))
        await it.read()
        details = await it.port.details([(TENANT, ONE), (TENANT, TWO)])
        for each in details.values():
            assert (each.provisioning, each.provisioned_quantity, each.order_status) == (None, None, "completed")
            assert "900329" in (each.problem or "")
        asked = [path for path in it.paths if path.endswith("provisioningstatus")]
        assert asked == [f"subscriptions/{ONE}/provisioningstatus"]
        assert len(it.paths) == 4, "the list, one provisioning status and two orders"
        it.clock.advance(timedelta(minutes=61))
        it.local.app_and_user = True
        assert (await it.port.details([(TENANT, ONE)]))[ONE].provisioning == "success"


async def test_provisioning_is_looked_up_every_quarter_of_an_hour() -> None:
    async with place() as it:
        it.local.app_and_user = True
        it.sold.change_quantity("CSP", TENANT, ONE, 3, "change")
        assert (await it.read()).subscriptions[0].quantity == 15
        before = (await it.port.details([(TENANT, ONE)]))[ONE]
        assert (before.provisioning, before.provisioned_quantity, before.problem) == ("success", 12, None)
        it.clock.advance(10 * MINUTE)
        assert (await it.port.details([(TENANT, ONE)]))[ONE].provisioned_quantity == 15


async def test_an_order_under_way_and_one_that_failed() -> None:
    async with place() as it:
        it.local.app_and_user = True
        it.sold.fulfilment = 30 * MINUTE
        it.sold.change_quantity("CSP", TENANT, ONE, 3, "change")
        it.clock.advance(10 * MINUTE)
        pending = (await it.port.details([(TENANT, ONE)]))[ONE]
        assert (pending.provisioning, pending.provisioned_quantity, pending.order_status) == ("pending", 12, "pending")
        shown = it.sold.subscription(TENANT, ONE)
        assert shown is not None
        shown.provisioning, shown.order_status = "failed", "cancelled"
        failed = (await it.port.details([(TENANT, ONE)]))[ONE]
        assert (failed.provisioning, failed.order_status) == ("failed", "cancelled")


async def test_a_new_order_takes_a_while_to_show() -> None:
    async with place() as it:
        it.local.app_and_user, it.local.order_delay = True, 15 * MINUTE
        bought = it.sold.create_subscription("CSP", TENANT, "P:9", 4, "change")
        details = (await it.port.details([(TENANT, bought.id)]))[bought.id]
        assert (details.order_status, details.provisioning) == (None, "pending")
        assert "may take 15 minutes to show" in (details.problem or "")
        assert "code 20000" in (details.problem or "")
        it.clock.advance(15 * MINUTE)
        details = (await it.port.details([(TENANT, bought.id)]))[bought.id]
        assert (details.order_status, details.provisioning, details.problem) == ("completed", "success", None)


KINDS: list[FaultKind] = [
    "throttled",
    "server_error",
    "forbidden",
    "html",
    "not_json",
    "empty",
    "nonsense",
    "hang_up",
]


@pytest.mark.parametrize("kind", KINDS)
async def test_details_that_cannot_be_read_are_a_problem_and_no_error(kind: FaultKind) -> None:
    async with place() as it:
        it.local.app_and_user = True
        it.local.traffic.faults.append(Fault(kind))
        details = (await it.port.details([(TENANT, ONE)]))[ONE]
        assert (details.provisioning, details.provisioned_quantity, details.order_status) == (None, None, None)
        assert details.problem


async def test_details_of_what_is_not_there() -> None:
    async with place() as it:
        it.local.app_and_user = True
        wanted = [(TENANT, TWO), (NOBODY, ONE), ("x", "y"), (TENANT, "../orders")]
        found = await it.port.details(wanted)
        assert "20003" in (found[TWO].problem or "")
        assert "60003" in (found[ONE].problem or "")
        assert "not GUIDs" in (found["y"].problem or "")
        assert "not GUIDs" in (found["../orders"].problem or "")
        assert not any(".." in path for path in it.paths)
        assert await it.port.details([]) == {}


async def test_an_order_id_that_could_lead_elsewhere_is_not_followed() -> None:
    async with place() as it:
        it.local.app_and_user = True
        shown = it.sold.subscription(TENANT, ONE)
        assert shown is not None
        shown.order_id = "../../customers"
        details = (await it.port.details([(TENANT, ONE)]))[ONE]
        assert (details.provisioning, details.order_status) == ("success", None)
        assert "not an order's id" in (details.problem or "")


async def test_readings_confirmations_and_details_share_one_rate() -> None:
    async with place(Limits(per_minute=5)) as it:
        it.local.app_and_user = True
        begun = it.time.seconds
        await it.port.read([TENANT, NOBODY])
        await it.port.details([(TENANT, ONE)])
        assert (len(it.paths), it.time.seconds - begun) == (5, 0)
        await it.read()
        assert it.time.seconds - begun == 60


async def test_without_partner_center_nothing_is_known() -> None:
    port = NoProvider(ManualClock(NOW))
    reading = (await port.read([TENANT]))[TENANT]
    details = (await port.details([(TENANT, ONE)]))[ONE]
    assert (reading.readable, reading.relationship, reading.transient) == (False, None, False)
    assert (details.provisioning, details.order_status) == (None, None)
    assert "PARTNER_CENTER_URL" in (details.problem or "")
