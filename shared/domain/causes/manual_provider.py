"""The provider is not driven by Work 365: a person makes the change there and confirms it."""

from shared.domain.evidence import ProviderType
from shared.domain.finding import Confidence, Disposition, Finding, RuledOut
from shared.domain.look import Look

NAME = "manual_provider"


def look_for(look: Look) -> Finding | RuledOut:
    provider, head = look.evidence.subscription.provider, look.head
    if head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    if provider is None:
        return RuledOut(NAME, "the subscription has no provider, or it could not be read")
    if provider.type is not ProviderType.MANUAL:
        return RuledOut(NAME, f"the provider {provider.name} is {provider.type or 'of an unknown type'}")
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.CERTAIN,
        sentence=f"{provider.name} is a manual provider: Work 365 waits for a person to make this change there.",
        next_step="Make the change at the provider, then set the License Change Log to Provisioned.",
        who="provisioning team",
        proof=(look.fact("provider type", provider.type, f"provider:{provider.id}"),),
    )
