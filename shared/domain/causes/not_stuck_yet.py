"""Work 365 still has the time it normally needs."""

from shared.domain.evidence import ProvisioningStatus
from shared.domain.finding import Confidence, Disposition, Finding, RuledOut
from shared.domain.look import Look

NAME = "not_stuck_yet"


def look_for(look: Look) -> Finding | RuledOut:
    head = look.head
    if head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    if look.live_jobs:
        return _live_job(look)
    since = look.age_from()
    if since is None:
        return RuledOut(NAME, "the change's creation could not be read, so its age is not known")
    if head.status is ProvisioningStatus.FAILED:
        return RuledOut(NAME, "Work 365 has given up on the change; waiting does not help")
    until = look.after(since, look.policy.waiting_time)
    if look.now >= until:
        return RuledOut(NAME, f"it has waited since {since.isoformat()}, longer than a job cycle and grace")
    return Finding(
        cause=NAME,
        disposition=Disposition.WAIT,
        confidence=Confidence.CERTAIN,
        sentence="The change is young: Work 365 has not had a full job cycle for it yet.",
        next_step="Nothing to do: it is looked at again when the cycle is over.",
        who="no one",
        proof=(look.change_fact("waiting since", since.isoformat()),),
        until=until,
    )


def _live_job(look: Look) -> Finding | RuledOut:
    job = look.live_jobs[0]
    moved = job.modified_on or job.created_on
    if job.scheduled_for is not None and moved is not None:
        moved = max(moved, job.scheduled_for)
    if job.status is None or moved is None:
        return RuledOut(NAME, "a job of this change is live, but its state or age could not be read")
    until = look.after(moved, look.policy.job_normal_time)
    if look.now >= until:
        return RuledOut(NAME, f"its job has been {job.status} since {moved.isoformat()}, longer than is normal")
    return Finding(
        cause=NAME,
        disposition=Disposition.WAIT,
        confidence=Confidence.CERTAIN,
        sentence=f"Work 365 is at it: the change's job is {job.status.replace('_', ' ')}.",
        next_step="Nothing to do: it is looked at again when the job has had its normal time.",
        who="no one",
        proof=(look.fact("job state", job.status, f"work365_job:{job.id}"),),
        until=until,
    )
