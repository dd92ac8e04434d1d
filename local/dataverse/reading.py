"""Runs a query: rows, related rows, pages."""

# ruff: noqa: S608  (names in SQL come from the schema map, values are parameters)

import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from local.dataverse.odata.options import Expand, Query, split_top
from local.dataverse.odata.sql import FilterCompiler, Sql
from local.dataverse.paging import read_cookie
from local.dataverse.render import Json, Renderer
from local.dataverse.sorting import SortKey, after, cookie, order_by, select_list, sort_keys
from local.dataverse.store import Store, quoted
from local.schema import Table

# Microsoft's: the largest page, the most rows of one expanded collection, and how far $count counts.
MAX_ROWS = 5000


@dataclass(frozen=True)
class Page:
    """Rows of a query; `skiptoken` (ready for a URL) when there are more; `count` if it was asked for."""

    rows: list[Json]
    skiptoken: str | None
    count: int | None

    @property
    def count_exceeded(self) -> bool:
        """Whether counting stopped at its limit."""
        return self.count == MAX_ROWS


@dataclass(frozen=True)
class Reading:
    """How one request wants its rows: the address that links start with, and the page size it asked for."""

    base: str
    max_page: int | None = None

    @property
    def page(self) -> int:
        return min(self.max_page or MAX_ROWS, MAX_ROWS)


