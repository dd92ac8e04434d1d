"""A scheduled change was not merged when its day came, so there is no License Change Log to provision."""

from dataclasses import replace

from shared.domain.evidence import LIVE_JOBS, Job, ScheduledChange
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.provider_errors import read_message
from shared.domain.scheduled import before_head, merge_jobs, merged_as, overdue

NAME = "scheduled_change_not_applied"


def look_for(look: Look) -> Finding | RuledOut:
    late = [s for s in overdue(look) if look.head is None or not before_head(look, s)]
    if look.head is not None:
        late = [s for s in late if merged_as(look, s) is None]
    if not late:
        return RuledOut(NAME, _why_not(look))
    first, jobs = late[0], merge_jobs(look, late[0])
    if look.head is not None:
        # It comes after the change at hand and does not hold that one back.
        return replace(_person(look, late, jobs), advice=True)
    running = next((job for job in jobs if job.status in LIVE_JOBS), None)
    if first.status != "merge_failed" and running is not None and _in_time(look, running):
        return _wait(look, first, running)
    return _person(look, late, jobs)


def _why_not(look: Look) -> str:
    if overdue(look):
        return "the scheduled change comes before the change at hand, or has become one"
    if look.evidence.scheduled:
        return "no scheduled change failed to merge or is past its date"
    return "the subscription has no scheduled change"


def _in_time(look: Look, job: Job) -> bool:
    moved = job.modified_on or job.created_on
    return moved is not None and look.now < look.after(moved, look.policy.job_normal_time)


def _wait(look: Look, scheduled: ScheduledChange, job: Job) -> Finding:
    moved = job.modified_on or job.created_on or look.now
    return Finding(
        cause=NAME,
        disposition=Disposition.WAIT,
        confidence=Confidence.CERTAIN,
        sentence=f"Work 365 is merging the scheduled change {scheduled.name or scheduled.id} just now.",
        next_step="Nothing to do: it is looked at again when the job has had its normal time.",
        who="no one",
        proof=(_fact(look, scheduled), look.fact("job state", job.status, f"work365_job:{job.id}")),
        until=look.after(moved, look.policy.job_normal_time),
    )


def _person(look: Look, late: list[ScheduledChange], jobs: list[Job]) -> Finding:
    first = late[0]
    result = next((job for job in jobs if job.results.strip()), None)
    twin = merged_as(look, first)
    failed = first.status == "merge_failed"
    what = "could not be merged" if failed else f"was not merged on {first.effective_date}"
    more = f" So it is with {len(late) - 1} more." if len(late) > 1 else ""
    why = f" Work 365 says: {read_message(result.results).means}." if result is not None else ""
    sure = Confidence.CERTAIN if first.status else Confidence.LOW
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LIKELY if twin is not None else sure,
        sentence=f"The scheduled change {first.name or first.id} {what}, so it has no change log.{more}{why}",
        next_step="Read the merge job's results, correct dates, product or price list of the Scheduled License Change "
        "Log and set it to Pending again; or archive it if it is not wanted any more.",
        who="billing administrator",
        proof=(*(_fact(look, s) for s in late), *(_job_facts(look, result) if result is not None else ())),
        against=(look.change_fact("a change of the same day and seats", twin.status, twin),) if twin else (),
    )


def _job_facts(look: Look, job: Job) -> tuple[Fact, ...]:
    where = f"work365_job:{job.id}"
    return (look.fact("job state", job.status, where), look.fact("Job Results", job.results.strip()[:500], where))


def _fact(look: Look, scheduled: ScheduledChange) -> Fact:
    value = f"{scheduled.status or 'not known'}, effective {scheduled.effective_date or 'not known'}"
    return look.fact("scheduled change", value, f"scheduled_license_change_log:{scheduled.id}")
