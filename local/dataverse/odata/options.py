"""The query options of a URL ($select, $filter, $orderby, $expand, $top, $count) as one value.

Names are resolved against the schema here, so that everything wrong with a query is said before it runs.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal as OneOf
from urllib.parse import unquote_plus

from local.dataverse.errors import ODataError, bad_query, too_many_conditions, unknown_property
from local.dataverse.odata.ast import Node, conditions
from local.dataverse.odata.parser import parse_filter
from local.schema import Association, Column, Schema, Table

MAX_CONDITIONS = 500
MAX_EXPANDS = 15
_ROOT_OPTIONS = frozenset({"$select", "$filter", "$orderby", "$expand", "$top", "$count", "$skiptoken"})
_EXPAND_OPTIONS = frozenset({"$select", "$filter", "$orderby", "$expand", "$top"})


@dataclass(frozen=True)
class Order:
    """One sort key; `column` None is the primary key. Lookups sort by the name of what they look up."""

    column: Column | None
    descending: bool


@dataclass(frozen=True)
class Query:
    """What is asked of one table. `select` None means all columns; `skiptoken` is the decoded cookie."""

    table: Table
    select: tuple[Column, ...] | None = None
    filter: Node | None = None
    order: tuple[Order, ...] = ()
    expand: tuple["Expand", ...] = ()
    top: int | None = None
    count: bool = False
    skiptoken: str | None = None

    @property
    def nested(self) -> bool:
        """Whether an expand has expands of its own: then Dataverse pages every expanded collection."""
        return any(expand.query.expand for expand in self.expand)


@dataclass(frozen=True)
class Expand:
    """One related table to bring along. `column` is the lookup, on this table or on the other one;
    `text` is what stood in the parentheses."""

    name: str
    kind: OneOf["lookup", "collection", "association"]
    query: Query
    column: Column | None
    association: Association | None
    text: str

    @property
    def key(self) -> str:
        """The key of the lookup that joins the two tables; a many-to-many expand has none."""
        if self.column is None:
            raise ValueError(f"{self.name} joins through a table of its own")
        return self.column.key


def raw_options(query_string: str) -> dict[str, str]:
    """The options of a raw query string, decoded once; `+` is a space, as in ASP.NET."""
    options: dict[str, str] = {}
    for part in query_string.split("&"):
        if part:
            name, _, value = part.partition("=")
            options[unquote_plus(name)] = unquote_plus(value)
    return options


def parse_query(schema: Schema, table: Table, query_string: str) -> Query:
    """The query of a URL on `table`. Raises ODataError with what Dataverse says about it."""
    options = raw_options(query_string)
    for name in options:
        if name.startswith("$") and name not in _ROOT_OPTIONS:
            raise bad_query(f"The query parameter {name} is not supported.")
    aliases = {name: value for name, value in options.items() if name.startswith("@")}
    query = _query(schema, table, options, aliases)
    expands = list(_all_expands(query))
    if len(expands) > MAX_EXPANDS:
        raise bad_query(f"The number of $expand options exceeds the maximum of {MAX_EXPANDS}.")
    if sum(conditions(q.filter) for q in (query, *(e.query for e in expands))) > MAX_CONDITIONS:
        raise too_many_conditions()
    _check_shape(query, expands)
    return query


def split_top(text: str, separator: str) -> Iterator[str]:
    """The parts of a text between separators that stand outside quotes and parentheses."""
    depth, start, quote = 0, 0, ""
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == separator and depth == 0:
            yield text[start:position]
            start = position + 1
    yield text[start:]


def _query(schema: Schema, table: Table, options: Mapping[str, str], aliases: Mapping[str, str]) -> Query:
    return Query(
        table=table,
        select=_select(table, options["$select"]) if "$select" in options else None,
        filter=parse_filter(options["$filter"], aliases) if "$filter" in options else None,
        order=_order(table, options["$orderby"]) if "$orderby" in options else (),
        expand=_expands(schema, table, options["$expand"]) if "$expand" in options else (),
        top=_top(options["$top"]) if "$top" in options else None,
        count=options.get("$count") == "true",
        skiptoken=options.get("$skiptoken"),
    )


def _select(table: Table, text: str) -> tuple[Column, ...] | None:
    columns: list[Column] = []
    for name in (part.strip() for part in text.split(",")):
        if name == "*":
            return None
        # A lookup may be selected by its navigation property too; the primary key always comes along.
        column = table.by_api_name.get(name) or table.by_navigation.get(name)
        if column is None and name != table.primary_id:
            raise unknown_property(name, table.logical)
        if column is not None and column not in columns:
            columns.append(column)
    return tuple(columns)


def _order(table: Table, text: str) -> tuple[Order, ...]:
    keys: list[Order] = []
    for part in text.split(","):
        name, *direction = part.split() or [""]
        if direction not in ([], ["asc"], ["desc"]):
            raise bad_query(f"Syntax error at position {len(name)} in '{text}'.")
        column = table.by_api_name.get(name)
        if column is None and name != table.primary_id:
            raise unknown_property(name, table.logical)
        keys.append(Order(column, direction == ["desc"]))
    return tuple(keys)


def _top(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise bad_query(f"Invalid value '{text}' for $top query option found.")
    return int(text)


def _expands(schema: Schema, table: Table, text: str) -> tuple[Expand, ...]:
    return tuple(_expand(schema, table, part.strip()) for part in split_top(text, ","))


def _expand(schema: Schema, table: Table, text: str) -> Expand:
    name, _, rest = text.partition("(")
    if rest and not rest.endswith(")"):
        raise bad_query(f"Syntax error at position {len(text)} in '{text}'.")
    inner = rest[:-1]
    if name.endswith("/$ref"):
        return _reference(schema, table, name.removesuffix("/$ref"))
    options: dict[str, str] = {}
    for option in split_top(inner, ";") if inner else ():
        key, _, value = option.strip().partition("=")
        if key not in _EXPAND_OPTIONS:
            raise bad_query(f"The query parameter {key} is not supported in $expand.")
        options[key] = value
    lookup = table.by_navigation.get(name)
    if lookup is not None:
        target = schema.table(lookup.targets[name])
        return Expand(name, "lookup", _query(schema, target, options, {}), lookup, None, inner)
    found = schema.collections(table.key).get(name)
    if found is not None:
        query = _query(schema, found.table, options, {})
        return Expand(name, "collection", query, found.column, None, inner)
    linked = schema.association(table.key, name)
    if linked is not None:
        query = _query(schema, schema.table(linked.right), options, {})
        return Expand(name, "association", query, None, linked, inner)
    raise unknown_property(name, table.logical)


def _reference(schema: Schema, table: Table, name: str) -> Expand:
    lookup = table.by_navigation.get(name)
    if lookup is None:
        raise bad_query("Only navigation properties that are single-valued can be expanded with $ref.")
    return Expand(name, "lookup", Query(schema.table(lookup.targets[name]), select=()), lookup, None, "")


def _all_expands(query: Query) -> Iterator[Expand]:
    for expand in query.expand:
        yield expand
        yield from _all_expands(expand.query)


def _check_shape(query: Query, expands: list[Expand]) -> None:
    """The combinations of expands that Dataverse refuses."""
    if query.nested and any(e.query.top is not None or e.query.order for e in expands):
        raise bad_query(
            "Only $select and $filter clause can be provided while doing $expand on many-to-one "
            "relationship or nested one-to-many relationship."
        )
    for expand in expands:
        single = expand.query
        if expand.kind == "lookup" and (single.filter or single.order or single.top is not None):
            raise bad_query("Only $select can be provided while doing $expand on a many-to-one relationship.")
    associations = [expand for expand in expands if expand.kind == "association"]
    if associations and (query.nested or len(associations) != len(expands)):
        raise ODataError(
            400,
            "0x80060888",
            "Expanding a many-to-many relationship is not supported together with other or nested expands.",
        )
