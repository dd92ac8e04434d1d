"""docs/ledger.md says what is in the tables: every column, and an example that works."""

import json
import re
from pathlib import Path

from shared.adapters.tables import (
    alarms,
    breakers,
    budgets,
    events,
    grounds,
    holds,
    idempotency,
    operations,
    pauses,
    receipts,
    rows,
)
from shared.adapters.tables.client import Found
from shared.adapters.tables.held import current
from shared.adapters.tables.index_keys import OPEN, keys_for
from shared.adapters.tables.remains import remains_of
from shared.domain.breaker import Breaker, Slice
from shared.domain.budget import Budget
from shared.domain.case import State
from shared.domain.grounds import Grounds
from shared.domain.idempotency import Entry, KeptAnswer
from shared.domain.intent import Phase
from shared.domain.operation import Operation
from shared.domain.pause import Pause, Scope
from shared.domain.surge import Hold, Watch
from shared.domain.watchdog import Alarm, Vigil
from shared.ports import SweepReceipt
from tests.builders import look
from tests.contract.case_kit import MINUTE, NOW, full, moved, opened

TEXT = (Path(__file__).parents[2] / "docs/ledger.md").read_text("utf-8")
KEYS = {"PartitionKey", "RowKey"}


def test_every_column_is_described() -> None:
    first = opened()
    whole = moved(first, State.ESCALATED, **full(first.case))
    written = [
        keys_for(whole.case, "save").columns(),
        rows.to_row(whole.case, "case"),
        events.to_row(whole.case.subscription_id, 1, whole.events[0]),
        receipts.to_row(SweepReceipt("1", NOW, NOW, complete=True)),
        {"left_out": "", **grounds.to_row(whole.case.subscription_id, 1, Grounds(look(), "2", "digest"))},
        remains_of(whole.case, "case", NOW, events_left=True),
        *guards_rows(),
    ]
    missing = {column for row in written for column in row.keys() - KEYS if f"`{column}`" not in TEXT}
    assert missing == set()


def guards_rows() -> list[dict[str, object]]:
    """A row of each table of the guards, every column set."""
    breaker = Breaker(1, (Slice(NOW, 1, 1),), NOW, NOW, NOW, "503")
    hold = Hold("1", NOW, 60, 50, after_silence=True)
    return [
        budgets._columns(Budget()),
        breakers._columns(breaker),
        pauses._columns(Pause(Scope.CUSTOMER, "1", "Ann", "why", NOW, NOW)),
        idempotency._columns(Entry("r", "t", NOW, NOW, KeptAnswer(200, b"{}", "application/json"))),
        operations._columns(Operation("1", "Diagnose", "{}", "Ann", NOW)),
        holds._columns(Watch(NOW, MINUTE, True, frozenset(), hold)),
        dict.fromkeys(("looked_on", *Hold.__slots__), 0),
        alarms._columns(Vigil(NOW, NOW, NOW)),
        dict.fromkeys(Alarm.__slots__, 0),
    ]


def test_every_table_of_the_guards_is_described() -> None:
    for module in (budgets, breakers, pauses, holds, alarms, idempotency, operations):
        assert f"| `{module.TABLE}` |" in TEXT
        assert f"**`{module.TABLE}`**" in TEXT


def test_the_example_of_a_half_done_toggle_is_a_case() -> None:
    block = TEXT[TEXT.index("## Seeding a half-done toggle") :]
    cases, index = block.split("table caseindex")
    plain = dict(re.findall(r"^(?:table cases)? +(\w+) +(\S.*)$", cases, re.MULTILINE))
    intent = re.search(r"intent +(\{.*?\})", cases, re.DOTALL)
    assert intent
    seeded = {**plain, "schema_version": 1, "number": 1, "intent": json.dumps(json.loads(intent[1]))}
    found = current(Found(seeded, "etag"))
    assert found.case.state is State.REMEDIATING
    assert found.case.intent
    assert found.case.intent.phase is Phase.NOT_APPLICABLE_SET
    row = re.search(r"RowKey +(\S+)", index)
    assert row
    assert found.held.keys.open_row
    assert (found.held.keys.open_row.partition, found.held.keys.open_row.row) == (OPEN, row[1])
