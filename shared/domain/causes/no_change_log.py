"""The subscription awaits provisioning, yet there is no License Change Log that could be provisioned."""

from shared.domain.evidence import SubscriptionStatus
from shared.domain.finding import Confidence, Disposition, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.scheduled import overdue
from shared.domain.seats import billed_without

NAME = "no_change_log"


def look_for(look: Look) -> Finding | RuledOut:
    reason = _why_not(look)
    if reason is not None:
        return RuledOut(NAME, reason)
    subscription, changes = look.evidence.subscription, look.evidence.changes
    where = f"subscription:{subscription.id}"
    sentence = "The subscription awaits provisioning, but it has no License Change Log that could be provisioned."
    next_step = "Run the report License Change Log Mismatch and add the missing change log as Work 365 describes."
    if changes:
        sentence = "The subscription awaits provisioning, but none of its License Change Logs does."
        next_step = "Compare the seats at the provider; if they are there, correct the Status Reason, else ask support."
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LIKELY if look.evidence.scheduled else Confidence.CERTAIN,
        sentence=sentence,
        next_step=next_step,
        who="billing administrator",
        proof=(
            look.fact("Status Reason", subscription.status, where),
            look.fact("License Change Logs", len(changes), where),
        ),
        against=tuple(
            look.fact("scheduled for later", s.effective_date, f"scheduled_license_change_log:{s.id}")
            for s in sorted(look.evidence.scheduled, key=lambda s: s.id)
        ),
    )


def _why_not(look: Look) -> str | None:
    """What explains the subscription's state better, or keeps from saying that there is no change."""
    status, changes = look.evidence.subscription.status, look.evidence.changes
    if look.head is not None:
        return "a change of the subscription is unprovisioned"
    if look.intent is not None:
        return "a retrigger of ours is open"
    if status is not SubscriptionStatus.AWAITING:
        return f"the subscription is {status or 'in a state that is not known'}"
    if look.evidence.unread:
        return "not everything could be read, so a change may be there"
    if any(change.status is None and not change.archived for change in changes):
        return "the Provisioning Status of one of its changes could not be read"
    if billed_without(look):
        return "an archived change was never provisioned"
    if overdue(look):
        return "a scheduled change was not merged"
    if look.at_not_applicable():
        return "a change of it was set to Not Applicable"
    return None
