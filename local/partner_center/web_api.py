"""Partner Center's REST API over a `Provider`: customers, subscriptions and orders, to be read only.

Error bodies, throttling and headers as learn.microsoft.com/partner-center/developer prints them.
Only what was bought through the Microsoft CSP connector shows here: what other marketplaces sell
has no Partner Center.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local.partner_center.error_bodies import partner_center_body
from local.partner_center.errors import ProviderRefusal, known_errors, refuse
from local.partner_center.faulty import faulty_answer, hang_up, silence, throttled
from local.partner_center.fulfilment import order_status, provisioned
from local.partner_center.model import MICROSOFT_CSP, Customer, ProviderSubscription
from local.partner_center.provider import PARTNER_ID, Provider
from local.partner_center.resource import (
    collection_json,
    customer_json,
    order_json,
    provisioning_json,
    subscription_json,
)
from local.partner_center.traffic import RequestRecord, Throttle, Traffic, purpose_of

AUDIENCE = "https://api.partnercenter.microsoft.com"


@dataclass
class PartnerCenter:
    """What the API serves and how. `audience_of` tells for whom a bearer token was issued, None if it is not valid.

    `app_and_user`: tokens stand for an app together with a user; without, what is not given to an app alone is
    refused. `order_delay`: how long a new order cannot be found by its id.
    """

    provider: Provider
    clock: Callable[[], datetime]
    audience_of: Callable[[str], str | None]
    audience: str = AUDIENCE
    throttle: Throttle | None = None
    app_and_user: bool = False
    order_delay: timedelta = timedelta()
    traffic: Traffic = field(default_factory=Traffic)


def create_app(center: PartnerCenter) -> ASGIApp:
    """The API as an ASGI app."""
    face = _Face(center)
    routes = [
        Route("/v1/customers/{tenant}", face.customer),
        Route("/v1/customers/{tenant}/subscriptions", face.subscriptions),
        Route("/v1/customers/{tenant}/subscriptions/{subscription}", face.subscription),
        Route("/v1/customers/{tenant}/subscriptions/{subscription}/provisioningstatus", face.provisioning),
        Route("/v1/customers/{tenant}/orders/{order}", face.order),
    ]
    return _Gate(Starlette(routes=routes, exception_handlers={ProviderRefusal: face.refused}), center)


class _Face:
    """The resources."""

    def __init__(self, center: PartnerCenter) -> None:
        self.center = center

    async def customer(self, request: Request) -> Response:
        return JSONResponse(customer_json(self._customer(request)))

    async def subscriptions(self, request: Request) -> Response:
        customer = self._buyer(request)
        now = self.center.clock()
        found = self.center.provider.subscriptions(customer.tenant_id)
        items = [subscription_json(s, now) for s in found if _shows(s, request.query_params.get("order_id"))]
        return JSONResponse(collection_json(items, f"/customers/{customer.tenant_id}/subscriptions"))

    async def subscription(self, request: Request) -> Response:
        return JSONResponse(subscription_json(self._subscription(request), self.center.clock()))

    async def provisioning(self, request: Request) -> Response:
        if not self.center.app_and_user:
            raise refuse("900329")
        found = self._subscription(request)
        shown = provisioned(found, self.center.clock(), self.center.provider.fulfilment)
        return JSONResponse(provisioning_json(found, shown))

    async def order(self, request: Request) -> Response:
        provider, now = self.center.provider, self.center.clock()
        customer = self._buyer(request)
        found = [s for s in provider.ordered(customer.tenant_id, request.path_params["order"]) if _shows(s)]
        if not found or now < found[0].creation_date + self.center.order_delay:
            raise refuse("20000")
        return JSONResponse(order_json(found, order_status(found[0], now, provider.fulfilment)))

    async def refused(self, _: Request, error: Exception) -> Response:
        """Handles ProviderRefusal."""
        assert isinstance(error, ProviderRefusal)  # noqa: S101 - registered for this class only
        body = error.body(self.center.clock())
        media_type = "text/html" if error.shape == "gateway" else "application/json"
        return Response(body, error.status, media_type=media_type)

    def _customer(self, request: Request) -> Customer:
        tenant_id = request.path_params["tenant"].lower()
        self.center.provider.refuse_reading(tenant_id, request.path_params.get("subscription"))
        customer = self.center.provider.customers.get(tenant_id)
        if customer is None or customer.connector != MICROSOFT_CSP:
            raise refuse("60003")
        return customer

    def _buyer(self, request: Request) -> Customer:
        """A customer to whom this partner sells."""
        customer = self._customer(request)
        if customer.relationship != "reseller":
            raise refuse("20002", PARTNER_ID, customer.tenant_id)
        return customer

    def _subscription(self, request: Request) -> ProviderSubscription:
        customer = self._buyer(request)
        subscription_id = request.path_params["subscription"].lower()
        found = self.center.provider.subscription(customer.tenant_id, subscription_id)
        if found is None or not _shows(found):
            raise refuse("20003", subscription_id)
        return found


def _shows(subscription: ProviderSubscription, order_id: str | None = None) -> bool:
    return subscription.connector == MICROSOFT_CSP and order_id in (None, subscription.order_id)


class _Gate:
    """What every request passes: faults, the token, throttling, the ids that are echoed, the record."""

    def __init__(self, app: ASGIApp, center: PartnerCenter) -> None:
        self.app = app
        self.center = center

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        ids = {name: request.headers.get(name) or str(uuid.uuid4()) for name in ("MS-RequestId", "MS-CorrelationId")}
        status = 0

        async def send_with_ids(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *((k.lower().encode(), v.encode()) for k, v in ids.items())]
            await send(message)

        try:
            await self._answer(request, scope, receive, send_with_ids)
        finally:
            self._record(request, status, ids)

    async def _answer(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self.center.traffic.fault_for(request.url.path, self.center.clock())
        if fault and fault.kind == "silence":
            await silence(receive)
        elif fault and fault.kind == "hang_up":
            await hang_up(send)
        else:
            answer = faulty_answer(fault) if fault else self._turned_away(request)
            await (answer or self.app)(scope, receive, send)

    def _turned_away(self, request: Request) -> Response | None:
        """401 without a token that was issued for this API, 429 above the limit."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        audience = self.center.audience_of(token) if scheme.lower() == "bearer" else None
        if audience is None or audience.rstrip("/") != self.center.audience.rstrip("/"):
            error = known_errors()["400" if audience is None else "900420"]
            body = partner_center_body(error.code, error.text)
            return JSONResponse(body, 401, {"WWW-Authenticate": "Bearer"})
        if self.center.throttle is None:
            return None
        wait = self.center.throttle.retry_after(_tenant_in(request.url.path))
        return None if wait is None else throttled(wait)

    def _record(self, request: Request, status: int, ids: dict[str, str]) -> None:
        self.center.traffic.requests.append(
            RequestRecord(
                self.center.clock(),
                request.method,
                request.url.path,
                status,
                purpose_of(request.headers.get("User-Agent", "")),
                ids["MS-RequestId"],
                ids["MS-CorrelationId"],
            )
        )


def _tenant_in(path: str) -> str:
    """The tenant id of /v1/customers/{tenant}..., which is what the limit counts by."""
    parts = path.split("/")
    return parts[3].lower() if len(parts) > 3 else ""
