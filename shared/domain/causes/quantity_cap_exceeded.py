"""More seats or subscriptions than the provider allows."""

import re
from dataclasses import replace
from decimal import Decimal

from shared.domain.complaints import Words, answer, complains, other, person
from shared.domain.finding import Confidence, Fact, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.seats import counted_by_use, gives_back, seats

NAME = "quantity_cap_exceeded"

_WORDS = Words(
    NAME,
    trouble="The provider does not allow this quantity",
    over="The provider refused the quantity of this change; it shows the change now.",
)
_IN_A_SANDBOX = Words(
    NAME,
    trouble="The provider is a sandbox, which allows 25 seats in a subscription, and this change asks for more",
    over="",
    next_step="Ask for 25 seats or fewer there, or move the subscription to the provider it was meant for.",
)
_SANDBOX = re.compile(r"\b(?:sandbox|integration sandbox|test in production)\b|TIP\b")
_SEATS_IN_A_SANDBOX = 25


def look_for(look: Look) -> Finding | RuledOut:
    if not complains(look, NAME):
        return _sandbox(look) or other(look, NAME)
    if gives_back(look.head):
        return answer(look, _WORDS, look.change_fact("seats of this change", seats(look.head)))
    return answer(look, _WORDS)


def _sandbox(look: Look) -> Finding | None:
    """A sandbox, known by its name, and more seats than one may have there. Any message says more than that."""
    provider, after = look.evidence.subscription.provider, look.chain.after
    if look.head is None or look.message or provider is None or counted_by_use(look):
        return None
    if not _SANDBOX.search(provider.name) and not _SANDBOX.search(provider.name.casefold()):
        return None
    asks = (seats(look.head) or Decimal(0)) > 0
    if not asks or after is None or not after.is_finite() or after <= _SEATS_IN_A_SANDBOX:
        return None
    where = look.fact("provider", provider.name, f"provider:{provider.id}")
    total: Fact = look.change_fact("seats after this change", after)
    return replace(person(look, _IN_A_SANDBOX, proof=(where, total)), confidence=Confidence.LIKELY)
