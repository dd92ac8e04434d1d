"""What a message complains of: whether it passes by itself, who mends it, and when it is over (rules 3 and 4).

Causes that differ only in what is complained of share this. Each brings its own words; the code in the message decides
which of them speaks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.evidence import ProviderType, ProvisioningStatus
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.provider_errors import Waiting
from shared.domain.safety import order_safety, shows_head

_SHOWN = 500
"""Characters of a message that a finding quotes; the change holds all of it."""


@dataclass(frozen=True, slots=True)
class Words:
    """How a cause speaks of a complaint."""

    name: str
    trouble: str
    """What is wrong, without a full stop; what the message says in particular follows it."""
    over: str
    """The sentence once it is mended or has passed, and only the change is left."""
    who: str = "billing administrator"
    next_step: str = ""
    """Empty: what the catalogue says for the message's code."""


def complains(look: Look, name: str) -> bool:
    """Whether the head's message speaks of this cause."""
    return look.head is not None and look.reading.cause == name


def other(look: Look, name: str) -> RuledOut:
    """Why a cause that only a message proves is not looked at further."""
    if look.head is None:
        return RuledOut(name, "no change is unprovisioned")
    if not look.message:
        return RuledOut(name, "Work 365 has left no message that says so")
    if look.reading.cause is None:
        return RuledOut(name, "the message of the change is not one that a rule knows")
    return RuledOut(name, f"the message of the change speaks of something else ({look.reading.cause})")


def answer(look: Look, words: Words, *against: Fact) -> Finding | RuledOut:
    """The whole answer of a cause about one customer, subscription or change that nothing but a message proves."""
    if not complains(look, words.name):
        return other(look, words.name)
    if shows_head(look):
        return cured(look, words.name, words.over)
    if look.reading.waiting in (Waiting.SOON, Waiting.LONG):
        return passes(look, words)
    return person(look, words, against=(*against, *worked_since(look)))


def person(look: Look, words: Words, *, proof: tuple[Fact, ...] = (), against: tuple[Fact, ...] = ()) -> Finding:
    """Only a person can mend it. What speaks against it lowers how sure this is."""
    return Finding(
        cause=words.name,
        disposition=Disposition.PERSON,
        confidence=Confidence.LIKELY if against else Confidence.CERTAIN,
        sentence=_sentence(look, words),
        next_step=words.next_step or _as_sentence(look.reading.next_step),
        who=words.who,
        proof=(*complaint(look), *proof),
        against=against,
    )


def waits(look: Look, words: Words, until: datetime, *proof: Fact) -> Finding:
    """It passes by itself; nobody acts before then."""
    return Finding(
        cause=words.name,
        disposition=Disposition.WAIT,
        confidence=Confidence.CERTAIN,
        sentence=_sentence(look, words),
        next_step="Nothing to do: it passes by itself and is looked at again when its time is over.",
        who="no one",
        proof=(*complaint(look), *proof),
        until=until,
    )


def cured(look: Look, name: str, sentence: str, since: tuple[Fact, ...] = ()) -> Finding:
    """What was complained of is over; the change goes on as far as it is safe not to order twice."""
    safety = order_safety(look)
    wait = safety.disposition is Disposition.WAIT
    return Finding(
        cause=name,
        disposition=safety.disposition,
        confidence=Confidence.LIKELY,
        sentence=sentence,
        next_step="; ".join(safety.objections) or "Nothing to do: the change is retriggered by this app.",
        who="this app" if safety.disposition is Disposition.AUTO else "no one" if wait else "billing administrator",
        proof=(*complaint(look), *since, *safety.proof),
        until=look.after(look.now, look.policy.provider_lag) if wait else None,
        cured=True,
    )


def passes(look: Look, words: Words) -> Finding:
    """A complaint that time ends: waited for by its class, and over afterwards."""
    left = left_on(look)
    if left is None:
        unknown = look.change_fact("when the message was left", "not known")
        return person(look, words, against=(unknown,))
    if look.now < look.after(left, passes_within(look)) and not shows_head(look):
        return waits(look, words, look.after(left, passes_within(look)), _left(look, left))
    return cured(look, words.name, words.over, (_left(look, left),))


def passes_within(look: Look) -> timedelta:
    """How long after the message it passes. An Awaiting change has Work 365's own next try in that time as well."""
    usual = look.policy.longest_wait if look.reading.waiting is Waiting.LONG else look.policy.provider_lag
    seconds = look.reading.wait_seconds
    within = timedelta(seconds=seconds) if seconds is not None else usual
    tries_again = look.head is not None and look.head.status is ProvisioningStatus.AWAITING
    return within + look.policy.waiting_time if tries_again else within


def left_on(look: Look) -> datetime | None:
    """When the message was left; None when that is not known, or said to lie in the future."""
    left = look.message_on
    return left if left is not None and left <= look.after(look.now, look.policy.grace) else None


def complaint(look: Look) -> tuple[Fact, ...]:
    """The message, and what it means; nothing where there is none."""
    if not look.message:
        return ()
    return (
        look.change_fact("Provisioning Message", look.message[:_SHOWN]),
        look.change_fact("which means", look.reading.means),
    )


def worked_since(look: Look) -> tuple[Fact, ...]:
    """A change of the same subscription that got through after the message was left: it speaks against it."""
    left = left_on(look)
    later = [c for c in look.evidence.changes if c.actual_provisioned_on and left and c.actual_provisioned_on > left]
    return tuple(
        look.change_fact("provisioned since", c.actual_provisioned_on, c) for c in sorted(later, key=lambda c: c.id)[:1]
    )


def by_hand(look: Look) -> bool:
    """Whether Work 365 drives nobody for this subscription: a person does, or there is nothing to provision."""
    provider = look.evidence.subscription.provider
    return provider is not None and provider.type in (ProviderType.MANUAL, ProviderType.DO_NOTHING)


def _left(look: Look, left: datetime) -> Fact:
    return look.change_fact("message left", left.isoformat())


def _sentence(look: Look, words: Words) -> str:
    means = look.reading.means if look.reading.cause == words.name else ""
    return f"{words.trouble}: {means}." if means else f"{words.trouble}."


def _as_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else "Read the message and decide."
