"""What concerns every change at once: Work 365's own user, its workflows, its jobs, Dataverse's System Jobs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.domain.evidence import JobStatus, ScheduledJob, ServiceUser, SystemJob, SystemJobStatus, Workflow
from shared.domain.evidence import SubscriptionStatus as Status
from tests.builders import DAY, HOUR, NOW, OLD, STUCK, WORK365_USER
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, Case, case, healthy
from tests.corpus.parts import MINUTE, ROLES, env, failed, job, old, scheduled, see, stuck, sub

_USER = ServiceUser(WORK365_USER, "Work 365", True, ROLES)
_FLOW = Workflow("w1", "Work 365: run a job", active=True, modified_on=NOW - 200 * DAY)
_OFF = replace(_FLOW, active=False)
_JOBS = ScheduledJob("s1", "Process jobs", True, NOW - 10 * MINUTE, NOW + 5 * MINUTE, "Succeeded")
_STALLED = replace(_JOBS, last_run_on=NOW - 6 * HOUR, next_run_on=NOW - 5 * HOUR)
_DAILY = ScheduledJob("s2", "Sync Daily Usage Data", True, NOW - 10 * HOUR, NOW + 14 * HOUR, "Succeeded")
_REST = sub(status=Status.PROVISIONED)


def _user(id: str, why: str, *users: ServiceUser) -> Case:
    return case(id, why, see(environment=env(service_users=users)), "service_user_not_ready", PERSON)


def _privilege(id: str, text: str) -> Case:
    return case(
        f"missing privilege: {id}",
        "a code of missing privilege, whatever the user looks like now",
        see(old(), failed(text)),
        "service_user_not_ready",
        PERSON,
    )


def _flows(id: str, why: str, *flows: Workflow, **values: Any) -> Case:
    return case(id, why, see(environment=env(workflows=flows), **values), "automation_inactive", PERSON)


def _system(status: SystemJobStatus, *, regarding: str = STUCK, **values: Any) -> SystemJob:
    full: dict[str, Any] = {"name": "Work 365: new change", "created_on": NOW - HOUR, **values}
    return SystemJob("sj1", regarding, status=status, **full)


# fmt: off
CASES = [
    _user("the service user is disabled", "Work 365 cannot work as a disabled user", replace(_USER, enabled=False)),
    _user("one role is missing", "both roles are needed", replace(_USER, roles=frozenset({"Work 365 Service"}))),
    _user(
        "the other role is missing", "both roles are needed",
        replace(_USER, roles=frozenset({"Work 365 Portal Service"})),
    ),
    _user("it has no roles at all", "read, and empty", replace(_USER, roles=frozenset())),
    _user("it has only others' roles", "Basic User is not Work 365's", replace(_USER, roles=frozenset({"Basic User"}))),
    _user("there is no service user", "read, and there is none"),
    _privilege("principal user", "Principal user (Id=9) is missing prvWriteAccount privilege (-2147220960)"),
    _privilege("HRESULT", '{"error":{"code":"0x80048306","message":"Principal with ID 9 does not have CreateAccess"}}'),
    _privilege("no roles", "0x80042F09: the user has not been assigned any roles"),
    case(
        "disabled, and the change is not due yet", "not due: it waits whatever the environment is like",
        see(
            old(), stuck(effective_date=(NOW + DAY).date()),
            environment=env(service_users=(replace(_USER, enabled=False),)),
        ),
        "future_effective_date", WAIT, also=["service_user_not_ready"],
    ),
    healthy(
        "the service user is disabled and nothing waits", "no change is stuck",
        see(old(), subscription=_REST, environment=env(service_users=(replace(_USER, enabled=False),))),
        near="service_user_not_ready",
    ),
    case(
        "more roles than needed", "further roles do not harm",
        see(environment=env(service_users=(replace(_USER, roles=ROLES | {"System Customizer"}),))), "trigger_missed",
        AUTO, never=["service_user_not_ready"],
    ),
    case(
        "its roles could not be read", "not known is no proof of missing roles, and not fine either",
        see(environment=env(service_users=(replace(_USER, roles=None),), unread=("service user roles (403)",))),
        ("unknown", "trigger_missed"), PERSON, APPROVE, never=["service_user_not_ready"],
    ),
    case(
        "insufficient privileges at the provider", "a refusal of the provider is not one of Dataverse",
        see(old(), failed('{"code":900308,"description":"Insufficient privileges to complete the operation."}')),
        "credentials_invalid", PERSON, never=["service_user_not_ready"],
    ),
    _flows("a workflow is off", "nothing starts Work 365's jobs", _OFF),
    _flows("one of two workflows is off", "the other cannot stand in for it", replace(_FLOW, id="w0"), _OFF),
    _flows(
        "the workflow is off and a job waits", "its job waits past its time because of that", _OFF,
        jobs=(job(JobStatus.WAITING, 24 * 60),),
    ),
    _flows("the workflow was switched off just now", "off is off", replace(_OFF, modified_on=NOW - MINUTE)),
    case(
        "its System Job failed", "the workflow ran for this change and failed",
        see(system_jobs=(_system(SystemJobStatus.FAILED, message="Plug-in timed out", completed_on=NOW - HOUR),)),
        "automation_inactive", PERSON,
    ),
    case(
        "its System Job is suspended", "it waits for a person to resume it",
        see(system_jobs=(_system(SystemJobStatus.WAITING, suspended=True),)), "automation_inactive", PERSON,
    ),
    case(
        "the scheduled jobs are overdue", "enabled, and hours past their next run",
        see(environment=env(scheduled_jobs=(_STALLED,))), "automation_inactive", PERSON,
    ),
    case(
        "no job has run for hours", "more than a cycle without any job, and this change had none",
        see(environment=env(last_job_on=NOW - 5 * HOUR), subscription=sub()), "automation_inactive", PERSON,
    ),
    case(
        "the workflow is off and the same is true behind it", "the environment goes before the chain",
        see(old(), stuck(), stuck(2, id="z", created_on=NOW - 50 * MINUTE), environment=env(workflows=(_OFF,))),
        "automation_inactive", PERSON, also=["prior_change_blocking"],
    ),
    case(
        "switched on again, and less than a cycle ago", "wait a cycle before anything is called missed",
        see(
            old(), stuck(created_on=NOW - 2 * DAY),
            environment=env(workflows=(replace(_FLOW, modified_on=NOW - timedelta(minutes=4)),)),
        ),
        "not_stuck_yet", WAIT, never=["automation_inactive"],
    ),
    case(
        "a workflow's state could not be read", "not known is not off, and not fine",
        see(environment=env(workflows=(replace(_FLOW, active=None),), unread=("workflows (403)",))),
        ("unknown", "trigger_missed"), PERSON, APPROVE, never=["automation_inactive"],
    ),
    case(
        "a System Job that succeeded", "it did what it should",
        see(system_jobs=(_system(SystemJobStatus.SUCCEEDED, completed_on=NOW - HOUR),)), "trigger_missed", AUTO,
        never=["automation_inactive"],
    ),
    case(
        "a failed System Job of an older change", "that change is provisioned: its job says nothing about this one",
        see(system_jobs=(_system(SystemJobStatus.FAILED, regarding=OLD, completed_on=NOW - 250 * DAY),)),
        "trigger_missed", AUTO, never=["automation_inactive"],
    ),
    case(
        "a usage job that is not due", "a daily job need not have run within a cycle",
        see(environment=env(scheduled_jobs=(_JOBS, _DAILY))), "trigger_missed", AUTO, never=["automation_inactive"],
    ),
    case(
        "everything runs, only this change was missed", "the environment has run jobs minutes ago",
        see(environment=env(last_job_on=NOW - 2 * MINUTE)), "trigger_missed", AUTO, never=["automation_inactive"],
    ),
    case(
        "a disabled user and a workflow that is off", "the user first: the workflow runs as it",
        see(environment=env(service_users=(replace(_USER, enabled=False),), workflows=(_OFF,))),
        "service_user_not_ready", PERSON, also=["automation_inactive"],
    ),
    case(
        "a workflow off and an unmerged change", "the merge needs the workflow",
        see(environment=env(workflows=(_OFF,)), scheduled=(scheduled("merge_failed", (NOW - DAY).date()),)),
        "automation_inactive", PERSON, also=["prior_change_blocking"],
    ),
    healthy(
        "a workflow is off and nothing waits", "no change is stuck",
        see(old(), subscription=_REST, environment=env(workflows=(_OFF,))), near="automation_inactive",
    ),
]
