"""The call to the provider for one change, and the judgement on what was ordered by it."""

import json
from decimal import Decimal
from typing import Literal

from local.dataverse.records import Record
from local.partner_center.errors import refuse
from local.partner_center.model import Order, ProviderSubscription
from local.work365_engine.checks import Target
from local.work365_engine.desk import SUBSCRIPTION, Desk, is_archived, is_unprovisioned, place

# Statuses of a subscription in Work 365 under which the provider would refuse, and its code.
_CLOSED = {"suspended": "800091", "expired": "800012", "cancelled": "800012", "inactive": "800012"}


def place_order(desk: Desk, target: Target, request_id: str) -> str:
    """Order the change's delta, whether or not it was ordered before; the provider's answer as JSON text.

    `request_id`: the provider answers a second call under the same id without doing it again. Raises
    ProviderRefusal.
    """
    before = len(desk.provider.orders)
    second = _unlinked_twin(desk, target)
    showed_total = _shows_running_total(desk, target)
    try:
        return _under_quirk(desk, target, request_id)
    finally:
        # Behind a refusal too: the order may have gone through and only its answer been lost.
        for order in desk.provider.orders[before:]:
            _judge(desk, target, order, showed_total=showed_total, twin=second)


def running_total(desk: Desk, change: Record, subscription: Record) -> Decimal | None:
    """What the provider should have once `change` is done: the subscription's total without the later changes."""
    if subscription["quantity"] is None:
        return None
    later = (
        other["quantity"] or Decimal(0) for other in desk.chain(subscription["id"]) if place(other) > place(change)
    )
    return Decimal(subscription["quantity"]) - sum(later, Decimal(0))


def provider_subscription(desk: Desk, subscription: Record) -> ProviderSubscription | None:
    """What the provider has under the ids that Work 365 holds for a subscription."""
    account = desk.row("provider_account", subscription["provider_account"])
    tenant_id = str((account or {}).get("provider_specific_id") or "").lower()
    return desk.provider.subscription(tenant_id, subscription["provider_subscription_id"] or "")


def _under_quirk(desk: Desk, target: Target, request_id: str) -> str:
    rule = desk.options.quirk(target.change["subscription"]).fails_with
    if rule is None or not rule.is_open(desk.clock()):
        return _order(desk, target, request_id)
    if rule.executes:
        _order(desk, target, request_id)
    raise rule.use()


def _order(desk: Desk, target: Target, request_id: str) -> str:
    change_type = target.change["change_type"]
    _must_be_open(target)
    if change_type == "create":
        return _create(desk, target, request_id)
    if change_type == "activate":
        return _set_status(desk, target, "active", request_id)
    if change_type == "deactivate":
        return _set_status(desk, target, "suspended", request_id)
    order = desk.provider.change_quantity(
        target.provider["name"],
        target.tenant_id,
        target.subscription["provider_subscription_id"] or "",
        _seats(target),
        target.change["id"],
        request_id=request_id,
    )
    return json.dumps({"id": order.subscription_id, "quantity": order.quantity_after})


def _must_be_open(target: Target) -> None:
    """What the provider would say to a change of a subscription that, for Work 365, is closed or lacks its parent."""
    code = _CLOSED.get(target.subscription["status"])
    if code and target.change["change_type"] not in ("activate", "deactivate"):
        raise refuse(code)
    if target.parent and target.change["change_type"] != "deactivate" and _is_missing(target.parent):
        raise refuse("27009")


def _is_missing(parent: Record) -> bool:
    # A parent that awaits a future or price change is no obstacle: what counts is that it exists and is open.
    return parent["provider_subscription_id"] is None or parent["status"] in _CLOSED


def _create(desk: Desk, target: Target, request_id: str) -> str:
    created = desk.provider.create_subscription(
        target.provider["name"],
        target.tenant_id,
        target.part_number,
        # What is billed by use has no seats; it is bought once.
        1 if target.subscription["product_class"] == "usage" else _seats(target),
        target.change["id"],
        parent_subscription_id=target.parent["provider_subscription_id"] if target.parent else None,
        is_addon=target.parent is not None,
        connector=target.provider["connector"] or "other",
        request_id=request_id,
    )
    desk.write(SUBSCRIPTION, target.subscription["id"], {"provider_subscription_id": created.id})
    return json.dumps({"id": created.id, "orderId": created.order_id, "quantity": created.quantity})


def _set_status(desk: Desk, target: Target, status: Literal["active", "suspended"], request_id: str) -> str:
    answer = desk.provider.set_status(
        target.provider["name"],
        target.tenant_id,
        target.subscription["provider_subscription_id"] or "",
        status,
        target.change["id"],
        request_id=request_id,
    )
    return json.dumps({"id": answer.id, "status": answer.status})


def _seats(target: Target) -> int:
    quantity = target.change["quantity"] or Decimal(0)
    if quantity != quantity.to_integral_value():
        raise refuse("2002")
    return int(quantity)


def _unlinked_twin(desk: Desk, target: Target) -> ProviderSubscription | None:
    """A subscription of the product to be bought first that the provider has and no row of Work 365 links to."""
    if target.change["change_type"] != "create":
        return None
    linked = {
        row["provider_subscription_id"]
        for row in desk.records.find(SUBSCRIPTION, customer=target.subscription["customer"])
    }
    found = desk.provider.subscriptions(target.tenant_id)
    return next(
        (s for s in found if s.offer_id == target.part_number and s.status == "active" and s.id not in linked), None
    )


def _shows_running_total(desk: Desk, target: Target) -> bool:
    total = running_total(desk, target.change, target.subscription)
    there = provider_subscription(desk, target.subscription)
    # Through a linked subscription other rows' changes are in the total too: no comparison is possible.
    is_own = target.subscription["id"] == target.change["subscription"]
    return is_own and there is not None and total is not None and there.quantity == total


def _judge(desk: Desk, target: Target, order: Order, *, showed_total: bool, twin: ProviderSubscription | None) -> None:
    """Write down every reason why this order should never have been made."""
    change = target.change
    for_change = [other for other in desk.provider.orders if other.change_id == change["id"]]
    if len(for_change) > 1:
        desk.harmed("ordered_twice", change, f"{len(for_change)} orders, the last of {order.delta}")
    elif showed_total and order.delta:
        desk.harmed("over_ordered", change, f"the provider had the running total; now {order.quantity_after}")
    if is_archived(change):
        desk.harmed("archived_ordered", change, "an invoiced change was ordered")
    if change["change_source"] == "provider":
        desk.harmed("provider_sourced_ordered", change, "a change that came from the provider was ordered there")
    if twin is not None:
        desk.harmed("second_subscription", change, f"{twin.id} of the same product was there and not linked")
    if target.account["account"] not in (None, target.subscription["customer"]):
        desk.harmed("wrong_tenant", change, f"{target.tenant_id} belongs to another customer")
    _judge_by_rows(desk, target, order)


def _judge_by_rows(desk: Desk, target: Target, order: Order) -> None:
    """Compare with the rows as they are now: they may have changed since the checks."""
    change = target.change
    subscription = desk.row(SUBSCRIPTION, change["subscription"])
    provider = desk.row("provider", subscription["provider"]) if subscription else None
    if provider is not None and provider["type"] == "manual":
        desk.harmed("manual_ordered", change, f"ordered behind the back of {provider['name']}")
    chain = desk.chain(change["subscription"])
    if any(is_unprovisioned(other) and place(other) < place(change) for other in chain):
        desk.harmed("out_of_order", change, f"{order.delta} seats before an earlier change was provisioned")
