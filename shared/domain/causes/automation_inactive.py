"""Work 365's automation in this environment stands still: a workflow, System Job or scheduled job."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.automation import broken_system_job, off, overdue_changes, refuses_user, silent_since, stopped, twins
from shared.domain.complaints import by_hand
from shared.domain.evidence import ScheduledJob, SystemJob, Workflow
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look

NAME = "automation_inactive"


@dataclass(frozen=True, slots=True)
class _Trouble:
    """One thing that stands still."""

    what: str
    next_step: str
    proof: Fact
    since: datetime | None
    """When it stood still already, at the latest; None when that is not known."""
    seen: bool = True
    """Read as such; else only the silence speaks."""


def look_for(look: Look) -> Finding | RuledOut:
    if look.head is None and not overdue_changes(look):
        return RuledOut(NAME, "nothing waits for automation")
    if by_hand(look):
        return RuledOut(NAME, "the provider is not driven by Work 365's automation")
    troubles = [*_workflows(look), *_system_job(look), *_scheduled_jobs(look)] or _silence(look)
    if not troubles:
        return RuledOut(NAME, f"nothing that was read of the environment stands still{_not_read(look)}")
    against = (*_runs(look, troubles), *_twins(look))
    sure = Confidence.CERTAIN if all(t.seen for t in troubles) else Confidence.LIKELY
    if against:
        sure = Confidence.LIKELY if sure is Confidence.CERTAIN else Confidence.LOW
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=sure,
        sentence=f"Work 365's automation stands still: {'; '.join(t.what for t in troubles)}.",
        next_step=" ".join(dict.fromkeys(t.next_step for t in troubles))
        + " Then wait for a cycle: what Work 365 picks up by itself needs nothing more.",
        who="Power Platform administrator",
        proof=tuple(t.proof for t in troubles),
        against=against,
    )


def _workflows(look: Look) -> list[_Trouble]:
    return [_workflow(look, workflow) for workflow in off(look.evidence.environment)]


def _workflow(look: Look, workflow: Workflow) -> _Trouble:
    name = workflow.name or workflow.id
    return _Trouble(
        f"the workflow {name} is switched off",
        "Switch the workflow on again (Power Platform, Processes), after asking who switched it off and why.",
        look.fact("workflow", f"{name}: off", f"workflow:{workflow.id}"),
        workflow.modified_on,
    )


def _system_job(look: Look) -> list[_Trouble]:
    job = broken_system_job(look)
    if job is None or refuses_user(job.message):
        return []
    state = "is suspended" if job.suspended else "failed"
    return [
        _Trouble(
            f"the System Job {job.name or job.id} for this change {state}",
            "Open the System Job, read its message, and resume it or start the change anew.",
            look.fact("System Job", _said(job, state), f"system_job:{job.id}"),
            job.created_on,
        )
    ]


def _said(job: SystemJob, state: str) -> str:
    return f"{state}: {job.message[:500]}" if job.message else state


def _scheduled_jobs(look: Look) -> list[_Trouble]:
    return [_scheduled_job(look, job) for job in stopped(look)]


def _scheduled_job(look: Look, job: ScheduledJob) -> _Trouble:
    name = job.name or job.id
    if job.enabled is False:
        state = "is switched off"
        next_step = "Switch the scheduled job on in the Admin Hub, after asking who switched it off and why."
    else:
        state = f"has been due since {job.next_run_on.isoformat() if job.next_run_on else '?'} and has not run"
        next_step = "Open the scheduled job in the Admin Hub and read its history, then ask Work 365's support."
    fact = look.fact("scheduled job", state, f"scheduled_job:{job.id}")
    return _Trouble(f"the scheduled job {name} {state}", next_step, fact, job.next_run_on)


def _silence(look: Look) -> list[_Trouble]:
    last = silent_since(look)
    if last is None:
        return []
    return [
        _Trouble(
            f"no Work 365 job has ended since {last.isoformat()}, although this change waits",
            "Check Work 365's workflows and scheduled jobs in this environment.",
            look.fact("last job ended", last.isoformat(), "work365_job"),
            None,
            seen=False,
        )
    ]


def _runs(look: Look, troubles: list[_Trouble]) -> tuple[Fact, ...]:
    """What shows that automation runs all the same: a job that ended a cycle after all of that stood still."""
    last, known = look.evidence.environment.last_job_on, [t.since for t in troubles if t.since is not None]
    if last is None or last > look.now or len(known) < len(troubles):
        return ()
    if last <= look.after(max(known), look.policy.waiting_time):
        return ()
    return (look.fact("last job ended", last.isoformat(), "work365_job"),)


def _twins(look: Look) -> tuple[Fact, ...]:
    found = twins(look, off(look.evidence.environment))
    return tuple(look.fact("workflow of the same name", f"{w.name}: on", f"workflow:{w.id}") for w in found)


def _not_read(look: Look) -> str:
    environment = look.evidence.environment
    each = {
        "workflows": environment.workflows,
        "scheduled jobs": environment.scheduled_jobs,
        "when a job last ended": environment.last_job_on,
    }
    unknown = [what for what, value in each.items() if value is None]
    return f"; not known: {', '.join(unknown)}" if unknown else ""
