"""Rows in SQLite: one table per Dataverse table, a version number over all rows, listeners after commit.

One connection, used from one thread (one asyncio loop). Nothing here waits inside a transaction.
"""

# ruff: noqa: S608  (names in SQL come from the schema map, values are parameters)

import json
import sqlite3
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.dataverse.text import install_text_rules
from local.dataverse.values import SqlRow, SqlValue, record, time_text
from local.schema import Column, Schema, Table

Clock = Callable[[], datetime]
Record = dict[str, Any]

_SQL_TYPES = {
    "text": "TEXT COLLATE dataverse",
    "whole": "INTEGER",
    "decimal": "REAL",
    "boolean": "INTEGER",
    "choice": "INTEGER",
    "state": "INTEGER",
    "status": "INTEGER",
}


@dataclass(frozen=True)
class RowChange:
    """One committed write. `before` is None for a new row, `after` for a deleted one.

    `by` is a system_user id, `source` web_api or records, `purpose` what the writer's User-Agent said.
    """

    table: str
    id: str
    before: Record | None
    after: Record | None
    by: str
    source: str
    purpose: str = ""


@dataclass
class _Transaction:
    by: str
    source: str
    purpose: str
    changes: list[RowChange] = field(default_factory=list)


def quoted(name: str) -> str:
    """A table or column name for SQL. Names come from the schema map, never from a request."""
    return '"' + name.replace('"', '""') + '"'


class Store:
    """The tables of one environment. `clock` gives aware times; `path` is SQLite's (default: in memory)."""

    def __init__(self, schema: Schema, clock: Clock, path: str = ":memory:") -> None:
        self.schema = schema
        self.clock = clock
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.close = weakref.finalize(self, self.db.close)
        install_text_rules(self.db)
        self._open: _Transaction | None = None
        self._listeners: list[Callable[[RowChange], None]] = []
        for statement in self._definitions():
            self.db.execute(statement)
        self._version = self._highest_version()

    def _definitions(self) -> Iterator[str]:
        for table in self.schema.tables.values():
            columns = [f"{quoted(c.key)} {_SQL_TYPES.get(c.type, 'TEXT')}" for c in table.columns.values()]
            yield (
                f"CREATE TABLE IF NOT EXISTS {quoted(table.key)} "
                f"(id TEXT PRIMARY KEY, version INTEGER NOT NULL, {', '.join(columns)}) WITHOUT ROWID"
            )
            for column in filter(_indexed, table.columns.values()):
                name = quoted(f"{table.key}.{column.key}")
                yield (f"CREATE INDEX IF NOT EXISTS {name} ON {quoted(table.key)} ({quoted(column.key)}, id)")
        for association in self.schema.associations:
            yield (
                f"CREATE TABLE IF NOT EXISTS {quoted(association.name)} "
                "(left_id TEXT, right_id TEXT, PRIMARY KEY (left_id, right_id)) WITHOUT ROWID"
            )

    def _highest_version(self) -> int:
        tables = " UNION ALL ".join(f"SELECT MAX(version) v FROM {quoted(key)}" for key in self.schema.tables)
        return int(self.db.execute(f"SELECT MAX(v) FROM ({tables})").fetchone()[0] or 0)

    @property
    def version(self) -> int:
        """The last version number given; every write takes the next one."""
        return self._version

    def now(self) -> str:
        """The clock's time as stored text."""
        return time_text(self.clock())

    def subscribe(self, listener: Callable[[RowChange], None]) -> None:
        """Calls `listener` with each change after its transaction is committed, in order of writing."""
        self._listeners.append(listener)

    @contextmanager
    def transaction(self, *, by: str, source: str, purpose: str = "") -> Iterator[None]:
        """All or nothing for the writes inside; listeners hear of them once all are committed."""
        if self._open is not None:
            raise RuntimeError("transactions do not nest")
        current = self._open = _Transaction(by, source, purpose)
        self.db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        else:
            self.db.execute("COMMIT")
        finally:
            self._open = None
        for change in current.changes:
            for listener in tuple(self._listeners):
                listener(change)

    def row(self, table: Table, id: str) -> sqlite3.Row | None:
        """The stored row with this id."""
        sql = f"SELECT * FROM {quoted(table.key)} WHERE id = ?"
        found: sqlite3.Row | None = self.db.execute(sql, (id,)).fetchone()
        return found

    def insert(self, table: Table, id: str, row: Mapping[str, SqlValue]) -> None:
        """Adds a row; sqlite3.IntegrityError when the id is taken."""
        self.insert_many(table, [(id, row)])
        self._note(table, id, None)

    def insert_many(self, table: Table, rows: Iterable[tuple[str, Mapping[str, SqlValue]]]) -> None:
        """Adds rows without telling listeners."""
        keys = tuple(table.columns)
        names = ", ".join(quoted(key) for key in ("id", "version", *keys))
        marks = ", ".join("?" * (len(keys) + 2))
        sql = f"INSERT INTO {quoted(table.key)} ({names}) VALUES ({marks})"
        self.db.executemany(sql, ((id, self._next(), *map(row.get, keys)) for id, row in rows))

    def update(self, table: Table, id: str, row: SqlRow) -> None:
        """Changes columns of a row and gives it a new version; KeyError when there is no such row."""
        before = self.row(table, id)
        if before is None:
            raise KeyError(f"{table.key} {id}")
        sets = ", ".join(f"{quoted(key)} = ?" for key in ("version", *row))
        sql = f"UPDATE {quoted(table.key)} SET {sets} WHERE id = ?"
        self.db.execute(sql, (self._next(), *row.values(), id))
        self._note(table, id, before)

    def delete(self, table: Table, id: str) -> None:
        """Removes a row; KeyError when there is no such row."""
        before = self.row(table, id)
        if before is None:
            raise KeyError(f"{table.key} {id}")
        self.db.execute(f"DELETE FROM {quoted(table.key)} WHERE id = ?", (id,))
        self._note(table, id, before)

    def names_of(self, table: Table, ids: Sequence[str]) -> dict[str, str | None]:
        """The primary name of each row that exists, by id (what a lookup's formatted value shows)."""
        column = quoted(table.primary_name.key) if table.primary_name else "NULL"
        sql = f"SELECT t.id, {column} FROM json_each(?) k CROSS JOIN {quoted(table.key)} t ON t.id = k.value"
        return {row[0]: row[1] for row in self.db.execute(sql, (json.dumps(list(ids)),))}

    def _next(self) -> int:
        self._version += 1
        return self._version

    def _note(self, table: Table, id: str, before: sqlite3.Row | None) -> None:
        if self._open is None:
            raise RuntimeError("a write outside a transaction")
        after = self.row(table, id)
        change = RowChange(
            table.key,
            id,
            record(table, before) if before is not None else None,  # type: ignore[arg-type]
            record(table, after) if after is not None else None,  # type: ignore[arg-type]
            self._open.by,
            self._open.source,
            self._open.purpose,
        )
        self._open.changes.append(change)


def _indexed(column: Column) -> bool:
    # What the app and the engine ask for: rows of a parent, rows in a provisioning status, rows since a time.
    # Not the state: nearly all rows share one, and an index on it would only mislead SQLite's planner. So would
    # ANALYZE: most changes are Provisioned, which makes it think little of looking for those that are not.
    return (column.type == "lookup" and column.key != "modified_by") or (
        column.type == "choice" or column.key == "created_on"
    )
