"""What the provider has for one subscription of a world."""

from datetime import timedelta

from local.partner_center.model import MICROSOFT_CSP, NextTerm, ProviderSubscription, RefundableBatch
from local.worlds.changing import Change
from local.worlds.identities import row_id
from local.worlds.member import Member, turn

_WINDOW = timedelta(days=7)
_YEAR = timedelta(days=365)


def provider_side(member: Member) -> ProviderSubscription | None:
    """Its subscription at the provider; None while nothing was bought there, or where Work 365 drives nobody.

    Where the world says nothing, it has what the provisioned changes add up to.
    """
    side, group = member.group.provider_side, member.group
    there = [change for change in group.changes if _is_there(change)]
    if member.provider.type not in ("automatic", "rest") or not side.exists:
        return None
    if not there and side.quantity is None:
        return None
    product = member.world.products[group.product]
    began = member.now + (side.created or min(change.created for change in (there or group.changes)))
    quantity = side.quantity
    if quantity is None:
        quantity = sum(turn(change.quantity, member.n) for change in there)
    parent = member.of(group.parent)
    has_parent = parent is not None and parent.provider.type in ("automatic", "rest")
    term_end = began + _YEAR * ((member.now - began) // _YEAR + 1)
    return ProviderSubscription(
        id=member.provider_subscription_id,
        tenant_id=member.tenant_id,
        offer_id=product.part_number or "",
        quantity=1 if product.product_class == "usage" else quantity,
        creation_date=began,
        offer_name=product.name,
        status=side.status,
        parent_subscription_id=parent.provider_subscription_id if parent and has_parent else None,
        effective_start=began,
        commitment_end=member.now + side.term_ends if side.term_ends is not None else term_end,
        auto_renew=side.auto_renew,
        scheduled_next_term=_next_term(product.part_number, side.next_term),
        refundable=_refundable(member, there),
        connector=member.provider.connector or MICROSOFT_CSP,
        actions=side.actions,
        suspension_reasons=side.suspension_reasons,
        cancellation_until=member.now + side.cancellation if side.cancellation is not None else None,
        provisioning=side.provisioning,
        order_status=side.order_status,
    )


def twin(member: Member) -> ProviderSubscription | None:
    """A second subscription of the same product that nothing in Work 365 points to."""
    other = member.group.provider_side.twin
    if other is None:
        return None
    product, ordered = member.world.products[member.group.product], member.now + other.ordered
    return ProviderSubscription(
        id=row_id(member.world.name, "twin", member.group.group, member.n),
        tenant_id=member.tenant_id,
        offer_id=product.part_number or "",
        quantity=other.quantity,
        creation_date=ordered,
        offer_name=product.name,
        status=other.status,
        effective_start=ordered,
        commitment_end=ordered + _YEAR,
        connector=member.provider.connector or MICROSOFT_CSP,
    )


def _is_there(change: Change) -> bool:
    return change.status == "provisioned" or (change.status == "not_applicable" and change.source == "provider")


def _next_term(part_number: str | None, quantity: int | None) -> NextTerm | None:
    if quantity is None:
        return None
    product_id, _, sku_id = (part_number or "").partition(":")
    return NextTerm(product_id, sku_id, quantity)


def _refundable(member: Member, there: list[Change]) -> list[RefundableBatch]:
    said = member.group.provider_side.refundable
    if said is not None:
        return [RefundableBatch(batch.quantity, member.now + batch.until) for batch in said]
    return [
        RefundableBatch(turn(change.quantity, member.n), member.now + change.created + _WINDOW)
        for change in there
        if turn(change.quantity, member.n) > 0 and change.created > -_WINDOW
    ]
