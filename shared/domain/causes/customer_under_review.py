"""Microsoft is reviewing the customer's account."""

from shared.domain.complaints import Words, answer
from shared.domain.finding import Finding, RuledOut
from shared.domain.look import Look

NAME = "customer_under_review"

_WORDS = Words(
    NAME,
    trouble="The customer's account is held back at the provider",
    over="The provider was reviewing the customer's account; the time that it takes for that is over.",
)


def look_for(look: Look) -> Finding | RuledOut:
    """A review passes by itself after a day or more; a refusal or a locked account does not."""
    return answer(look, _WORDS)
