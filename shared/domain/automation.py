"""Whether Work 365's automation in this environment runs: its workflows, System Jobs and scheduled jobs.

What was not read is None and says nothing, neither that it runs nor that it stands still.
"""

import re
from datetime import datetime
from functools import lru_cache

from shared.domain.evidence import (
    Environment,
    ProvisioningStatus,
    ScheduledChange,
    ScheduledJob,
    SystemJob,
    SystemJobStatus,
    Workflow,
)
from shared.domain.look import Look
from shared.domain.provider_errors import read_message

_COPY = re.compile(r"\b(?:copy|copie|copia|kopie|draft|entwurf|backup)\b|\([0-9]{1,2}\)\s*\Z")
_ABOUT_CHANGES = re.compile(r"licen[cs]e|provision|change|process(?:ing)? jobs|subscription")


def off(environment: Environment) -> list[Workflow]:
    """Workflows that are switched off or suspended, without those whose name says that they are a draft or a copy."""
    found = [w for w in environment.workflows or () if w.active is False and not _COPY.search(w.name.casefold())]
    return sorted(found, key=lambda w: (w.name, w.id))


def twins(look: Look, workflows: list[Workflow]) -> list[Workflow]:
    """Workflows of the same name that are on: one that is off beside it may be a draft that nobody needs."""
    names = {_plain(w.name) for w in workflows}
    others = [w for w in look.evidence.environment.workflows or () if w.active and w.name and _plain(w.name) in names]
    return sorted(others, key=lambda w: (w.name, w.id))


def switched_on(look: Look) -> datetime | None:
    """When the last workflow that is on was switched on, at the latest; None when that is not known."""
    moments = [w.modified_on for w in look.evidence.environment.workflows or () if w.active and w.modified_on]
    return max((m for m in moments if m <= look.now), default=None)


def back_since(look: Look) -> datetime | None:
    """When automation came back, if all of it is on again and that is less than a cycle ago."""
    on = switched_on(look)
    if on is None or off(look.evidence.environment):
        return None
    return on if look.now < look.after(on, look.policy.waiting_time) else None


def _plain(name: str) -> str:
    return re.sub(r"\W+", " ", name.casefold()).strip()


def system_jobs(look: Look) -> list[SystemJob]:
    """System Jobs about what waits here. One about another change of the subscription says nothing about this one."""
    head, subscription = look.head, look.evidence.subscription
    if head is None:
        ids = {s.id for s in overdue_changes(look)}
        return [j for j in look.evidence.system_jobs if j.regarding_id in ids]
    made = head.created_on
    return [
        job
        for job in look.evidence.system_jobs
        if job.regarding_id == head.id
        or (job.regarding_id == subscription.id and made and job.created_on and job.created_on >= made)
    ]


def broken_system_job(look: Look) -> SystemJob | None:
    """The latest of them that failed or is suspended; None when something worked, or was tried, after it."""
    mine = system_jobs(look)
    broken = [j for j in mine if j.suspended or j.status is SystemJobStatus.FAILED]
    last = max(broken, key=lambda j: (j.created_on is not None, j.created_on or look.now, j.id), default=None)
    if last is None or any(_later_success(one, last) for one in mine) or _tried_since(look, last):
        return None
    return last


def _later_success(one: SystemJob, than: SystemJob) -> bool:
    worked = one.status is SystemJobStatus.SUCCEEDED and one.created_on is not None
    return worked and (than.created_on is None or (one.created_on or than.created_on) > than.created_on)


def _tried_since(look: Look, broken: SystemJob) -> bool:
    """Whether Work 365 made a job for the change, or we retriggered it, after that."""
    failed_on = broken.completed_on or broken.created_on
    if failed_on is None:
        return False
    moments = [job.created_on for job in look.jobs] + [attempt.on for attempt in look.attempts_on_head()]
    return any(moment is not None and moment > failed_on for moment in moments)


@lru_cache(maxsize=256)  # a scheduled job's last result is the same for every subscription
def refuses_user(text: str) -> bool:
    """Whether a System Job's message, or a scheduled job's last result, says that Work 365's own user may not do it."""
    return bool(text) and read_message(text).cause == "service_user_not_ready"


def overdue_changes(look: Look) -> list[ScheduledChange]:
    """Scheduled changes whose day is over and that nobody merged."""
    return [
        s
        for s in look.evidence.scheduled
        if s.status == "pending" and s.effective_date is not None and s.effective_date < look.today
    ]


def stopped(look: Look) -> list[ScheduledJob]:
    """Scheduled jobs about changes that are off or overdue; any that is overdue where none runs at all."""
    jobs = look.evidence.environment.scheduled_jobs or ()
    late = [job for job in jobs if _overdue(look, job)]
    none_runs = bool(late) and all(job in late or job.next_run_on is None for job in jobs if job.enabled is not False)
    found = [
        job
        for job in jobs
        if (job in late and (none_runs or _about_changes(job))) or (job.enabled is False and _about_changes(job))
    ]
    return sorted(found, key=lambda job: (job.name, job.id))


def _overdue(look: Look, job: ScheduledJob) -> bool:
    due = job.next_run_on
    if due is None or job.enabled is False or look.now < look.after(due, look.policy.waiting_time):
        return False
    return job.last_run_on is None or job.last_run_on < due


def _about_changes(job: ScheduledJob) -> bool:
    return _ABOUT_CHANGES.search(job.name.casefold()) is not None


def silent_since(look: Look) -> datetime | None:
    """When any job last ended, if none has for more than a cycle while this change waited; else None.

    Jobs that ended after the change should have been picked up show that automation ran: then only this change was
    missed. And what was switched on since then has had no chance yet to show that it runs.
    """
    head, last, since = look.head, look.evidence.environment.last_job_on, look.age_from()
    if head is None or last is None or since is None or head.status is not ProvisioningStatus.AWAITING:
        return None
    if look.message or look.now < look.after(since, look.policy.waiting_time):
        return None
    own = [job.modified_on for job in look.jobs if job.modified_on is not None and job.modified_on <= look.now]
    last = max((last, *own))
    cycle = look.policy.waiting_time
    if look.now < look.after(last, cycle) or last >= look.after(since, cycle):
        return None
    on = switched_on(look)
    return None if on is not None and on > last else last
