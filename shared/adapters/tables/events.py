"""An event as a row of table `cases`, and back, to the letter: its hash covers every character.

So nothing of an event is ever shortened. Text that cannot be sent as it is (half an emoji) is kept escaped, and
an event too large for a row is refused: without its event nothing happens.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.adapters.tables.columns import COLUMN_UNITS, ENTITY_BYTES, as_json, size, split, units
from shared.adapters.tables.keys import event_row, partition_of, stamp
from shared.adapters.tables.rows import Reader
from shared.adapters.tables.versions import EVENT
from shared.adapters.text import well_formed
from shared.domain.case import Event
from shared.errors import Refused

_SHORT = ("by", "kind", "previous_hash", "hash")


def to_row(subscription_id: str, number: int, event: Event) -> dict[str, Any]:
    """The row of an event of case `number`. Raises Refused when it is too large, ValueError for a time without zone."""
    stamp(event.on)
    row: dict[str, Any] = {
        "PartitionKey": partition_of(subscription_id),
        "RowKey": event_row(number, event.sequence),
        "schema_version": EVENT,
        "on": event.on.isoformat(),  # as it is, zone included: the hash covers this very text
        "by": event.by,
        "kind": event.kind,
        "previous_hash": event.previous_hash,
        "hash": event.hash,
    }
    if event.text == well_formed(event.text):
        row |= split("text", event.text)
    else:
        row |= split("text_json", as_json(event.text))
    row |= split("details", as_json(event.details))
    _check(row)
    return row


def from_row(row: Mapping[str, Any]) -> Event:
    """The event in a row. Raises CaseUnreadable naming the column that makes no sense."""
    read = Reader(row)
    read.version(EVENT)
    sequence = str(row.get("RowKey")).rpartition("|")[2]
    if not sequence.isdecimal():
        raise read.fault("RowKey", "does not end in the event's number")
    read.moment("on")
    details = _parsed(read, "details")
    if not isinstance(details, dict):
        raise read.fault("details", "is not a JSON object")
    text = read.text("text")
    short = {name: read.text(name) or "" for name in _SHORT}
    return Event(
        sequence=int(sequence),
        on=datetime.fromisoformat(str(row["on"])),
        text=text if text is not None else str(_parsed(read, "text_json")),
        details=details,
        **short,
    )


def _parsed(read: Reader, column: str) -> object:
    text = read.text(column)
    try:
        return json.loads(text or "")
    except (ValueError, RecursionError):
        raise read.fault(column, "is not JSON" if text else "is missing") from None


def _check(row: Mapping[str, Any]) -> None:
    long = [name for name in _SHORT if units(row[name]) > COLUMN_UNITS]
    if long or size(row) > ENTITY_BYTES:
        what = f"{long[0]} is too long" if long else f"{size(row):,} bytes, {ENTITY_BYTES:,} fit"
        raise Refused("storage", f"The event {row['RowKey']} is too large to be saved: {what}.")
