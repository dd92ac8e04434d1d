"""Partner Center's JSON for customers, subscriptions and orders (fields as in subscription- and order-resources)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from local.partner_center.fulfilment import Provisioned
from local.partner_center.model import Customer, NextTerm, OrderStatus, ProviderSubscription

BILLING_CYCLE = "monthly"
TERM = "P1Y"


def customer_json(customer: Customer) -> dict[str, Any]:
    """A Customer resource, without billing profile (what nobody here reads)."""
    return {
        "id": customer.tenant_id,
        "commerceId": customer.tenant_id,
        "companyProfile": {
            "tenantId": customer.tenant_id,
            "domain": f"{customer.tenant_id[:8]}.onmicrosoft.com",
            "companyName": customer.name,
            "attributes": {"objectType": "CustomerCompanyProfile"},
        },
        "relationshipToPartner": customer.relationship,
        "allowDelegatedAccess": customer.relationship == "reseller",
        "links": {"self": _link(f"/customers/{customer.tenant_id}")},
        "attributes": {"objectType": "Customer"},
    }


def collection_json(items: Sequence[dict[str, Any]], path: str) -> dict[str, Any]:
    """A ResourceCollection; subscriptions come on one page."""
    return {
        "totalCount": len(items),
        "items": list(items),
        "links": {"self": _link(path)},
        "attributes": {"objectType": "Collection"},
    }


def subscription_json(subscription: ProviderSubscription, now: datetime) -> dict[str, Any]:
    """A Subscription resource as read at `now` (UTC): what is refundable depends on the time.

    Fields without a value are left out, as in Partner Center's printed samples.
    """
    end = subscription.commitment_end
    fields = {
        "id": subscription.id,
        "offerId": subscription.offer_id,
        "entitlementId": subscription.id,
        "offerName": subscription.offer_name or subscription.offer_id,
        "friendlyName": subscription.offer_name or subscription.offer_id,
        "productType": {"id": "OnlineServicesNCE", "displayName": "OnlineServicesNCE"},
        "quantity": subscription.quantity,
        "unitType": "Licenses",
        "parentSubscriptionId": subscription.parent_subscription_id,
        "hasPurchasableAddons": subscription.parent_subscription_id is None,
        "creationDate": stamp(subscription.creation_date),
        "effectiveStartDate": stamp(subscription.effective_start or subscription.creation_date),
        "commitmentEndDate": stamp(end),
        "commitmentEndDateTime": stamp(end),
        "status": subscription.status,
        "suspensionReasons": _suspension_reasons(subscription),
        "autoRenewEnabled": subscription.auto_renew,
        "isTrial": False,
        "isMicrosoftProduct": True,
        "billingType": "license",
        "billingCycle": BILLING_CYCLE,
        "termDuration": TERM,
        "renewalTermDuration": TERM,
        "actions": _actions(subscription),
        "contractType": "subscription",
        "orderId": subscription.order_id,
        **_windows(subscription, now),
        "scheduledNextTermInstructions": _next_term(subscription.scheduled_next_term),
        "billingCycleEndDate": stamp(_billing_cycle_end(subscription, now)),
        "billingCycleEndDateTime": stamp(_billing_cycle_end(subscription, now)),
        "links": {"self": _link(f"/customers/{subscription.tenant_id}/subscriptions/{subscription.id}")},
        "attributes": {"etag": etag(subscription), "objectType": "Subscription"},
    }
    return {name: value for name, value in fields.items() if value is not None}


def provisioning_json(subscription: ProviderSubscription, shown: Provisioned) -> dict[str, Any]:
    """A SubscriptionProvisioningStatus resource."""
    fields = {
        "skuId": subscription.offer_id.partition(":")[2] or subscription.offer_id,
        "status": shown.status,
        "quantity": shown.quantity,
        "endDate": stamp(subscription.commitment_end),
        "attributes": {"objectType": "SubscriptionProvisioningStatus"},
    }
    return {name: value for name, value in fields.items() if value is not None}


def order_json(subscriptions: Sequence[ProviderSubscription], status: OrderStatus) -> dict[str, Any]:
    """An Order resource with a line for each subscription."""
    first = subscriptions[0]
    return {
        "id": first.order_id,
        "alternateId": first.order_id,
        "referenceCustomerId": first.tenant_id,
        "billingCycle": BILLING_CYCLE,
        "currencyCode": "USD",
        "lineItems": [
            {
                "lineItemNumber": number,
                "offerId": each.offer_id,
                "subscriptionId": each.id,
                "termDuration": TERM,
                "transactionType": "New",
                "friendlyName": each.offer_name or each.offer_id,
                "quantity": each.quantity,
            }
            for number, each in enumerate(subscriptions)
        ],
        "creationDate": stamp(first.creation_date),
        "status": status,
        "transactionType": "UserPurchase",
        "links": {"self": _link(f"/customers/{first.tenant_id}/orders/{first.order_id}")},
        "attributes": {"objectType": "Order"},
    }


def etag(subscription: ProviderSubscription) -> str:
    """Opaque; changes with every change of the subscription."""
    return f"{subscription.id}:{subscription.version}"


def stamp(moment: datetime | None) -> str | None:
    """A UTC time as Partner Center prints it."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def _windows(subscription: ProviderSubscription, now: datetime) -> dict[str, Any]:
    """What may still be given back, and until when: facts of this subscription, not of the catalogue."""
    batches = subscription.refundable_now(now)
    total = sum(batch.quantity for batch in batches)
    windows: dict[str, Any] = {
        "refundOptions": [],
        "refundableQuantity": {
            "totalQuantity": total,
            "details": [
                {"quantity": batch.quantity, "allowedUntilDateTime": stamp(batch.allowed_until)} for batch in batches
            ],
        },
    }
    # Where everything is inside a window, the whole subscription may go until the first one closes.
    whole = batches[0].allowed_until if batches and total == subscription.quantity else None
    until = subscription.cancellation_until or whole
    if until is not None:
        windows["cancellationAllowedUntilDate"] = stamp(until)
        windows["refundOptions"] = [{"type": "Full", "expiresAt": stamp(until)}]
    return windows


def _actions(subscription: ProviderSubscription) -> list[str]:
    if subscription.actions is not None:
        return list(subscription.actions)
    return ["edit", "cancel"] if subscription.status == "active" else []


def _suspension_reasons(subscription: ProviderSubscription) -> list[str]:
    if subscription.suspension_reasons is not None:
        return list(subscription.suspension_reasons)
    return ["PartnerSuspended"] if subscription.status == "suspended" else []


def _next_term(instructions: NextTerm | None) -> dict[str, Any] | None:
    if instructions is None:
        return None
    return {
        "product": {
            "productId": instructions.product_id,
            "skuId": instructions.sku_id,
            "availabilityId": None,
            "billingCycle": instructions.billing_cycle,
            "termDuration": instructions.term_duration,
            "promotionId": None,
        },
        "quantity": instructions.quantity,
        "customTermEndDate": None,
    }


def _billing_cycle_end(subscription: ProviderSubscription, now: datetime) -> datetime:
    """The end of the running billing month, counted in 30-day months from the start of the term."""
    start = subscription.effective_start or subscription.creation_date
    months = max(0, (now - start) // timedelta(days=30)) + 1
    return start + timedelta(days=30 * months)


def _link(uri: str) -> dict[str, Any]:
    return {"uri": uri, "method": "GET", "headers": []}
