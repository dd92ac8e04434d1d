"""An add-on whose parent subscription is not in force yet, or is not the right one."""

from dataclasses import replace
from decimal import Decimal

from shared.domain.chain import chain_of
from shared.domain.complaints import complaint, cured
from shared.domain.evidence import (
    Change,
    ChangeType,
    Evidence,
    ProviderSubscription,
    ProviderType,
    Related,
    SubscriptionStatus,
)
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import AT_REST, Look
from shared.domain.provider_errors import Waiting
from shared.domain.seats import counted_by_use, seats

NAME = "parent_not_provisioned"

_TOO_FEW_SEATS, _NOT_ITS_PARENT = "10018", "800029"


def look_for(look: Look) -> Finding | RuledOut:
    subscription, parent = look.evidence.subscription, look.evidence.parent
    if look.head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    complains = look.reading.cause == NAME
    if subscription.parent_id is None:
        return _no_parent(look) if complains else RuledOut(NAME, "the subscription has no parent")
    if _circle(look, subscription.parent_id, parent):
        return _in_circles(look)
    if parent is None:
        return _not_found(look, complains)
    if _is_bundle(parent):
        return _no_parent(look) if complains else RuledOut(NAME, "the parent is a bundle, so this is no add-on")
    if subscription.provider is not None and subscription.provider.connector == "pax8":
        return _no_add_ons(look)
    return _by_parent(look, parent, complains)


def _by_parent(look: Look, parent: Related, complains: bool) -> Finding | RuledOut:
    holds = _what_holds(look, parent)
    if holds is not None:
        return _waits(parent, holds)
    if parent.subscription.status not in AT_REST:
        return _parent_ended(look, parent)
    shown = _shown(look, parent)
    if shown is not None and shown.status not in ("active", "pending", None):
        return _ended_at_provider(look, parent, shown)
    if complains:
        return _mended(look, parent) if _can_be_mended(look, parent) else _contradicted(look, parent)
    name, status = parent.subscription.name, parent.subscription.status
    return RuledOut(NAME, f"the parent {name} is {status}, nothing of it holds the add-on back")


def _circle(look: Look, parent_id: str, parent: Related | None) -> bool:
    """Whether the way up from the subscription comes back to where it was: it, or its parent, is its own ancestor."""
    above = [parent_id, *look.evidence.ancestors]
    if parent is not None and parent.subscription.parent_id and not look.evidence.ancestors:
        above.append(parent.subscription.parent_id)
    ids = [one.casefold() for one in above]
    return look.evidence.subscription.id.casefold() in ids or len(set(ids)) < len(ids)


def _is_bundle(parent: Related) -> bool:
    provider = parent.subscription.provider
    return provider is not None and provider.type is ProviderType.DO_NOTHING


def _what_holds(look: Look, parent: Related) -> Fact | None:
    """What of the parent is not provisioned. Its future and price changes hold nothing back."""
    for change in look.open_changes(parent.changes):
        early = change.effective_date is not None and change.effective_date > look.today
        if not early and _needed(look, parent, change):
            return look.change_fact(f"{change.change_type} of the parent", change.status, change)
    if parent.subscription.status is SubscriptionStatus.AWAITING:
        return _status_of(look, parent)
    return None


def _needed(look: Look, parent: Related, change: Change) -> bool:
    """Whether the add-on needs this of its parent: to exist, to be active, or to have as many seats as the add-on."""
    if change.change_type in (ChangeType.CREATE, ChangeType.ACTIVATE):
        return True
    if change.change_type is not ChangeType.UPDATE or (seats(change) or 0) <= 0:
        return False
    return _too_few(look, parent) is not False


def _too_few(look: Look, parent: Related) -> bool | None:
    """Whether the parent's provisioned seats are fewer than the add-on's; None when either is not known."""
    has = chain_of(Evidence(parent.subscription, parent.changes, look.evidence.read_on)).before
    wants = look.chain.after
    if has is None or wants is None or counted_by_use(look) or not (has.is_finite() and wants.is_finite()):
        return None
    if has == Decimal(0):  # nothing of it was read as provisioned, although it is in force
        return None
    return has < wants


def _shown(look: Look, parent: Related) -> ProviderSubscription | None:
    """The parent as the provider shows it: it lies in the same tenant."""
    reading, wanted = look.evidence.provider, parent.subscription.provider_subscription_id
    if reading is None or not reading.readable or not wanted:
        return None
    return next((s for s in reading.subscriptions if s.id.casefold() == wanted.casefold()), None)


