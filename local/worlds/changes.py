"""License Change Logs, Scheduled License Change Logs and Work 365 Jobs of one subscription."""

from datetime import datetime, timedelta
from decimal import Decimal

from local.partner_center.errors import ProviderRefusal, refuse
from local.worlds.built import Built, Row
from local.worlds.changing import Change, Job, Scheduled, SystemJob
from local.worlds.identities import ADMIN_USER_ID, APP_USER_ID, WORK365_USER_ID, row_id
from local.worlds.member import Member, turn
from local.worlds.words import Said

# How long a job took, and how long Work 365 keeps jobs that are over.
_TAKES = timedelta(minutes=5)
_KEPT = timedelta(days=30)

_DRIVEN = ("automatic", "rest")


def add_changes(built: Built, member: Member) -> None:
    """All changes of a subscription with their jobs, and its scheduled changes."""
    for index, change in enumerate(member.group.changes):
        built.add("license_change_log", _change_row(member, index, change))
        jobs = _usual_jobs(member, change) if change.jobs is None else change.jobs
        for number, job in enumerate(jobs):
            built.add("work365_job", _job_row(member, index, change, number, job))
        for number, system_job in enumerate(change.system_jobs):
            built.add("system_job", _system_job_row(member, index, change, number, system_job))
    for index, scheduled in enumerate(member.group.scheduled):
        built.add("scheduled_license_change_log", _scheduled_row(member, index, scheduled))
        for number, job in enumerate(scheduled.jobs):
            built.add("work365_job", _merge_job_row(member, index, scheduled, number, job))


def _change_row(member: Member, index: int, change: Change) -> Row:
    created = member.now + change.created
    ended = min(created + _TAKES, member.now)
    quantity = turn(change.quantity, member.n)
    return {
        "id": member.change_id(index),
        "name": _name(change.type, quantity),
        "subscription": member.id,
        "change_type": change.type,
        "quantity": Decimal(quantity),
        "effective_date": member.day(change.effective if change.effective is not None else change.created).date(),
        "provisioning_status": change.status,
        "provisioning_message": said(change.message, ended),
        "actual_provisioned_on": _provisioned_on(member, change, ended),
        "change_source": change.source,
        "account": row_id(member.world.name, "account", member.customer),
        "unit_price": change.unit_price or member.world.products[member.group.product].price,
        "created_on": created,
        "modified_on": _touched_on(member, change, ended),
        "modified_by": _last_touched_by(change),
        "status": "archived" if change.archived else "active",
    }


def _provisioned_on(member: Member, change: Change, ended: datetime) -> datetime | None:
    if change.status != "provisioned":
        return None
    return member.now + change.provisioned if change.provisioned is not None else ended


def _touched_on(member: Member, change: Change, ended: datetime) -> datetime:
    if change.touched is not None:
        return member.now + change.touched
    return member.now + change.created if change.status == "awaiting_provisioning" else ended


def _name(kind: str, quantity: int) -> str:
    return kind.capitalize() if quantity == 0 else f"{kind.capitalize()} {quantity:+d}"


def _last_touched_by(change: Change) -> str:
    if change.half_toggled:
        return APP_USER_ID
    if change.touched_by is not None:
        return ADMIN_USER_ID if change.touched_by == "person" else WORK365_USER_ID
    return ADMIN_USER_ID if change.status == "awaiting_provisioning" else WORK365_USER_ID


def _usual_jobs(member: Member, change: Change) -> tuple[Job, ...]:
    """What Work 365 leaves behind where a world says nothing: a job for everything that it has tried of late."""
    tried = {"provisioned": "succeeded", "failed_provisioning": "failed"}.get(change.status)
    driven = member.provider.type in _DRIVEN and change.source != "provider"
    if tried is None or not driven or change.created < -_KEPT:
        return ()
    return (Job.model_validate({"status": tried, "results": change.message}),)


def _job_row(member: Member, index: int, change: Change, number: int, job: Job) -> Row:
    return {
        "id": row_id(member.world.name, "job", member.group.group, member.n, index, number),
        "name": f"Sync License Change Log: {_name(change.type, turn(change.quantity, member.n))}",
        "type": "sync_license_change_log",
        "license_change_log": member.change_id(index),
        **_state_of(member, job, change.created),
    }


def _merge_job_row(member: Member, index: int, scheduled: Scheduled, number: int, job: Job) -> Row:
    row = _scheduled_row(member, index, scheduled)
    return {
        "id": row_id(member.world.name, "merge-job", member.group.group, member.n, index, number),
        "name": f"Merge Scheduled License Change Log: {row['name']}",
        "type": "merge_scheduled_change",
        "scheduled_license_change_log": row["id"],
        **_state_of(member, job, min(scheduled.effective, timedelta(0))),
    }


def _state_of(member: Member, job: Job, began: timedelta) -> Row:
    created = member.now + (job.created if job.created is not None else began)
    modified = member.now + job.modified if job.modified is not None else min(created + _TAKES, member.now)
    return {
        "job_status": job.status,
        "scheduled_for": member.now + job.scheduled_for if job.scheduled_for is not None else None,
        "results": said(job.results, modified, in_full=True),
        "attempts": 0 if job.status in ("waiting", "dispatched") else 1,
        "created_on": created,
        "modified_on": modified,
        "modified_by": WORK365_USER_ID,
    }


def _system_job_row(member: Member, index: int, change: Change, number: int, job: SystemJob) -> Row:
    created = member.now + (job.created if job.created is not None else change.created)
    return {
        "id": row_id(member.world.name, "system-job", member.group.group, member.n, index, number),
        "name": job.name,
        "regarding": member.change_id(index),
        "message": job.message,
        "created_on": created,
        "completed_on": member.now + job.completed if job.completed is not None else None,
        "status": job.status,
    }


def _scheduled_row(member: Member, index: int, scheduled: Scheduled) -> Row:
    quantity = turn(scheduled.quantity, member.n)
    return {
        "id": row_id(member.world.name, "scheduled", member.group.group, member.n, index),
        "name": f"Scheduled {_name(scheduled.type, quantity).lower()}",
        "subscription": member.id,
        "change_type": scheduled.type,
        "effective_date": member.day(scheduled.effective).date(),
        "provision_on": member.day(scheduled.provision_on).date() if scheduled.provision_on is not None else None,
        "quantity": Decimal(quantity),
        "created_on": member.now + scheduled.created,
        "modified_on": member.now + scheduled.created,
        "modified_by": ADMIN_USER_ID,
        "status": scheduled.status,
    }


def said(message: str | Said | None, on: datetime, *, in_full: bool = False) -> str | None:
    """A message as Work 365 leaves it: an answer of Entra's as the JSON it sent, others as text and code.

    `in_full`: the whole body whatever it was, as in a job's results.
    """
    if not isinstance(message, Said):
        return message
    refusal: ProviderRefusal = refuse(message.code, *message.values)
    if in_full or refusal.shape == "entra":
        return refusal.body(on)
    return f"{refusal.message} ({refusal.code})"
