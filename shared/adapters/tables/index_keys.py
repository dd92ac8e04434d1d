"""Where a case's index rows stand, and what they say. Pure: the reading and writing is in index.py.

Partition `open` holds one row for each open case, sorted by the time it is due. Partition `listed` holds one for each
open case, oldest first, whatever its state: a case that moves from state to state stays where it is, so a list of
open cases that is read meanwhile cannot miss it. Partition `state|<state>` holds one for each case in that state,
oldest first. Rows of both have the labels that lists filter by. A case's row names its index rows in the columns
`open_row`, `listed_row` and `state_row`, so a row that its case does not name is stale. A key ends in the id of the
save that wrote it: no two saves ever write the same row, so none deletes by mistake what another has just written.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.adapters.tables.columns import cut
from shared.adapters.tables.keys import moment_of, partition_of, stamp
from shared.adapters.text import well_formed
from shared.domain.case import FINAL, Case, State
from shared.domain.standing import Stock
from shared.ports import CaseFilter

OPEN = "open"

LISTED = "listed"

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
    """The index rows of one version of a case. A closed case has nothing but its `state_row`.

    `listed_row` is None, too, for an open case that was last saved by an app which did not write such rows, or by
    hand: its next save writes one.
    """

    open_row: IndexKey | None
    listed_row: IndexKey | None
    state_row: IndexKey

    def all(self) -> frozenset[IndexKey]:
        return frozenset(key for key in (self.open_row, self.listed_row, self.state_row) if key is not None)

    def columns(self) -> dict[str, str]:
        """The columns by which a case's row names them."""
        named = {"open_row": self.open_row, "listed_row": self.listed_row, "state_row": self.state_row}
        return {column: key.row for column, key in named.items() if key is not None}


def keys_for(case: Case, save_id: str, before: Keys | None = None) -> Keys:
    """The index rows for a case that is saved as `save_id`; those of `before` that still say the same are kept."""
    place = f"{partition_of(case.subscription_id)}|{case.number}"
    due = case.due_on or case.opened_on  # an open case without a time would be found by nobody
    open_row = IndexKey(OPEN, f"{stamp(due)}|{place}|{save_id}") if case.open else None
    label = hashlib.sha256("\0".join(labels_of(case).values()).encode()).hexdigest()[:12]
    by_age = f"{stamp(case.opened_on)}|{place}|{label}|{save_id}"
    listed_row = IndexKey(LISTED, by_age) if case.open else None
    keys = Keys(open_row, listed_row, IndexKey(state_partition(case.state), by_age))
    return keys if before is None else _kept(keys, before)


def _kept(keys: Keys, before: Keys) -> Keys:
    """The new rows, and in their place those of `before` that say the same."""

    def kept(new: IndexKey, old: IndexKey | None) -> IndexKey:
        return old if old is not None and new.says_the_same(old) else new

    return Keys(
        keys.open_row and kept(keys.open_row, before.open_row),
        keys.listed_row and kept(keys.listed_row, before.listed_row),
        kept(keys.state_row, before.state_row),
    )


def keys_named(case: Case, row: Mapping[str, Any]) -> Keys:
    """The index rows that a case's row names; for one written by hand, those it would have, `listed` excepted."""
    keys = keys_for(case, SEEDED)
    open_row, listed_row, state_row = row.get("open_row"), row.get("listed_row"), row.get("state_row")
    return Keys(
        IndexKey(OPEN, open_row) if isinstance(open_row, str) and case.open else keys.open_row,
        IndexKey(LISTED, listed_row) if isinstance(listed_row, str) and case.open else None,
        IndexKey(state_partition(case.state), state_row) if isinstance(state_row, str) else keys.state_row,
    )


def state_partition(state: State) -> str:
    """The index partition of all cases in one state."""
    return f"state|{state.value}"


def partitions_of(wanted: CaseFilter) -> tuple[str, ...]:
    """The partitions that a list is read from, in that order: a case that is closed meanwhile only ever goes on."""
    if wanted.state is not None:
        return (state_partition(wanted.state),)
    closed = () if wanted.open_only else tuple(state_partition(each) for each in wanted.states if each in FINAL)
    return (LISTED, *closed)


def wants(wanted: CaseFilter, case: Case) -> bool:
    """Whether a list with this filter shows a case, by what the case says."""
    labels = labels_of(case)
    same_labels = all(labels[name] == label for name, label in labels_wanted(wanted).items())
    late_enough = wanted.opened_after is None or case.opened_on >= wanted.opened_after
    early_enough = wanted.opened_before is None or case.opened_on < wanted.opened_before
    return case.state in wanted.states and same_labels and late_enough and early_enough


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
