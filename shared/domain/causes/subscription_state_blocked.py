"""The subscription's own state forbids the change: it is suspended, ended or inactive, or its provider does nothing."""

from datetime import datetime, timedelta

from shared.domain.complaints import complaint, cured, left_on
from shared.domain.evidence import ChangeType, ProviderType, SubscriptionStatus
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import AT_REST, Look
from shared.domain.mended import read_since
from shared.domain.provider_errors import Waiting
from shared.domain.seats import ends_it

NAME = "subscription_state_blocked"

_ENDED = frozenset(
    {
        SubscriptionStatus.INACTIVE,
        SubscriptionStatus.SUSPENDED,
        SubscriptionStatus.EXPIRED,
        SubscriptionStatus.CANCELLED,
    }
)
_ENDED_THERE = frozenset({"suspended", "expired", "disabled", "deleted"})


def look_for(look: Look) -> Finding | RuledOut:
    head = look.head
    if head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    provider = look.evidence.subscription.provider
    if provider is not None and provider.type is ProviderType.DO_NOTHING:
        return _do_nothing(look)
    complains = look.reading.cause == NAME
    states = _states(look)
    if not _is_itself(look) and states:
        return _blocked(look, states, complains)
    if complains:
        return _by_message(look)
    if states:
        return RuledOut(NAME, f"the change itself is what ends or resumes the subscription ({head.change_type})")
    return RuledOut(
        NAME, "neither Work 365 nor the provider, where it was asked, shows it suspended, ended or inactive"
    )


def _is_itself(look: Look) -> bool:
    """Whether the head is the activation, deactivation or cancellation that the state belongs to."""
    return look.head is not None and (look.head.change_type is ChangeType.ACTIVATE or ends_it(look))


def _states(look: Look) -> tuple[Fact, ...]:
    """Where the subscription is not in force: in Work 365, at the provider, or both."""
    subscription, shown = look.evidence.subscription, look.at_provider()
    facts = []
    if subscription.status in _ENDED:
        facts.append(look.fact("Status Reason", subscription.status, f"subscription:{subscription.id}"))
    if shown is not None and shown.status in _ENDED_THERE:
        where = f"provider_subscription:{shown.id}"
        facts.append(look.fact("status at the provider", shown.status, where))
        facts += [look.fact("suspended because of", reason, where) for reason in shown.suspension_reasons]
    return tuple(facts)


def _blocked(look: Look, states: tuple[Fact, ...], complains: bool) -> Finding:
    head, subscription, shown = look.head, look.evidence.subscription, look.at_provider()
    against: tuple[Fact, ...] = ()
    if shown is not None and shown.status == "active":
        against = (look.fact("status at the provider", shown.status, f"provider_subscription:{shown.id}"),)
    elif shown is not None and subscription.status in AT_REST:
        against = (look.fact("Status Reason", subscription.status, f"subscription:{subscription.id}"),)
    sure = Confidence.CERTAIN if shown is not None and not against else Confidence.LIKELY
    if head is None or head.change_type is None:
        sure = Confidence.LOW  # it could be the activation itself
    first = states[0]
    at = "at the provider" if first.what == "status at the provider" else "in Work 365"
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=sure,
        sentence=f"The subscription is {first.value} {at}, so this change cannot be provisioned.",
        next_step="Resume the subscription if the customer keeps it, then retrigger; otherwise close the change by "
        "setting it to Not Applicable.",
        who="billing administrator",
        proof=(*states, *(complaint(look) if complains else ())),
        against=against,
    )


def _do_nothing(look: Look) -> Finding:
    provider = look.evidence.subscription.provider
    where = f"provider:{provider.id if provider else '?'}"
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.CERTAIN,
        sentence="The subscription's provider is a Do Nothing provider: nobody is ever going to provision this change.",
        next_step="If licences should come from a provider, set the right Provider and Provider Account; otherwise "
        "close the change by setting it to Not Applicable.",
        who="billing administrator",
        proof=(look.fact("provider type", provider.type if provider else None, where),),
    )


def _by_message(look: Look) -> Finding:
    """The provider refused it for a subscription's state: what it shows now may be another one, and a person looks."""
    shown, left = look.at_provider(), left_on(look)
    against: tuple[Fact, ...] = ()
    if shown is not None and shown.status == "active":
        against = (look.fact("status at the provider", shown.status, f"provider_subscription:{shown.id}"),)
    if look.reading.waiting is Waiting.LONG and left is not None:
        until = look.after(left, timedelta(seconds=look.reading.wait_seconds or 0))
        if look.now < until:
            return _being_changed(look, until, against)
        if against and read_since(look):
            return cured(look, NAME, "The subscription's state was just being changed; it is active now.", against)
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LIKELY if against or shown is None else Confidence.CERTAIN,
        sentence=f"The provider refuses this change because of a subscription's state: {look.reading.means}.",
        next_step="Look at the subscription at the provider: if it is active now, retrigger the change; else resume "
        "it, or close the change as Not Applicable.",
        who="billing administrator",
        proof=complaint(look),
        against=against,
    )


def _being_changed(look: Look, until: datetime, against: tuple[Fact, ...]) -> Finding:
    return Finding(
        cause=NAME,
        disposition=Disposition.WAIT,
        confidence=Confidence.LIKELY,
        sentence=f"The provider cannot take this change now: {look.reading.means}.",
        next_step="Nothing to do yet: it is looked at again when the provider is done.",
        who="no one",
        proof=complaint(look),
        against=against,
        until=until,
    )
