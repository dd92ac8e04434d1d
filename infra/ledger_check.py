"""Is a backup of the ledger whole? Every case with its events, hash by hash, without asking any service."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.ledger_files import rows
from shared.adapters.tables import events
from shared.adapters.tables.index import TABLE as INDEX
from shared.adapters.tables.index_keys import OPEN
from shared.adapters.tables.keys import CASE
from shared.adapters.tables.lists import CASES
from shared.adapters.tables.rows import from_row
from shared.domain.case import Case, Event, first_broken
from shared.errors import CaseUnreadable


@dataclass
class Checked:
    """What a check has found."""

    cases: int = 0
    events: int = 0
    broken: list[str] = field(default_factory=list)
    """A case and its first event that is missing or altered, or a row that makes no sense."""
    not_listed: list[str] = field(default_factory=list)
    """Open cases that nothing leads to: they were saved while the backup was made. Diagnose them by hand."""


def check(folder: Path, tables: set[str]) -> Checked:
    """Checks cases, events and index."""
    found = Checked()
    listed = (
        {str(row["RowKey"]) for row in rows(folder, INDEX) if row["PartitionKey"] == OPEN} if INDEX in tables else set()
    )
    partition: list[dict[str, Any]] = []
    for row in rows(folder, CASES) if CASES in tables else []:
        if partition and partition[0]["PartitionKey"] != row["PartitionKey"]:
            _partition(partition, listed, found)
            partition = []
        partition.append(row)
    if partition:
        _partition(partition, listed, found)
    return found


def _partition(partition: list[dict[str, Any]], listed: set[str], found: Checked) -> None:
    """One subscription: its cases and their events."""
    timelines: dict[int, list[Event]] = defaultdict(list)
    cases: list[tuple[Case, dict[str, Any]]] = []
    for row in partition:
        where = f"{row['PartitionKey']} / {row['RowKey']}"
        try:
            if str(row["RowKey"]).startswith("event|"):
                timelines[int(str(row["RowKey"]).split("|")[1])].append(events.from_row(row))
            else:
                cases.append((from_row(row), row))
        except (CaseUnreadable, ValueError) as error:
            found.broken.append(f"{where}: {error}")
    for case, row in cases:
        _case(case, row, timelines.pop(case.number, []), listed, found)
    found.broken += [f"{partition[0]['PartitionKey']}: events of case {number}, but no case" for number in timelines]


def _case(case: Case, row: dict[str, Any], timeline: list[Event], listed: set[str], found: Checked) -> None:
    found.cases += 1
    found.events += len(timeline)
    if (broken := first_broken(timeline, case)) is not None:
        found.broken.append(f"case {case.id}: event {broken} is missing or was altered")
    if row["RowKey"] == CASE and case.open and row.get("open_row") not in listed:
        found.not_listed.append(case.id)
