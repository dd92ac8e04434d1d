"""What became of the last order of subscriptions: asked one by one, and only where that is in doubt."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from shared.adapters.partner_center.client import PartnerCenter
from shared.adapters.partner_center.faults import APP_ONLY
from shared.adapters.partner_center.last_order import Provisioning
from shared.adapters.partner_center.subscription import Subscription
from shared.adapters.web.names import guid
from shared.domain.evidence import ProviderDetails
from shared.errors import Forbidden, SignInRefused, SourceError, Throttled, Unreachable
from shared.ports import Clock

_APP_ONLY_HOLDS = timedelta(hours=1)
"""How long nobody asks again for what is not given to an app alone: that changes with its credentials only."""
_MOST_REMEMBERED = 50_000
_HOPELESS = (Throttled, Unreachable, SignInRefused)
"""The next request would meet the same."""


class LastOrders:
    """Provisioning status and order of subscriptions. A part that cannot be read is a problem, never an error."""

    def __init__(self, center: PartnerCenter, clock: Clock, purpose: str) -> None:
        self._center = center
        self._clock = clock
        self._purpose = purpose
        self._order_ids: dict[tuple[str, str], str | None] = {}
        self._app_only_until: datetime | None = None

    def remember(self, tenant_id: str, found: Sequence[Subscription]) -> None:
        """These were just read: whoever asks for details next need not read them again for the order's id."""
        if len(self._order_ids) + len(found) > _MOST_REMEMBERED:
            self._order_ids.clear()
        self._order_ids |= {(tenant_id.lower(), each.id): each.order_id for each in found if each.id}

    async def read(self, wanted: Sequence[tuple[str, str]]) -> Mapping[str, ProviderDetails]:
        """Of (tenant, subscription id), by subscription id."""
        asked = list(dict.fromkeys(wanted))
        # The first goes alone: where it shows that an app by itself is not answered, the others do not ask.
        found = [await self._one(*each) for each in asked[:1]]
        found += await asyncio.gather(*(self._one(*each) for each in asked[1:]))
        return {subscription_id: details for (_, subscription_id), details in zip(asked, found, strict=True)}

    async def _one(self, tenant_id: str, subscription_id: str) -> ProviderDetails:
        now = self._clock.now()
        try:
            tenant_id, subscription_id = guid(tenant_id), guid(subscription_id)
        except ValueError:
            return ProviderDetails(now, problem="the ids of tenant and subscription are not GUIDs")
        status, problem = Provisioning(), ""
        try:
            status, problem = await self._provisioning(tenant_id, subscription_id)
        except SourceError as error:
            problem = f"provisioning status: {error}"
            if isinstance(error, _HOPELESS):
                return ProviderDetails(now, problem=problem)
        order, other = await self._order(tenant_id, subscription_id)
        return ProviderDetails(
            now, status.status, status.quantity, order, "; ".join(each for each in (problem, other) if each) or None
        )

    async def _provisioning(self, tenant_id: str, subscription_id: str) -> tuple[Provisioning, str]:
        """With what is wrong with it. Raises SourceError, but not for an app alone, which is no trouble of today."""
        if self._app_only_until is None or self._clock.now() >= self._app_only_until:
            try:
                found = await self._center.provisioning(tenant_id, subscription_id, purpose=self._purpose)
            except Forbidden as refusal:
                if refusal.code != APP_ONLY:
                    raise
                self._app_only_until = self._clock.now() + _APP_ONLY_HOLDS
            else:
                return found, "" if found.status else "provisioning status: it is not one that is documented"
        return Provisioning(), f"provisioning status: only given to an app together with a user ({APP_ONLY})"

    async def _order(self, tenant_id: str, subscription_id: str) -> tuple[str | None, str]:
        """The order's status, and what is wrong with it."""
        try:
            order_id = await self._order_id(tenant_id, subscription_id)
            if order_id is None:
                return None, "order: the subscription names none"
            status = await self._center.order_status(tenant_id, order_id, purpose=self._purpose)
        except SourceError as error:
            return None, f"order: {error}"
        except ValueError as odd:
            return None, f"order: {odd}"
        return status, "" if status else "order: its status is not one that is documented"

    async def _order_id(self, tenant_id: str, subscription_id: str) -> str | None:
        key = (tenant_id, subscription_id)
        if key in self._order_ids:
            return self._order_ids[key]
        return (await self._center.subscription(tenant_id, subscription_id, purpose=self._purpose)).order_id
