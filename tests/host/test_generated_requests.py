"""The whole HTTP API under requests made up from its own document: no 5xx, nothing undocumented, nothing half-written.

Input: the document that the app serves, and a town with every cause. Output: what each answer was, and what stands in
the stores afterwards. Not faked: host, worker, storage, and a Dataverse and Partner Center that decide by themselves.

`dev.py test` sends some hundreds; `dev.py test tests/host/test_generated_requests.py --generated-requests 20000` sends
more, and `--generated-seed N` others.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables import TableServiceClient

from local.dataverse.traffic import Write
from shared.domain.role import Role
from shared.entrypoints.routes import ROUTES
from tests.host.conftest import REPORT
from tests.host.generated_requests import offered
from tests.host.generated_run import Run
from tests.host.generated_stores import faults
from tests.host.generated_town import Town, town

pytestmark = [pytest.mark.host, pytest.mark.azurite]

INTENT = json.dumps(
    {
        "change_id": "22222222-0000-0000-0000-000000000001",
        "plan_digest": "0123",
        "by": "unstuck",
        "written_on": "2026-11-22T09:00:00Z",
        "phase": "intended",
        "status_before": "awaiting_provisioning",
        "etag_before": 'W/"100"',
        "etag_after": "",
    }
)
"""As docs/ledger.md shows one."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[tuple[Town, Run]]:
    """A town after all requests were sent and everything that they began has ended."""
    wanted, seed = pytestconfig.getoption("--generated-requests"), pytestconfig.getoption("--generated-seed")
    with town(tmp_path_factory.mktemp("h")) as made:
        sent = Run(made, seed)
        pytestconfig.stash[REPORT] = sent.report
        sent.go(offered(made.ask("GET", "/swagger.json", role=Role.READER).json()), wanted)
        made.finish()
        yield made, sent


def test_every_answer_is_as_the_document_says(run: tuple[Town, Run], pytestconfig: pytest.Config) -> None:
    _, sent = run
    assert sent.report.wrong == {}, "\n".join(sent.report.complaints())
    assert sent.report.sent >= pytestconfig.getoption("--generated-requests")
    assert sent.report.pairs == len(ROUTES) * len(Role)
    assert sent.report.told > 0, "nothing was seen of what refused requests write"


def test_every_operation_was_carried_out(run: tuple[Town, Run]) -> None:
    """Else it was only its door that was tried."""
    _, sent = run
    assert {route.operation for route in ROUTES} - sent.report.done == set()


def test_nothing_is_left_half_written(run: tuple[Town, Run]) -> None:
    made, _ = run
    assert made.idle(), "no message is left, in the poison queues neither"
    found = asyncio.run(faults(made.app.storage.connection_string, made.app.written()))
    assert found == [], "\n".join(found)
    assert made.app.harm()["engine"] == []


def test_what_was_half_written_would_have_been_seen(run: tuple[Town, Run]) -> None:
    """Each kind of damage, done by hand, last of all."""
    made, _ = run
    id_, later = "0" * 32, (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    with TableServiceClient.from_connection_string(made.app.storage.connection_string) as service:
        cases, index = service.get_table_client("cases"), service.get_table_client("caseindex")
        rows = list(cases.query_entities("RowKey eq 'case' and state eq 'needs_person'"))
        cut, unlisted, stuck, lonely = (row for row in rows[:4])
        cases.delete_entity(cut["PartitionKey"], "event|000001|00000001")
        index.delete_entity("open", unlisted["open_row"])
        cases.update_entity({**stuck, "state": "remediating", "intent": INTENT})
        cases.delete_entity(lonely)
        operation = {"PartitionKey": "operation", "RowKey": id_, "schema_version": 1, "expires_on": later}
        operation |= {"route": "Diagnose", "body": "{}", "caller": "Ann", "asked_on": later}
        service.get_table_client("operations").create_entity(operation)
        key = {"PartitionKey": "key", "RowKey": "f" * 64, "expires_on": later}
        service.create_table_if_not_exists("idempotency").create_entity(key)
    change = {"provisioning_status": ("failed", "not_applicable")}
    unsaid = Write(datetime.now(UTC), "app", "license_change_log", "a-change", "updated", change, "remediate")
    found = "\n".join(asyncio.run(faults(made.app.storage.connection_string, [*made.app.written(), unsaid])))
    assert f"{cut['PartitionKey']}-1: event 1 is missing" in found
    assert f"{unlisted['PartitionKey']}: no index row" in found
    assert f"{stuck['PartitionKey']}-1: remediating, an effect that has no end" in found
    assert f"{lonely['PartitionKey']}: event|000001|00000001 belongs to no case" in found
    assert f"operation {id_} has no end" in found
    assert "idempotency key ffffffff is in flight" in found
    assert (
        "saved and not said: ('license_change_log', 'a-change', 'provisioning_status', 'not_applicable'), 1x" in found
    )
