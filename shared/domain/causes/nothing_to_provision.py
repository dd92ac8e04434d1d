"""The change asks the provider for nothing: a change of price, an empty first order, or one that came from there."""

from shared.domain.evidence import Change, ChangeSource, ChangeType
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.safety import shows_head
from shared.domain.seats import seats, touches_none

NAME = "nothing_to_provision"


def look_for(look: Look) -> Finding | RuledOut:
    head = look.head
    if head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    if head.source is ChangeSource.PROVIDER:
        return _from_the_provider(look, head)
    if touches_none(head):
        return _price_only(look, head)
    if head.change_type is ChangeType.CREATE and seats(head) == 0:
        return _empty_order(look, head)
    if seats(head) is None:
        return RuledOut(NAME, "the change's quantity could not be read, so it is not known to be none")
    return RuledOut(NAME, f"the change was made in Work 365 and is about {head.quantity} seats or the status")


def _from_the_provider(look: Look, head: Change) -> Finding:
    there = shows_head(look)
    return Finding(
        cause=NAME,
        disposition=Disposition.APPROVE if there else Disposition.PERSON,
        confidence=Confidence.CERTAIN if there else Confidence.LIKELY,
        sentence="This change came from the provider, so there is nothing to order for it.",
        next_step="Close it: set Provisioning Status to Not Applicable. Never retrigger it."
        if there
        else "Compare the seats at the provider; if they are there, set the change to Not Applicable. "
        "Never retrigger it.",
        who="billing administrator",
        proof=_proof(look, head),
    )


def _price_only(look: Look, head: Change) -> Finding:
    return Finding(
        cause=NAME,
        disposition=Disposition.APPROVE,
        confidence=Confidence.CERTAIN if head.source is not None else Confidence.LIKELY,
        sentence="This change adds and removes no seats (a change of price): there is nothing to order for it.",
        next_step="Close it: set Provisioning Status to Not Applicable. Its price counts all the same.",
        who="billing administrator",
        proof=_proof(look, head),
    )


def _empty_order(look: Look, head: Change) -> Finding | RuledOut:
    counted = look.evidence.subscription.product_class
    if counted != "license":
        return RuledOut(NAME, f"a first order of a {counted or 'not known'} product need not have a quantity")
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LIKELY,
        sentence="This is a first order of no seats at all.",
        next_step="Enter the quantity that the customer ordered, or set the change to Not Applicable.",
        who="billing administrator",
        proof=_proof(look, head),
    )


def _proof(look: Look, head: Change) -> tuple[Fact, ...]:
    return (
        look.change_fact("Quantity", head.quantity),
        look.change_fact("Change Source", head.source),
        look.change_fact("change type", head.change_type),
    )
