"""docs/ledger.md says what is in the tables: every column, and an example that works."""

import json
import re
from pathlib import Path

from shared.adapters.tables import events, receipts, rows
from shared.adapters.tables.client import Found
from shared.adapters.tables.held import current
from shared.adapters.tables.index_keys import OPEN
from shared.domain.case import State
from shared.domain.intent import Phase
from shared.ports import SweepReceipt
from tests.contract.case_kit import NOW, full, moved, opened

TEXT = (Path(__file__).parents[2] / "docs/ledger.md").read_text("utf-8")
KEYS = {"PartitionKey", "RowKey"}


def test_every_column_is_described() -> None:
    first = opened()
    whole = moved(first, State.ESCALATED, **full(first.case))
    written = [
        current(Found(rows.to_row(whole.case, "case"), "")).held.keys.columns(),
        rows.to_row(whole.case, "case"),
        events.to_row(whole.case.subscription_id, 1, whole.events[0]),
        receipts.to_row(SweepReceipt("1", NOW, NOW, complete=True)),
    ]
    missing = {column for row in written for column in row.keys() - KEYS if f"`{column}`" not in TEXT}
    assert missing == set()


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
