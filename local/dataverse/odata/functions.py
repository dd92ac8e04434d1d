"""Dataverse's query functions (Microsoft.Dynamics.CRM.*) as SQL: the ones about sets, ranges and age."""

# ruff: noqa: S608  (names in SQL come from the schema map, values are parameters)

import calendar
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from local.dataverse.errors import ODataError, bad_query
from local.dataverse.odata.ast import CrmFunction, Literal
from local.dataverse.odata.operands import literal_value
from local.dataverse.values import SqlValue, time_text

type Piece = tuple[str, tuple[SqlValue, ...]]

_UNITS: Mapping[str, Callable[[datetime, int], datetime]] = {
    "Minutes": lambda moment, n: moment + timedelta(minutes=n),
    "Hours": lambda moment, n: moment + timedelta(hours=n),
    "Days": lambda moment, n: moment + timedelta(days=n),
    "Weeks": lambda moment, n: moment + timedelta(weeks=n),
    "Months": lambda moment, n: _months_later(moment, n),
    "Years": lambda moment, n: _months_later(moment, 12 * n),
}
_ON: Mapping[str, str] = {
    "On": "substr({0}, 1, 10) = ?",
    "NotOn": "substr({0}, 1, 10) <> ?",
    "OnOrBefore": "substr({0}, 1, 10) <= ?",
    "OnOrAfter": "substr({0}, 1, 10) >= ?",
}
_DAYS: Mapping[str, int] = {"Yesterday": -1, "Today": 0, "Tomorrow": 1}


def compile_function(node: CrmFunction, sql: str, column_type: str, clock: Callable[[], datetime]) -> Piece:
    """SQL and values of one query function over the column `sql`. ODataError when it does not fit.

    Not all of Dataverse's sixty: those about fiscal periods, hierarchies and users are refused.
    """
    name = node.name
    if name in ("In", "NotIn"):
        return _membership(node, sql, column_type)
    if name in ("Between", "NotBetween"):
        return _range(node, sql, column_type)
    if name in _ON:
        return _dated(_ON[name], node, sql, column_type)
    if name in _DAYS:
        _needs_time(node, column_type)
        day = clock().astimezone(UTC) + timedelta(days=_DAYS[name])
        return _ON["On"].format(sql), (day.date().isoformat(),)
    for prefix, test in (("OlderThanX", _older), ("LastX", _last), ("NextX", _coming)):
        unit = _UNITS.get(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if unit is not None:
            _needs_time(node, column_type)
            try:
                return test(sql, column_type, clock(), unit, _whole(node))
            except (OverflowError, ValueError) as error:
                raise bad_query(f"The PropertyValue of {name} is out of range.") from error
    raise bad_query(
        f"An unknown function with name 'Microsoft.Dynamics.CRM.{name}' was found. "
        "This may also be a function import or a key lookup on a navigation property, which is not allowed."
    )


def _membership(node: CrmFunction, sql: str, column_type: str) -> Piece:
    values = [_element(node, column_type, value) for value in _list(node)]
    collation = " COLLATE dataverse" if column_type == "text" else ""
    negation = "NOT " if node.name == "NotIn" else ""
    # One JSON parameter: SQLite allows fewer marks in a statement than Dataverse values in a list.
    return f"{sql}{collation} {negation}IN (SELECT value FROM json_each(?))", (json.dumps(values),)


def _range(node: CrmFunction, sql: str, column_type: str) -> Piece:
    values = [_element(node, column_type, value) for value in _list(node)]
    if len(values) != 2:
        raise bad_query(f"The function {node.name} needs two PropertyValues.")
    negation = "NOT " if node.name == "NotBetween" else ""
    return f"{sql} {negation}BETWEEN ? AND ?", tuple(values)


def _dated(pattern: str, node: CrmFunction, sql: str, column_type: str) -> Piece:
    _needs_time(node, column_type)
    value = node.arguments.get("PropertyValue")
    if not isinstance(value, Literal) or value.kind not in ("string", "date", "datetime"):
        raise bad_query(f"The function {node.name} needs a PropertyValue that is a date.")
    return pattern.format(sql), (str(value.value)[:10],)


def _older(sql: str, kind: str, now: datetime, later: Callable[[datetime, int], datetime], n: int) -> Piece:
    return f"{sql} < ?", (_as_stored(later(now, -n), kind),)


def _last(sql: str, kind: str, now: datetime, later: Callable[[datetime, int], datetime], n: int) -> Piece:
    return f"({sql} >= ? AND {sql} <= ?)", (_as_stored(later(now, -n), kind), _as_stored(now, kind))


def _coming(sql: str, kind: str, now: datetime, later: Callable[[datetime, int], datetime], n: int) -> Piece:
    return f"({sql} > ? AND {sql} <= ?)", (_as_stored(now, kind), _as_stored(later(now, n), kind))


def _as_stored(moment: datetime, column_type: str) -> str:
    text = time_text(moment)
    return text[:10] if column_type == "date" else text


def _element(node: CrmFunction, column_type: str, literal: Literal) -> SqlValue:
    """A list's element; Dataverse takes all of them as strings, whatever the column's type."""
    value = literal_value(column_type, literal)
    if value is None and literal.kind == "string":
        value = _from_text(column_type, str(literal.value))
    if value is None and column_type == "text" and literal.kind in ("int", "decimal"):
        value = str(literal.value)
    if value is None:
        raise ODataError(
            400,
            "0x80040203",
            f"Condition for {node.name}: the value '{literal.value}' does not fit the attribute's type.",
        )
    return value


def _from_text(column_type: str, text: str) -> SqlValue:
    try:
        match column_type:
            case "whole" | "choice" | "state" | "status":
                return int(text)
            case "decimal":
                return float(text)
            case "boolean":
                return {"true": 1, "false": 0, "1": 1, "0": 0}.get(text.lower())
            case "date":
                return datetime.fromisoformat(text).date().isoformat()
            case "datetime" | "wall_time":
                moment = datetime.fromisoformat(text)
                return time_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except ValueError:
        return None
    return None


def _list(node: CrmFunction) -> Sequence[Literal]:
    values = node.arguments.get("PropertyValues")
    if not isinstance(values, tuple):
        raise bad_query(f"The function Microsoft.Dynamics.CRM.{node.name} needs PropertyValues.")
    return values


def _whole(node: CrmFunction) -> int:
    value = node.arguments.get("PropertyValue")
    if isinstance(value, Literal) and str(value.value).isdecimal():
        return int(str(value.value))
    raise bad_query(f"The function Microsoft.Dynamics.CRM.{node.name} needs a whole PropertyValue.")


def _needs_time(node: CrmFunction, column_type: str) -> None:
    if column_type not in ("date", "datetime", "wall_time"):
        raise bad_query(f"The function Microsoft.Dynamics.CRM.{node.name} needs a date column.")


def _months_later(moment: datetime, months: int) -> datetime:
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
