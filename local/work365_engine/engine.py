"""Work 365 on this machine: it decides by itself whether a change really gets provisioned.

It sees rows of Dataverse and the provider, nothing else; it does not know that the app exists.
What it copies and on which known facts that rests is in docs/local-work365.md.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from local.dataverse.records import Records
from local.partner_center.provider import Provider
from local.work365_engine.desk import AWAITING, CHANGE, Desk, Mail, place
from local.work365_engine.harm import Harm
from local.work365_engine.jobs import JobRunner
from local.work365_engine.options import MERGE_JOB, SERVICE_ROLES, EngineOptions
from local.work365_engine.scheduled import merge_due, stamp_run
from local.work365_engine.workflow import Workflow


class Engine:
    """Listens to rows from the moment it is made; works in cycles. `clock` gives aware UTC times."""

    def __init__(
        self,
        records: Records,
        provider: Provider,
        clock: Callable[[], datetime],
        options: EngineOptions | None = None,
    ) -> None:
        self.options = options or EngineOptions()
        self.desk = Desk(records, provider, clock, self.options)
        self._workflow = Workflow(self.desk)
        self._jobs = JobRunner(self.desk)
        records.subscribe(self._workflow.on_saved)

    @property
    def harm(self) -> list[Harm]:
        """Everything that must never happen and did."""
        return self.desk.harm

    @property
    def mails(self) -> list[Mail]:
        """What people behind manual providers were asked to do."""
        return self.desk.mails

    async def run(self) -> None:
        """Cycle until cancelled."""
        while True:
            self.cycle()
            await asyncio.sleep(self.options.cycle_seconds)

    def cycle(self) -> None:
        """One pass: plug-ins, scheduled changes that are due, then every live job, oldest first."""
        self._workflow.run_plugins()
        if self._is_locked_out():
            return
        if self.options.merge_scheduled and self.desk.timed_job_runs(MERGE_JOB):
            merge_due(self.desk)
            stamp_run(self.desk, MERGE_JOB)
        self._jobs.cycle()

    def run_now(self) -> None:
        """Pick up every Awaiting change at once, whatever its jobs say, those that were held back included."""
        if self._is_locked_out():
            return
        awaiting = self.desk.records.find(CHANGE, provisioning_status=AWAITING)
        for change in sorted(awaiting, key=place):
            self._jobs.run_at_once(change)

    def _is_locked_out(self) -> bool:
        """Whether Dataverse lets its back-end do nothing: its application user is disabled or lacks a role."""
        user = self.desk.row("system_user", self.options.user_id)
        if user is None:
            return False
        return bool(user["is_disabled"]) or not set(SERVICE_ROLES) <= set(self.desk.records.roles_of(user["id"]))
