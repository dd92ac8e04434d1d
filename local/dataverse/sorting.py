"""The order of rows, and where a page goes on: after the last row's sort values and id (keyset paging)."""

# ruff: noqa: S608  (names in SQL come from the schema map, values are parameters)

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from local.dataverse.odata.options import Order, Query
from local.dataverse.odata.sql import Sql
from local.dataverse.paging import Cookie
from local.dataverse.store import quoted
from local.schema import Schema, Table


@dataclass(frozen=True)
class SortKey:
    """One part of the order: its name in the cookie, its SQL, the name of its column in the result."""

    name: str
    sql: str
    alias: str
    descending: bool
    collation: str = ""

    @property
    def direction(self) -> str:
        return f"{self.sql}{self.collation} {'DESC' if self.descending else 'ASC'}"


def sort_keys(schema: Schema, query: Query) -> list[SortKey]:
    """The query's $orderby and, so that every row has a place of its own, the primary key."""
    keys = [_key(schema, query.table, order, n) for n, order in enumerate(query.order)]
    if not any(order.column is None for order in query.order):
        keys.append(_key(schema, query.table, Order(None, descending=False), len(keys)))
    return keys


def _key(schema: Schema, table: Table, order: Order, number: int) -> SortKey:
    column, alias = order.column, f"sort{number}__"
    if column is None:
        return SortKey(table.primary_id, "t.id", alias, order.descending)
    if column.type == "lookup" and column.target is not None:
        name = schema.table(column.target).primary_name
        sql = (
            f"(SELECT s.{quoted(name.key if name else 'id')} FROM {quoted(column.target)} s "
            f"WHERE s.id = t.{quoted(column.key)})"
        )
        return SortKey(column.logical, sql, alias, order.descending, " COLLATE dataverse")
    return SortKey(column.logical, f"t.{quoted(column.key)}", alias, order.descending)


def select_list(keys: Sequence[SortKey]) -> list[str]:
    """The sort values as result columns."""
    return [f"{key.sql} AS {key.alias}" for key in keys]


def order_by(keys: Sequence[SortKey]) -> str:
    """The ORDER BY clause."""
    return f"ORDER BY {', '.join(key.direction for key in keys)}"


def after(keys: Sequence[SortKey], values: Sequence[str | None]) -> Sql:
    """Rows that come after the one with these sort values. As in SQL Server, nothing sorts before anything."""
    alternatives: list[Sql] = []
    for depth, (key, value) in enumerate(zip(keys, values, strict=True)):
        equal = [_equal(k, v) for k, v in zip(keys[:depth], values[:depth], strict=True)]
        parts = [*equal, _beyond(key, value)]
        text = " AND ".join(part.text for part in parts)
        alternatives.append(Sql(f"({text})", tuple(v for part in parts for v in part.values)))
    text = " OR ".join(part.text for part in alternatives)
    return Sql(f"({text})", tuple(v for part in alternatives for v in part.values))


def cookie(page: int, keys: Sequence[SortKey], rows: Sequence[sqlite3.Row]) -> Cookie:
    """The paging cookie of a page that ended with the last of `rows`."""
    first, last = ([_cookie_value(key, row) for key in keys] for row in (rows[0], rows[-1]))
    return Cookie(page, tuple(key.name for key in keys), tuple(last), tuple(first))


def _cookie_value(key: SortKey, row: sqlite3.Row) -> str | None:
    value = row[key.alias]
    if key.sql == "t.id":
        return "{" + str(value).upper() + "}"
    return None if value is None else str(value)


def _equal(key: SortKey, value: str | None) -> Sql:
    return Sql(f"{key.sql} IS NULL") if value is None else Sql(f"{key.sql} = ?{key.collation}", (_id(key, value),))


def _beyond(key: SortKey, value: str | None) -> Sql:
    if key.descending:
        if value is None:
            return Sql("FALSE")
        return Sql(f"({key.sql} < ?{key.collation} OR {key.sql} IS NULL)", (_id(key, value),))
    if value is None:
        return Sql(f"{key.sql} IS NOT NULL")
    return Sql(f"{key.sql} > ?{key.collation}", (_id(key, value),))


def _id(key: SortKey, value: str) -> str:
    return value.strip("{}").lower() if key.sql == "t.id" else value
