"""Where a case's index rows stand, and what they say. Pure: the reading and writing is in index.py.

Partition `open` holds one row for each open case, sorted by the time it is due. Partition `state|<state>` holds one
for each case, oldest first, with the labels that lists filter by. A case's row names its index rows in the columns
`open_row` and `state_row`, so a row that its case does not name is stale. A key ends in the id of the save that
wrote it: no two saves ever write the same row, so none deletes by mistake what another has just written.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.adapters.tables.columns import cut
from shared.adapters.tables.keys import moment_of, partition_of, stamp
from shared.adapters.text import well_formed
from shared.domain.case import Case, State
from shared.domain.standing import Stock
from shared.ports import CaseFilter

OPEN = "open"

SEEDED = "seeded"
"""End of the key of an index row that was written by hand, together with a case row that names none."""

_LABEL_UNITS = 1_000


@dataclass(frozen=True, slots=True)
class IndexKey:
    """Partition and row key of an index row: `<time>|<subscription id>|<number>|…|<id of the save>`."""

    partition: str
    row: str

    @property
    def time(self) -> datetime:
        """When the case is due, or was opened."""
        return moment_of(self.row.split("|")[0])

    @property
    def subscription_id(self) -> str:
        return self.row.split("|")[1]

    @property
    def number(self) -> int:
        return int(self.row.split("|")[2])

    def says_the_same(self, other: "IndexKey") -> bool:
        """Whether two rows differ in nothing but the save that wrote them."""
        return self.partition == other.partition and self.row.rpartition("|")[0] == other.row.rpartition("|")[0]

    def check(self) -> None:
        """Raises ValueError for a key that was written by hand and makes no sense."""
        if self.row.count("|") < 3:
            raise ValueError(f"{self.row!r} should be <time>|<subscription id>|<number>|…")
        _ = self.time, self.number, partition_of(self.subscription_id)


@dataclass(frozen=True, slots=True)
class Keys:
    """The index rows of one version of a case. `open_row` is None when it is resolved."""

    open_row: IndexKey | None
    state_row: IndexKey

    def all(self) -> frozenset[IndexKey]:
        return frozenset(key for key in (self.open_row, self.state_row) if key is not None)

    def columns(self) -> dict[str, str]:
        """The columns by which a case's row names them."""
        named = {"state_row": self.state_row.row}
        return named if self.open_row is None else {"open_row": self.open_row.row, **named}


def keys_for(case: Case, save_id: str, before: Keys | None = None) -> Keys:
    """The index rows for a case that is saved as `save_id`; those of `before` that still say the same are kept."""
    place = f"{partition_of(case.subscription_id)}|{case.number}"
    due = case.due_on or case.opened_on  # an open case without a time would be found by nobody
    open_row = IndexKey(OPEN, f"{stamp(due)}|{place}|{save_id}") if case.open else None
    label = hashlib.sha256("\0".join(labels_of(case).values()).encode()).hexdigest()[:12]
    state_row = IndexKey(state_partition(case.state), f"{stamp(case.opened_on)}|{place}|{label}|{save_id}")
    if before is not None:
        if open_row and before.open_row and open_row.says_the_same(before.open_row):
            open_row = before.open_row
        if state_row.says_the_same(before.state_row):
            state_row = before.state_row
    return Keys(open_row, state_row)


def keys_named(case: Case, row: Mapping[str, Any]) -> Keys:
    """The index rows that a case's row names; for one written by hand, those it would have."""
    keys = keys_for(case, SEEDED)
    open_row, state_row = row.get("open_row"), row.get("state_row")
    return Keys(
        IndexKey(OPEN, open_row) if isinstance(open_row, str) and case.open else keys.open_row,
        IndexKey(state_partition(case.state), state_row) if isinstance(state_row, str) else keys.state_row,
    )


def state_partition(state: State) -> str:
    """The index partition of all cases in one state."""
    return f"state|{state.value}"


def labels_of(case: Case) -> dict[str, str]:
    """What a case can be filtered by. Its cause is the present one, or the first when none is left."""
    cause = case.cause or case.first_cause or ""
    return _labels(cause, case.provider_name, case.customer_name, case.assignee, case.stock)


def names_of(case: Case) -> dict[str, str]:
    """The same as people write it, for those who count cases without reading each."""
    named = {"provider_name": case.provider_name, "customer_name": case.customer_name, "assignee_name": case.assignee}
    return {name: well_formed(cut(text, _LABEL_UNITS)) for name, text in named.items() if text}


def labels_wanted(wanted: CaseFilter) -> dict[str, str]:
    """The labels that a filter asks for; what it does not ask for is not in it."""
    names = wanted.cause or "", wanted.provider or "", wanted.customer or "", wanted.assignee or ""
    return {name: label for name, label in _labels(*names, wanted.stock).items() if label}


def _labels(cause: str, provider: str, customer: str, assignee: str, stock: Stock | None) -> dict[str, str]:
    """Compared without case: a person types them."""
    named = {"cause": cause, "provider": provider, "customer": customer, "assignee": assignee}
    named["stock"] = "" if stock is None or stock is Stock.NONE else stock.value
    return {name: well_formed(cut(text.casefold(), _LABEL_UNITS)) for name, text in named.items()}
