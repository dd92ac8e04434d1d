"""From a subscription as Partner Center shows it to the evidence that rules look at."""

from shared.adapters.partner_center.subscription import Subscription
from shared.domain.evidence import ProviderSubscription, SeatBatch


def shown(found: Subscription) -> ProviderSubscription:
    """The evidence. What is None there is not known here either."""
    return ProviderSubscription(
        id=found.id or "",
        quantity=found.quantity,
        status=found.status,
        product=found.part_number,
        created_on=found.created_on,
        has_next_term_instructions=found.has_next_term_instructions,
        next_term_quantity=found.next_term_quantity,
        parent_id=found.parent_id,
        actions=None if found.actions is None else frozenset(found.actions),
        refundable=_batches(found),
        refundable_total=found.refundable_total,
        cancellation_until=found.cancellation_until,
        commitment_end=found.commitment_end,
        auto_renew=found.auto_renew,
        suspension_reasons=found.suspension_reasons,
        order_id=found.order_id,
    )


def _batches(found: Subscription) -> tuple[SeatBatch, ...] | None:
    if found.refundable is None:
        return None
    return tuple(SeatBatch(each.quantity, each.allowed_until) for each in found.refundable)
