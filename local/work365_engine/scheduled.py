"""Scheduled License Change Logs: at their date they are merged, which makes a License Change Log.

As the vendor describes it (docs.work365apps.com, scheduled-license-change-logs and update-schedule-license-change).
"""

from datetime import timedelta
from decimal import Decimal

from local.dataverse.records import Record
from local.work365_engine.desk import AWAITING, CHANGE, JOB, SCHEDULED, SUBSCRIPTION, Desk
from local.work365_engine.jobs import SYNC

# Why a merge fails is documented; how it is worded is not.
PRIOR = "Scheduled License Change Log could not be merged: prior changes of the Subscription have not been processed."
STATE = "Scheduled License Change Log could not be merged: the Subscription is {status}."
ORPHAN = "Scheduled License Change Log could not be merged: it has no Subscription."

_CLOSED = ("suspended", "expired", "cancelled", "inactive")


def merge_due(desk: Desk) -> None:
    """Merge every Pending one whose effective date has begun, earliest first."""
    pending = desk.records.find(SCHEDULED, status="pending")
    due = [s for s in pending if s["effective_date"] and desk.starts(s["effective_date"]) <= desk.clock()]
    for scheduled in sorted(due, key=lambda s: (s["effective_date"], s["created_on"], s["id"])):
        if not desk.options.quirk(scheduled["subscription"]).ignores:
            _merge(desk, scheduled)


def stamp_run(desk: Desk, name: str) -> None:
    """Write down that a scheduled job has run, where its time had come."""
    for row in desk.records.find("scheduled_job", name=name):
        if row["next_run_on"] is not None and row["next_run_on"] <= desk.clock():
            now = desk.clock()
            values = {"last_run_on": now, "next_run_on": now + timedelta(days=1), "last_result": "Succeeded"}
            desk.write("scheduled_job", row["id"], values)


def _merge(desk: Desk, scheduled: Record) -> None:
    subscription = desk.row(SUBSCRIPTION, scheduled["subscription"])
    reason = _obstacle(desk, scheduled, subscription)
    if reason is not None or subscription is None:
        desk.write(SCHEDULED, scheduled["id"], {"status": "merge_failed"})
        _report(desk, scheduled, reason or ORPHAN)
        return
    quantity = scheduled["quantity"] or Decimal(0)
    desk.write(SCHEDULED, scheduled["id"], {"status": "archived"})
    desk.write(SUBSCRIPTION, subscription["id"], {"quantity": (subscription["quantity"] or Decimal(0)) + quantity})
    change_id = desk.add(
        CHANGE,
        {
            "name": scheduled["name"],
            "subscription": subscription["id"],
            "change_type": scheduled["change_type"],
            "quantity": quantity,
            "effective_date": scheduled["effective_date"],
            "provisioning_status": AWAITING,
            "change_source": "work365",
            "account": subscription["customer"],
        },
    )
    _hold_until_provision_on(desk, scheduled, change_id)


def _obstacle(desk: Desk, scheduled: Record, subscription: Record | None) -> str | None:
    if subscription is None:
        return ORPHAN
    if subscription["status"] in _CLOSED and scheduled["change_type"] != "activate":
        return STATE.format(status=subscription["status"])
    failed_before = desk.records.find(SCHEDULED, subscription=subscription["id"], status="merge_failed")
    is_first = all(
        other["effective_date"] > scheduled["effective_date"] for other in failed_before if other["effective_date"]
    )
    return PRIOR if desk.unprovisioned(subscription["id"]) or not is_first else None


def _report(desk: Desk, scheduled: Record, reason: str) -> None:
    desk.add(
        JOB,
        {
            "name": f"Merge Scheduled License Change Log: {scheduled['name'] or scheduled['id']}",
            "type": "merge_scheduled_change",
            "scheduled_license_change_log": scheduled["id"],
            "job_status": "failed",
            "results": reason,
            "attempts": 1,
        },
    )


def _hold_until_provision_on(desk: Desk, scheduled: Record, change_id: str) -> None:
    """Effective Date is when a change applies, Provision On when it is sent to the provider."""
    if scheduled["provision_on"] is None or desk.starts(scheduled["provision_on"]) <= desk.clock():
        return
    for job in desk.records.find(JOB, type=SYNC, license_change_log=change_id):
        desk.write(JOB, job["id"], {"scheduled_for": desk.starts(scheduled["provision_on"])})
