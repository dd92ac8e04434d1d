"""Backup and restore of the ledger on Azurite: what comes back is what was there, chain of hashes included."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from azure.data.tables import EdmType, EntityProperty, TableServiceClient

from infra.ledger import CONNECTION, main
from infra.ledger_files import line_of, row_of
from local.azurite import Azurite
from shared.adapters.tables import TableCaseStore
from shared.adapters.tables.webhooks import TABLE
from shared.domain.case import State, first_broken
from tests.contract.case_kit import NOW, full, moved, opened, resolved, subscription
from tests.fakes.clock import ManualClock

pytestmark = [pytest.mark.anyio, pytest.mark.azurite]
MANY = 120
"""More than one transaction holds, all in one partition of the index."""
FEW = 8


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def service(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> Iterator[TableServiceClient]:
    """An account without tables."""
    monkeypatch.setenv(CONNECTION, azurite.connection_string)
    with TableServiceClient.from_connection_string(azurite.connection_string) as client:
        empty(client)
        yield client
        empty(client)


def empty(service: TableServiceClient) -> None:
    for table in service.list_tables():
        service.delete_table(table.name)


def store_of(azurite: Azurite) -> TableCaseStore:
    return TableCaseStore.connect(azurite.connection_string, ManualClock())


async def fill(azurite: Azurite, cases: int = FEW) -> None:
    """Cases with every column, a resolved one with its successor, and many plain ones."""
    store = store_of(azurite)
    first = opened()
    stored = await store.save(moved(first, State.ESCALATED, **full(first.case)), None)
    await store.save(resolved(stored.case), stored.version)
    again = await store.load(subscription())
    assert again is not None
    await store.save(opened(case_number=2), again.version)
    await asyncio.gather(*(store.save(opened(number), None) for number in range(2, cases + 1)))
    await store.close()


def everything(service: TableServiceClient) -> dict[str, list[dict[str, Any]]]:
    tables = [table.name for table in service.list_tables()]
    return {name: [dict(row) for row in service.get_table_client(name).list_entities()] for name in tables}


def run(command: str, folder: Path) -> int:
    return main([command, "--to" if command == "backup" else "--from", str(folder)])


async def test_what_comes_back_is_what_was_there(
    azurite: Azurite, service: TableServiceClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await fill(azurite, MANY)
    before = everything(service)
    assert run("backup", tmp_path / "backup") == 0
    assert f"{MANY + 1} cases" in capsys.readouterr().out
    empty(service)
    assert run("restore", tmp_path / "backup") == 0
    assert everything(service) == before
    assert await chain_is_whole(azurite)


async def chain_is_whole(azurite: Azurite) -> bool:
    store = store_of(azurite)
    found = await store.load(subscription())
    assert found is not None
    former = await store.load_case(subscription(), 1)
    assert former is not None
    timeline = await store.timeline(subscription(), 1)
    due = await store.due(NOW, 1_000)
    await store.close()
    assert len(timeline) == 3
    assert len(due) == MANY, "every open case is found again"
    return first_broken(timeline, former) is None and found.case.number == 2


async def test_a_restore_into_tables_with_rows_is_refused(
    azurite: Azurite, service: TableServiceClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await fill(azurite)
    assert run("backup", tmp_path / "backup") == 0
    before = everything(service)
    assert run("restore", tmp_path / "backup") == 1
    assert "holds rows" in capsys.readouterr().err
    assert everything(service) == before


async def backed_up(azurite: Azurite, folder: Path) -> Path:
    await fill(azurite)
    assert run("backup", folder) == 0
    return folder


async def test_an_altered_file_is_found_before_anything_is_written(
    azurite: Azurite, service: TableServiceClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = await backed_up(azurite, tmp_path / "backup")
    file = folder / "cases.jsonl"
    file.write_text(file.read_text("utf-8").replace("Found.", "Lost."), "utf-8")
    empty(service)
    assert run("restore", folder) == 1
    assert "altered" in capsys.readouterr().err
    assert everything(service) == {}


async def test_an_event_that_is_gone_shows_although_the_sums_fit(
    azurite: Azurite, service: TableServiceClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await fill(azurite)
    service.get_table_client("cases").delete_entity(subscription(), "event|000001|00000002")
    assert run("backup", tmp_path / "backup") == 1
    assert f"BROKEN case {subscription()}-1: event 2" in capsys.readouterr().out


async def test_an_open_case_that_nothing_leads_to_is_named(
    azurite: Azurite, service: TableServiceClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await fill(azurite)
    index = service.get_table_client("caseindex")
    for row in list(index.query_entities("PartitionKey eq 'open'")):
        if subscription(7) in row["RowKey"]:
            index.delete_entity(row)
    assert run("backup", tmp_path / "backup") == 0
    assert f"diagnose it by hand: {subscription(7)}-1" in capsys.readouterr().out


async def test_what_the_host_keeps_there_is_left_out(
    azurite: Azurite, service: TableServiceClient, tmp_path: Path
) -> None:
    await fill(azurite)
    service.create_table("AzureFunctionsDiagnosticEvents202611")
    assert run("backup", tmp_path / "backup") == 0
    assert set(json.loads((tmp_path / "backup" / "contents.json").read_text("utf-8"))["tables"]) == {
        "cases",
        "caseindex",
    }


async def test_the_addresses_of_flows_are_left_out(
    azurite: Azurite, service: TableServiceClient, tmp_path: Path
) -> None:
    await fill(azurite)
    row = {"PartitionKey": "webhook", "RowKey": "0" * 32, "callback_url": "https://a.logic.azure.com/x?sig=canary"}
    service.create_table(TABLE).create_entity(row)
    assert run("backup", tmp_path / "backup") == 0
    assert TABLE not in json.loads((tmp_path / "backup" / "contents.json").read_text("utf-8"))["tables"]


def test_a_backup_without_its_list_is_not_complete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", tmp_path) == 1
    assert "not complete" in capsys.readouterr().err


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert run("backup", tmp_path) == 1
    assert "not empty" in capsys.readouterr().err


def test_an_account_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(CONNECTION, raising=False)
    assert run("backup", tmp_path / "new") == 1
    assert "--account" in capsys.readouterr().err


def test_every_type_of_table_storage_comes_back(service: TableServiceClient) -> None:
    kinds = service.create_table("kinds")
    row: dict[str, Any] = {
        "PartitionKey": "p",
        "RowKey": "row, ä",
        "text": 'quote " backslash \\ line\nend',
        "yes": True,
        "small": -7,
        "large": EntityProperty(2**53 + 1, EdmType.INT64),
        "double": 0.1,
        "on": datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC),
        "guid": UUID(int=5),
        "binary": b"\x00\xff",
    }
    kinds.create_entity(row)
    there = dict(kinds.get_entity("p", row["RowKey"]))
    kinds.delete_entity("p", row["RowKey"])
    kinds.create_entity(row_of(line_of(there)))
    assert dict(kinds.get_entity("p", row["RowKey"])) == there
