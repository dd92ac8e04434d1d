"""Fields of Partner Center's JSON. One that is missing or odd is None, and never breaks a read: whoever decides
upon it has to treat None as not known.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.adapters.web.answers import clean

# 2026-11-22T08:00:00, with up to seven digits of a second, with or without a zone (it is always UTC).
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
# .NET prints a date that was never set as year 1, and one without an end as year 9999.
_YEARS = range(1970, 9000)
# Far beyond what anybody buys, and small enough for every sum.
_MOST = 1_000_000_000
_LONG = 200


def text(value: Any) -> str | None:
    """Text without control characters, None when there is none."""
    if not isinstance(value, str):
        return None
    plain = value.strip()
    if len(plain) > _LONG or not plain.isprintable():
        plain = clean(plain)
    return plain or None


def lower(value: Any) -> str | None:
    """Text whose case does not count: an id, or a word out of a fixed set."""
    found = text(value)
    return found.lower() if found else None


def whole(value: Any) -> int | None:
    """A number of seats."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= _MOST and value == value // 1 else None


def flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def moment(value: Any) -> datetime | None:
    """A time in UTC."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        found = datetime.fromisoformat(value)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year in _YEARS else None


def first_moment(fields: Mapping[str, Any], *names: str) -> datetime | None:
    """The first of these fields that holds a time."""
    return next((time for name in names if (time := moment(fields.get(name))) is not None), None)


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def words(value: Any) -> tuple[str, ...] | None:
    """A list of words in lower case; None when it is not one from end to end: what it leaves out would count."""
    found = [lower(each) for each in value] if isinstance(value, list) else [None]
    return None if None in found else tuple(word for word in found if word)
