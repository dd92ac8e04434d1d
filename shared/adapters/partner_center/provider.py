"""The port Provider over Partner Center: one reading for each customer tenant, and more where a call is in doubt."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.adapters.partner_center.client import PartnerCenter
from shared.adapters.partner_center.in_doubt import LastOrders
from shared.adapters.partner_center.shown import shown
from shared.adapters.web.names import guid
from shared.domain.evidence import ProviderDetails, ProviderReading
from shared.errors import Forbidden, Garbled, NotFound, ServiceTrouble, SourceError, Throttled, Unreachable
from shared.ports import Clock

_PASSING = (Throttled, Unreachable, ServiceTrouble, Garbled)
_OURS = frozenset({"reseller", "syndication"})
"""Relationships in which this partner sells to the customer."""
_NO_CUSTOMER = frozenset({"60003", "20002"})


class PartnerCenterProvider:
    """Reads what customers really have. A read that fails is a reading that says why, never an empty one."""

    def __init__(self, center: PartnerCenter, clock: Clock, *, purpose: str = "diagnose") -> None:
        self._center = center
        self._clock = clock
        self._purpose = purpose
        self._orders = LastOrders(center, clock, purpose)

    async def read(self, tenant_ids: Sequence[str]) -> Mapping[str, ProviderReading]:
        # Ids differ in case only: one request answers both.
        wanted = {tenant_id: tenant_id.lower() for tenant_id in tenant_ids}
        once = list(dict.fromkeys(wanted.values()))
        readings = dict(zip(once, await asyncio.gather(*map(self._one, once)), strict=True))
        return {tenant_id: readings[lowered] for tenant_id, lowered in wanted.items()}

    async def details(self, wanted: Sequence[tuple[str, str]]) -> Mapping[str, ProviderDetails]:
        return await self._orders.read(wanted)

    async def _one(self, tenant_id: str) -> ProviderReading:
        now = self._clock.now()
        try:
            guid(tenant_id)
        except ValueError:
            return ProviderReading(now, problem="the Provider Specific Id is not a tenant's GUID")
        try:
            found = await self._center.subscriptions(tenant_id, purpose=self._purpose)
        except (NotFound, Forbidden) as refusal:
            return await self._refused(tenant_id, refusal, now)
        except SourceError as error:
            return ProviderReading(now, problem=str(error), transient=isinstance(error, _PASSING))
        self._orders.remember(tenant_id, found)
        return ProviderReading(now, tuple(shown(each) for each in found), relationship=True)

    async def _refused(self, tenant_id: str, refusal: SourceError, now: datetime) -> ProviderReading:
        """One more request tells a tenant that is not ours from rights that we lack."""
        try:
            word = await self._center.relationship(tenant_id, purpose=self._purpose)
        except (NotFound, Forbidden) as again:
            if again.code in _NO_CUSTOMER:
                said = "Asked for the customer itself, it says the same."
                return ProviderReading(now, problem=f"{refusal} {said}", relationship=False)
            return ProviderReading(now, problem=f"{refusal} Nor may we see the customer itself: {again}")
        except SourceError as error:
            problem = f"{refusal} Whether it is our customer could not be asked: {error}"
            return ProviderReading(now, problem=problem, transient=isinstance(error, _PASSING))
        said = f"The customer's relationship to us is {word or 'not one that we can read'}."
        relationship = True if word in _OURS else False if word == "none" else None
        return ProviderReading(now, problem=f"{refusal} {said}", relationship=relationship)


class NoProvider:
    """Partner Center is not configured: nothing is known of what the provider has."""

    _PROBLEM = "Partner Center is not configured (PARTNER_CENTER_URL)"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def read(self, tenant_ids: Sequence[str]) -> Mapping[str, ProviderReading]:
        return dict.fromkeys(tenant_ids, ProviderReading(self._clock.now(), problem=self._PROBLEM))

    async def details(self, wanted: Sequence[tuple[str, str]]) -> Mapping[str, ProviderDetails]:
        details = ProviderDetails(self._clock.now(), problem=self._PROBLEM)
        return {subscription_id: details for _, subscription_id in wanted}
