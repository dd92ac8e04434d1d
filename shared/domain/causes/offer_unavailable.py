"""The provider does not sell this offer to this customer, or no longer."""

from shared.domain.complaints import Words, answer
from shared.domain.evidence import ChangeType
from shared.domain.finding import Finding, RuledOut
from shared.domain.look import Look

NAME = "offer_unavailable"

_WORDS = Words(
    NAME,
    trouble="The provider does not sell what this change asks for",
    over="The provider refused the offer of this change; it shows the change now.",
)


def look_for(look: Look) -> Finding | RuledOut:
    """Ending a subscription buys nothing: the complaint may belong to an earlier try."""
    head = look.head
    if head is None or head.change_type is not ChangeType.DEACTIVATE:
        return answer(look, _WORDS)
    return answer(look, _WORDS, look.change_fact("change type", head.change_type))
