"""What the provider keeps: customers, subscriptions, orders. Quantities are seats, times are UTC."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Status = Literal["active", "suspended", "expired", "deleted", "pending"]
Provisioning = Literal["success", "pending", "failed", "none"]
OrderStatus = Literal["completed", "pending", "cancelled", "unknown"]
Relationship = Literal["reseller", "none", "advisor", "syndication", "microsoft_support", "unknown"]
Operation = Literal["create", "change_quantity", "set_status"]

MICROSOFT_CSP = "microsoft_csp"


@dataclass
class Customer:
    """A tenant that buys here. `connector`: the marketplace it buys through, as Work 365 names connectors.

    Only with the `relationship` reseller does this partner sell to it.
    """

    tenant_id: str
    name: str
    connector: str = MICROSOFT_CSP
    relationship: Relationship = "reseller"


@dataclass(frozen=True)
class RefundableBatch:
    """Seats that may be given back until `allowed_until`; every purchase is a batch with a window of its own."""

    quantity: int
    allowed_until: datetime


@dataclass(frozen=True)
class NextTerm:
    """Instructions for the renewal. Any change in mid-term deletes them."""

    product_id: str
    sku_id: str
    quantity: int
    term_duration: str = "P1Y"
    billing_cycle: str = "monthly"


@dataclass(frozen=True)
class Step:
    """A change of quantity: when, and how many seats there were before it."""

    on: datetime
    quantity_before: int


@dataclass
class ProviderSubscription:
    """One subscription as the provider has it. `offer_id` is Work 365's part number, `ProductId:SkuId`.

    The last fields are what a world says instead of what follows from the others; None lets it follow.
    """

    id: str
    tenant_id: str
    offer_id: str
    quantity: int
    creation_date: datetime
    offer_name: str = ""
    status: Status = "active"
    parent_subscription_id: str | None = None
    effective_start: datetime | None = None
    commitment_end: datetime | None = None
    auto_renew: bool = True
    scheduled_next_term: NextTerm | None = None
    refundable: list[RefundableBatch] = field(default_factory=list)
    order_id: str | None = None
    connector: str = MICROSOFT_CSP
    version: int = 1
    steps: list[Step] = field(default_factory=list)
    actions: tuple[str, ...] | None = None
    suspension_reasons: tuple[str, ...] | None = None
    cancellation_until: datetime | None = None
    provisioning: Provisioning | None = None
    order_status: OrderStatus | None = None

    def refundable_now(self, now: datetime) -> list[RefundableBatch]:
        """The batches whose window is open at `now`, the one that closes first first."""
        open_batches = [batch for batch in self.refundable if batch.allowed_until > now]
        return sorted(open_batches, key=lambda batch: batch.allowed_until)

    def give_back(self, quantity: int, now: datetime) -> None:
        """Take seats out of the open batches, from the window that closes first."""
        kept: list[RefundableBatch] = []
        for batch in self.refundable_now(now):
            taken = min(quantity, batch.quantity)
            quantity -= taken
            if batch.quantity > taken:
                kept.append(RefundableBatch(batch.quantity - taken, batch.allowed_until))
        self.refundable = kept


@dataclass(frozen=True)
class Order:
    """One accepted purchase or change of quantity. `change_id`: the License Change Log it was made for."""

    on: datetime
    provider_name: str
    tenant_id: str
    subscription_id: str
    delta: int
    quantity_after: int
    change_id: str | None
    # The instructions for the renewal that this change has wiped out, if there were any.
    deleted_next_term: NextTerm | None = None


@dataclass(frozen=True)
class Call:
    """One call of whoever orders, refused or not. `code` is the refusal's, None when it was accepted."""

    on: datetime
    operation: Operation
    provider_name: str
    tenant_id: str
    subscription_id: str | None
    change_id: str | None
    code: str | None
