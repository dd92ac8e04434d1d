"""Partner Center's customers, subscriptions and orders, read only.

    center = PartnerCenter(tokens=tokens, transport=HttpTransport(), product="unstuck/1.0")
    found = await center.subscriptions(tenant_id, purpose="diagnose")

https://learn.microsoft.com/partner-center/developer/get-all-of-a-customer-s-subscriptions
https://learn.microsoft.com/partner-center/developer/get-a-customer-by-id
https://learn.microsoft.com/partner-center/developer/get-an-order-by-id
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from shared.adapters.partner_center import faults
from shared.adapters.partner_center.fields import lower
from shared.adapters.partner_center.last_order import Provisioning, order_status, provisioning
from shared.adapters.partner_center.subscription import Subscription, subscription
from shared.adapters.web.answers import json_of
from shared.adapters.web.gate import Gate
from shared.adapters.web.links import Site
from shared.adapters.web.names import guid, header_words
from shared.adapters.web.sender import Retries, Sender, Tokens
from shared.adapters.web.timing import Patience, Timing
from shared.adapters.web.transport import HttpTransport, Outgoing
from shared.errors import Garbled
from shared.ports import Telemetry

BASE_URL = "https://api.partnercenter.microsoft.com"
_ROOT = "/v1/"
_HEADER_VALUE = re.compile(r"[\x21-\x7e]{1,4000}")
_CONTINUATION = "MS-ContinuationToken"
_ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client does at most."""

    per_minute: int = 500
    """Requests in a minute: Partner Center's limit for its Subscription resource."""

    widest: int = 4
    """Requests under way at once; halves with each 429."""

    retries: Retries = field(default_factory=lambda: Retries(longest_wait_seconds=120.0))
    """How often and how long one call tries. Longer than elsewhere: at `per_minute`, the readings that a hundred
    retriggers rest on may have to wait for their turn in the next minute, and giving up would only ask again."""

    pages: int = 100
    """Pages of one customer's subscriptions."""


