"""Row keys: text that Table Storage sorts the way we want to read.

A key may not hold `/ \\ # ?` or control characters; `|` separates the parts of ours, and since no part holds one,
no key can be mistaken for another. Rules:
https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

import unicodedata
from datetime import UTC, datetime

CASE = "case"
"""Row key of a subscription's newest case, open or resolved."""

LONGEST_PART = 200
"""Characters of a subscription id. They are GUIDs; a key may hold 512."""


def partition_of(subscription_id: str) -> str:
    """The partition of a subscription. Ids are compared without case, keys are not. ValueError when it is no id."""
    key = subscription_id.strip().lower()
    if not 0 < len(key) <= LONGEST_PART or any(c in "/\\#?|" or unicodedata.category(c) in _UNSEEN for c in key):
        raise ValueError(f"{subscription_id[:LONGEST_PART]!r} is not a subscription id")
    return key


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def event_row(number: int, sequence: int) -> str:
    """Row key of one event of case `number`."""
    return f"event|{number:06d}|{sequence:08d}"


def events_of(number: int) -> tuple[str, str]:
    """From (included) and to (excluded) of the row keys of all events of case `number`."""
    return f"event|{number:06d}|", f"event|{number:06d}}}"


def former_row(number: int) -> str:
    """Row key of an earlier, resolved case."""
    return f"former|{number:06d}"


def grounds_row(number: int) -> str:
    """Row key of what the last decision of case `number` to show a plan rested on."""
    return f"grounds|{number:06d}"


def stamp(moment: datetime) -> str:
    """UTC with microseconds and a fixed width, so that text order is time order. ValueError without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment_of(text: str) -> datetime:
    """The time that a stamp, or any ISO 8601 text with a zone, says, in UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)
