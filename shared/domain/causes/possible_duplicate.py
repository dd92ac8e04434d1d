"""Two equal changes within minutes from one source: the same order may have been entered twice."""

from shared.domain.evidence import Change, ChangeType, ProvisioningStatus
from shared.domain.finding import Confidence, Disposition, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.seats import seats

NAME = "possible_duplicate"


def look_for(look: Look) -> Finding | RuledOut:
    head = look.head
    if head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    if not seats(head) or head.source is None or head.created_on is None:
        return RuledOut(NAME, "the change has no seats, or its seats, source or creation could not be read")
    twins = sorted((c for c in look.evidence.changes if _twin(look, head, c)), key=lambda c: c.id)
    if not twins:
        return RuledOut(NAME, "no equal change was made within minutes of it from the same source")
    twin = twins[0]
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LIKELY,
        sentence=f"{twin.name or 'Another change'} asks for the same {head.quantity} seats and was made within minutes "
        "of this one: is it the same order, entered twice?",
        next_step="Ask whoever made them. If it is one order, set the second change to Not Applicable and correct the "
        "subscription's quantity; if both are wanted, retrigger by hand.",
        who="billing administrator",
        proof=tuple(
            look.change_fact("created", f"{c.created_on.isoformat()}, {c.quantity} seats, {c.source}, {c.status}", c)
            for c in (head, *twins[:10])
            if c.created_on is not None
        ),
    )


def _twin(look: Look, head: Change, other: Change) -> bool:
    """Whether the other change says the same. One that was set to Not Applicable is not wanted any more."""
    if other.id == head.id or other.status is ProvisioningStatus.NOT_APPLICABLE:
        return False
    if head.created_on is None or other.created_on is None:
        return False
    same = (
        head.change_type in (ChangeType.CREATE, ChangeType.UPDATE)
        and other.change_type is head.change_type
        and seats(other) == seats(head)
        and other.source is head.source
        and other.effective_date == head.effective_date
        and (None in (other.unit_price, head.unit_price) or other.unit_price == head.unit_price)
    )
    return same and abs(other.created_on - head.created_on) <= look.policy.duplicate_within
