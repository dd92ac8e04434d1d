"""The life of a Work 365 Job that syncs one License Change Log (docs.work365apps.com, work-365-jobs).

Waiting -> Dispatched -> In progress -> Succeeded | Failed | Not Applicable, or Retry (five tries, then
Failed). Checks are made when a job goes In progress; the call follows without looking again. So two
jobs under way for one change order twice, as does one that a person overtakes by hand.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from local.dataverse.records import Record
from local.partner_center.errors import ProviderRefusal, refuse
from local.work365_engine.checks import Go, Later, Stop, Target, due_at, look
from local.work365_engine.desk import (
    AWAITING,
    CHANGE,
    FAILED,
    JOB,
    NOT_APPLICABLE,
    PROVISIONED,
    SUBSCRIPTION,
    Desk,
)
from local.work365_engine.options import DISPATCH_WORKFLOW
from local.work365_engine.ordering import place_order
from local.work365_engine.settling import settle

SYNC = "sync_license_change_log"
LIVE = ("waiting", "dispatched", "in_progress", "retry")


@dataclass
class UnderWay:
    """A job that is In progress: what it is about to order, and for how many more cycles it hangs."""

    target: Target
    request_id: str
    cycles_left: int | None


def add_job(desk: Desk, change: Record, scheduled_for: datetime | None = None) -> str:
    """A Waiting job for a change, due at once or at `scheduled_for`; its id."""
    return desk.add(
        JOB,
        {
            "name": f"Sync License Change Log: {change['name'] or change['id']}",
            "type": SYNC,
            "license_change_log": change["id"],
            "job_status": "waiting",
            "scheduled_for": scheduled_for,
            "attempts": 0,
        },
    )


class JobRunner:
    """Takes jobs forward. What is under way is known here only, as in the back-end's own memory."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._under_way: dict[str, UnderWay] = {}
        # A job that is tried again sends the same request id; one that is started again takes a new one.
        self._request_ids: dict[str, str] = {}

    def cycle(self) -> None:
        """Take every live job up to `steps_per_cycle` states forward."""
        for job in self.desk.records.find(JOB, type=SYNC, job_status=LIVE):
            for _ in range(self.desk.options.steps_per_cycle):
                if not self._step(job["id"]):
                    break

    def run_at_once(self, change: Record) -> None:
        """Run Now for one change: whatever its jobs say, it is looked at and ordered in this moment."""
        if self.desk.options.quirk(change["subscription"]).ignores:
            return
        jobs = self.desk.records.find(JOB, type=SYNC, license_change_log=change["id"], job_status=("waiting", "retry"))
        job_id = jobs[0]["id"] if jobs else add_job(self.desk, change)
        self._request_ids.pop(job_id, None)
        self._set(job_id, job_status="dispatched", scheduled_for=None, attempts=0)
        while self._step(job_id):
            pass

    def _step(self, job_id: str) -> bool:
        """Take a job one state forward; False when it can go no further now."""
        job = self.desk.row(JOB, job_id)
        if job is None or job["job_status"] not in LIVE:
            return False
        change = self.desk.row(CHANGE, job["license_change_log"])
        if change is None:
            return self._finish(job_id, "failed", "The job has no License Change Log.")
        if self.desk.options.quirk(change["subscription"]).ignores:
            return False
        if job["job_status"] == "in_progress":
            return self._call(job, change)
        if job["scheduled_for"] is not None and job["scheduled_for"] > self.desk.clock():
            return False
        return self._dispatch(job, change) if job["job_status"] == "waiting" else self._start(job_id, change)

    def _dispatch(self, job: Record, change: Record) -> bool:
        """Waiting -> Dispatched, once its date has come; a workflow of Dataverse does this."""
        if not self.desk.process_is_on(DISPATCH_WORKFLOW):
            return False
        subscription = self.desk.row(SUBSCRIPTION, change["subscription"])
        if subscription is not None and change["provisioning_status"] == AWAITING:
            due = due_at(self.desk, change, subscription)
            if due > self.desk.clock():
                return self._wait(job["id"], Later(due))
        self._request_ids.pop(job["id"], None)
        self._set(job["id"], job_status="dispatched", attempts=0)
        return True

    def _start(self, job_id: str, change: Record) -> bool:
        """Dispatched or Retry -> In progress, unless a check says otherwise."""
        if not self._looks_good(job_id, change):
            return False
        self._set(job_id, job_status="in_progress")
        return True

    def _looks_good(self, job_id: str, change: Record) -> bool:
        verdict = look(self.desk, change)
        match verdict:
            case Later():
                return self._wait(job_id, verdict)
            case Stop():
                return self._stop(job_id, change, verdict)
            case Go(target):
                request_id = self._request_ids.setdefault(job_id, str(uuid.uuid4()))
                slow = self.desk.options.quirk(change["subscription"]).slow_cycles
                self._under_way[job_id] = UnderWay(target, request_id, slow)
                return True

    def _call(self, job: Record, change: Record) -> bool:
        """In progress -> the provider -> Succeeded, Retry or Failed."""
        # A job that was In progress before this engine began is looked at afresh.
        if job["id"] not in self._under_way and not self._looks_good(job["id"], change):
            return False
        under_way = self._under_way[job["id"]]
        if under_way.cycles_left is None:
            return False
        if under_way.cycles_left > 0:
            under_way.cycles_left -= 1
            return False
        del self._under_way[job["id"]]
        if self.desk.options.quirk(change["subscription"]).succeeds_without_doing:
            return self._finish(job["id"], "succeeded", "")
        try:
            answer = place_order(self.desk, under_way.target, under_way.request_id)
        except ProviderRefusal as refusal:
            return self._refused(job, change, refusal)
        if self.desk.options.quirk(change["subscription"]).provisions_without_saying:
            return self._finish(job["id"], "failed", refuse("504").body(self.desk.clock()))
        self._provisioned(change)
        return self._finish(job["id"], "succeeded", answer)

    def _wait(self, job_id: str, verdict: Later) -> bool:
        self._set(job_id, job_status="waiting", scheduled_for=verdict.until)
        return False

    def _stop(self, job_id: str, change: Record, verdict: Stop) -> bool:
        if verdict.change_status is not None:
            message = verdict.message if verdict.change_status == FAILED else None
            self.desk.write(
                CHANGE,
                change["id"],
                {"provisioning_status": verdict.change_status, "provisioning_message": message},
            )
        if verdict.change_status == NOT_APPLICABLE:
            settle(self.desk, change)
        return self._finish(job_id, verdict.job_status, verdict.message)

    def _refused(self, job: Record, change: Record, refusal: ProviderRefusal) -> bool:
        now = self.desk.clock()
        body = refusal.body(now)
        tries = (job["attempts"] or 0) + 1
        again = is_transient(refusal) and tries < self.desk.options.max_tries
        values: dict[str, object] = {"provisioning_message": _message(refusal, body)}
        if not again:
            values["provisioning_status"] = FAILED
        self.desk.write(CHANGE, change["id"], values)
        next_try = now + self.desk.options.retry_wait if again and self.desk.options.retry_wait else None
        self._set(
            job["id"],
            job_status="retry" if again else "failed",
            attempts=tries,
            results=body,
            scheduled_for=next_try,
        )
        return False

    def _provisioned(self, change: Record) -> None:
        self.desk.write(
            CHANGE,
            change["id"],
            {
                "provisioning_status": PROVISIONED,
                "actual_provisioned_on": self.desk.clock(),
                "provisioning_message": None,
            },
        )
        settle(self.desk, change)

    def _finish(self, job_id: str, status: str, results: str) -> bool:
        self._under_way.pop(job_id, None)
        self._set(job_id, job_status=status, results=results)
        return False

    def _set(self, job_id: str, **values: object) -> None:
        self.desk.write(JOB, job_id, values)


def is_transient(refusal: ProviderRefusal) -> bool:
    """What Work 365 tries again by itself: throttling, server errors, and a subscription that is not ready."""
    return refusal.status == 429 or refusal.status >= 500 or refusal.code == "800082"


def _message(refusal: ProviderRefusal, body: str) -> str:
    # What Entra says arrives as the JSON it sent; Partner Center's answers as text with the code behind it.
    return body if refusal.shape == "entra" else f"{refusal.message} ({refusal.code})"
