"""Which cases are open, in which state and since when, by index rows alone; and the rows that must be doubted. Pure.

A case that nobody is saving has one row among those of its state and one in `listed`. Where there are more or fewer,
a save is under way or has died: then its case has to be asked.
"""

from collections import defaultdict
from collections.abc import Iterable

from shared.adapters.tables.index import IndexRow
from shared.adapters.tables.index_keys import labels_of
from shared.domain.case import Case, State
from shared.ports import Aging


def believed(listed: Iterable[IndexRow], standing: Iterable[IndexRow]) -> tuple[list[Aging], list[IndexRow]]:
    """Open cases as their index rows have them, and the rows of all others. `standing` are rows of open states."""
    among_all: dict[tuple[str, int], list[IndexRow]] = defaultdict(list)
    of_state: dict[tuple[str, int], list[IndexRow]] = defaultdict(list)
    for row in listed:
        among_all[row.key.subscription_id, row.key.number].append(row)
    for row in standing:
        of_state[row.key.subscription_id, row.key.number].append(row)
    ages: list[Aging] = []
    doubtful: list[IndexRow] = []
    for case in of_state.keys() | among_all.keys():
        if len(of_state[case]) == 1 and among_all[case]:
            ages.append(by_row(of_state[case][0]))
        else:
            doubtful += [*of_state[case], *among_all[case]]
    return ages, doubtful


def by_row(row: IndexRow) -> Aging:
    """A case as the row of its state has it."""
    state = State(row.key.partition.partition("|")[2])
    named = (row.cause, row.provider, row.customer, row.assignee)
    return Aging(row.key.subscription_id, row.key.number, state, row.key.time, *named)


def by_case(case: Case) -> Aging:
    """A case as it says itself."""
    named = (labels_of(case)["cause"], case.provider_name, case.customer_name, case.assignee)
    return Aging(case.subscription_id, case.number, case.state, case.opened_on, *named)
