"""Building OData queries safely: no text from outside reaches a URL unescaped.

Values become literals here, names are checked, and the finished option values are percent-encoded in `query`.
A `Filter` can only be made by these functions, so a plain string is not accepted where one is expected.
Rules: https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal
from urllib.parse import quote
from uuid import UUID

from shared.adapters.web.names import guid

type Value = str | int | bool | Decimal | date | datetime | UUID | None
type Operator = Literal["eq", "ne", "gt", "ge", "lt", "le"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# Inside the JSON list of In(...), itself inside a URL, quoting rules of two languages meet: keep clear of them.
_PLAIN = re.compile(r"[^\"'\\\x00-\x1f\x7f]{1,850}")


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition, not yet percent-encoded."""

    text: str


@dataclass(frozen=True, slots=True)
class Expand:
    """Rows of a related table, in the same request.

    A single level of expansion is not paged by Dataverse and may be sorted; as soon as one Expand of a query has
    `expand` itself, all of them are paged and none may have `orderby` or `top` (0x80060888).
    """

    navigation: str
    select: Sequence[str] = ()
    filter: Filter | None = None
    orderby: Sequence[str] = ()
    top: int | None = None
    expand: Sequence["Expand"] = field(default=())


def name(text: str) -> str:
    """A table, column or navigation name. Raises ValueError for anything else."""
    if not _NAME.fullmatch(text):
        raise ValueError(f"not a name: {text[:60]!r}")
    return text


def literal(value: Value) -> str:
    """`value` as it stands in a filter. Raises ValueError for what has no exact literal."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            if not value.is_finite():
                raise ValueError(f"not a number that a filter can hold: {value}")
            return format(value, "f")
        case UUID():
            return str(value)
        case datetime():
            return _moment(value)
        case date():
            return value.isoformat()
        case str():
            value.encode()  # a lone surrogate cannot be sent
            return "'" + value.replace("'", "''") + "'"


def compare(column: str, operator: Operator, value: Value) -> Filter:
    """`column operator value`. A GUID must come as UUID: in quotes, as text, it is another type to Dataverse."""
    return Filter(f"{_path(column)} {operator} {literal(value)}")


def in_(column: str, values: Sequence[str | int | UUID]) -> Filter:
    """`column` is one of `values`, as one condition (a query may hold 500 of them at most, 0x8004430C).

    Inside `any_row` the variable stands before the function: `x/column` becomes x/Microsoft.Dynamics.CRM.In(...).
    """
    if not values:
        raise ValueError("an empty list matches nothing; do not ask")
    items = ",".join(f'"{_plain(value)}"' for value in values)
    owner, slash, last = _path(column).rpartition("/")
    return Filter(f"{owner}{slash}Microsoft.Dynamics.CRM.In(PropertyName='{last}',PropertyValues=[{items}])")


def starts_with(column: str, text: str) -> Filter:
    """`column` begins with `text`, without regard to case. `_` and `%` in it stand for any character or any text."""
    return Filter(f"startswith({_path(column)},{literal(text)})")


def any_row(navigation: str, condition: Filter) -> Filter:
    """At least one row of a collection matches; write its columns as `x/column`."""
    return Filter(f"{name(navigation)}/any(x:{condition.text})")


def all_of(*filters: Filter) -> Filter:
    """Every one of them."""
    return _joined(" and ", filters)


def one_of(*filters: Filter) -> Filter:
    """At least one of them."""
    return _joined(" or ", filters)


def negated(condition: Filter) -> Filter:
    """Not this one."""
    return Filter(f"not ({condition.text})")


def row(entity_set: str, row_id: str) -> str:
    """The path of one row, by its GUID: alternate keys break on characters such as / and #."""
    return f"{name(entity_set)}({guid(row_id)})"


def query(
    path: str,
    *,
    select: Sequence[str] = (),
    filter: Filter | None = None,
    expand: Sequence[Expand] = (),
    orderby: Sequence[str] = (),
    top: int | None = None,
) -> str:
    """`path` with its query options, ready to be sent. `path` is an entity set or what `row` gives."""
    options = _options(select, filter, expand, orderby, top)
    encoded = "&".join(f"{option}={quote(text, safe="()'")}" for option, text in options)
    return f"{path}?{encoded}" if encoded else path


def _options(
    select: Sequence[str],
    condition: Filter | None,
    expand: Sequence[Expand],
    orderby: Sequence[str],
    top: int | None,
) -> list[tuple[str, str]]:
    options = {
        "$select": ",".join(name(column) for column in select),
        "$filter": condition.text if condition else "",
        "$orderby": ",".join(_order(column) for column in orderby),
        "$top": str(int(top)) if top is not None else "",
        "$expand": ",".join(_expanded(each) for each in expand),
    }
    return [(option, text) for option, text in options.items() if text]


def _expanded(expand: Expand) -> str:
    options = _options(expand.select, expand.filter, expand.expand, expand.orderby, expand.top)
    inner = ";".join(f"{option}={text}" for option, text in options)
    return name(expand.navigation) + (f"({inner})" if inner else "")


def _joined(word: str, filters: Sequence[Filter]) -> Filter:
    if not filters:
        raise ValueError("nothing to join")
    if len(filters) == 1:
        return filters[0]
    return Filter(word.join(f"({each.text})" for each in filters))


def _order(column: str) -> str:
    column, _, direction = column.partition(" ")
    if direction not in ("", "asc", "desc"):
        raise ValueError(f"not a direction: {direction[:60]!r}")
    return _path(column) + (f" {direction}" if direction else "")


def _path(column: str) -> str:
    return "/".join(name(step) for step in column.split("/"))


def _plain(value: str | int | UUID) -> str:
    text = str(value)
    if isinstance(value, bool) or not _PLAIN.fullmatch(text):
        raise ValueError(f"cannot stand in a list of values: {text[:60]!r}")
    text.encode()
    return text


def _moment(value: datetime) -> str:
    if value.utcoffset() is None:
        raise ValueError("a time without a zone is not a moment")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
