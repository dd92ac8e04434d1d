"""Partner Center's REST face over the provider: what it shows, what it refuses, what goes wrong on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from local.partner_center.errors import Refusal
from local.partner_center.model import NextTerm, ProviderSubscription, RefundableBatch
from local.partner_center.provider import Provider
from local.partner_center.traffic import Fault, Throttle
from local.partner_center.web_api import AUDIENCE, PartnerCenter, create_app
from tests.contract.local_live_server import live

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TENANT = "11111111-1111-4111-8111-111111111111"
PAX8_TENANT = "22222222-2222-4222-8222-222222222222"
BASE, ADDON, FOREIGN = (f"{n:08d}-0000-4000-8000-000000000000" for n in (1, 2, 3))
ALL = f"/v1/customers/{TENANT}/subscriptions"
HEADERS = {"Authorization": "Bearer good", "User-Agent": "unstuck/0.1 (diagnose)"}


class Place:
    """A Partner Center with a customer, a base subscription, an add-on, and what another marketplace sold."""

    def __init__(self) -> None:
        self.now = NOW
        self.provider = Provider(lambda: self.now)
        self.provider.add_customer(TENANT, "Contoso")
        self.provider.add_customer(PAX8_TENANT, "Fabrikam", "pax8")
        start = NOW - timedelta(days=40)
        self.base = ProviderSubscription(
            BASE,
            TENANT,
            "CFQ7TTC0LH18:0001",
            12,
            start,
            commitment_end=start + timedelta(days=365),
            scheduled_next_term=NextTerm("CFQ7TTC0LH18", "0001", 8),
            refundable=[RefundableBatch(2, NOW + timedelta(days=3)), RefundableBatch(9, NOW - timedelta(days=1))],
            order_id="abc",
        )
        addon = ProviderSubscription(ADDON, TENANT, "CFQ7TTC0LHSL:0001", 3, NOW, parent_subscription_id=BASE)
        foreign = ProviderSubscription(FOREIGN, TENANT, "X:1", 5, NOW, connector="pax8")
        for subscription in (self.base, addon, foreign):
            self.provider.add_subscription(subscription)
        tokens = {"good": AUDIENCE, "elsewhere": "https://graph.windows.net"}
        self.center = PartnerCenter(self.provider, lambda: self.now, tokens.get)

    def get(self, path: str, **headers: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(create_app(self.center))
            async with httpx.AsyncClient(transport=transport, base_url="http://pc") as client:
                return await client.get(path, headers=HEADERS | headers)

        return asyncio.run(ask())

    def json(self, path: str) -> dict[str, Any]:
        response = self.get(path)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body


@pytest.fixture
def place() -> Place:
    return Place()


def test_a_customers_subscriptions(place: Place) -> None:
    body = place.json(ALL)
    assert (body["totalCount"], body["attributes"]) == (2, {"objectType": "Collection"})
    assert [item["id"] for item in body["items"]] == [BASE, ADDON]
    assert body["links"]["self"]["method"] == "GET"


def test_the_fields_of_a_subscription(place: Place) -> None:
    body = place.json(f"{ALL}/{BASE}")
    expected = {
        "id": BASE,
        "offerId": "CFQ7TTC0LH18:0001",
        "quantity": 12,
        "status": "active",
        "unitType": "Licenses",
        "creationDate": "2026-10-11T12:00:00.0000000Z",
        "effectiveStartDate": "2026-10-11T12:00:00.0000000Z",
        "commitmentEndDate": "2027-10-11T12:00:00.0000000Z",
        "billingCycleEndDate": "2026-12-10T12:00:00.0000000Z",
        "autoRenewEnabled": True,
        "actions": ["edit", "cancel"],
        "orderId": "abc",
        "isTrial": False,
        "refundOptions": [],
        "refundableQuantity": {
            "totalQuantity": 2,
            "details": [{"quantity": 2, "allowedUntilDateTime": "2026-11-23T12:00:00.0000000Z"}],
        },
    }
    assert {key: body[key] for key in expected} == expected
    assert body["scheduledNextTermInstructions"]["quantity"] == 8
    assert body["scheduledNextTermInstructions"]["product"]["skuId"] == "0001"
    assert body["attributes"]["objectType"] == "Subscription"
    assert "parentSubscriptionId" not in body
    assert "cancellationAllowedUntilDate" not in body


def test_an_addon_names_its_parent(place: Place) -> None:
    body = place.json(f"{ALL}/{ADDON.upper()}")
    assert body["parentSubscriptionId"] == BASE
    assert "scheduledNextTermInstructions" not in body


def test_what_was_bought_just_now_can_be_cancelled(place: Place) -> None:
    bought = place.provider.create_subscription("CSP", TENANT, "P:1", 4, "change")
    body = place.json(f"{ALL}/{bought.id}")
    assert body["cancellationAllowedUntilDate"] == "2026-11-27T12:00:00.0000000Z"
    assert body["refundOptions"] == [{"type": "Full", "expiresAt": "2026-11-27T12:00:00.0000000Z"}]


def test_a_change_shows_at_once_and_with_a_new_etag(place: Place) -> None:
    before = place.json(f"{ALL}/{BASE}")
    place.provider.change_quantity("CSP", TENANT, BASE, 3, "change")
    after = place.json(f"{ALL}/{BASE}")
    assert (before["quantity"], after["quantity"]) == (12, 15)
    assert before["attributes"]["etag"] != after["attributes"]["etag"]


def test_by_order(place: Place) -> None:
    assert [item["id"] for item in place.json(f"{ALL}?order_id=abc")["items"]] == [BASE]
    assert place.json(f"{ALL}?order_id=none")["totalCount"] == 0


def test_a_customer(place: Place) -> None:
    body = place.json(f"/v1/customers/{TENANT.upper()}")
    assert (body["id"], body["companyProfile"]["companyName"]) == (TENANT, "Contoso")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/v1/customers/{BASE}", 60003),
        (f"/v1/customers/{BASE}/subscriptions", 60003),
        (f"/v1/customers/{PAX8_TENANT}/subscriptions", 60003),
        (f"{ALL}/{TENANT}", 20003),
        (f"{ALL}/{FOREIGN}", 20003),
    ],
)
def test_what_is_not_there(place: Place, path: str, code: int) -> None:
    response = place.get(path)
    assert response.status_code == 404
    body = response.json()
    assert (body["code"], body["source"], body["data"]) == (code, "PartnerFD", [])
    assert body["description"]


@pytest.mark.parametrize(
    ("authorization", "code"), [("", 400), ("Basic good", 400), ("Bearer old", 400), ("Bearer elsewhere", "900420")]
)
def test_only_tokens_for_partner_center(place: Place, authorization: str, code: object) -> None:
    response = place.get(ALL, Authorization=authorization)
    assert (response.status_code, response.json()["code"]) == (401, code)


def test_the_ids_of_a_request_come_back(place: Place) -> None:
    response = place.get(ALL, **{"MS-RequestId": "r-1", "MS-CorrelationId": "c-1"})
    assert (response.headers["MS-RequestId"], response.headers["MS-CorrelationId"]) == ("r-1", "c-1")
    assert place.get(f"{ALL}/{TENANT}").headers["MS-CorrelationId"]
    first = place.center.traffic.requests[0]
    assert (first.method, first.path, first.status, first.correlation_id) == ("GET", ALL, 200, "c-1")


def test_requests_are_counted_by_purpose(place: Place) -> None:
    for agent in ("unstuck/0.1 (remediate)", "unstuck/0.1 (remediate)", "curl/8"):
        place.get(ALL, **{"User-Agent": agent})
    assert place.center.traffic.by_purpose() == {"remediate": 2, "other": 1}


def test_throttling_by_tenant_and_minute(place: Place) -> None:
    place.center.throttle = Throttle(lambda: place.now, per_minute=2)
    assert [place.get(ALL).status_code for _ in range(2)] == [200, 200]
    place.now += timedelta(seconds=3)
    response = place.get(f"{ALL}/{BASE}")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "57")
    assert response.json() == {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds."}
    assert place.get(f"/v1/customers/{BASE}").status_code == 404
    place.now += timedelta(seconds=57)
    assert place.get(ALL).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        (Fault("throttled", retry_after=9), 429, "Try again in 9 seconds"),
        (Fault("server_error"), 500, "Unexpected service error"),
        (Fault("unavailable"), 503, "<html>"),
        (Fault("html"), 200, "<html>"),
        (Fault("not_json"), 200, '"items": ['),
    ],
)
def test_faults(place: Place, fault: Fault, status: int, text: str) -> None:
    fault.times = 1
    place.center.traffic.faults.append(fault)
    response = place.get(ALL)
    assert (response.status_code, text in response.text) == (status, True)
    assert place.get(ALL).status_code == 200
    assert [record.status for record in place.center.traffic.requests] == [status, 200]


def test_faults_strike_where_and_as_long_as_they_should(place: Place) -> None:
    place.center.traffic.faults.append(Fault("server_error", path=BASE, until=NOW + timedelta(minutes=1)))
    assert [place.get(path).status_code for path in (ALL, f"{ALL}/{BASE}")] == [200, 500]
    place.now += timedelta(minutes=1)
    assert place.get(f"{ALL}/{BASE}").status_code == 200


def test_an_outage_refuses_readers_too_if_it_says_so(place: Place) -> None:
    place.provider.rules = [
        Refusal.known("AADSTS700082", provider_name="CSP"),
        Refusal.known("503", provider_name="CSP", reads=True, times=1),
    ]
    response = place.get(ALL)
    assert (response.status_code, response.headers["content-type"].split(";")[0]) == (503, "text/html")
    assert place.get(ALL).status_code == 200


def on_the_wire(place: Place, ask: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    """Faults below HTTP need a real connection."""

    async def run() -> None:
        async with live(create_app(place.center)) as url, httpx.AsyncClient(base_url=url) as client:
            await ask(client)

    asyncio.run(run())


def test_a_connection_that_is_cut(place: Place) -> None:
    async def ask(client: httpx.AsyncClient) -> None:
        place.center.traffic.faults.append(Fault("hang_up", times=1))
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(ALL, headers=HEADERS)
        assert (await client.get(ALL, headers=HEADERS)).json()["totalCount"] == 2

    on_the_wire(place, ask)


def test_no_answer_at_all(place: Place) -> None:
    async def ask(client: httpx.AsyncClient) -> None:
        place.center.traffic.faults.append(Fault("silence", times=1))
        with pytest.raises(httpx.ReadTimeout):
            await client.get(ALL, headers=HEADERS, timeout=0.2)
        assert (await client.get(ALL, headers=HEADERS)).status_code == 200

    on_the_wire(place, ask)
    assert sorted(record.status for record in place.center.traffic.requests) == [0, 200]
