"""What must hold before any row is amended, whatever the action."""

from shared.domain.action import WhyNot
from shared.domain.evidence import Change, Job, JobStatus, ProvisioningStatus
from shared.domain.look import Look


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
    if any(not (scheduled_too and _waits(job)) for job in look.live_jobs):
        return WhyNot("a job of this change is still live: wait until it has ended")
    return head


def unread(look: Look) -> str | None:
    """What could not be read and may speak against any write, in words; None when nothing is missing."""
    missing = [what for what in look.evidence.unread if "changes" in what or "jobs" in what]
    return f"{missing[0]} could not be read" if missing else None


def _is_ours(look: Look, head: Change) -> bool:
    ours = look.intent is not None and look.intent.amendment is None and look.intent.change_id == head.id
    return ours and head.status is ProvisioningStatus.NOT_APPLICABLE


def _waits(job: Job) -> bool:
    return job.status is JobStatus.WAITING and job.scheduled_for is not None
