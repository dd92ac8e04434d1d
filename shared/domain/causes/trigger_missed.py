"""Nothing is wrong but that Work 365 never began: no job for the change, no message, nothing that holds it."""

from shared.domain.evidence import JobStatus, ProvisioningStatus
from shared.domain.finding import Confidence, Disposition, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.safety import not_in_order, order_safety

NAME = "trigger_missed"

_UNTOUCHED = frozenset({JobStatus.NOT_APPLICABLE})
"""A job that ended so has not called the provider."""


def look_for(look: Look) -> Finding | RuledOut:
    if look.head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    reason = _why_not(look)
    if reason is not None:
        return RuledOut(NAME, reason)
    safety = order_safety(look)
    automatic = safety.disposition is Disposition.AUTO
    objections = "; ".join(safety.objections)
    return Finding(
        cause=NAME,
        disposition=safety.disposition,
        confidence=Confidence.LIKELY if automatic else Confidence.LOW,
        sentence="Work 365 never started on this change, and nothing else holds it back.",
        next_step=f"Decide whether to retrigger it: {objections}."
        if objections
        else "Nothing to do: it is retriggered by this app.",
        who="this app" if automatic else "billing administrator",
        proof=(look.change_fact("jobs of the change", len(look.jobs)), *safety.proof),
        until=look.now + look.policy.provider_lag if safety.disposition is Disposition.WAIT else None,
    )


def _why_not(look: Look) -> str | None:
    """The first thing that makes a plain missed trigger implausible."""
    head = look.head
    if head is None or head.status is not ProvisioningStatus.AWAITING:
        return f"the change stands at {head.status if head else 'nothing'}, so Work 365 has tried it"
    if look.message:
        return "Work 365 has left a message, so it has tried"
    touched = [job for job in look.jobs if job.status not in _UNTOUCHED]
    if touched:
        return f"a job of the change is {touched[0].status or 'in a state that is not known'}"
    return not_in_order(look)
