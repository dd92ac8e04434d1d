"""Work 365 still has the time it normally needs."""

from datetime import datetime

from shared.domain.automation import back_since
from shared.domain.complaints import by_hand
from shared.domain.evidence import JobStatus, ProvisioningStatus
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look

NAME = "not_stuck_yet"

_RAN = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.NOT_APPLICABLE})
"""A job that ended so has had its turn; a cancelled one has not."""


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
    until, ran = _due(look, since)
    if look.now < until:
        return _young(look, since, until, ran)
    return _back(look) or RuledOut(NAME, f"it has waited since {since.isoformat()}, longer than a job cycle and grace")


def _due(look: Look, since: datetime) -> tuple[datetime, Fact | None]:
    """When the waiting time ends. A run of its job, such as Run Now by hand, counts as the cycle: grace is left."""
    until = look.after(since, look.policy.waiting_time)
    runs = [j for j in look.jobs if j.status in _RAN and j.modified_on is not None and since <= j.modified_on]
    if not runs:
        return until, None
    first = min(runs, key=lambda j: (j.modified_on or since, j.id))
    ran_on = first.modified_on or since
    fact = look.fact("its job has run", ran_on.isoformat(), f"work365_job:{first.id}")
    return min(until, look.after(ran_on, look.policy.grace)), fact


def _young(look: Look, since: datetime, until: datetime, ran: Fact | None) -> Finding:
    return Finding(
        cause=NAME,
        disposition=Disposition.WAIT,
        confidence=Confidence.CERTAIN,
        sentence="The change is young: its job has just run, and Work 365 may still be writing down what came of it."
        if ran
        else "The change is young: Work 365 has not had a full job cycle for it yet.",
        next_step="Nothing to do: it is looked at again when the time is over.",
        who="no one",
        proof=(look.change_fact("waiting since", since.isoformat()), *((ran,) if ran else ())),
        until=until,
    )


def _back(look: Look) -> Finding | None:
    """Automation was switched on less than a cycle ago: what it picks up by itself needs nobody."""
    on = back_since(look)
    if on is None or by_hand(look):
        return None
    if any(job.modified_on is not None and job.modified_on > on for job in look.jobs if job.status in _RAN):
        return None  # it has had its cycle
    return Finding(
        cause=NAME,
        disposition=Disposition.WAIT,
        confidence=Confidence.LIKELY,
        sentence="Work 365's automation was switched on again a moment ago and has not had a full job cycle since.",
        next_step="Nothing to do: what it picks up by itself needs nothing more.",
        who="no one",
        proof=(look.fact("workflow switched on", on.isoformat(), "workflow"),),
        until=look.after(on, look.policy.waiting_time),
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
