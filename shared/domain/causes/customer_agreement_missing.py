"""The customer has not accepted the Microsoft Customer Agreement."""

from shared.domain.complaints import Words, answer
from shared.domain.finding import Finding, RuledOut
from shared.domain.look import Look

NAME = "customer_agreement_missing"

_WORDS = Words(
    NAME,
    trouble="An agreement that the provider demands is missing",
    over="An agreement was missing when the provider refused this change; the provider shows the change now.",
)


def look_for(look: Look) -> Finding | RuledOut:
    return answer(look, _WORDS)
