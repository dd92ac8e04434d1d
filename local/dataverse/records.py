"""The store by key names: what the Work 365 engine, the worlds, the control endpoint and tests work with.

Values by key: date -> datetime.date, datetime -> aware datetime (UTC, whole seconds), decimal -> Decimal,
whole -> int, boolean -> bool, lookup and guid -> lower-case GUID, choice, state and status -> option key.
"""

# ruff: noqa: S608  (names in SQL come from the schema map, values are parameters)

import itertools
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from local.dataverse.store import Clock, Record, RowChange, Store, quoted
from local.dataverse.values import SqlRow, guid_text, record, settle_state, time_text, to_sql
from local.schema import Schema, Table, load_schema

__all__ = ["Record", "Records", "RowChange", "sequential_ids"]

# An environment's identity unless a world says otherwise.
ORGANIZATION_ID = "0f6ce7c8-7a0c-4f0e-9d0b-36500000a001"
BUSINESS_UNIT_ID = "0f6ce7c8-7a0c-4f0e-9d0b-36500000b001"


def sequential_ids() -> Iterable[str]:
    """GUIDs that sort in the order they were made, as Dataverse's own do."""
    tail = uuid.uuid4().hex[8:]
    return (str(uuid.UUID(f"{number:08x}{tail}")) for number in itertools.count(0x3650_0000))


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Records:
    """All rows of one environment. `clock` gives aware times; `path` is SQLite's (default: in memory)."""

    def __init__(
        self,
        schema: Schema | None = None,
        clock: Clock = _utc_now,
        *,
        path: str = ":memory:",
        organization_id: str = ORGANIZATION_ID,
    ) -> None:
        self.schema = schema or load_schema()
        self.clock = clock
        self.store = Store(self.schema, clock, path)
        self._ids = iter(sequential_ids())
        if not self.find("organization"):
            self.set_organization(organization_id)

    @property
    def organization_id(self) -> str:
        """The environment's own id, as WhoAmI tells it."""
        return str(self.find("organization")[0]["id"])

    def set_organization(self, id: str) -> None:
        """Makes this another environment (a copied one has the same rows and another id)."""
        for row in self.find("organization"):
            self.delete("organization", row["id"], by="")
        self.create("organization", {"name": "Contoso", "language": 1033}, id=id, by="")

    def new_id(self) -> str:
        """An id that no row has."""
        return next(self._ids)

    def create(
        self,
        table: str,
        values: Mapping[str, object],
        *,
        id: str | None = None,
        by: str,
        on: datetime | None = None,
    ) -> str:
        """Adds a row and returns its id.

        `on` sets created_on and modified_on (now when absent), `by` is a system_user id. KeyError for an
        unknown table or column, TypeError or ValueError for a value that does not fit, IntegrityError for
        a taken id.
        """
        definition = self.schema.table(table)
        new_id = guid_text(id) if id else self.new_id()
        row = self._new_row(definition, values, by=by, on=time_text(on or self.clock()))
        with self.store.transaction(by=by, source="records"):
            self.store.insert(definition, new_id, row)
        return new_id

    def create_many(
        self, table: str, rows: Iterable[Mapping[str, object]], *, by: str, on: datetime | None = None
    ) -> list[str]:
        """Adds many rows at once without telling listeners; a row may bring its own `id`. Returns the ids."""
        definition = self.schema.table(table)
        moment = time_text(on or self.clock())
        ready: list[tuple[str, SqlRow]] = []
        for values in rows:
            given = dict(values)
            id = given.pop("id", None)
            row = self._new_row(definition, given, by=by, on=moment)
            ready.append((guid_text(id) if id else self.new_id(), row))
        with self.store.transaction(by=by, source="records"):
            self.store.insert_many(definition, ready)
        return [id for id, _ in ready]

    def get(self, table: str, id: str) -> Record | None:
        """The row with this id, or None."""
        definition = self.schema.table(table)
        row = self.store.row(definition, guid_text(id))
        return record(definition, row) if row is not None else None  # type: ignore[arg-type]

    def update(self, table: str, id: str, values: Mapping[str, object], *, by: str, on: datetime | None = None) -> None:
        """Changes columns, sets modified_on and modified_by, gives a new etag. KeyError when absent."""
        definition = self.schema.table(table)
        id = guid_text(id)
        current = self.store.row(definition, id)
        if current is None:
            raise KeyError(f"{table} {id}")
        row = _sql_values(definition, values)
        settle_state(definition, row, current)  # type: ignore[arg-type]
        row = {**stamps(definition, by, time_text(on or self.clock()), new=False), **row}
        with self.store.transaction(by=by, source="records"):
            self.store.update(definition, id, row)

    def delete(self, table: str, id: str, *, by: str) -> None:
        """Removes a row; KeyError when absent."""
        with self.store.transaction(by=by, source="records"):
            self.store.delete(self.schema.table(table), guid_text(id))

    def find(self, table: str, **equal: object) -> list[Record]:
        """Rows whose columns (and `id`) equal what is given, oldest first.

        A list, tuple or set means "one of"; None means empty. KeyError for an unknown column.
        """
        definition = self.schema.table(table)
        tests, values = _conditions(definition, equal)
        order = "created_on, id" if "created_on" in definition.columns else "id"
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        sql = f"SELECT * FROM {quoted(table)}{where} ORDER BY {order}"
        return [record(definition, row) for row in self.store.db.execute(sql, values)]

    def subscribe(self, listener: Callable[[RowChange], None]) -> None:
        """Calls `listener` after commit with each change, whether made here or through the Web API."""
        self.store.subscribe(listener)

    def grant_role(self, user_id: str, role: str) -> None:
        """Gives a system_user the security role of that name, which is made when no such role exists."""
        found = self.find("role", name=role)
        role_id = found[0]["id"] if found else self.create("role", {"name": role}, by="")
        sql = 'INSERT OR IGNORE INTO "systemuserroles_association" VALUES (?, ?)'
        self.store.db.execute(sql, (guid_text(user_id), role_id))

    def revoke_role(self, user_id: str, role: str) -> None:
        """Takes a security role away; nothing happens when the user does not have it."""
        sql = (
            'DELETE FROM "systemuserroles_association" WHERE left_id = ? AND right_id IN '
            "(SELECT id FROM role WHERE name = ?)"
        )
        self.store.db.execute(sql, (guid_text(user_id), role))

    def roles_of(self, user_id: str) -> list[str]:
        """The names of a user's security roles, in alphabetical order."""
        sql = (
            'SELECT r.name FROM "systemuserroles_association" a JOIN role r ON r.id = a.right_id '
            "WHERE a.left_id = ? ORDER BY r.name"
        )
        return [row[0] for row in self.store.db.execute(sql, (guid_text(user_id),))]

    def close(self) -> None:
        """Gives the memory or the file back."""
        self.store.close()

    def _new_row(self, table: Table, values: Mapping[str, object], *, by: str, on: str) -> SqlRow:
        row = {**stamps(table, by, on, new=True), **_sql_values(table, values)}
        settle_state(table, row, None)
        return row


