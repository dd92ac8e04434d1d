"""An operation: what was asked for over HTTP and takes longer than a request may. The queue does it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.idempotency import KeptAnswer

KEPT_FOR = timedelta(hours=48)
"""How long an operation can be asked for."""

LOST_AFTER = timedelta(minutes=30)
"""An operation without an answer for longer is not waited for: its message was lost, or its worker died each time."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that is to be done, and its answer once it is."""

    id: str
    """32 hexadecimal digits."""
    route: str
    """Name of the operation of the HTTP API."""
    body: str
    """What was asked, as JSON."""
    caller: str
    """Who asked, as they stand on the record."""
    asked_on: datetime
    answer: KeptAnswer | None = None
    """None while it is being worked on."""