class PartnerCenter:
    """One partner, one credential. Raises SourceErrors; NotFound for a customer or subscription that is not there."""

    def __init__(
        self,
        base_url: str = BASE_URL,
        *,
        tokens: Tokens,
        transport: HttpTransport,
        product: str,
        timing: Timing | None = None,
        limits: Limits | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        """`product` is name/version for the User-Agent. Raises ValueError for an address that is not safe."""
        timing = timing or Timing()
        self._limits = limits or Limits()
        self._site = Site(base_url, _ROOT)
        self._product = header_words(product)
        self._sender = Sender(
            "partner_center",
            transport=transport,
            tokens=tokens,
            gate=Gate(
                timing,
                widest=self._limits.widest,
                first=self._limits.widest,
                per_minute=self._limits.per_minute,
            ),
            timing=timing,
            retries=self._limits.retries,
            wait=faults.wait,
            telemetry=telemetry,
        )

    async def subscriptions(self, tenant_id: str, *, purpose: str) -> list[Subscription]:
        """All subscriptions of a customer, in whatever status. An error if any page fails."""
        path = f"customers/{guid(tenant_id)}/subscriptions"
        items = await self._pages(path, purpose, self._sender.patience())
        return [subscription(item) for item in items]

    async def subscription(self, tenant_id: str, subscription_id: str, *, purpose: str) -> Subscription:
        """One subscription of a customer. Raises NotFound when either is not there."""
        path = f"customers/{guid(tenant_id)}/subscriptions/{guid(subscription_id)}"
        return subscription(await self._resource(path, subscription_id, purpose))

    async def relationship(self, tenant_id: str, *, purpose: str) -> str | None:
        """How a customer stands to this partner, in Partner Center's words: reseller, none, ... None: it does not say.

        Raises NotFound or Forbidden for a tenant that is no customer of this partner.
        """
        body = await self._resource(f"customers/{guid(tenant_id)}", tenant_id, purpose)
        return lower(body.get("relationshipToPartner"))

    async def provisioning(self, tenant_id: str, subscription_id: str, *, purpose: str) -> Provisioning:
        """How far a subscription's licenses are. Only given to App+User: Forbidden (900329) for an app alone."""
        path = f"customers/{guid(tenant_id)}/subscriptions/{guid(subscription_id)}/provisioningstatus"
        return provisioning(await self._resource(path, None, purpose))

    async def order_status(self, tenant_id: str, order_id: str, *, purpose: str) -> str | None:
        """The status of an order. Raises NotFound for one that is not there, or not yet: it may take 15 minutes.

        Raises ValueError for what cannot be an order's id.
        """
        if not _ORDER_ID.fullmatch(order_id):
            raise ValueError(f"not an order's id: {order_id[:60]!r}")
        return order_status(await self._resource(f"customers/{guid(tenant_id)}/orders/{order_id}", order_id, purpose))

    async def _resource(self, path: str, id: str | None, purpose: str) -> dict[str, Any]:
        """One resource; where it names itself, the one that was asked for."""
        body = await self._get(self._site.target(path), {}, purpose, self._sender.patience())
        if id is not None and lower(body.get("id")) != id.lower():
            raise Garbled("partner_center", "Partner Center answered with something else than what was asked for.")
        return body

    async def _pages(self, path: str, purpose: str, patience: Patience) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        target, headers = self._site.target(path), dict[str, str]()
        seen = {(target, "")}
        while True:
            body = await self._get(target, headers, purpose, patience)
            items += _items(body)
            link = _next_link(body)
            if link is None:
                break
            target, headers = self._follow(link, path)
            page = (target, headers.get(_CONTINUATION, ""))
            if page in seen or len(seen) >= self._limits.pages:
                raise _endless()
            seen.add(page)
        total = body.get("totalCount")
        if len(seen) == 1 and isinstance(total, int) and total > len(items):
            raise Garbled(
                "partner_center", f"Partner Center says that there are {total} subscriptions and gives {len(items)}."
            )
        return items

    def _follow(self, link: Mapping[str, Any], path: str) -> tuple[str, dict[str, str]]:
        """Where the next page is. A link may choose the page of this customer's subscriptions, nothing else."""
        uri = link.get("uri")
        if not isinstance(uri, str):
            raise _strange_link()
        found, mark, query = uri.removeprefix(self._site.origin).removeprefix(_ROOT).lstrip("/").partition("?")
        if found.lower() != path:
            raise _strange_link()
        try:
            target = self._site.target(path + mark + query)
        except ValueError:
            raise _strange_link() from None
        return target, _continuation(link.get("headers"))

    async def _get(self, target: str, headers: Mapping[str, str], purpose: str, patience: Patience) -> dict[str, Any]:
        request = Outgoing(
            "GET",
            self._site.origin + target,
            {
                "Accept": "application/json",
                "MS-RequestId": str(uuid4()),
                "MS-CorrelationId": str(uuid4()),
                "User-Agent": f"{self._product} ({header_words(purpose)})",
                **headers,
            },
        )
        answer = await self._sender.send(request, writes=False, patience=patience)
        if error := faults.error_from(answer):
            raise error
        try:
            body = json_of(answer.body)
        except ValueError:
            raise faults.odd(answer) from None
        if not isinstance(body, dict):
            raise faults.odd(answer)
        return body


def _items(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    items = body.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Garbled("partner_center", "Partner Center's answer holds no list of subscriptions.")
    return items


def _next_link(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    links = body.get("links")
    link = links.get("next") if isinstance(links, dict) else None
    if link is not None and not isinstance(link, dict):
        raise _strange_link()
    return link


def _continuation(headers: Any) -> dict[str, str]:
    """The one header that a link may ask for."""
    for header in headers if isinstance(headers, list) else []:
        if isinstance(header, dict) and str(header.get("key")).lower() == _CONTINUATION.lower():
            value = header.get("value")
            if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
                raise _strange_link()
            return {_CONTINUATION: value}
    return {}


def _strange_link() -> Garbled:
    return Garbled("partner_center", "A link to the next page does not lead to one and was not followed.")


def _endless() -> Garbled:
    return Garbled("partner_center", "Partner Center's pages do not come to an end. Nothing of them is used.")
