"""An add-on whose parent subscription is not in force yet."""

from shared.domain.evidence import ChangeType, Parent, ProviderType, SubscriptionStatus
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import AT_REST, Look
from shared.domain.provider_errors import Waiting
from shared.domain.safety import order_safety

NAME = "parent_not_provisioned"

_HOLDING = frozenset({ChangeType.CREATE, ChangeType.ACTIVATE, ChangeType.UPDATE})


def look_for(look: Look) -> Finding | RuledOut:
    subscription = look.evidence.subscription
    if look.head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    complains = look.reading.cause == NAME
    if subscription.parent_id is None:
        return _no_parent(look) if complains else RuledOut(NAME, "the subscription has no parent")
    parent = look.evidence.parent
    if parent is None:
        return RuledOut(NAME, "the parent subscription could not be read")
    if _is_bundle(parent):
        return (
            _no_parent(look) if complains else RuledOut(NAME, "the parent is a bundle, which has nothing to provision")
        )
    holds = _what_holds(look, parent)
    if holds is not None:
        return _waits(parent, holds)
    if parent.subscription.status not in AT_REST:
        return _parent_ended(look, parent)
    if complains:
        mended = _repaired_since(look, parent) and look.reading.waiting is not Waiting.NEVER
        return _cured(look, parent) if mended else _contradicted(look, parent)
    return RuledOut(
        NAME, f"the parent {parent.subscription.name} is {parent.subscription.status}, nothing of it is open"
    )


def _is_bundle(parent: Parent) -> bool:
    provider = parent.subscription.provider
    return provider is not None and provider.type is ProviderType.DO_NOTHING


def _what_holds(look: Look, parent: Parent) -> Fact | None:
    """What of the parent is not provisioned. Its future and price changes hold nothing back."""
    for change in look.open_changes(parent.changes):
        early = change.effective_date is not None and change.effective_date > look.today
        adds = change.change_type is not ChangeType.UPDATE or (change.quantity or 0) > 0
        if change.change_type in _HOLDING and adds and not early:
            return look.change_fact(f"{change.change_type} of the parent", change.status, change)
    if parent.subscription.status is SubscriptionStatus.AWAITING:
        return _status_of(look, parent)
    return None


def _status_of(look: Look, parent: Parent) -> Fact:
    return look.fact(
        "Status Reason of the parent", parent.subscription.status, f"subscription:{parent.subscription.id}"
    )


def _repaired_since(look: Look, parent: Parent) -> bool:
    """Whether the parent was provisioned after the message was left: an older repair cures nothing (rule 4)."""
    provisioned = [c.actual_provisioned_on for c in parent.changes if c.actual_provisioned_on is not None]
    return bool(provisioned) and look.message_on is not None and max(provisioned) > look.message_on


def _parent_ended(look: Look, parent: Parent) -> Finding:
    status = parent.subscription.status or "in a state that is not known"
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.CERTAIN,
        sentence=f"This add-on's parent {parent.subscription.name} is {status}, and nothing is under way for it.",
        next_step="Bring the parent back into force, or set another Parent Subscription.",
        who="billing administrator",
        proof=(_status_of(look, parent),),
    )


def _contradicted(look: Look, parent: Parent) -> Finding:
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LIKELY,
        sentence=f"The provider says that the parent is not active; in Work 365 {parent.subscription.name} is.",
        next_step="Look at the parent at the provider: the two disagree.",
        who="provisioning team",
        proof=(look.change_fact("Provisioning Message", look.message[:500]), _status_of(look, parent)),
    )


def _waits(parent: Parent, holds: Fact) -> Finding:
    return Finding(
        cause=NAME,
        disposition=Disposition.WAIT,
        confidence=Confidence.CERTAIN,
        sentence=f"This add-on waits for its parent {parent.subscription.name}, which is not provisioned yet.",
        next_step="Nothing to do here: the parent's case goes first.",
        who="no one",
        proof=(holds,),
        waits_for=parent.subscription.id,
    )


def _no_parent(look: Look) -> Finding:
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LIKELY,
        sentence="The provider wants the parent subscription active, but this one has no real parent in Work 365.",
        next_step="Set Parent Subscription to the base subscription, not to the bundle.",
        who="billing administrator",
        proof=(look.change_fact("Provisioning Message", look.message[:500]),),
    )


def _cured(look: Look, parent: Parent) -> Finding:
    safety = order_safety(look)
    return Finding(
        cause=NAME,
        disposition=safety.disposition,
        confidence=Confidence.LIKELY,
        sentence=f"The parent {parent.subscription.name} has been provisioned since this add-on failed.",
        next_step="; ".join(safety.objections) or "Nothing to do: the add-on is retriggered by this app.",
        who="this app" if safety.disposition is Disposition.AUTO else "billing administrator",
        proof=(
            look.change_fact("Provisioning Message", look.message[:500]),
            look.fact(
                "Status Reason of the parent", parent.subscription.status, f"subscription:{parent.subscription.id}"
            ),
            *safety.proof,
        ),
        cured=True,
    )
