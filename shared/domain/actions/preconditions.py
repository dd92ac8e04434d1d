"""What must hold before any row is amended, whatever the action."""

from dataclasses import replace

from shared.domain.action import WhyNot
from shared.domain.evidence import Change, Job, JobStatus, ProvisioningStatus
from shared.domain.finding import Disposition
from shared.domain.look import Look
from shared.domain.safety import order_safety, shows_head


def head_of(look: Look, *, half_done_too: bool = False, scheduled_too: bool = False) -> Change | WhyNot:
    """The head, when it may be written at all (rules 6, 7 and 9).

    `half_done_too`: also the one that our own open retrigger has left at Not Applicable.
    `scheduled_too`: also one whose job waits for a later moment, and is not under way.
    """
    head = look.head
    if head is None:
        return WhyNot("no change of the subscription is unprovisioned")
    if look.intent is not None and not (half_done_too and _is_ours(look, head)):
        return WhyNot("something of ours is still open on this subscription: it is settled first")
    if (missing := unread(look)) is not None:
        return WhyNot(missing)
    if head.archived:
        return WhyNot("the change is archived: it is invoiced and is never written")
    if any(not (scheduled_too and waits(look, job)) for job in look.live_jobs):
        return WhyNot("a job of this change is still live: wait until it has ended")
    return head


def unread(look: Look) -> str | None:
    """What could not be read and may speak against any write, in words; None when nothing is missing."""
    missing = [what for what in look.evidence.unread if "changes" in what or "jobs" in what]
    return f"{missing[0]} could not be read" if missing else None


def _is_ours(look: Look, head: Change) -> bool:
    ours = look.intent is not None and look.intent.amendment is None and look.intent.change_id == head.id
    return ours and head.status is ProvisioningStatus.NOT_APPLICABLE


def waits(look: Look, job: Job) -> bool:
    """Whether Work 365 leaves the job alone until a later moment."""
    return job.status is JobStatus.WAITING and job.scheduled_for is not None and job.scheduled_for > look.now


def may_order(look: Look) -> str | None:
    """Why having Work 365 take the head up now could order wrongly, whoever says yes; None when it could not.

    A job that waits for a later moment is the very one that is to run earlier.
    """
    head = look.head
    if head is None or head.status is not ProvisioningStatus.AWAITING:
        return "the change does not stand at Awaiting Provisioning: set it back to that first"
    jobs = tuple(job for job in look.evidence.jobs if job.change_id != head.id or not waits(look, job))
    safety = order_safety(replace(look, evidence=replace(look.evidence, jobs=jobs)))
    stops = safety.disposition in (Disposition.PERSON, Disposition.WAIT)
    if shows_head(look):
        return "the provider has this change already: mark it Provisioned instead"
    return "; ".join(safety.objections) if stops else None
