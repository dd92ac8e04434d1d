"""Our own retrigger was cut between its two writes: the change stands at the Not Applicable that we set."""

from shared.domain.evidence import ProvisioningStatus
from shared.domain.finding import Confidence, Disposition, Finding, RuledOut
from shared.domain.intent import Phase
from shared.domain.look import Look
from shared.domain.safety import order_safety, shows_head

NAME = "half_toggled"


def look_for(look: Look) -> Finding | RuledOut:
    intent, head = look.intent, look.head
    if intent is None or not intent.retriggers:
        return RuledOut(NAME, "no retrigger of ours is open")
    if head is None or head.id != intent.change_id:
        return _out_of_reach(look)
    if head.status is not ProvisioningStatus.NOT_APPLICABLE:
        return RuledOut(NAME, f"our retrigger is open, but the change stands at {head.status}")
    proof = (
        look.change_fact("Provisioning Status", head.status),
        look.fact("our open retrigger", intent.written_on.isoformat(), f"case:{look.evidence.subscription.id}"),
    )
    if _moved_by_another(look):
        return Finding(
            cause=NAME,
            disposition=Disposition.PERSON,
            confidence=Confidence.LIKELY,
            sentence="We set this change to Not Applicable to retrigger it, and someone has edited it since.",
            next_step="Look at the change: set Awaiting Provisioning to retrigger it, or leave it as it is.",
            who="billing administrator",
            proof=(*proof, look.change_fact("modified by", head.modified_by)),
        )
    safety = order_safety(look)
    got_there = shows_head(look)
    sentence = "We were interrupted while retriggering this change; it stands at Not Applicable."
    next_step = "Nothing to do: the second half of the retrigger is finished by this app."
    if got_there:
        next_step = "The provider shows the seats meanwhile: confirm, then set the change to Provisioned."
    elif safety.disposition is not Disposition.AUTO:
        next_step = f"Decide whether to set Awaiting Provisioning: {'; '.join(safety.objections)}."
    return Finding(
        cause=NAME,
        disposition=safety.disposition,
        confidence=Confidence.CERTAIN,
        sentence=sentence,
        next_step=next_step,
        who="this app" if safety.disposition is Disposition.AUTO else "billing administrator",
        proof=(*proof, *safety.proof),
    )


def _out_of_reach(look: Look) -> Finding | RuledOut:
    """The change we were retriggering is archived meanwhile, or cannot be read."""
    intent = look.intent
    change = next((c for c in look.evidence.changes if intent is not None and c.id == intent.change_id), None)
    if change is not None and not change.archived:
        return RuledOut(NAME, f"our retrigger is open, but the change stands at {change.status}")
    what = "was archived at the Not Applicable that we set" if change is not None else "cannot be found any more"
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.CERTAIN,
        sentence=f"We were interrupted while retriggering a change, and it {what}.",
        next_step="Look at the change and its invoice: was it ordered, and is it billed?",
        who="billing administrator",
        proof=(look.change_fact("Provisioning Status", change.status if change else None, change),),
    )


def _moved_by_another(look: Look) -> bool:
    """Whether this Not Applicable may be someone else's.

    Plug-ins save the row after us, so after a confirmed write their touch proves nothing. Before one is confirmed,
    or once the second write may have been made, a touch may hide a person's Not Applicable: only our own counts.
    """
    intent, head = look.intent, look.head
    if intent is None or head is None or (intent.etag_after and head.etag == intent.etag_after):
        return False
    touched_by = head.modified_by
    if touched_by is None:
        return True
    if intent.phase is Phase.NOT_APPLICABLE_SET:
        return touched_by not in look.evidence.service_user_ids | {look.evidence.own_user_id}
    return touched_by != look.evidence.own_user_id
