"""A change was invoiced although it was never provisioned: what is billed is not what the customer has."""

from shared.domain.evidence import Change
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.seats import billed_without, counted_by_use, seats, total

NAME = "billed_not_provisioned"


def look_for(look: Look) -> Finding | RuledOut:
    billed = billed_without(look)
    if not billed:
        return RuledOut(NAME, "every archived change is provisioned, or has nothing to provision")
    there = _shown_there(look, billed)
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.CERTAIN if look.at_provider() is not None and not there else Confidence.LIKELY,
        sentence=_sentence(billed),
        next_step="Look at the seats at the provider: if they are missing, order them or credit the invoice; if they "
        "are there, only the status of the change is wrong. An archived change is never retriggered.",
        who="billing administrator",
        proof=tuple(
            look.change_fact("archived (invoiced), Provisioning Status", f"{c.status}, {c.quantity} seats", c)
            for c in billed[:20]
        ),
        against=there,
    )


def _sentence(billed: list[Change]) -> str:
    number = "An invoiced change was" if len(billed) == 1 else f"{len(billed)} invoiced changes were"
    sums = total(billed)
    if sums is not None and sums < 0:
        return f"{number} never provisioned: the provider still charges seats that the customer no longer pays for."
    return f"{number} never provisioned: the customer pays for what they may not have."


def _shown_there(look: Look, billed: list[Change]) -> tuple[Fact, ...]:
    """The provider's seats, where they are what they should be with these changes: then only their status is wrong."""
    shown, before, sums = look.at_provider(), look.chain.before, total(billed)
    if shown is None or shown.quantity is None or before is None or sums is None or counted_by_use(look):
        return ()
    with_head = seats(look.head) if look.head is not None else None
    wanted = {before + sums, before + sums + (with_head or 0)}
    if not sums or shown.quantity not in wanted:
        return ()
    return (look.fact("seats at the provider", shown.quantity, f"provider_subscription:{shown.id}"),)
