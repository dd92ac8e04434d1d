"""A call to the provider ended without a clear answer: it may or may not have ordered (rule 3)."""

from datetime import datetime

from shared.domain.complaints import by_hand
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.outcome import Call, not_carried_out, open_call, pending_at_provider
from shared.domain.safety import shows_head

NAME = "attempt_outcome_unknown"


def look_for(look: Look) -> Finding | RuledOut:
    if look.head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    call = open_call(look)
    if call is None:
        return RuledOut(NAME, "no call for this change ended without saying whether it was carried out")
    if by_hand(look):
        return RuledOut(NAME, "Work 365 does not call this provider")
    if shows_head(look):
        return RuledOut(NAME, "the provider shows the change, so the call was carried out")
    shown_by = look.after(call.on, look.policy.provider_lag) if call.on is not None else None
    if shown_by is not None and look.now < shown_by:
        return _wait(call, shown_by, "What it did may not show at the provider yet.")
    before = not_carried_out(look)
    if before is not None and shown_by is not None and before.read_on >= shown_by:
        return RuledOut(NAME, f"the provider, read since, says: {before.what} {before.value}. It was not carried out")
    if call.on is not None and look.now < look.after(call.on, look.policy.longest_wait):
        soon = look.after(look.now, look.policy.provider_lag)
        if (pending := pending_at_provider(look)) is not None:
            return _wait(call, soon, "The provider is still working on it.", pending)
        if look.evidence.provider is not None and look.evidence.provider.transient:
            return _wait(call, soon, "The provider could not be asked just now.", *_shown(look))
    return _person(look, call)


def _wait(call: Call, until: datetime, why: str, *proof: Fact) -> Finding:
    return Finding(
        cause=NAME,
        disposition=Disposition.WAIT,
        confidence=Confidence.LIKELY,
        sentence=f"The last call for this change ended without saying whether it was carried out. {why}",
        next_step="Nothing to do: the provider is read then. Do not send the change again before.",
        who="no one",
        proof=(*call.proof, *proof),
        until=until,
    )


def _person(look: Look, call: Call) -> Finding:
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LIKELY if look.at_provider() is not None else Confidence.LOW,
        sentence="The last call for this change ended without saying whether it was carried out, "
        f"and {_still_open(look)}.",
        next_step="Look at the provider: if the change is there, set it to Provisioned with the date it was applied; "
        "if it is not, set it to Awaiting Provisioning.",
        who="billing administrator",
        proof=(*call.proof, *_shown(look)),
    )


def _still_open(look: Look) -> str:
    reading = look.evidence.provider
    if reading is None:
        return "the provider has not been asked what it has"
    if not reading.readable:
        return f"the provider cannot be asked what it has ({reading.problem})"
    return "what the provider shows does not settle it"


def _shown(look: Look) -> tuple[Fact, ...]:
    reading, shown = look.evidence.provider, look.at_provider()
    if reading is None:
        return ()
    if not reading.readable:
        return (Fact("the provider's answer", str(reading.problem), "provider", reading.read_on),)
    if shown is None:
        return (Fact("subscription at the provider", "not shown", "provider", reading.read_on),)
    where = f"provider_subscription:{shown.id}"
    return (
        Fact("seats at the provider", str(shown.quantity), where, reading.read_on),
        look.change_fact("seats before this change", look.chain.before),
        look.change_fact("seats after this change", look.chain.after),
    )
