"""What must be true of the stores once nothing is under way: nothing half-written, nothing lost, nothing unexplained.

Cases are read through the app's own adapters, which refuse a row that makes no sense; rows beside them as they are.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from azure.data.tables import TableServiceClient

from local.dataverse.traffic import Write
from shared.adapters.tables.alarms import TableAlarms
from shared.adapters.tables.breakers import TableBreakers
from shared.adapters.tables.client import Tables
from shared.adapters.tables.holds import TableHolds
from shared.adapters.tables.keys import CASE, moment_of
from shared.adapters.tables.operations import TableOperations
from shared.adapters.tables.pauses import TableMutes, TablePauses
from shared.adapters.tables.store import TableCaseStore
from shared.domain.actions import undo
from shared.domain.amendment import CHANGE, Amendment
from shared.domain.case import ACTING, FINAL, Case, Event, State, first_broken

type Rows = Sequence[Mapping[str, Any]]
type Effect = tuple[str, str, str, str]
"""Table, row, column, and what the column was set to where that is a status."""

STATUS = "provisioning_status"
_NUMBER = re.compile(r"(case|event|former|grounds)(?:\|(\d{6}))?(?:\|\d{8})?")


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def faults(connection_string: str, written: Sequence[Write]) -> list[str]:
    """Everything that is wrong with the stores. `written` is what the app has saved in Dataverse.

    Raises CaseUnreadable for a row that makes no sense.
    """
    rows, tables = _rows(connection_string), Tables.connect(connection_string)
    store, operations = TableCaseStore(tables, _Clock()), TableOperations(tables)
    try:
        cases = [case async for case in _cases(store, rows["cases"])]
        events = {case.id: await store.timeline(case.subscription_id, case.number) for case in cases}
        for case in cases:
            await store.load_grounds(case.subscription_id, case.number)
        # Reading these raises for what makes no sense.
        for guard in (TablePauses(tables), TableMutes(tables), TableHolds(tables), TableAlarms(tables)):
            await guard.read()
        broken = (await TableBreakers(tables).read()).broken
        unended = [row["RowKey"] for row in rows.get("operations", []) if not await _ended(operations, row["RowKey"])]
        listed = set(await store.open_cases())
    finally:
        await tables.close()
    return [
        *(fault for case in cases for fault in _of_case(case, events[case.id])),
        *_of_rows(rows["cases"], cases),
        *_of_index(rows, cases, listed),
        *(f"operation {each} has no end" for each in unended),
        *(
            f"idempotency key {row['RowKey'][:8]} is in flight"
            for row in rows.get("idempotency", [])
            if _in_flight(row)
        ),
        *(f"breaker {name}: {why}" for name, why in broken.items()),
        *_of_dataverse(written, cases, events),
    ]


def _rows(connection_string: str) -> dict[str, Rows]:
    with TableServiceClient.from_connection_string(connection_string) as service:
        names = [table.name for table in service.list_tables()]
        return {name: list(service.get_table_client(name).list_entities()) for name in names}


async def _cases(store: TableCaseStore, rows: Rows) -> AsyncIterator[Case]:
    """Every case, former ones too."""
    for row in rows:
        kind, number = _kind(row)
        if kind == CASE:
            stored = await store.load(str(row["PartitionKey"]))
            assert stored is not None, row
            yield stored.case
        elif kind == "former":
            case = await store.load_case(str(row["PartitionKey"]), number)
            assert case is not None, row
            yield case


def _kind(row: Mapping[str, Any]) -> tuple[str, int]:
    found = _NUMBER.fullmatch(str(row["RowKey"]))
    assert found is not None, f"nobody knows the row {row['RowKey']}"
    return found[1], int(found[2] or 0)


async def _ended(operations: TableOperations, id_: str) -> bool:
    found = await operations.load(id_)
    return found is not None and found.answer is not None


def _in_flight(row: Mapping[str, Any]) -> bool:
    """A key without an answer was given up, and so is over."""
    return row.get("status") is None and moment_of(row["expires_on"]) > datetime.now(UTC)


def _of_case(case: Case, events: Sequence[Event]) -> Iterator[str]:
    if (broken := first_broken(events, case)) is not None:
        yield f"{case.id}: event {broken} is missing, altered or too many"
    if case.state in ACTING:  # an intent that waits for a yes is another matter
        yield f"{case.id}: {case.state}, an effect that has no end"
    if case.open != (case.due_on is not None):
        yield f"{case.id}: {case.state}, due on {case.due_on}"


def _of_rows(rows: Rows, cases: Iterable[Case]) -> Iterator[str]:
    """Events and grounds of a case that is not there."""
    known = {(case.subscription_id, case.number) for case in cases}
    for row in rows:
        kind, number = _kind(row)
        if kind != CASE and (str(row["PartitionKey"]), number) not in known:
            yield f"{row['PartitionKey']}: {row['RowKey']} belongs to no case"


def _of_index(rows: Mapping[str, Rows], cases: Iterable[Case], listed: set[str]) -> Iterator[str]:
    """Every row that a case names is there, and every open case is found.

    A closed one may be found for a while, by a row that no case names: of a save that came second (docs/ledger.md).
    """
    there = {(str(row["PartitionKey"]), str(row["RowKey"])) for row in rows["caseindex"]}
    for row in rows["cases"]:
        if row["RowKey"] != CASE:
            continue
        of_open = {("open", row.get("open_row")), ("listed", row.get("listed_row"))}
        wanted = of_open | {(f"state|{row['state']}", row.get("state_row"))}
        yield from (f"{row['PartitionKey']}: no index row {at}" for at in wanted if at[1] and at not in there)
        if State(row["state"]) in FINAL and any(at[1] for at in of_open):
            yield f"{row['PartitionKey']}: {row['state']}, and in the index of open cases"
    missing = {case.subscription_id for case in cases if case.open} - listed
    yield from (f"{each}: open and not listed" for each in sorted(missing))


def _of_dataverse(
    written: Iterable[Write], cases: Iterable[Case], events: Mapping[str, Sequence[Event]]
) -> Iterator[str]:
    """What was saved in Dataverse and what the cases say of it."""
    said = Counter(effect for case in cases for event in events[case.id] for effect in _said(case, event))
    saved = Counter(
        (write.table, write.id, name, str(after) if name == STATUS else "")
        for write in written
        for name, (_, after) in write.changes.items()
    )
    yield from (f"saved and not said: {effect}, {times}x" for effect, times in (saved - said).items())
    unsaved = {effect: times for effect, times in (said - saved).items() if effect[2] == STATUS}
    yield from (f"said and not saved: {effect}, {times}x" for effect, times in unsaved.items())


def _said(case: Case, event: Event) -> Iterator[Effect]:
    """What an event says that was saved."""
    match event.kind:
        case "not_applicable_set":
            yield CHANGE, event.details["change"], STATUS, "not_applicable"
        case "retriggered":
            yield CHANGE, event.details["change"], STATUS, "awaiting_provisioning"
        case "done":
            amendment = case.done[event.details["number"] - 1].amendment
            if amendment is not None:
                yield from _set(amendment.inverse() if event.details["action"] == undo.NAME else amendment)


def _set(amendment: Amendment) -> Iterator[Effect]:
    for column in amendment.columns:
        yield amendment.table, amendment.row_id, column.name, str(column.after) if column.name == STATUS else ""
        if column.name == "status":  # Dataverse keeps a row's state with its Status Reason
            yield amendment.table, amendment.row_id, "state", ""
