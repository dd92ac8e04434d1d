"""A subscription as Partner Center shows it. A field that is missing or odd is None, and never breaks a read:
whoever decides upon it has to treat None as not known.

https://learn.microsoft.com/partner-center/developer/subscription-resources
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# 2026-11-22T08:00:00, with up to seven digits of a second, with or without a zone (it is always UTC).
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?")
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
    refundable: tuple[Refundable, ...]
    refund_options: tuple[RefundOption, ...]
    cancellation_until: datetime | None
    suspension_reasons: tuple[str, ...]
    actions: tuple[str, ...]
    etag: str | None

    @property
    def part_number(self) -> str | None:
        """What Work 365 calls Provider Part Number: ProductId:SkuId, or the offer's GUID."""
        return ":".join(self.offer_id.split(":")[:2]) if self.offer_id else None


def subscription(resource: Mapping[str, Any]) -> Subscription:
    """Reads one Subscription resource."""
    refundable = _mapping(resource.get("refundableQuantity"))
    next_term = resource.get("scheduledNextTermInstructions")
    return Subscription(
        id=_id(resource.get("id")),
        offer_id=_text(resource.get("offerId")),
        offer_name=_text(resource.get("offerName")),
        friendly_name=_text(resource.get("friendlyName")),
        quantity=_whole(resource.get("quantity")),
        status=_status(resource.get("status")),
        parent_id=_id(resource.get("parentSubscriptionId")),
        order_id=_text(resource.get("orderId")),
        created_on=_time(resource.get("creationDate")),
        effective_start=_time(resource.get("effectiveStartDate")),
        commitment_end=_first_time(resource, "commitmentEndDateTime", "commitmentEndDate"),
        auto_renew=_flag(resource.get("autoRenewEnabled")),
        is_trial=_flag(resource.get("isTrial")),
        term_duration=_text(resource.get("termDuration")),
        billing_cycle=_text(resource.get("billingCycle")),
        has_next_term_instructions=_present(next_term),
        next_term_quantity=_whole(_mapping(next_term).get("quantity")),
        refundable_total=_whole(refundable.get("totalQuantity")),
        refundable=_each(refundable.get("details"), _refundable),
        refund_options=_each(resource.get("refundOptions"), _refund_option),
        cancellation_until=_time(resource.get("cancellationAllowedUntilDate")),
        suspension_reasons=_texts(resource.get("suspensionReasons")),
        actions=_texts(resource.get("actions")),
        etag=_text(_mapping(resource.get("attributes")).get("etag")),
    )


def _refundable(detail: Mapping[str, Any]) -> Refundable:
    return Refundable(_whole(detail.get("quantity")), _time(detail.get("allowedUntilDateTime")))


def _refund_option(option: Mapping[str, Any]) -> RefundOption:
    # The documentation's table says expiresAfter, its samples and the SDK expiresAt.
    return RefundOption(_text(option.get("type")), _first_time(option, "expiresAt", "expiresAfter"))


def _present(value: Any) -> bool | None:
    if value is None:
        return False  # fields without a value are left out of the answer
    return True if isinstance(value, dict) and value else None


def _status(value: Any) -> str | None:
    text = _text(value)
    return text.lower() if text and text.lower() in _KNOWN_STATUS else text


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _id(value: Any) -> str | None:
    text = _text(value)
    return text.lower() if text else None


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value >= 0 and value == value // 1 else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _first_time(fields: Mapping[str, Any], *names: str) -> datetime | None:
    return next((time for name in names if (time := _time(fields.get(name))) is not None), None)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text for text in map(_text, value) if text) if isinstance(value, list) else ()


def _each[T](value: Any, read: Callable[[Mapping[str, Any]], T]) -> tuple[T, ...]:
    return tuple(read(each) for each in value if isinstance(each, dict)) if isinstance(value, list) else ()
