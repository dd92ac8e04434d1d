"""The port Work365 over the Dataverse Web API."""

from collections.abc import Sequence
from datetime import date, datetime, tzinfo

from shared.adapters.dataverse import odata
from shared.adapters.dataverse.client import Dataverse
from shared.adapters.dataverse.parts import PartResult, Patch, etag
from shared.adapters.work365.environment_queries import EnvironmentQueries
from shared.adapters.work365.evidence_reads import Reading
from shared.adapters.work365.jobs import JobRow, JobRunner, NextCycle, Workflow
from shared.adapters.work365.queries import Queries
from shared.adapters.work365.reader import Reader
from shared.adapters.work365.row_writes import row_patch
from shared.adapters.work365.rows import Rows
from shared.adapters.work365.schema import SchemaMap
from shared.errors import (
    Forbidden,
    Garbled,
    NotFound,
    Refused,
    SignInRefused,
    SourceError,
    Throttled,
    Unreachable,
    VersionConflict,
)
from shared.ports import Clock, EvidenceRead, RowWrite, StatusWrite, Suspects, WriteResult

DEFERRED_SECONDS = 30.0
"""When a write that was not executed is decided afresh, where the service names no time."""


class DataverseWork365:
    """Reads and writes Work 365's tables by the schema map."""

    def __init__(
        self, dataverse: Dataverse, schema: SchemaMap, clock: Clock, time_zone: tzinfo, run_job: str = "next_cycle"
    ) -> None:
        """`run_job` is `next_cycle`, `job_row` or `workflow:<id>`. Raises SettingsError for a map that lacks a name."""
        self._dataverse = dataverse
        self._schema = schema
        self._clock = clock
        self._time_zone = time_zone
        self._queries = Queries(schema, time_zone)
        self._queries.check()
        self._environment = EnvironmentQueries(schema)
        self._environment.all()  # built once here, so that a name that the map lacks is found before any read
        self._runner = self._job_runner(run_job)
        self._changes = schema.table("license_change_log")

    async def find_suspects(self, created_before: datetime, today: date) -> Suspects:
        rows = await self._dataverse.get_pages(self._queries.suspects(created_before, today), purpose="sweep")
        read = Rows(self._schema, self._time_zone)
        ids = [read.reader("subscription", row).id for row in rows]
        if not all(ids):
            raise Garbled("dataverse", "Dataverse gave a subscription without an id. Nothing of the answer is used.")
        # Rows can come twice when they change while pages are read.
        return Suspects(tuple(dict.fromkeys(ids)))

    async def read_evidence(self, subscription_ids: Sequence[str], *, purpose: str) -> EvidenceRead:
        rows = Rows(self._schema, self._time_zone)
        reading = Reading(self._dataverse, self._queries, self._environment, rows, self._clock, purpose)
        return await reading.evidence(subscription_ids)

    async def set_provisioning_status(self, writes: Sequence[StatusWrite]) -> Sequence[WriteResult]:
        results = await self._dataverse.batch([self._patch(write) for write in writes], purpose="remediate")
        return [_result(write.change_id, result) for write, result in zip(writes, results, strict=True)]

    async def amend(self, writes: Sequence[RowWrite]) -> Sequence[WriteResult]:
        patches = [row_patch(self._schema, write) for write in writes]
        results = await self._dataverse.batch(patches, purpose="remediate")
        return [_result(write.row_id, result) for write, result in zip(writes, results, strict=True)]

    async def run_jobs(self, change_ids: Sequence[str]) -> str:
        return await self._runner.run(change_ids)

    async def subscription_of_change(self, change_id: str) -> str | None:
        try:
            row = await self._dataverse.get(self._queries.subscription_of_change(change_id), purpose="diagnose")
        except NotFound:
            return None
        return Reader(self._changes, row, self._time_zone).lookup("subscription")

    def _patch(self, write: StatusWrite) -> Patch:
        column = self._changes.column("provisioning_status")
        path = odata.row(self._changes.entity_set, write.change_id)
        return Patch(path, {column.logical: column.value(write.status)}, etag(write.etag))

    def _job_runner(self, run_job: str) -> JobRunner:
        way, _, workflow_id = run_job.partition(":")
        if way == "job_row":
            rows = Rows(self._schema, self._time_zone)
            return JobRow(self._dataverse, self._schema, self._queries, rows, self._clock)
        return Workflow(self._dataverse, workflow_id) if way == "workflow" else NextCycle()


def _result(row_id: str, result: PartResult) -> WriteResult:
    """What became of a write. Whatever does not say for sure that nothing was written is unknown."""
    match result.error:
        case None:
            return WriteResult(row_id, done=True, etag=result.etag or "")
        case VersionConflict() as error:
            return WriteResult(row_id, version_changed=True, reason=str(error))
        case Refused() | Forbidden() | NotFound() as error:
            return WriteResult(row_id, refused=True, reason=str(error))
        case Throttled() | Unreachable() | SignInRefused() as error:
            wait = error.retry_after or DEFERRED_SECONDS
            return WriteResult(row_id, deferred=True, reason=str(error), retry_after=wait)
        case SourceError() as error:
            return WriteResult(row_id, unknown=True, reason=str(error))
