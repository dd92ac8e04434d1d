"""How far orders are, and to whom this partner sells: what the local Partner Center shows of both, on real HTTP.

Input: what was bought from the local provider, and its clock. Output: answers as JSON.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from local.partner_center.errors import ProviderRefusal
from local.partner_center.fulfilment import last_refresh
from local.partner_center.model import ProviderSubscription, RefundableBatch
from local.partner_center.provider import PARTNER_ID, Provider
from local.partner_center.traffic import Fault, FaultKind
from local.partner_center.web_api import AUDIENCE, PartnerCenter, create_app
from tests.contract.local_live_server import live

NOW = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TENANT = "11111111-1111-4111-8111-111111111111"
ADVISED = "22222222-2222-4222-8222-222222222222"
BASE = "00000001-0000-4000-8000-000000000000"
CUSTOMER = f"/v1/customers/{TENANT}"
STATUS = f"{CUSTOMER}/subscriptions/{BASE}/provisioningstatus"

type Ask = Callable[[str], Awaitable[httpx.Response]]


class Place:
    """A Partner Center with a customer of twelve seats, bought long ago with the order `abc`."""

    def __init__(self) -> None:
        self.now = NOW
        self.provider = Provider(lambda: self.now)
        self.provider.add_customer(TENANT, "Contoso")
        self.provider.add_customer(ADVISED, "Fabrikam", relationship="advisor")
        self.base = ProviderSubscription(
            BASE,
            TENANT,
            "CFQ7TTC0LH18:0001",
            12,
            NOW - 40 * DAY,
            commitment_end=NOW + DAY,
            order_id="abc",
        )
        self.provider.add_subscription(self.base)
        self.center = PartnerCenter(self.provider, lambda: self.now, lambda _: AUDIENCE, app_and_user=True)

    def visit(self, story: Callable[[Ask], Awaitable[None]]) -> None:
        """Tells a story to the API on a real port."""

        async def run() -> None:
            async with live(create_app(self.center)) as url, httpx.AsyncClient(base_url=url) as client:
                await story(lambda path: client.get(path, headers={"Authorization": "Bearer x"}))

        asyncio.run(run())

    def get(self, path: str) -> httpx.Response:
        found: list[httpx.Response] = []

        async def story(ask: Ask) -> None:
            found.append(await ask(path))

        self.visit(story)
        return found[0]


@pytest.fixture
def place() -> Place:
    return Place()


def code(response: httpx.Response) -> tuple[int, Any]:
    return response.status_code, response.json()["code"]


def test_provisioning_status(place: Place) -> None:
    assert place.get(STATUS).json() == {
        "skuId": "0001",
        "status": "success",
        "quantity": 12,
        "endDate": "2026-11-21T12:05:00.0000000Z",
        "attributes": {"objectType": "SubscriptionProvisioningStatus"},
    }


def test_provisioning_status_is_refused_to_an_app_alone(place: Place) -> None:
    place.center.app_and_user = False
    assert code(place.get(STATUS)) == (403, "900329")
    assert place.get(f"{CUSTOMER}/orders/abc").status_code == 200


@pytest.mark.parametrize(("minute", "refreshed"), [(0, 0), (5, 0), (14, 0), (15, 15), (44, 30), (59, 45)])
def test_provisioning_is_looked_up_at_each_full_quarter(minute: int, refreshed: int) -> None:
    assert last_refresh(NOW.replace(minute=minute, second=7)) == NOW.replace(minute=refreshed)


def test_provisioning_status_lags_behind_what_was_bought(place: Place) -> None:
    async def story(ask: Ask) -> None:
        async def seats() -> int:
            return int((await ask(STATUS)).json()["quantity"])

        place.provider.change_quantity("CSP", TENANT, BASE, 3, "a")
        place.now += 2 * MINUTE
        place.provider.change_quantity("CSP", TENANT, BASE, 4, "b")
        assert await seats() == 12
        place.now = NOW + 9 * MINUTE
        assert await seats() == 12
        place.now = NOW + 10 * MINUTE
        assert await seats() == 19

    place.visit(story)


def test_between_two_refreshes_only_what_was_before_shows(place: Place) -> None:
    place.provider.change_quantity("CSP", TENANT, BASE, 3, "a")
    place.now = NOW + 12 * MINUTE
    place.provider.change_quantity("CSP", TENANT, BASE, 4, "b")
    assert place.get(STATUS).json()["quantity"] == 15


def test_an_order_that_takes_its_time(place: Place) -> None:
    place.provider.fulfilment = 20 * MINUTE

    async def story(ask: Ask) -> None:
        async def both() -> tuple[str, str]:
            order, status = await ask(f"{CUSTOMER}/orders/abc"), await ask(STATUS)
            return order.json()["status"], status.json()["status"]

        assert await both() == ("completed", "success")
        place.provider.change_quantity("CSP", TENANT, BASE, 3, "a")
        assert await both() == ("pending", "success")
        place.now = NOW + 10 * MINUTE
        assert await both() == ("pending", "pending")
        place.now = NOW + 20 * MINUTE
        assert await both() == ("completed", "pending")
        place.now = NOW + 25 * MINUTE
        assert await both() == ("completed", "success")

    place.visit(story)


def test_what_was_bought_just_now(place: Place) -> None:
    place.center.order_delay = 15 * MINUTE
    bought = place.provider.create_subscription("CSP", TENANT, "P:1", 4, "change")

    async def story(ask: Ask) -> None:
        order, status = (
            f"{CUSTOMER}/orders/{bought.order_id}",
            f"{CUSTOMER}/subscriptions/{bought.id}/provisioningstatus",
        )
        assert code(await ask(order)) == (404, 20000)
        assert [(await ask(status)).json()[name] for name in ("status", "quantity")] == ["pending", 0]
        place.now += 15 * MINUTE
        assert (await ask(order)).json()["status"] == "completed"
        assert [(await ask(status)).json()[name] for name in ("status", "quantity")] == ["success", 4]

    place.visit(story)


def test_the_fields_of_an_order(place: Place) -> None:
    body = place.get(f"{CUSTOMER}/orders/ABC").json()
    assert (body["id"], body["referenceCustomerId"], body["status"]) == ("abc", TENANT, "completed")
    [line] = body["lineItems"]
    assert (line["lineItemNumber"], line["subscriptionId"], line["quantity"]) == (0, BASE, 12)
    assert body["attributes"] == {"objectType": "Order"}


def test_a_world_says_how_it_ended(place: Place) -> None:
    place.base.provisioning, place.base.order_status = "failed", "cancelled"
    assert place.get(STATUS).json()["status"] == "failed"
    assert place.get(f"{CUSTOMER}/orders/abc").json()["status"] == "cancelled"


def test_every_subscription_has_an_order(place: Place) -> None:
    other = ProviderSubscription("other", TENANT, "P:1", 1, NOW)
    place.provider.add_subscription(other)
    again = ProviderSubscription("other", TENANT, "P:1", 1, NOW)
    place.provider.add_subscription(again)
    assert other.order_id == again.order_id
    assert other.order_id not in (None, "abc")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{CUSTOMER}/orders/none", (404, 20000)),
        (f"{CUSTOMER}/subscriptions/{TENANT}/provisioningstatus", (404, 20003)),
        (f"/v1/customers/{BASE}/orders/abc", (404, 60003)),
        (f"/v1/customers/{BASE}/subscriptions/{BASE}/provisioningstatus", (404, 60003)),
        (f"/v1/customers/{ADVISED}/subscriptions", (403, 20002)),
        (f"/v1/customers/{ADVISED}/orders/abc", (403, 20002)),
    ],
)
def test_what_is_not_there_and_who_is_no_customer(place: Place, path: str, expected: tuple[int, Any]) -> None:
    assert code(place.get(path)) == expected


def test_a_customer_that_is_only_advised_is_shown_and_cannot_buy(place: Place) -> None:
    body = place.get(f"/v1/customers/{ADVISED}").json()
    assert (body["relationshipToPartner"], body["allowDelegatedAccess"]) == ("advisor", False)
    assert place.get(CUSTOMER).json()["relationshipToPartner"] == "reseller"
    with pytest.raises(ProviderRefusal, match=f"{PARTNER_ID}.*{ADVISED}.*20002"):
        place.provider.create_subscription("CSP", ADVISED, "P:1", 1, "change")
    assert place.provider.orders == []


def test_what_a_world_says_of_a_subscription(place: Place) -> None:
    place.base.status, place.base.suspension_reasons = "suspended", ("CustomerInitiated", "PartnerInitiated")
    place.base.actions, place.base.cancellation_until = ("cancel",), NOW + DAY
    place.base.refundable = [RefundableBatch(2, NOW + 2 * DAY)]
    body = place.get(f"{CUSTOMER}/subscriptions/{BASE}").json()
    assert body["suspensionReasons"] == ["CustomerInitiated", "PartnerInitiated"]
    assert (body["actions"], body["refundableQuantity"]["totalQuantity"]) == (["cancel"], 2)
    assert body["cancellationAllowedUntilDate"] == "2026-11-21T12:05:00.0000000Z"


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [("forbidden", 403, "900308"), ("empty", 200, "{}"), ("nonsense", 200, "9999-12-31")],
)
@pytest.mark.parametrize("path", [CUSTOMER, STATUS, f"{CUSTOMER}/orders/abc"])
def test_faults_strike_each_resource(place: Place, kind: FaultKind, status: int, text: str, path: str) -> None:
    place.center.traffic.faults.append(Fault(kind, times=1))
    response = place.get(path)
    assert (response.status_code, text in response.text) == (status, True)
    assert place.get(path).status_code == 200
