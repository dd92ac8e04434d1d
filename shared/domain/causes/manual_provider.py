"""The provider is not driven by Work 365: a person makes the change there and confirms it."""

from datetime import datetime

from shared.domain.evidence import Change, ChangeType, ProviderRow, ProviderType
from shared.domain.finding import Confidence, Disposition, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.seats import seats

NAME = "manual_provider"


def look_for(look: Look) -> Finding | RuledOut:
    provider, head = look.evidence.subscription.provider, look.head
    if head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    if provider is None:
        return RuledOut(NAME, "the subscription has no provider, or it could not be read")
    if provider.type is not ProviderType.MANUAL:
        return RuledOut(NAME, f"the provider {provider.name} is {provider.type or 'of an unknown type'}")
    since = look.age_from()
    late = since is not None and look.now >= look.after(since, look.policy.manual_late_after)
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.CERTAIN,
        sentence=_sentence(look, provider, since, late),
        next_step=f"{_task(head)} at the provider, then set the License Change Log to Provisioned "
        "(Completed in some versions) with the date on which it was done.",
        who="provisioning team",
        proof=(
            look.fact("provider type", provider.type, f"provider:{provider.id}"),
            look.change_fact("waiting since", since.isoformat() if since else None),
        ),
    )


def _sentence(look: Look, provider: ProviderRow, since: datetime | None, late: bool) -> str:
    waits = f"{provider.name} is a manual provider: Work 365 waits for a person to make this change there"
    if since is None:
        return f"{waits}; since when could not be read."
    if late:
        return f"{waits}, and it is late: {_days((look.now - since).days)} already."
    return f"{waits}."


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _task(head: Change) -> str:
    number = seats(head)
    match head.change_type:
        case ChangeType.ACTIVATE:
            return "Activate the subscription"
        case ChangeType.DEACTIVATE:
            return "End the subscription"
        case _ if number:
            return f"{'Add' if number > 0 else 'Remove'} {abs(number)} seats"
        case _:
            return "Make the change"
