"""Which constants fit which columns, and as what they go to SQLite."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from local.dataverse.odata.ast import Literal
from local.dataverse.values import SqlValue, guid_text, time_text

SQL_OPERATORS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}

# Names as OData's error texts print them: of our column types, and of the kinds of literals.
EDM_TYPES: Mapping[str, str] = {
    "text": "Edm.String",
    "whole": "Edm.Int32",
    "decimal": "Edm.Decimal",
    "boolean": "Edm.Boolean",
    "date": "Edm.Date",
    "datetime": "Edm.DateTimeOffset",
    "wall_time": "Edm.DateTimeOffset",
    "guid": "Edm.Guid",
    "lookup": "Edm.Guid",
    "choice": "Edm.Int32",
    "state": "Edm.Int32",
    "status": "Edm.Int32",
    "string": "Edm.String",
    "int": "Edm.Int32",
}


def _moment(literal: Literal) -> SqlValue:
    moment = datetime.fromisoformat(str(literal.value))
    return time_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _guid(literal: Literal) -> SqlValue:
    try:
        return guid_text(literal.value)
    except ValueError:
        return None


def _plain(literal: Literal) -> SqlValue:
    return literal.value


_NUMBER = {"int": _plain, "decimal": _plain}
_FITTING: Mapping[str, Mapping[str, Callable[[Literal], SqlValue]]] = {
    "text": {"string": _plain},
    "whole": _NUMBER,
    "decimal": _NUMBER,
    "choice": _NUMBER,
    "state": _NUMBER,
    "status": _NUMBER,
    "boolean": {"boolean": lambda literal: int(bool(literal.value))},
    "date": {"date": _plain},
    # A bare date means its first moment.
    "datetime": {"datetime": _moment, "date": _moment},
    "wall_time": {"datetime": _moment, "date": _moment},
    # Dataverse takes a GUID in quotes too.
    "guid": {"guid": _guid, "string": _guid},
    "lookup": {"guid": _guid, "string": _guid},
}


def literal_value(column_type: str, literal: Literal) -> SqlValue:
    """The constant as SQLite compares it with such a column; None when the two do not fit."""
    convert = _FITTING[column_type].get(literal.kind)
    try:
        value = convert(literal) if convert else None
    except ValueError:
        return None
    # SQLite's integers have 64 bits.
    return None if isinstance(value, int) and abs(value) >= 2**63 else value
