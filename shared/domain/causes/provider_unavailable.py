"""The provider is throttling, down or overloaded: it passes by itself."""

from shared.domain.complaints import Words, answer
from shared.domain.finding import Finding, RuledOut
from shared.domain.look import Look

NAME = "provider_unavailable"


def look_for(look: Look) -> Finding | RuledOut:
    """Whether the call that failed was carried out all the same is for attempt_outcome_unknown (rule 3)."""
    provider = look.evidence.subscription.provider
    name = provider.name if provider is not None and provider.name else "The provider"
    return answer(
        look,
        Words(
            NAME,
            trouble=f"{name} did not take the order at that time",
            over=f"{name} did not take the order at that time; the time after which it is tried again is over.",
            who="provider administrator",
        ),
    )
