"""Earlier changes of the subscription hold back later ones: Work 365 provisions them in order."""

from datetime import datetime

from shared.domain.complaints import cured, left_on
from shared.domain.evidence import ScheduledChange
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.scheduled import before_head, merge_jobs, overdue

NAME = "prior_change_blocking"


def look_for(look: Look) -> Finding | RuledOut:
    if look.head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    scheduled = [s for s in overdue(look) if before_head(look, s)]
    if scheduled:
        return _scheduled_first(look, scheduled)
    if look.reading.cause == NAME:
        return _cleared(look)  # it is first now, whatever still waits behind it
    if look.chain.behind:
        return _head_first(look)
    return RuledOut(NAME, "it is the first unprovisioned change and no scheduled change is overdue")


def _scheduled_first(look: Look, scheduled: list[ScheduledChange]) -> Finding:
    first = scheduled[0]
    what = "could not be merged" if first.status == "merge_failed" else f"was not merged on {first.effective_date}"
    results = [
        look.fact("Job Results of its merge", job.results.strip()[:500], f"work365_job:{job.id}")
        for job in merge_jobs(look, first)
        if job.results.strip()
    ]
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.CERTAIN if first.status else Confidence.LOW,
        sentence=f"The scheduled change {first.name or first.id} comes before this one and {what}.",
        next_step="Open the Scheduled License Change Log: mend it and set it to Pending, or archive it with a reason "
        "(archived without an invoice it is never billed); then this change goes on.",
        who="billing administrator",
        proof=(*(_fact(look, s) for s in scheduled), *results[:1]),
    )


def _fact(look: Look, scheduled: ScheduledChange) -> Fact:
    value = f"{scheduled.name} {scheduled.status or 'not known'}, effective {scheduled.effective_date or 'not known'}"
    return look.fact("scheduled change", value, f"scheduled_license_change_log:{scheduled.id}")


def _head_first(look: Look) -> Finding:
    """The chain waits for its head; whatever the head needs is decided by the head's own causes."""
    head, behind = look.head, look.chain.behind
    name = head.name if head else ""
    waiting = "1 later change waits" if len(behind) == 1 else f"{len(behind)} later changes wait"
    return Finding(
        cause=NAME,
        disposition=Disposition.AUTO,  # says nothing by itself: the head's own cause decides
        confidence=Confidence.CERTAIN,
        sentence=f"{waiting} behind {name or 'an earlier one'}.",
        next_step="The earliest change is solved first; the others follow in order.",
        who="whoever the first change needs",
        proof=(
            look.change_fact("Provisioning Status of the first", head.status if head else None),
            *(look.change_fact("Provisioning Status behind it", change.status, change) for change in behind),
        ),
    )


def _cleared(look: Look) -> Finding:
    since = _provisioned_since(look)
    proof = (look.fact("an earlier change was provisioned", since.isoformat(), _where(look)),) if since else ()
    return cured(look, NAME, "The earlier change that held this one back is out of the way.", proof)


def _provisioned_since(look: Look) -> datetime | None:
    left = left_on(look)
    done = [c.actual_provisioned_on for c in look.evidence.changes if c.actual_provisioned_on is not None]
    return max((on for on in done if left is not None and on > left), default=None)


def _where(look: Look) -> str:
    return f"subscription:{look.evidence.subscription.id}"
