"""Reading Partner Center: what it shows becomes values, what it refuses an error by its code.

Input: the local Partner Center, served in process, and scripted answers where that one is too well-behaved.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from local.partner_center.errors import Refusal
from local.partner_center.model import NextTerm, ProviderSubscription, RefundableBatch
from local.partner_center.provider import Provider
from local.partner_center.traffic import Fault, FaultKind
from local.partner_center.web_api import AUDIENCE, create_app
from local.partner_center.web_api import PartnerCenter as LocalPartnerCenter
from shared.adapters.partner_center.client import Limits, PartnerCenter
from shared.adapters.partner_center.subscription import Refundable
from shared.adapters.web.sender import Retries
from shared.adapters.web.transport import HttpTransport
from shared.errors import (
    Forbidden,
    Garbled,
    NotFound,
    Refused,
    ServiceTrouble,
    SignInRefused,
    SourceError,
    Throttled,
    Unreachable,
)
from tests.contract.web_kit import Service, Step, Tokens, VirtualTime, html

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TENANT = "11111111-1111-4111-8111-111111111111"
ONE = "22222222-2222-4222-8222-222222222222"
TWO = "33333333-3333-4333-8333-333333333333"
LIST = f"/v1/customers/{TENANT}/subscriptions"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Center:
    """The local Partner Center with two subscriptions, and a client of it."""

    def __init__(self) -> None:
        provider = Provider(lambda: NOW)
        provider.add_customer(TENANT, "Contoso")
        week = timedelta(days=7)
        provider.add_subscription(
            ProviderSubscription(
                ONE,
                TENANT,
                "CFQ7TTC0LH18:0001",
                12,
                NOW - week,
                offer_name="Microsoft 365",
                effective_start=NOW - week,
                commitment_end=NOW + 50 * week,
                scheduled_next_term=NextTerm("CFQ7TTC0LH18", "0001", 9),
                refundable=[RefundableBatch(2, NOW + timedelta(days=3))],
                order_id="order-1",
            )
        )
        provider.add_subscription(
            ProviderSubscription(
                TWO, TENANT, "CFQ7TTC0HBDQ:0005", 3, NOW, status="suspended", parent_subscription_id=ONE
            )
        )
        self.tokens = Tokens()
        self.time = VirtualTime()
        self.local = LocalPartnerCenter(provider, lambda: NOW, lambda token: AUDIENCE if token == self.good else None)
        self.good = "token-1"
        self.client = client(httpx.ASGITransport(create_app(self.local)), self.tokens, self.time)


def client(
    transport: httpx.AsyncBaseTransport, tokens: Tokens, time: VirtualTime, limits: Limits | None = None
) -> PartnerCenter:
    return PartnerCenter(
        tokens=tokens,
        transport=HttpTransport(transport),
        product="unstuck/0.1.0",
        timing=time.timing(),
        limits=limits,
    )


def scripted(
    *steps: Step, repeat: bool = False, limits: Limits | None = None
) -> tuple[PartnerCenter, Service, VirtualTime]:
    service, time = Service(list(steps), repeat), VirtualTime()
    return client(httpx.MockTransport(service), Tokens(), time, limits), service, time


async def test_a_customers_subscriptions_with_what_a_diagnosis_needs() -> None:
    center = Center()
    one, two = await center.client.subscriptions(TENANT.upper(), purpose="diagnose")
    assert (one.id, one.quantity, one.status, one.parent_id) == (ONE, 12, "active", None)
    assert (two.id, two.quantity, two.status, two.parent_id) == (TWO, 3, "suspended", ONE)
    assert one.part_number == "CFQ7TTC0LH18:0001"
    assert (one.created_on, one.effective_start) == (NOW - timedelta(days=7), NOW - timedelta(days=7))
    assert one.commitment_end == NOW + timedelta(weeks=50)
    assert (one.has_next_term_instructions, one.next_term_quantity) == (True, 9)
    assert two.has_next_term_instructions is False
    assert one.refundable_total == 2
    assert one.refundable == (Refundable(2, NOW + timedelta(days=3)),)
    assert (one.auto_renew, one.is_trial, one.order_id) == (True, False, "order-1")
    assert (one.actions, two.actions, two.suspension_reasons) == (("edit", "cancel"), (), ("PartnerSuspended",))
    assert one.etag
    record = center.local.traffic.requests[0]
    assert (record.purpose, record.path) == ("diagnose", LIST)
    assert record.request_id != record.correlation_id


async def test_one_subscription() -> None:
    center = Center()
    assert (await center.client.subscription(TENANT, ONE.upper(), purpose="diagnose")).quantity == 12
    with pytest.raises(NotFound, match="no such subscription") as caught:
        await center.client.subscription(TENANT, TENANT, purpose="diagnose")
    assert caught.value.code == "20003"
    assert caught.value.correlation_id
    with pytest.raises(NotFound, match="tenant") as caught:
        await center.client.subscriptions(ONE, purpose="diagnose")
    assert caught.value.code == "60003"


@pytest.mark.parametrize("text", ["", "1", "../x", f"{TENANT}/x", f"{TENANT}?a=b", f"{TENANT}\n"])
async def test_what_is_no_guid_reaches_no_address(text: str) -> None:
    it, service, _ = scripted()
    for call in (it.subscriptions(text, purpose="x"), it.subscription(TENANT, text, purpose="x")):
        with pytest.raises(ValueError, match="not a GUID"):
            await call
    assert service.requests == []


FAULTS: list[tuple[FaultKind, type[SourceError]]] = [
    ("throttled", Throttled),
    ("server_error", ServiceTrouble),
    ("unavailable", ServiceTrouble),
    ("html", Garbled),
    ("not_json", Garbled),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
async def test_what_goes_wrong_on_the_way_is_an_error(fault: FaultKind, kind: type[SourceError]) -> None:
    center = Center()
    center.local.traffic.faults.append(Fault(fault))
    with pytest.raises(kind):
        await center.client.subscriptions(TENANT, purpose="diagnose")


async def test_what_passes_is_waited_for() -> None:
    center = Center()
    center.local.traffic.faults += [Fault("server_error", times=1), Fault("throttled", times=1, retry_after=5)]
    assert len(await center.client.subscriptions(TENANT, purpose="diagnose")) == 2
    assert center.time.slept == [0.25, 5.0]


async def test_a_token_that_is_refused_is_renewed_once() -> None:
    center = Center()
    center.good = "token-2"
    assert len(await center.client.subscriptions(TENANT, purpose="diagnose")) == 2
    center.good = "none"
    with pytest.raises(SignInRefused):
        await center.client.subscriptions(TENANT, purpose="diagnose")


async def test_a_refusal_by_a_rule_keeps_its_code() -> None:
    center = Center()
    center.local.provider.rules.append(Refusal("20002", 403, "No relationship.", tenant_id=TENANT, reads=True))
    with pytest.raises(Forbidden, match="reseller relationship") as caught:
        await center.client.subscriptions(TENANT, purpose="diagnose")
    assert caught.value.code == "20002"


def said(status: int, **body: Any) -> httpx.Response:
    return httpx.Response(status, json=body)


@pytest.mark.parametrize(
    ("step", "kind", "code"),
    [
        (said(400, code=60003, description="Tenant not found"), NotFound, "60003"),
        (said(404, error={"code": "20003", "message": "m"}), NotFound, "20003"),
        (said(401, code="900420", description="audience"), SignInRefused, "900420"),
        (said(400, error="invalid_grant", error_description="AADSTS700082: inactive"), SignInRefused, "AADSTS700082"),
        (said(403, code="900308", description="MFA"), Forbidden, "900308"),
        (said(400, code="2012", description="x"), Refused, "2012"),
        (said(409, code="800060", description="x"), Refused, "800060"),
        (said(400), Refused, None),
        (said(404), NotFound, None),
        (said(500, code="800003", description="x"), ServiceTrouble, "800003"),
        (html(403), Forbidden, None),
        (httpx.Response(302), Garbled, None),
        (httpx.Response(200), Garbled, None),
        (httpx.Response(200, json=[]), Garbled, None),
        (httpx.Response(200, json={"items": None}), Garbled, None),
        (httpx.Response(200, json={"items": [1]}), Garbled, None),
        (httpx.Response(200, json={}), Garbled, None),
        (httpx.ConnectError("x"), Unreachable, None),
        (httpx.ReadTimeout("x"), Unreachable, None),
    ],
)
async def test_errors_go_by_code_then_by_status(step: Step, kind: type[SourceError], code: str | None) -> None:
    it, _, _ = scripted(step, repeat=True)
    with pytest.raises(SourceError) as caught:
        await it.subscriptions(TENANT, purpose="diagnose")
    assert type(caught.value) is kind
    assert caught.value.code == code
    assert caught.value.source == "partner_center"


async def test_the_seconds_may_stand_in_the_text_of_a_429() -> None:
    slow = said(429, statusCode=429, message="Rate limit is exceeded. Try again in 57 seconds.")
    it, _, _ = scripted(slow, limits=Limits(retries=Retries(longest_wait_seconds=20)))
    with pytest.raises(Throttled) as caught:
        await it.subscriptions(TENANT, purpose="diagnose")
    assert caught.value.retry_after == 57


def collection(
    ids: list[str], uri: str | None = None, continuation: object = "t1", total: int | None = None
) -> httpx.Response:
    link = {"uri": uri, "method": "GET", "headers": [{"key": "MS-ContinuationToken", "value": continuation}]}
    links = {"links": {"next": link}} if uri is not None else {}
    return said(200, totalCount=len(ids) if total is None else total, items=[{"id": each} for each in ids], **links)


NEXT = f"/customers/{TENANT}/subscriptions?size=1&seekOperation=Next"


async def test_all_pages_are_read_with_their_continuation_token() -> None:
    it, service, _ = scripted(collection([ONE], NEXT), collection([TWO], f"/v1{NEXT}", "t2"), collection([TENANT]))
    assert [each.id for each in await it.subscriptions(TENANT, purpose="diagnose")] == [ONE, TWO, TENANT]
    assert service.targets == [LIST, f"/v1{NEXT}", f"/v1{NEXT}"]
    assert [request.headers.get("ms-continuationtoken") for request in service.requests] == [None, "t1", "t2"]


@pytest.mark.parametrize(
    "step",
    [
        collection([ONE], "https://evil.example" + NEXT),
        collection([ONE], "//evil.example" + NEXT),
        collection([ONE], "/v1/customers/other/subscriptions?x=1"),
        collection([ONE], NEXT + "\r\nX: 1"),
        collection([ONE], "@evil.example/"),
        collection([ONE], NEXT, "t\r\nX: 1"),
        collection([ONE], NEXT, 7),
        said(200, items=[], links={"next": NEXT}),
        said(200, items=[], links={"next": {}}),
        collection([ONE], total=2),
    ],
)
async def test_a_page_that_leads_elsewhere_or_lacks_some_is_an_error(step: httpx.Response) -> None:
    it, service, _ = scripted(step)
    with pytest.raises(Garbled):
        await it.subscriptions(TENANT, purpose="diagnose")
    assert len(service.requests) == 1


async def test_pages_that_never_end_are_an_error() -> None:
    it, service, _ = scripted(collection([ONE], NEXT), repeat=True)
    with pytest.raises(Garbled, match="do not come to an end"):
        await it.subscriptions(TENANT, purpose="diagnose")
    assert len(service.requests) == 2

    def another(request: httpx.Request) -> httpx.Response:
        return collection([ONE], NEXT, request.headers.get("ms-continuationtoken", "") + "x")

    it, service, _ = scripted(another, repeat=True, limits=Limits(pages=10))
    with pytest.raises(Garbled, match="do not come to an end"):
        await it.subscriptions(TENANT, purpose="diagnose")
    assert len(service.requests) == 10


async def test_no_more_requests_in_a_minute_than_partner_center_allows() -> None:
    limits = Limits(per_minute=5, retries=Retries(longest_wait_seconds=60))
    it, _, time = scripted(said(200, id=ONE), repeat=True, limits=limits)
    start = time.seconds
    for _ in range(12):
        await it.subscription(TENANT, ONE, purpose="diagnose")
    assert time.seconds - start == 120
    limits = Limits(per_minute=1, retries=Retries(longest_wait_seconds=20))
    hasty, _, time = scripted(said(200, id=ONE), repeat=True, limits=limits)
    await hasty.subscription(TENANT, ONE, purpose="diagnose")
    with pytest.raises(Throttled) as caught:
        await hasty.subscription(TENANT, ONE, purpose="diagnose")
    assert (caught.value.retry_after, time.slept) == (60, [])


async def test_another_subscription_than_asked_for_is_not_taken() -> None:
    for body in ({"id": TWO}, {}, {"id": None}):
        it, _, _ = scripted(said(200, **body))
        with pytest.raises(Garbled):
            await it.subscription(TENANT, ONE, purpose="diagnose")
