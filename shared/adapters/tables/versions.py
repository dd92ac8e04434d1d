"""Versions of stored rows. Each row says in `schema_version` how its columns are meant.

A row of an older version is brought up to date as it is read, by pure steps from one version to the next; the next
save writes it in the present one. A row of a newer version is refused, whatever it looks like: only the app that
wrote it knows what it means, so nothing is decided on it and nothing is written over it.

When the meaning of a column changes: raise the version, add the step from the one before, and a test with a row of it.
A new column that may be missing needs no version.
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.errors import CaseUnreadable

type Row = Mapping[str, Any]
type Step = Callable[[Row], Row]
"""Makes a row of the next version out of one of its own. Pure."""


def _with_counters(row: Row) -> Row:
    """Version 1 took a missing counter for 0. From 2 on both must be there: a row without one has lost columns."""
    return {"last_sequence": 0, "setbacks": 0, **row}


CASE = 2
CASE_STEPS: Mapping[int, Step] = {1: _with_counters}

EVENT = 1
RECEIPT = 1
GROUNDS = 1

INDEX = 1
INDEX_STEPS: Mapping[int, Step] = {0: lambda row: row}
"""Index rows had no version at first (0), and hand-written ones need none: they meant the same."""


def up_to_date(row: Row, name: str, known: int, steps: Mapping[int, Step]) -> Row:
    """The row as version `known` means it; `name` is what an error calls it. Raises CaseUnreadable."""
    version = _version_of(row, name, missing=0 if 0 in steps else None)
    if version > known:
        problem = f"is {version}, and this app knows {known} at most: a newer version wrote it, so deploy that one"
        raise CaseUnreadable(name, "schema_version", problem)
    for each in range(version, known):
        if each not in steps:
            raise CaseUnreadable(name, "schema_version", f"is {version}, which no version of this app has written")
        row = steps[each](row)
    return {**row, "schema_version": known}


def _version_of(row: Row, name: str, missing: int | None) -> int:
    value = row.get("schema_version")
    value = getattr(value, "value", value)  # 64-bit numbers come in a wrapper of the client's
    if value is None and missing is not None:
        return missing
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        shown = "missing" if value is None else repr(value)[:80]
        raise CaseUnreadable(name, "schema_version", f"should be a whole number and is {shown}")
    return value
