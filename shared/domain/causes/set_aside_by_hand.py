"""A person set a change that was made in Work 365 to Not Applicable, and the provider does not have it."""

from shared.domain.chain import in_order
from shared.domain.evidence import Change, ProviderType, ProvisioningStatus
from shared.domain.finding import Confidence, Disposition, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.seats import counted_by_use, seats, touches_none

NAME = "set_aside_by_hand"


def look_for(look: Look) -> Finding | RuledOut:
    provider = look.evidence.subscription.provider
    if provider is not None and provider.type is ProviderType.DO_NOTHING:
        return RuledOut(NAME, "the provider is a Do Nothing provider, which sets Not Applicable by design")
    aside = [change for change in look.at_not_applicable() if _by_hand(look, change)]
    if not aside:
        return RuledOut(NAME, "no change was set to Not Applicable by a person")
    standing = [change for change in in_order(aside) if not _decided(look, change)]
    if not standing:
        return RuledOut(NAME, "what was set to Not Applicable was a decision: later changes were provisioned since")
    missing = [change for change in standing if _there(look, change) is not True]
    if not missing:
        return RuledOut(NAME, "the provider has the seats of what was set to Not Applicable")
    return _finding(look, missing)


def _finding(look: Look, missing: list[Change]) -> Finding:
    first = missing[0]
    tried = any(attempt.change_id == first.id for attempt in look.attempts)
    sure = Confidence.CERTAIN if _there(look, first) is False else Confidence.LIKELY
    if first.modified_by is None or first.source is None:
        sure = Confidence.LOW  # that it was a person, or a change made in Work 365, was not read
    name = first.name or "A change"
    ours = " after this app had retriggered it" if tried else ""
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=sure,
        sentence=f"{name} was set to Not Applicable by a person{ours}: a decision, or the first half of a toggle.",
        next_step="If the seats are wanted, set it to Awaiting Provisioning; if not, correct the subscription's "
        "quantity, for the change is billed all the same.",
        who="billing administrator",
        proof=tuple(
            fact
            for change in missing[:10]
            for fact in (
                look.change_fact("Provisioning Status", change.status, change),
                look.change_fact("modified by", change.modified_by, change),
                look.change_fact("modified on", change.modified_on, change),
                look.change_fact("Quantity", change.quantity, change),
            )
        ),
    )


def _by_hand(look: Look, change: Change) -> bool:
    """Whether a person may have set it: not Work 365's own user, not us, and not our own open retrigger.

    A change of price has nothing to provision: Work 365 or a person sets it aside rightly.
    """
    if touches_none(change) or (look.intent is not None and look.intent.change_id == change.id):
        return False
    systems = {user.casefold() for user in (*look.evidence.service_user_ids, look.evidence.own_user_id or "")}
    return change.modified_by is None or change.modified_by.casefold() not in systems


def _decided(look: Look, change: Change) -> bool:
    """Whether a later change was provisioned since: then the subscription went on without this one."""
    ordered = in_order(look.evidence.changes)
    return any(c.status is ProvisioningStatus.PROVISIONED for c in ordered[ordered.index(change) + 1 :])


def _there(look: Look, change: Change) -> bool | None:
    """Whether the provider shows its seats; None when that is not known."""
    shown, before, wanted = look.at_provider(), look.chain.before, seats(change)
    if shown is None or shown.quantity is None or before is None or not wanted or counted_by_use(look):
        return None
    if shown.quantity == before + wanted:
        return True
    return False if shown.quantity == before else None
