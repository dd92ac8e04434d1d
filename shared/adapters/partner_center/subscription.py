"""A subscription as Partner Center shows it. A field that is missing or odd is None, and never breaks a read:
whoever decides upon it has to treat None as not known.

https://learn.microsoft.com/partner-center/developer/subscription-resources
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.adapters.partner_center.fields import first_moment, flag, lower, mapping, moment, text, whole, words

_KNOWN_STATUS = ("none", "active", "pending", "suspended", "expired", "disabled", "deleted")


@dataclass(frozen=True, slots=True)
class Refundable:
    """Seats that can still be given back, and until when."""

    quantity: int | None
    allowed_until: datetime | None


@dataclass(frozen=True, slots=True)
class RefundOption:
    """A refund that a cancellation would bring (Full, Partial), and until when."""

    type: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription of a customer. Times are UTC; ids that are GUIDs are in lower case."""

    id: str | None
    offer_id: str | None
    """A GUID (legacy) or ProductId:SkuId:AvailabilityId (new commerce)."""

    offer_name: str | None
    friendly_name: str | None
    quantity: int | None
    status: str | None
    """In lower case if it is one of the documented ones; any other text as it came."""

    parent_id: str | None
    order_id: str | None
    created_on: datetime | None
    effective_start: datetime | None
    commitment_end: datetime | None
    auto_renew: bool | None
    is_trial: bool | None
    term_duration: str | None
    billing_cycle: str | None
    has_next_term_instructions: bool | None
    """A change is scheduled for the renewal, which any change in mid-term would delete. None: cannot be told."""

    next_term_quantity: int | None
    refundable_total: int | None
    refundable: tuple[Refundable, ...] | None
    """None when it is not said, or one of the batches makes no sense: what is left out would count."""

    refund_options: tuple[RefundOption, ...] | None
    cancellation_until: datetime | None
    suspension_reasons: tuple[str, ...]
    actions: tuple[str, ...] | None
    """What may be done with it now, in lower case; None when it is not said."""

    etag: str | None

    @property
    def part_number(self) -> str | None:
        """What Work 365 calls Provider Part Number: ProductId:SkuId, or the offer's GUID."""
        return ":".join(self.offer_id.split(":")[:2]) if self.offer_id else None


def subscription(resource: Mapping[str, Any]) -> Subscription:
    """Reads one Subscription resource."""
    refundable = mapping(resource.get("refundableQuantity"))
    next_term = resource.get("scheduledNextTermInstructions")
    return Subscription(
        id=lower(resource.get("id")),
        offer_id=text(resource.get("offerId")),
        offer_name=text(resource.get("offerName")),
        friendly_name=text(resource.get("friendlyName")),
        quantity=whole(resource.get("quantity")),
        status=_status(resource.get("status")),
        parent_id=lower(resource.get("parentSubscriptionId")),
        order_id=text(resource.get("orderId")),
        created_on=moment(resource.get("creationDate")),
        effective_start=moment(resource.get("effectiveStartDate")),
        commitment_end=first_moment(resource, "commitmentEndDateTime", "commitmentEndDate"),
        auto_renew=flag(resource.get("autoRenewEnabled")),
        is_trial=flag(resource.get("isTrial")),
        term_duration=text(resource.get("termDuration")),
        billing_cycle=text(resource.get("billingCycle")),
        has_next_term_instructions=_present(next_term),
        next_term_quantity=whole(mapping(next_term).get("quantity")),
        refundable_total=whole(refundable.get("totalQuantity")),
        refundable=_each(refundable.get("details"), _refundable),
        refund_options=_each(resource.get("refundOptions"), _refund_option),
        cancellation_until=moment(resource.get("cancellationAllowedUntilDate")),
        suspension_reasons=_reasons(resource.get("suspensionReasons")),
        actions=words(resource.get("actions")),
        etag=text(mapping(resource.get("attributes")).get("etag")),
    )


def _refundable(detail: Mapping[str, Any]) -> Refundable:
    return Refundable(whole(detail.get("quantity")), moment(detail.get("allowedUntilDateTime")))


def _refund_option(option: Mapping[str, Any]) -> RefundOption:
    # The documentation's table says expiresAfter, its samples and the SDK expiresAt.
    return RefundOption(text(option.get("type")), first_moment(option, "expiresAt", "expiresAfter"))


def _present(value: Any) -> bool | None:
    if value is None:
        return False  # fields without a value are left out of the answer
    return True if isinstance(value, dict) and value else None


def _status(value: Any) -> str | None:
    found = text(value)
    return found.lower() if found and found.lower() in _KNOWN_STATUS else found


def _reasons(value: Any) -> tuple[str, ...]:
    """Only ever shown to a person, so whatever can be read of them helps."""
    return tuple(found for each in value if (found := text(each))) if isinstance(value, list) else ()


def _each[T](value: Any, read: Callable[[Mapping[str, Any]], T]) -> tuple[T, ...] | None:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        return None
    return tuple(read(each) for each in value)
