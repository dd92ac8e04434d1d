"""The port Provider over Partner Center: one reading for each customer tenant."""

import asyncio
from collections.abc import Mapping, Sequence

from shared.adapters.partner_center.client import PartnerCenter
from shared.adapters.partner_center.subscription import Subscription
from shared.adapters.web.names import guid
from shared.domain.evidence import ProviderReading, ProviderSubscription
from shared.errors import Garbled, ServiceTrouble, SourceError, Throttled, Unreachable
from shared.ports import Clock

_PASSING = (Throttled, Unreachable, ServiceTrouble, Garbled)


class PartnerCenterProvider:
    """Reads what customers really have. A read that fails is a reading that says why, never an empty one."""

    def __init__(self, center: PartnerCenter, clock: Clock, *, purpose: str = "diagnose") -> None:
        self._center = center
        self._clock = clock
        self._purpose = purpose

    async def read(self, tenant_ids: Sequence[str]) -> Mapping[str, ProviderReading]:
        readings = await asyncio.gather(*(self._one(tenant) for tenant in tenant_ids))
        return dict(zip(tenant_ids, readings, strict=True))

    async def _one(self, tenant_id: str) -> ProviderReading:
        now = self._clock.now()
        try:
            guid(tenant_id)
        except ValueError:
            return ProviderReading(now, problem="the Provider Specific Id is not a tenant's GUID")
        try:
            found = await self._center.subscriptions(tenant_id, purpose=self._purpose)
        except SourceError as error:
            return ProviderReading(now, problem=str(error), transient=isinstance(error, _PASSING))
        return ProviderReading(now, tuple(_shown(each) for each in found))


class NoProvider:
    """Partner Center is not configured: nothing is known of what the provider has."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def read(self, tenant_ids: Sequence[str]) -> Mapping[str, ProviderReading]:
        reading = ProviderReading(self._clock.now(), problem="Partner Center is not configured (PARTNER_CENTER_URL)")
        return dict.fromkeys(tenant_ids, reading)


def _shown(found: Subscription) -> ProviderSubscription:
    return ProviderSubscription(
        id=found.id or "",
        quantity=found.quantity,
        status=found.status,
        product=found.part_number,
        created_on=found.created_on,
        has_next_term_instructions=found.has_next_term_instructions,
    )
