"""What Dataverse does when a change is saved: Work 365's workflow gives it a job, a plug-in saves it again."""

import asyncio
import zlib
from collections import deque

from local.dataverse.records import Record, RowChange
from local.work365_engine.checks import due_at
from local.work365_engine.desk import (
    AWAITING,
    CHANGE,
    NOT_APPLICABLE,
    PROVISIONED,
    SUBSCRIPTION,
    Desk,
    Mail,
    place,
)
from local.work365_engine.jobs import add_job
from local.work365_engine.options import TRIGGER_WORKFLOW
from local.work365_engine.settling import judge_mark, settle


class Workflow:
    """Listens to every save of a License Change Log, whoever makes it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._to_touch: deque[str] = deque()
        self._to_settle: deque[str] = deque()
        self._saves = 0

    def on_saved(self, saved: RowChange) -> None:
        """One committed write."""
        if saved.table != CHANGE:
            return
        if saved.after is None:
            self._deleted(saved)
            return
        status = saved.after["provisioning_status"]
        if saved.before is not None and saved.before["provisioning_status"] == status:
            return
        if status in (AWAITING, NOT_APPLICABLE):
            self._maybe_touch(saved.id, by_us=saved.by == self.desk.options.user_id)
        if status == AWAITING:
            self._judge_return(saved)
            self._trigger(saved.after)
        if status == PROVISIONED and saved.by != self.desk.options.user_id:
            judge_mark(self.desk, saved.after)
            self._to_settle.append(saved.id)
        self._soon()

    def run_plugins(self) -> None:
        """Do what was left to asynchronous plug-ins."""
        while self._to_touch:
            change = self.desk.row(CHANGE, self._to_touch.popleft())
            if change is not None:
                self.desk.write(CHANGE, change["id"], {"name": change["name"]})
        while self._to_settle:
            change = self.desk.row(CHANGE, self._to_settle.popleft())
            if change is not None:
                settle(self.desk, change)

    def _soon(self) -> None:
        """Plug-ins run after the reply to whoever saved, not before; without a loop the next cycle runs them."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        loop.call_soon(self.run_plugins)

    def _maybe_touch(self, change_id: str, *, by_us: bool) -> None:
        self._saves += 1
        options = self.desk.options
        if options.touches > 0 and not by_us:
            options.touches, options.touched = options.touches - 1, options.touched + 1
            self._to_touch.append(change_id)
            return
        # Not random: the same run of saves is touched in the same places every time.
        if zlib.crc32(f"{change_id}{self._saves}".encode()) % 100 < self.desk.options.plugin_touch:
            self._to_touch.append(change_id)

    def _trigger(self, change: Record) -> None:
        """The workflow "a change awaits provisioning"."""
        options = self.desk.options
        subscription = self.desk.row(SUBSCRIPTION, change["subscription"])
        if options.quirk(change["subscription"]).ignores:
            return
        if subscription is not None and subscription["status"] in ("active", PROVISIONED):
            self.desk.write(SUBSCRIPTION, subscription["id"], {"status": AWAITING})
        if not options.workflow_on or not self.desk.process_is_on(TRIGGER_WORKFLOW):
            return
        failure = options.quirk(change["subscription"]).workflow_fails
        if failure is not None:
            self._fail(change, failure)
            return
        if options.missed.get(change["id"], 0) > 0:
            options.missed[change["id"]] -= 1
            return
        provider = self.desk.row("provider", subscription["provider"]) if subscription else None
        if provider is not None and provider["type"] == "manual":
            self.desk.mails.append(Mail(self.desk.clock(), change["id"], provider["name"]))
            return
        due = due_at(self.desk, change, subscription) if subscription else None
        add_job(self.desk, change, due if due and due > self.desk.clock() else None)

    def _fail(self, change: Record, message: str) -> None:
        """The workflow's run ends as a System Job of Dataverse that says why, and makes no job."""
        values = {"name": TRIGGER_WORKFLOW, "regarding": change["id"], "message": message, "status": "failed"}
        self.desk.add("system_job", {**values, "completed_on": self.desk.clock()})

    def _judge_return(self, saved: RowChange) -> None:
        """A change that comes back from Not Applicable: was a later one ordered while it was out of the way?"""
        if saved.before is None or saved.before["provisioning_status"] != NOT_APPLICABLE or saved.after is None:
            return
        later = {
            other["id"] for other in self.desk.chain(saved.after["subscription"]) if place(other) > place(saved.after)
        }
        for order in self.desk.provider.orders:
            if order.change_id in later and order.on >= saved.before["modified_on"]:
                self.desk.harmed("out_of_order", saved.after, f"{order.change_id} was ordered before it")

    def _deleted(self, saved: RowChange) -> None:
        if saved.before is not None:
            self.desk.harmed("change_deleted", saved.before, f"deleted by {saved.by}")
