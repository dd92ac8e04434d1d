"""This app's storage account, as a world needs it: emptied, and with what an interrupted run has left in it.

The rows of table `cases` are described in docs/ledger.md; the app itself is not imported here.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from local.dataverse.records import Records
from local.worlds.built import HalfToggled

CASES = "cases"
_AGO = timedelta(hours=1)


def empty_storage(connection_string: str) -> None:
    """Deletes every table and every message. Nobody may be writing meanwhile."""
    with TableServiceClient.from_connection_string(connection_string) as tables:
        for table in list(tables.list_tables()):
            tables.delete_table(table.name)
    with QueueServiceClient.from_connection_string(connection_string) as queues:
        for queue in list(queues.list_queues()):
            with queues.get_queue_client(queue.name) as client:
                client.clear_messages()


def write_cases(connection_string: str, rows: Sequence[dict[str, Any]]) -> None:
    """Puts rows into the table of cases, which is made when it is not there."""
    if not rows:
        return
    with (
        TableServiceClient.from_connection_string(connection_string) as service,
        service.create_table_if_not_exists(CASES) as cases,
    ):
        for row in rows:
            cases.upsert_entity(row)


def case_row(toggled: HalfToggled, records: Records, now: datetime) -> dict[str, Any]:
    """The row of a retrigger that was left an hour ago by a worker that died between its two writes."""
    change = records.get("license_change_log", toggled.change_id)
    if change is None:
        raise KeyError(f"license_change_log {toggled.change_id}")
    then = (now - _AGO).astimezone(UTC).isoformat()
    intent = {
        "change_id": toggled.change_id,
        "plan_digest": "seeded",
        "by": "timer",
        "written_on": then,
        "phase": "not_applicable_set",
        "status_before": "awaiting_provisioning",
        "etag_before": 'W/"1"',
        "etag_after": change["etag"],
    }
    return {
        "PartitionKey": toggled.subscription_id,
        "RowKey": "case",
        "schema_version": 1,
        "number": 1,
        "opened_on": then,
        "state": "remediating",
        "due_on": then,
        "change_id": toggled.change_id,
        "intent": json.dumps(intent),
    }
