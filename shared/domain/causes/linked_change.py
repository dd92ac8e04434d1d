"""The change works through another subscription: it is applied there, and never ordered by itself."""

from shared.domain.evidence import ProviderType, Related, SubscriptionStatus
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import AT_REST, Look

NAME = "linked_change"


def look_for(look: Look) -> Finding | RuledOut:
    subscription = look.evidence.subscription
    provider, linked_id = subscription.provider, subscription.linked_id
    if look.head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    if provider is None or provider.type is not ProviderType.LINKED:
        kind = provider.type if provider is not None else None
        return RuledOut(NAME, f"the provider is {kind or 'not known'}, so the change does not work through another one")
    if not linked_id:
        return _person(look, "no Linked Subscription is set", "Set Linked Subscription.", Confidence.CERTAIN)
    linked = look.evidence.linked
    if _circle(look, linked_id, linked):
        text = "the two subscriptions point to each other"
        return _person(look, text, "Correct Linked Subscription: one of them must be ordered.", Confidence.CERTAIN)
    if linked is None:
        return _person(look, "that one could not be read", "Look at the linked subscription.", Confidence.LOW)
    return _by_linked(look, linked)


def _circle(look: Look, linked_id: str, linked: Related | None) -> bool:
    own = look.evidence.subscription.id.casefold()
    back = linked.subscription if linked is not None else None
    returns = (
        back is not None
        and back.provider is not None
        and back.provider.type is ProviderType.LINKED
        and (back.linked_id or "").casefold() == own
    )
    return linked_id.casefold() == own or returns


def _by_linked(look: Look, linked: Related) -> Finding:
    other = linked.subscription
    where = f"subscription:{other.id}"
    waiting = look.open_changes(linked.changes)
    if waiting or other.status is SubscriptionStatus.AWAITING:
        first = waiting[0] if waiting else None
        return Finding(
            cause=NAME,
            disposition=Disposition.WAIT,
            confidence=Confidence.CERTAIN,
            sentence=f"This change works through {other.name or other.id}, which is not provisioned yet.",
            next_step="Nothing to do here: the case of the linked subscription goes first.",
            who="no one",
            proof=(
                _provider_type(look),
                look.change_fact("Provisioning Status there", first.status, first)
                if first
                else look.fact("Status Reason there", other.status, where),
            ),
            waits_for=other.id,
        )
    if other.status not in AT_REST:
        text = f"{other.name or 'that one'} is {other.status or 'in a state that is not known'}"
        return _person(look, text, "Bring the linked subscription into force, or link another one.", Confidence.LIKELY)
    return _person(
        look,
        f"nothing of {other.name or 'that one'} is open any more",
        "See whether this change reached the linked subscription; if so, set it to Provisioned, else make it there.",
        Confidence.LIKELY,
        look.fact("Status Reason there", other.status, where),
    )


def _person(look: Look, what: str, next_step: str, confidence: Confidence, *proof: Fact) -> Finding:
    subscription = look.evidence.subscription
    link = look.fact("Linked Subscription", subscription.linked_id, f"subscription:{subscription.id}")
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=confidence,
        sentence=f"This change works through a linked subscription, and {what}.",
        next_step=next_step,
        who="billing administrator",
        proof=(_provider_type(look), link, *proof),
    )


def _provider_type(look: Look) -> Fact:
    provider = look.evidence.subscription.provider
    where = f"provider:{provider.id if provider else '?'}"
    return look.fact("provider type", provider.type if provider else None, where)