class Reader:
    """Answers the queries of one request from the store."""

    def __init__(self, store: Store, renderer: Renderer, reading: Reading) -> None:
        self.store = store
        self.renderer = renderer
        self.reading = reading
        self._compiler = FilterCompiler(store.schema, store.clock)

    def page(self, query: Query, within: Sql | None = None) -> Page:
        """One page of a query; `within` narrows it further (rows of one parent)."""
        where = self._where(query, within)
        count = self._count(query.table, where) if query.count else None
        keys = sort_keys(self.store.schema, query)
        number = 1
        if query.skiptoken is not None:
            number, values = read_cookie(query.skiptoken, tuple(key.name for key in keys))
            where = _both(where, after(keys, values))
        # A page size beats $top, which is then ignored.
        top = query.top if self.reading.max_page is None else None
        limit = self.reading.page if top is None else min(top, MAX_ROWS)
        rows = self._select(query, keys, where, limit + 1)
        token = cookie(number, keys, rows[:limit]).skiptoken() if len(rows) > limit and top is None else None
        return Page(self._render(query, rows[:limit]), token, count)

    def one(self, query: Query, id: str) -> Json | None:
        """The row with this id as the query wants it, or None."""
        keys = sort_keys(self.store.schema, query)
        rows = self._select(query, keys, Sql("t.id = ?", (id,)), 1)
        return self._render(query, rows)[0] if rows else None

    def count(self, query: Query, within: Sql | None = None) -> int:
        """How many rows match, at most 5,000."""
        return self._count(query.table, self._where(query, within))

    def tables(self, query: Query) -> set[str]:
        """The keys of all tables that a query reads, those in filters included."""
        compiler = FilterCompiler(self.store.schema, self.store.clock)
        if query.filter is not None:
            compiler.compile(query.filter, query.table, "t")
        found = {query.table.key} | compiler.tables
        return found.union(*(self.tables(expand.query) for expand in query.expand))

    def _where(self, query: Query, within: Sql | None) -> Sql:
        where = within or Sql("TRUE")
        if query.filter is None:
            return where
        return _both(where, self._compiler.compile(query.filter, query.table, "t"))

    def _count(self, table: Table, where: Sql) -> int:
        inner = f"SELECT 1 FROM {quoted(table.key)} t WHERE {where.text} LIMIT {MAX_ROWS}"
        return int(self.store.db.execute(f"SELECT COUNT(*) FROM ({inner})", where.values).fetchone()[0])

    def _select(self, query: Query, keys: Sequence[SortKey], where: Sql, limit: int) -> list[sqlite3.Row]:
        sql = (
            f"SELECT {', '.join([*_columns(query), *select_list(keys)])} "
            f"FROM {quoted(query.table.key)} t WHERE {where.text} {order_by(keys)} LIMIT {limit}"
        )
        return self.store.db.execute(sql, where.values).fetchall()

    def _render(self, query: Query, rows: Sequence[sqlite3.Row]) -> list[Json]:
        items = self.renderer.rows(query.table, query.select, rows)
        for expand in query.expand:
            if expand.kind == "lookup":
                self._add_lookup(expand, rows, items)
            else:
                self._add_collection(query, expand, rows, items)
        return items

    def _add_lookup(self, expand: Expand, rows: Sequence[sqlite3.Row], items: list[Json]) -> None:
        key = expand.key
        ids = sorted({row[key] for row in rows if row[key] is not None})
        found = self._related(expand.query, f"{quoted(expand.query.table.key)} t ON t.id = k.value", ids)
        by_id = dict(zip((row["id"] for row in found), self._render(expand.query, found), strict=True))
        for row, item in zip(rows, items, strict=True):
            item[expand.name] = by_id.get(row[key])

    def _add_collection(self, query: Query, expand: Expand, rows: Sequence[sqlite3.Row], items: list[Json]) -> None:
        children = self._children(expand, [row["id"] for row in rows])
        # Only a query with an expand inside an expand pages its collections.
        top = MAX_ROWS if expand.query.top is None else expand.query.top
        limit = self.reading.page if query.nested else min(top, MAX_ROWS)
        shown = [children.get(row["id"], [])[:limit] for row in rows]
        # All at once: rendering looks names up in SQLite, once for each call.
        rendered = iter(self._render(expand.query, [row for group in shown for row in group]))
        for row, item, group in zip(rows, items, shown, strict=True):
            item[expand.name] = [next(rendered) for _ in group]
            more = len(children.get(row["id"], [])) > len(group)
            link = self._collection_link(query, expand, row["id"], group if more else None)
            if link is not None:
                item[f"{expand.name}@odata.nextLink"] = link

    def _collection_link(
        self, query: Query, expand: Expand, owner: str, cut: Sequence[sqlite3.Row] | None
    ) -> str | None:
        """The link of an expanded collection; `cut` are the rows shown when there are more of them.

        Without nested expands Dataverse gives a link always, which leads to the same rows again.
        With them it gives one only when there is more, and it carries a skiptoken.
        """
        options = "&".join(quote(part.strip(), safe="$=(),'/:@*") for part in split_top(expand.text, ";"))
        link = f"{self.reading.base}/{query.table.entity_set}({owner})/{expand.name}"
        if not query.nested:
            return f"{link}?{options}" if options else link
        if not cut:
            return None
        token = cookie(1, sort_keys(self.store.schema, expand.query), cut).skiptoken()
        return f"{link}?{options}{'&' if options else ''}$skiptoken={token}"

    def _children(self, expand: Expand, owners: list[str]) -> dict[str, list[sqlite3.Row]]:
        table = quoted(expand.query.table.key)
        if expand.association is not None:
            link = quoted(expand.association.name)
            join = f"{link} a ON a.left_id = k.value JOIN {table} t ON t.id = a.right_id"
        else:
            join = f"{table} t ON t.{quoted(expand.key)} = k.value"
        grouped: dict[str, list[sqlite3.Row]] = defaultdict(list)
        for row in self._related(expand.query, join, owners):
            grouped[row["owner__"]].append(row)
        return grouped

    def _related(self, query: Query, join: str, ids: Sequence[str]) -> list[sqlite3.Row]:
        """Rows of a related table for many owners at once; CROSS JOIN makes SQLite start from the owners."""
        where = self._where(query, None)
        keys = sort_keys(self.store.schema, query)
        columns = [*_columns(query), *select_list(keys), "k.value AS owner__"]
        sql = f"SELECT {', '.join(columns)} FROM json_each(?) k CROSS JOIN {join} WHERE {where.text} {order_by(keys)}"
        return self.store.db.execute(sql, (json.dumps(list(ids)), *where.values)).fetchall()


def rows_of(expand_name: str, owner: str, query: Query, store: Store, parent: Table) -> Sql | None:
    """The condition for rows of `query` that belong to `owner` through a collection; None if there is none."""
    collection = store.schema.collections(parent.key).get(expand_name)
    if collection is not None and collection.table is query.table:
        return Sql(f"t.{quoted(collection.column.key)} = ?", (owner,))
    linked = store.schema.association(parent.key, expand_name)
    if linked is not None:
        return Sql(f"t.id IN (SELECT right_id FROM {quoted(linked.name)} WHERE left_id = ?)", (owner,))
    return None


def _columns(query: Query) -> list[str]:
    """What to read: the selected columns, and the lookups that expands follow."""
    chosen = query.table.columns.values() if query.select is None else query.select
    followed = [expand.key for expand in query.expand if expand.kind == "lookup"]
    keys = dict.fromkeys([*(column.key for column in chosen), *followed])
    return ["t.id", "t.version", *(f"t.{quoted(key)}" for key in keys)]


def _both(left: Sql, right: Sql) -> Sql:
    return Sql(f"{left.text} AND {right.text}", left.values + right.values)
