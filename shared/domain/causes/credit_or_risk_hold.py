"""The provider holds orders back for credit or risk."""

from shared.domain.complaints import Words, answer
from shared.domain.finding import Finding, RuledOut
from shared.domain.look import Look

NAME = "credit_or_risk_hold"

_WORDS = Words(
    NAME,
    trouble="The provider holds this order back over credit or risk",
    over="The provider held this order back over credit or risk; it shows the change now.",
    who="provider administrator",
)


def look_for(look: Look) -> Finding | RuledOut:
    return answer(look, _WORDS)
