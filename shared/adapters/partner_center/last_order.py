"""What Partner Center says of a subscription's provisioning and of its order: one word each, None where it is odd.

https://learn.microsoft.com/partner-center/developer/get-subscription-provisioning-status
https://learn.microsoft.com/partner-center/developer/order-resources
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.partner_center.fields import lower, whole

_PROVISIONING = ("success", "pending", "failed", "none")
_ORDER = {each: each for each in ("completed", "pending", "cancelled", "unknown")} | {"canceled": "cancelled"}


@dataclass(frozen=True, slots=True)
class Provisioning:
    """How far the licenses themselves are. Partner Center looks that up every 15 minutes."""

    status: str | None = None
    quantity: int | None = None


def provisioning(resource: Mapping[str, Any]) -> Provisioning:
    """Reads a SubscriptionProvisioningStatus resource."""
    status = lower(resource.get("status"))
    return Provisioning(status if status in _PROVISIONING else None, whole(resource.get("quantity")))


def order_status(resource: Mapping[str, Any]) -> str | None:
    """The status of an Order resource: completed, pending, cancelled or unknown."""
    return _ORDER.get(lower(resource.get("status")) or "")