def stamps(table: Table, by: str, on: str, *, new: bool) -> SqlRow:
    """What Dataverse itself writes on every save; tables without these columns get none of it."""
    row: SqlRow = {"modified_on": on, "modified_by": by or None}
    if new:
        row["created_on"] = on
    return {key: value for key, value in row.items() if key in table.columns}


def _sql_values(table: Table, values: Mapping[str, object]) -> SqlRow:
    unknown = set(values) - set(table.columns)
    if unknown:
        raise KeyError(f"{table.key} has no column {', '.join(sorted(unknown))}")
    return {key: to_sql(table.columns[key], value) for key, value in values.items()}


def _conditions(table: Table, equal: Mapping[str, object]) -> tuple[list[str], list[Any]]:
    tests: list[str] = []
    values: list[Any] = []
    for key, wanted in equal.items():
        if key != "id" and key not in table.columns:
            raise KeyError(f"{table.key} has no column {key}")
        choices = list(wanted) if isinstance(wanted, list | tuple | set | frozenset) else [wanted]
        ready = [
            guid_text(value) if key == "id" else to_sql(table.columns[key], value)
            for value in choices
            if value is not None
        ]
        test = f"{quoted(key)} IN (SELECT value FROM json_each(?))"
        if None in choices:
            test = f"({test} OR {quoted(key)} IS NULL)"
        tests.append(test)
        values.append(json.dumps(ready))
    return tests, values
