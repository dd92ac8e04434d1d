"""The provider already shows what the change asks for: retriggering it would order twice."""

from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.safety import shows_head

NAME = "already_applied"


def look_for(look: Look) -> Finding | RuledOut:
    if look.head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    reading, shown = look.evidence.provider, look.at_provider()
    if reading is None:
        return RuledOut(NAME, "the provider has not been asked")
    if not reading.readable:
        return RuledOut(NAME, f"the provider could not be asked: {reading.problem}")
    if shown is None:
        return RuledOut(NAME, "the provider does not show this subscription")
    if not shows_head(look):
        expected = look.chain.after if look.chain.after is not None else look.head.change_type
        return RuledOut(NAME, f"the provider shows {shown.quantity} seats ({shown.status}), not yet {expected}")
    return Finding(
        cause=NAME,
        disposition=Disposition.APPROVE,
        confidence=Confidence.CERTAIN,
        sentence=f"The provider already has this change ({shown.quantity} seats); only Work 365 does not know.",
        next_step="Set the change to Provisioned with the date it was applied; do not retrigger it.",
        who="billing administrator",
        proof=(
            Fact("seats at the provider", str(shown.quantity), f"provider_subscription:{shown.id}", reading.read_on),
            look.change_fact("seats after this change", look.chain.after),
            look.change_fact("Provisioning Status", look.head.status),
        ),
    )
