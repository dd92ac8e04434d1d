"""How a change's job is run. Work 365's real interface is not public, so the operator chooses the way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from shared.adapters.dataverse import odata
from shared.adapters.dataverse.client import Dataverse
from shared.adapters.dataverse.parts import Part, Patch, Post, etag
from shared.adapters.work365.queries import Queries
from shared.adapters.work365.rows import Rows
from shared.adapters.work365.schema import SchemaMap
from shared.domain.evidence import LIVE_JOBS
from shared.ports import Clock


class JobRunner(Protocol):
    """Has Work 365 take up changes that stand at Awaiting Provisioning. Says in words how."""

    async def run(self, change_ids: Sequence[str]) -> str: ...


class NextCycle:
    """Does nothing: Work 365's own schedule picks the change up. The safest, and the default."""

    async def run(self, change_ids: Sequence[str]) -> str:  # noqa: ARG002
        return "Work 365 takes it up in its next job cycle"


class JobRow:
    """Reschedules the change's live job to now, or creates one where Work 365 has made none."""

    def __init__(self, dataverse: Dataverse, schema: SchemaMap, queries: Queries, rows: Rows, clock: Clock) -> None:
        self._dataverse = dataverse
        self._table = schema.table("work365_job")
        self._change_set = schema.table("license_change_log").entity_set
        self._queries = queries
        self._rows = rows
        self._clock = clock

    async def run(self, change_ids: Sequence[str]) -> str:
        results = await self._dataverse.batch(list(self._queries.jobs(change_ids)), purpose="remediate")
        raw = [row for result in results for row in result.rows]
        live = {job.change_id: row for row in raw if (job := self._rows.job(row)).status in LIVE_JOBS}
        now = self._clock.now()
        parts = [self._reschedule(live[i], now) if i in live else self._create(i, now) for i in change_ids]
        written = await self._dataverse.batch(parts, purpose="remediate")
        failed = [r.error for r in written if r.error is not None]
        if failed:
            raise failed[0]
        return "its job was scheduled for now"

    def _reschedule(self, row: dict[str, object], now: datetime) -> Part:
        path = odata.row(self._table.entity_set, str(row[self._table.primary_id]))
        values = {self._table.column("scheduled_for").logical: _moment(now)}
        return Patch(path, values, etag(row.get("@odata.etag")))

    def _create(self, change_id: str, now: datetime) -> Part:
        column = self._table.column
        return Post(
            self._table.entity_set,
            {
                column("name").logical: "Sync License Change Log",
                column("type").logical: column("type").value("sync_license_change_log"),
                column("job_status").logical: column("job_status").value("waiting"),
                column("scheduled_for").logical: _moment(now),
                f"{column('license_change_log').navigation}@odata.bind": f"/{odata.row(self._change_set, change_id)}",
            },
        )


class Workflow:
    """Runs a workflow of Dataverse (an on-demand process of yours or of Work 365) on each change."""

    def __init__(self, dataverse: Dataverse, workflow_id: str) -> None:
        self._dataverse = dataverse
        self._action = f"{odata.row('workflows', workflow_id)}/Microsoft.Dynamics.CRM.ExecuteWorkflow"

    async def run(self, change_ids: Sequence[str]) -> str:
        parts = [Post(self._action, {"EntityId": each}) for each in change_ids]
        failed = [r.error for r in await self._dataverse.batch(parts, purpose="remediate") if r.error is not None]
        if failed:
            raise failed[0]
        return "the workflow was run on it"


def _moment(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")