def _can_be_mended(look: Look, parent: Related) -> bool:
    """Whether what was complained of is out of the way: the parent was provisioned after the message was left.

    An older repair cures nothing (rule 4), and a wrong parent stays wrong.
    """
    reading = look.reading
    if reading.waiting is Waiting.NEVER or reading.matched == _NOT_ITS_PARENT:
        return False
    if reading.matched == _TOO_FEW_SEATS and _too_few(look, parent) is not False:
        return False
    provisioned = [c.actual_provisioned_on for c in parent.changes if c.actual_provisioned_on is not None]
    return bool(provisioned) and look.message_on is not None and max(provisioned) > look.message_on


def _mended(look: Look, parent: Related) -> Finding:
    sentence = f"The parent {parent.subscription.name} has been provisioned since this add-on failed."
    return cured(look, NAME, sentence, (_status_of(look, parent),))


def _status_of(look: Look, parent: Related) -> Fact:
    where = f"subscription:{parent.subscription.id}"
    return look.fact("Status Reason of the parent", parent.subscription.status, where)


def _waits(parent: Related, holds: Fact) -> Finding:
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


def _person(look: Look, confidence: Confidence, sentence: str, next_step: str, *facts: Fact) -> Finding:
    """A finding for a person; `facts` are its proof beside the parent that Work 365 names."""
    subscription = look.evidence.subscription
    parent = look.fact("Parent Subscription", subscription.parent_id, f"subscription:{subscription.id}")
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=confidence,
        sentence=sentence,
        next_step=next_step,
        who="billing administrator",
        proof=(parent, *facts, *(complaint(look) if look.reading.cause == NAME else ())),
    )


def _in_circles(look: Look) -> Finding:
    subscription = look.evidence.subscription
    above = look.fact("its parent's parents", ", ".join(look.evidence.ancestors), f"subscription:{subscription.id}")
    sentence = "The Parent Subscription leads back to where it came from: no subscription of this chain can be first."
    return _person(look, Confidence.CERTAIN, sentence, "Correct Parent Subscription: the data is wrong.", above)


def _not_found(look: Look, complains: bool) -> Finding | RuledOut:
    if look.evidence.unread and not complains:
        return RuledOut(NAME, "the parent subscription could not be read")
    sentence = "This subscription names a parent that could not be found."
    return _person(look, Confidence.LOW, sentence, "Look at Parent Subscription and correct it.")


def _no_add_ons(look: Look) -> Finding:
    provider = look.evidence.subscription.provider
    fact = look.fact("connector", "pax8", f"provider:{provider.id if provider else '?'}")
    sentence = "This is an add-on at Pax8, and Work 365's connector for Pax8 cannot provision add-ons."
    next_step = "Order the add-on at Pax8 by hand, then set the change to Provisioned."
    return _person(look, Confidence.CERTAIN, sentence, next_step, fact)


def _parent_ended(look: Look, parent: Related) -> Finding:
    status = parent.subscription.status
    sentence = (
        f"This add-on's parent {parent.subscription.name} is {status or 'in a state that is not known'}, "
        "and nothing is under way for it."
    )
    sure = Confidence.CERTAIN if status is not None else Confidence.LOW
    next_step = "Bring the parent back into force, or set another Parent Subscription."
    return _person(look, sure, sentence, next_step, _status_of(look, parent))


def _ended_at_provider(look: Look, parent: Related, shown: ProviderSubscription) -> Finding:
    sentence = f"This add-on's parent {parent.subscription.name} is {shown.status} at the provider."
    fact = look.fact("status of the parent at the provider", shown.status, f"provider_subscription:{shown.id}")
    next_step = "Resume the parent at the provider, or set another Parent Subscription."
    return _person(look, Confidence.CERTAIN, sentence, next_step, fact)


def _contradicted(look: Look, parent: Related) -> Finding:
    subscription, against = parent.subscription, _status_of(look, parent)
    if look.reading.matched == _NOT_ITS_PARENT:
        sentence = f"The provider says that this add-on does not belong to {subscription.name}."
        next_step = "Set Parent Subscription to the base subscription that the add-on belongs to."
    elif look.reading.waiting is Waiting.NEVER:
        sentence = f"The provider refuses this change: {look.reading.means}."
        next_step = "End or move the add-ons first, or close the change."
    else:
        sentence = f"The provider complains about the parent; in Work 365 {subscription.name} is {subscription.status}."
        next_step = "Look at the parent at the provider, its status and its seats: the two disagree."
    return replace(_person(look, Confidence.LIKELY, sentence, next_step), against=(against,))


def _no_parent(look: Look) -> Finding:
    bundle = look.evidence.parent is not None
    what = "its parent in Work 365 is only a bundle" if bundle else "it has no parent in Work 365"
    sentence = f"The provider complains about this add-on's parent subscription, and {what}."
    next_step = "Set Parent Subscription to the base subscription that was bought, not to the bundle."
    return _person(look, Confidence.LIKELY, sentence, next_step)
