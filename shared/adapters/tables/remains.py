"""What is left of a case that was purged: a row that says so, and what the subscription's next case must know.

The number goes on counting; fixes that were needed too often, and what a person closed or dismissed, stay known.
Names, texts and everything else are gone.
"""

from datetime import datetime
from typing import Any

from shared.adapters.tables.client import Row
from shared.adapters.tables.keys import stamp
from shared.adapters.tables.rows import to_row
from shared.domain.case import Case
from shared.domain.recurrence import closed_before, fixed_before

PURGED_ON = "purged_on"
EVENTS_LEFT = "events_left"


def remains_of(case: Case, row_key: str, now: datetime, *, events_left: bool) -> dict[str, Any]:
    """The row that takes the place of a closed case's. `events_left`: its events are still being deleted."""
    left = Case(
        case.subscription_id,
        case.number,
        case.opened_on,
        state=case.state,
        resolved_on=case.resolved_on,
        fixed_before=fixed_before(case),
        closed_before=closed_before(case),
        dismissed=case.dismissed,
    )
    row = {**to_row(left, row_key), PURGED_ON: stamp(now)}
    return {**row, EVENTS_LEFT: True} if events_left else row


def worth_keeping(row: Row) -> bool:
    """Whether a closed case's row is to be kept when the next case takes its place."""
    return row.get(PURGED_ON) is None or row.get(EVENTS_LEFT) is True
