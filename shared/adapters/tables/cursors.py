"""Where the next page of a list begins: text for the caller, bound to the filter it was made for."""

import base64
import binascii
import hashlib
import json

from shared.adapters.tables.index_keys import labels_wanted
from shared.adapters.tables.keys import partition_of, stamp
from shared.domain.case import Case
from shared.ports import CaseFilter


def place_of(case: Case) -> str:
    """Where a case stands among all, oldest first, and behind every index row that it may ever have."""
    return f"{stamp(case.opened_on)}|{partition_of(case.subscription_id)}|{case.number}|~"


def to_cursor(place: str, wanted: CaseFilter) -> str:
    """A cursor that goes on behind `place`. Safe in a URL."""
    text = json.dumps([place, _digest(wanted)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def from_cursor(cursor: str | None, wanted: CaseFilter) -> str:
    """The place behind which the page begins. ValueError for a cursor that is none, or belongs to another filter."""
    if cursor is None:
        return ""
    try:
        place, digest = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise ValueError("the cursor is not one that this list handed out") from None
    if digest != _digest(wanted) or not isinstance(place, str):
        raise ValueError("the cursor belongs to a list with another filter")
    return place


def _digest(wanted: CaseFilter) -> str:
    times = [stamp(each) if each else "" for each in (wanted.opened_after, wanted.opened_before)]
    content = json.dumps([wanted.states, labels_wanted(wanted), times], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
