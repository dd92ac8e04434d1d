"""Bodies of POST and PATCH: JSON by logical name -> stored values, checked as Dataverse checks them."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

from local.dataverse.errors import (
    ODataError,
    bad_payload,
    no_row,
    option_out_of_range,
    state_mismatch,
    text_too_long,
)
from local.dataverse.odata.operands import EDM_TYPES
from local.dataverse.store import Store
from local.dataverse.values import SqlRow, SqlValue, guid_text, status_state, time_text
from local.schema import OPTION_TYPES, Column, Table

# Dataverse sets these itself and quietly ignores what a caller sends.
READ_ONLY = frozenset({"created_on", "modified_on", "modified_by"})
_REFERENCE = re.compile(r"(\w+)\(([0-9a-fA-F-]{36})\)")
_LOOKUP_REFUSED = "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead."


def body_values(store: Store, table: Table, document: Any) -> tuple[SqlRow, str | None]:
    """The values of a JSON body by key, and the row's id if the body names one.

    Raises ODataError for an unknown column, a value of the wrong type or out of range, a lookup to
    a row that does not exist.
    """
    if not isinstance(document, dict):
        raise bad_payload(table.entity_set, "Microsoft.OData.ODataException: The body must be a JSON object.")
    row: SqlRow = {}
    id: str | None = None
    for name, value in document.items():
        if name.endswith("@odata.bind"):
            column = _bound_column(table, name.removesuffix("@odata.bind"))
            target = column.targets[name.removesuffix("@odata.bind")]
            row[column.key] = _bound_id(store, table, store.schema.table(target), value)
        elif "@" in name:
            continue  # annotations such as @odata.type
        elif name == table.primary_id:
            id = _guid(table, value)
        else:
            column = _plain_column(table, name)
            row[column.key] = _value(table, column, value)
    return {key: value for key, value in row.items() if key not in READ_ONLY}, id


def check_state(table: Table, row: SqlRow, current: Mapping[str, Any] | None, id: str) -> None:
    """Raises ODataError when the status does not belong to the state (the new one, else the row's own)."""
    state, status = table.columns.get("state"), table.columns.get("status")
    value = row.get("status")
    if state is None or status is None or value is None:
        return
    wanted = row.get("state")
    if wanted is None:
        wanted = current["state"] if current is not None else next(iter(state.by_value))
    key = state.by_value[int(str(wanted))].key
    if status_state(status, value) != key:
        raise state_mismatch(int(str(value)), key.capitalize(), table.logical, id)


def _bound_column(table: Table, navigation: str) -> Column:
    column = table.by_navigation.get(navigation)
    if column is None:
        raise bad_payload(
            table.entity_set,
            f"Microsoft.OData.ODataException: An undeclared property '{navigation}' which only has property "
            "annotations in the payload but no property value was found in the payload. In OData, only "
            "declared navigation properties and declared named streams can be represented as properties "
            "without values.",
        )
    return column


def _bound_id(store: Store, table: Table, target: Table, value: Any) -> SqlValue:
    if value is None:
        return None
    path = urlsplit(str(value)).path.removeprefix("/api/data/v9.2").strip("/")
    match = _REFERENCE.fullmatch(path)
    if match is None or match.group(1) != target.entity_set:
        raise bad_payload(
            table.entity_set, f"Microsoft.OData.ODataException: The URI '{value}' is no {target.logical}."
        )
    id = _guid(table, match.group(2))
    if store.row(target, id) is None:
        raise no_row(target.logical, id)
    return id


def _plain_column(table: Table, name: str) -> Column:
    column = table.by_logical.get(name)
    if name in table.by_api_name and table.by_api_name[name].type == "lookup":
        raise ODataError(400, "0x80060888", _LOOKUP_REFUSED)
    if column is None:
        raise bad_payload(
            table.entity_set,
            f"Microsoft.Crm.CrmException: Invalid property '{name}' was found in entity "
            f"'Microsoft.Dynamics.CRM.{table.logical}'. ---> Microsoft.OData.ODataException: "
            f"The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{table.logical}'. "
            "Make sure to only use property names that are defined by the type.",
        )
    if column.type == "lookup":
        raise ODataError(400, "0x80060888", _LOOKUP_REFUSED)
    return column


def _value(table: Table, column: Column, value: Any) -> SqlValue:
    if column.type in OPTION_TYPES:
        return _option(table, column, value)
    if value is None:
        return None
    try:
        converted = _CONVERT[column.type](value)
    except (ValueError, TypeError, OverflowError) as error:
        raise _inconvertible(table, column, value) from error
    if column.type == "text" and len(str(converted)) > column.max_length:
        raise text_too_long(column.logical, table.logical, column.max_length)
    return converted


def _option(table: Table, column: Column, value: Any) -> SqlValue:
    if value is None and column.type == "choice":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        if value in column.by_value:
            return value
    elif value is not None:
        raise _inconvertible(table, column, value)
    raise option_out_of_range(value, column.logical, table.logical, column.by_value)


def _inconvertible(table: Table, column: Column, value: Any) -> ODataError:
    return bad_payload(
        table.entity_set,
        f"Microsoft.OData.ODataException: Cannot convert the literal '{value}' "
        f"to the expected type '{EDM_TYPES[column.type]}'.",
    )


def _guid(table: Table, value: Any) -> str:
    try:
        return guid_text(value)
    except ValueError as error:
        raise bad_payload(
            table.entity_set,
            f"Microsoft.OData.ODataException: Cannot convert the literal '{value}' to the expected type 'Edm.Guid'.",
        ) from error


def _text(value: Any) -> SqlValue:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: Any) -> SqlValue:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _whole(value: Any) -> SqlValue:
    # Dataverse's whole numbers have 32 bits.
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**31:
        raise TypeError
    return value


def _flag(value: Any) -> SqlValue:
    if not isinstance(value, bool):
        raise TypeError
    return int(value)


def _moment(value: Any) -> SqlValue:
    moment = datetime.fromisoformat(value)
    return time_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


_CONVERT: Mapping[str, Callable[[Any], SqlValue]] = {
    "text": _text,
    "whole": _whole,
    "decimal": _number,
    "boolean": _flag,
    "date": lambda value: date.fromisoformat(value).isoformat(),
    "datetime": _moment,
    "wall_time": _moment,
    "guid": guid_text,
}
