"""A provider in memory: what it shows for each tenant, or why it cannot be asked."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.domain.evidence import ProviderDetails, ProviderReading, ProviderSubscription
from shared.ports import Clock


@dataclass
class FakeProvider:
    """Port Provider."""

    clock: Clock
    subscriptions: dict[str, dict[str, ProviderSubscription]] = field(default_factory=dict)
    """By tenant, then by the provider's subscription id. A tenant that is not here is not a customer."""
    problem: str | None = None
    """Why nobody can be asked just now; None when it answers."""
    transient: bool = False
    """Whether that problem passes by itself."""
    reads: list[tuple[str, ...]] = field(default_factory=list)
    said: dict[str, ProviderDetails] = field(default_factory=dict)
    """What it says of a subscription's last order, where that is not simply done; by subscription id."""
    asked_for_details: list[tuple[tuple[str, str], ...]] = field(default_factory=list)

    def hold(self, tenant_id: str, *subscriptions: ProviderSubscription) -> None:
        """A customer with these subscriptions."""
        self.subscriptions.setdefault(tenant_id, {}).update({s.id: s for s in subscriptions})

    def set_quantity(self, tenant_id: str, subscription_id: str, quantity: int) -> None:
        """An order was fulfilled."""
        held = self.subscriptions[tenant_id]
        held[subscription_id] = replace(held[subscription_id], quantity=quantity)

    async def read(self, tenant_ids: Sequence[str]) -> Mapping[str, ProviderReading]:
        await asyncio.sleep(0)
        self.reads.append(tuple(tenant_ids))
        return {tenant_id: self._reading(tenant_id) for tenant_id in tenant_ids}

    def _reading(self, tenant_id: str) -> ProviderReading:
        now = self.clock.now()
        if self.problem is not None:
            return ProviderReading(now, problem=self.problem, transient=self.transient)
        held = self.subscriptions.get(tenant_id)
        if held is None:
            return ProviderReading(now, problem="the provider does not know this customer", relationship=False)
        return ProviderReading(now, tuple(held.values()), relationship=True)

    async def details(self, wanted: Sequence[tuple[str, str]]) -> Mapping[str, ProviderDetails]:
        await asyncio.sleep(0)
        self.asked_for_details.append(tuple(wanted))
        return {subscription_id: self._details(tenant_id, subscription_id) for tenant_id, subscription_id in wanted}

    def _details(self, tenant_id: str, subscription_id: str) -> ProviderDetails:
        now = self.clock.now()
        if self.problem is not None:
            return ProviderDetails(now, problem=self.problem)
        held = self.subscriptions.get(tenant_id, {}).get(subscription_id)
        if held is None:
            return ProviderDetails(now, problem="the provider does not show this subscription")
        return self.said.get(subscription_id) or ProviderDetails(now, "success", held.quantity, "completed")
