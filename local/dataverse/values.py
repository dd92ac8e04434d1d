"""How one value looks by key (Python), and in SQLite; and how state and status follow each other.

In SQLite a choice is Dataverse's integer, a decimal a REAL, dates and times ISO 8601 text (whole seconds,
as Dataverse keeps them), GUIDs lower-case text. That is nearly what the Web API prints, so queries can
render rows without a second conversion.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from local.schema import OPTION_TYPES, Column, Table

type SqlValue = str | int | float | None
type SqlRow = dict[str, SqlValue]


_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ValueRefusedError(TypeError):
    """A value of the wrong Python type for its column; the message names table column, value and type."""


def time_text(moment: datetime) -> str:
    """An aware time as Dataverse prints it, cut to whole seconds: 2026-11-22T12:00:00Z."""
    if moment.tzinfo is None:
        raise ValueRefusedError(f"{moment} has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """The aware time (UTC) of a text that time_text wrote."""
    return datetime.fromisoformat(text).astimezone(UTC)


def guid_text(value: object) -> str:
    """A GUID in Dataverse's JSON form (lower case, hyphens); ValueError when it is none."""
    text = str(value)
    # Nearly all are in that form already; a UUID object for each would double the time that loading a world takes.
    return text if _GUID.fullmatch(text) else str(uuid.UUID(text))


def _exactly(kind: type, value: object) -> Any:
    # bool is an int in Python; a column of numbers must not take True for 1.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueRefusedError(f"{value!r} is no {kind.__name__}")
    return value


def _date_to_sql(value: object) -> SqlValue:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueRefusedError(f"{value!r} is no date")
    return value.isoformat()


def _decimal_to_sql(value: object) -> SqlValue:
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise ValueRefusedError(f"{value!r} is no Decimal")
    return float(value)


_TO_SQL: Mapping[str, Callable[[object], SqlValue]] = {
    "text": lambda value: str(_exactly(str, value)),
    "whole": lambda value: int(_exactly(int, value)),
    "decimal": _decimal_to_sql,
    "boolean": lambda value: int(_exactly(bool, value)),
    "date": _date_to_sql,
    "datetime": lambda value: time_text(_exactly(datetime, value)),
    "wall_time": lambda value: time_text(_exactly(datetime, value)),
    "guid": guid_text,
    "lookup": guid_text,
}

_FROM_SQL: Mapping[str, Callable[[Any], object]] = {
    "decimal": lambda raw: Decimal(repr(raw)).normalize() + 0,
    "boolean": bool,
    "date": date.fromisoformat,
    "datetime": parse_time,
    "wall_time": parse_time,
}


def to_sql(column: Column, value: object) -> SqlValue:
    """A value by key as SQLite keeps it.

    Raises ValueRefusedError for a wrong type, SchemaError for an unknown option, ValueError for no GUID.
    """
    if value is None:
        return None
    if column.type in OPTION_TYPES:
        return column.option_value(str(value))
    try:
        return _TO_SQL[column.type](value)
    except ValueRefusedError as error:
        raise ValueRefusedError(f"{column.key}: {error}") from error


def from_sql(column: Column, raw: Any) -> object:
    """The value by key of what SQLite keeps."""
    if raw is None:
        return None
    if column.type in OPTION_TYPES:
        return column.by_value[raw].key
    convert = _FROM_SQL.get(column.type)
    return convert(raw) if convert else raw


def record(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """A whole SQLite row by key, with `id` and `etag`."""
    values: dict[str, Any] = {"id": row["id"], "etag": etag(row["version"])}
    for key, column in table.columns.items():
        values[key] = from_sql(column, row[key])
    return values


def etag(version: int) -> str:
    """The weak entity tag of a row version, as in @odata.etag."""
    return f'W/"{version}"'


def settle_state(table: Table, new: SqlRow, current: Mapping[str, Any] | None) -> None:
    """Completes `new` so that state and status fit: a status brings its state, a state its first status.

    `current` is the row before the write, None for a new row. Dataverse does the same on save.
    """
    state, status = table.columns.get("state"), table.columns.get("status")
    if state is None:
        return
    if new.get("state") is None:
        new.pop("state", None)
        if status is not None and new.get("status") is not None:
            new["state"] = state.option_value(status_state(status, new["status"]))
        elif current is None:
            new["state"] = next(iter(state.by_value))
    if status is None or new.get("status") is not None or "state" not in new:
        return
    new.pop("status", None)
    state_key = state.by_value[int(str(new["state"]))].key
    if current is not None and status_state(status, current["status"]) == state_key:
        return
    default = table.default_status(state_key)
    if default is not None:
        new["status"] = status.option_value(default)


def status_state(status: Column, value: SqlValue) -> str:
    """The state key that a status value belongs to."""
    return status.state_of(status.by_value[int(str(value))].key)
