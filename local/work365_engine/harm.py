"""What must never happen to a customer, written down when it does.

The engine does what it is made to do, as Work 365 would; this file only keeps the score, so that a demo
or a test can ask whether anyone was harmed. It looks at what the provider was really ordered to do.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

HarmKind = Literal[
    "ordered_twice",
    "over_ordered",
    "out_of_order",
    "archived_ordered",
    "provider_sourced_ordered",
    "manual_ordered",
    "manual_not_done",
    "second_subscription",
    "wrong_tenant",
    "marked_without_provider",
    "change_deleted",
]


@dataclass(frozen=True)
class Harm:
    """One thing that must never happen. Ids are Work 365's; `detail` is for people."""

    kind: HarmKind
    on: datetime
    change_id: str
    subscription_id: str | None
    detail: str
