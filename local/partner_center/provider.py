"""The provider behind Work 365: what is really bought, by which calls, and what it refuses.

One object stands for every provider of a world. It knows nothing of Work 365's rows but the name of
the provider that calls and the id of the change that a call is made for (kept in the ledger only).
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal, cast

from local.partner_center.errors import ProviderRefusal, Refusal, refuse
from local.partner_center.model import (
    MICROSOFT_CSP,
    Call,
    Customer,
    Operation,
    Order,
    ProviderSubscription,
    RefundableBatch,
    Relationship,
    Step,
)

Clock = Callable[[], datetime]

PARTNER_ID = "f0a1c2d3-0000-4000-8000-000000000365"
"""The partner whose Partner Center this is, as refusals name it."""
_ORDERS = uuid.UUID("6d1f0c52-9b1f-4c0e-8f0a-365000000001")


class Provider:
    """Customers, subscriptions and orders, with the provider's own rules. Times are UTC.

    `window_days`: how long newly bought seats may be given back. `fulfilment`: how long an order stays pending,
    during which the new seats are booked and the licenses are not there yet.
    """

    def __init__(self, clock: Clock, *, window_days: int = 7, fulfilment: timedelta = timedelta()) -> None:
        self.clock = clock
        self.window_days = window_days
        self.fulfilment = fulfilment
        self.customers: dict[str, Customer] = {}
        self.orders: list[Order] = []
        self.calls: list[Call] = []
        self.rules: list[Refusal] = []
        self._subscriptions: dict[str, dict[str, ProviderSubscription]] = {}
        # A write sent again under the same MS-RequestId is answered, not done again (Partner Center, "headers").
        self._answered: dict[str, object] = {}

    def add_customer(
        self, tenant_id: str, name: str, connector: str = MICROSOFT_CSP, relationship: Relationship = "reseller"
    ) -> None:
        """Let a tenant buy here; with another relationship than reseller it is known and cannot."""
        self.customers[tenant_id] = Customer(tenant_id, name, connector, relationship)

    def add_subscription(self, subscription: ProviderSubscription) -> None:
        """Put a subscription there as it is. It was ordered long ago: where it names no order, it gets one's id."""
        subscription.order_id = subscription.order_id or uuid.uuid5(_ORDERS, subscription.id).hex[:12]
        self._subscriptions.setdefault(subscription.tenant_id, {})[subscription.id] = subscription

    def subscription(self, tenant_id: str, subscription_id: str) -> ProviderSubscription | None:
        """One subscription of a tenant, whatever its status."""
        return self._subscriptions.get(tenant_id, {}).get(subscription_id)

    def subscriptions(self, tenant_id: str) -> list[ProviderSubscription]:
        """All subscriptions of a tenant, oldest first."""
        return sorted(self._subscriptions.get(tenant_id, {}).values(), key=lambda s: (s.creation_date, s.id))

    def ordered(self, tenant_id: str, order_id: str) -> list[ProviderSubscription]:
        """The subscriptions of one order, oldest first; none where there is no such order."""
        return [s for s in self.subscriptions(tenant_id) if (s.order_id or "").lower() == order_id.lower()]

    def lift(self, code: str | None = None, provider_name: str | None = None) -> int:
        """End the rules with this code and this provider name (None: any); the number that ended."""
        ended = [r for r in self.rules if code in (None, r.code) and provider_name in (None, r.provider_name)]
        self.rules = [rule for rule in self.rules if rule not in ended]
        return len(ended)

    def refuse_reading(self, tenant_id: str, subscription_id: str | None) -> None:
        """Raise ProviderRefusal where a rule that concerns readers says so."""
        now = self.clock()
        for rule in self.rules:
            # A reader comes without a Work 365 provider, so that scope does not narrow anything here.
            if rule.reads and rule.is_open(now) and rule.covers(rule.provider_name, tenant_id, subscription_id):
                raise rule.use()

    def change_quantity(
        self,
        provider_name: str,
        tenant_id: str,
        subscription_id: str,
        delta: int,
        change_id: str | None,
        *,
        request_id: str | None = None,
    ) -> Order:
        """Add `delta` seats (negative: give back). Each call is an order, unless its request id was answered before.

        Raises ProviderRefusal.
        """

        def act() -> Order:
            subscription = self._ready(tenant_id, subscription_id)
            if delta > 0:
                self._parent_must_carry(subscription.parent_subscription_id, tenant_id, subscription.quantity + delta)
            elif delta < 0:
                self._must_be_refundable(subscription, -delta)
            self._resize(subscription, delta)
            return self._book(provider_name, subscription, delta, change_id)

        return self._call("change_quantity", provider_name, tenant_id, subscription_id, change_id, request_id, act)

    def create_subscription(
        self,
        provider_name: str,
        tenant_id: str,
        offer_id: str,
        quantity: int,
        change_id: str | None,
        *,
        parent_subscription_id: str | None = None,
        is_addon: bool = False,
        connector: str = MICROSOFT_CSP,
        request_id: str | None = None,
    ) -> ProviderSubscription:
        """Buy a new subscription. `is_addon` without a parent id is refused as an add-on whose parent is missing.

        Raises ProviderRefusal.
        """

        def act() -> ProviderSubscription:
            self._known_customer(tenant_id)
            if quantity < 1:
                raise refuse("2002")
            if is_addon and parent_subscription_id is None:
                raise refuse("27009")
            self._parent_must_carry(parent_subscription_id, tenant_id, quantity)
            now = self.clock()
            subscription = ProviderSubscription(
                id=str(uuid.uuid4()),
                tenant_id=tenant_id,
                offer_id=offer_id,
                quantity=0,
                creation_date=now,
                parent_subscription_id=parent_subscription_id,
                effective_start=now,
                commitment_end=now + timedelta(days=365),
                order_id=uuid.uuid4().hex[:12],
                connector=connector,
            )
            self.add_subscription(subscription)
            self._resize(subscription, quantity)
            self._book(provider_name, subscription, quantity, change_id)
            return subscription

        return self._call("create", provider_name, tenant_id, None, change_id, request_id, act)

    def set_status(
        self,
        provider_name: str,
        tenant_id: str,
        subscription_id: str,
        status: Literal["active", "suspended"],
        change_id: str | None,
        *,
        request_id: str | None = None,
    ) -> ProviderSubscription:
        """Resume or suspend a subscription; nothing happens to one that is there already. Raises ProviderRefusal."""

        def act() -> ProviderSubscription:
            subscription = self._known_subscription(tenant_id, subscription_id)
            if subscription.status in ("expired", "deleted"):
                raise refuse("800012")
            if status == "active" and subscription.parent_subscription_id:
                self._active_parent(tenant_id, subscription.parent_subscription_id)
            if subscription.status != status:
                subscription.status = status
                subscription.version += 1
            return subscription

        return self._call("set_status", provider_name, tenant_id, subscription_id, change_id, request_id, act)

    def _call[T](
        self,
        operation: Operation,
        provider_name: str,
        tenant_id: str,
        subscription_id: str | None,
        change_id: str | None,
        request_id: str | None,
        act: Callable[[], T],
    ) -> T:
        """Do it under the rules and write the call down, whatever comes of it."""
        now = self.clock()
        covering = (rule for rule in self.rules if rule.covers(provider_name, tenant_id, subscription_id))
        rule = next((rule for rule in covering if rule.is_open(now)), None)
        code: str | None = None
        try:
            if rule and not rule.executes:
                raise rule.use()
            result = self._once(request_id, act)
            if rule:
                raise rule.use()
        except ProviderRefusal as refusal:
            code = refusal.code
            raise
        finally:
            self.calls.append(Call(now, operation, provider_name, tenant_id, subscription_id, change_id, code))
        return result

    def _once[T](self, request_id: str | None, act: Callable[[], T]) -> T:
        if request_id is None:
            return act()
        if request_id not in self._answered:
            self._answered[request_id] = act()
        return cast("T", self._answered[request_id])

    def _known_customer(self, tenant_id: str) -> Customer:
        try:
            uuid.UUID(tenant_id)
        except ValueError:
            raise refuse("900118") from None
        if tenant_id not in self.customers:
            raise refuse("60003")
        customer = self.customers[tenant_id]
        if customer.relationship != "reseller":
            raise refuse("20002", PARTNER_ID, tenant_id)
        return customer

    def _known_subscription(self, tenant_id: str, subscription_id: str) -> ProviderSubscription:
        self._known_customer(tenant_id)
        subscription = self.subscription(tenant_id, subscription_id)
        if subscription is None:
            raise refuse("20003", subscription_id)
        return subscription

    def _ready(self, tenant_id: str, subscription_id: str) -> ProviderSubscription:
        """The subscription, if its status lets its quantity change."""
        subscription = self._known_subscription(tenant_id, subscription_id)
        refused_by = {"suspended": "800091", "expired": "800012", "deleted": "800012", "pending": "800082"}
        if subscription.status in refused_by:
            raise refuse(refused_by[subscription.status])
        return subscription

    def _active_parent(self, tenant_id: str, parent_id: str) -> ProviderSubscription:
        parent = self.subscription(tenant_id, parent_id)
        if parent is None:
            raise refuse("800029")
        if parent.status != "active":
            raise refuse("27009")
        return parent

    def _parent_must_carry(self, parent_id: str | None, tenant_id: str, quantity: int) -> None:
        """An add-on needs an active parent with at least as many seats."""
        if parent_id and self._active_parent(tenant_id, parent_id).quantity < quantity:
            raise refuse("10018")

    def _must_be_refundable(self, subscription: ProviderSubscription, quantity: int) -> None:
        if quantity >= subscription.quantity:
            raise refuse("2002")
        if quantity > sum(batch.quantity for batch in subscription.refundable_now(self.clock())):
            raise refuse("900257", self.window_days)

    def _resize(self, subscription: ProviderSubscription, delta: int) -> None:
        now = self.clock()
        subscription.steps.append(Step(now, subscription.quantity))
        subscription.quantity += delta
        subscription.version += 1
        if delta > 0:
            batch = RefundableBatch(delta, now + timedelta(days=self.window_days))
            subscription.refundable.append(batch)
        else:
            subscription.give_back(-delta, now)

    def _book(self, provider_name: str, subscription: ProviderSubscription, delta: int, change_id: str | None) -> Order:
        deleted, subscription.scheduled_next_term = subscription.scheduled_next_term, None
        order = Order(
            self.clock(),
            provider_name,
            subscription.tenant_id,
            subscription.id,
            delta,
            subscription.quantity,
            change_id,
            deleted,
        )
        self.orders.append(order)
        return order
