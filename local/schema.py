"""The schema map as typed objects, with names both ways: our key <-> Dataverse's logical name.

The map (a data file that the app reads too) says what Work 365's tables and columns are called and
how sure we are. Nothing under `local/` may write such a name itself: it asks this module by key.
Tables that every Dataverse has and that the map leaves out are added from `local/dataverse/system_tables.py`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast, get_args

from local.dataverse.system_tables import SYSTEM_TABLES

ColumnType = Literal[
    "text",
    "whole",
    "decimal",
    "boolean",
    "date",
    "datetime",
    "wall_time",
    "guid",
    "lookup",
    "choice",
    "state",
    "status",
]
OPTION_TYPES: frozenset[str] = frozenset({"choice", "state", "status"})
MAP_FILE = Path(__file__).parents[1] / "shared" / "adapters" / "work365" / "schema_map.json"

# What Dataverse gives a new single-line text column at most (columns may say otherwise with max_length).
TEXT_LENGTH = 4000


class SchemaError(ValueError):
    """The schema map is not usable; the message names table, column and what is wrong."""


@dataclass(frozen=True)
class Option:
    """One choice: our key, Dataverse's integer, and the English label."""

    key: str
    value: int
    label: str


@dataclass(frozen=True)
class Column:
    """One column. `target`, `navigation`, `collection` are set for lookups, `options` for choices.

    A lookup may lead to rows of several tables (regardingobjectid): `also` has the other tables, by the navigation
    property that leads there.
    """

    key: str
    logical: str
    type: ColumnType
    known: str
    target: str | None = None
    navigation: str | None = None
    collection: str | None = None
    also: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Option] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    max_length: int = TEXT_LENGTH

    @property
    def api_name(self) -> str:
        """The name in JSON and in $select and $filter: lookups read as `_logical_value`."""
        return f"_{self.logical}_value" if self.type == "lookup" else self.logical

    @cached_property
    def by_value(self) -> Mapping[int, Option]:
        """The options by Dataverse's integer."""
        return {option.value: option for option in self.options.values()}

    @cached_property
    def targets(self) -> Mapping[str, str]:
        """The tables (keys) that a lookup may lead to, by navigation property; its main one first."""
        main = {self.navigation: self.target} if self.navigation and self.target else {}
        return {**main, **self.also}

    def option_value(self, key: str) -> int:
        """Dataverse's integer for an option key; SchemaError when the column has no such option."""
        if key not in self.options:
            raise SchemaError(f"{self.key} has no option {key!r}; it has {', '.join(self.options)}")
        return self.options[key].value

    def state_of(self, status: str) -> str:
        """The state that a status belongs to; where the map is silent, the state of the same name."""
        return self.states.get(status, status)


@dataclass(frozen=True)
class Table:
    """One table and its columns by key."""

    key: str
    logical: str
    entity_set: str
    primary_id: str
    label: str
    known: str
    columns: Mapping[str, Column]

    @cached_property
    def by_logical(self) -> Mapping[str, Column]:
        return {column.logical: column for column in self.columns.values()}

    @cached_property
    def by_api_name(self) -> Mapping[str, Column]:
        return {column.api_name: column for column in self.columns.values()}

    @cached_property
    def by_navigation(self) -> Mapping[str, Column]:
        """Lookups by the (case-sensitive) names of their single-valued navigation properties."""
        return {name: column for column in self.columns.values() for name in column.targets}

    @cached_property
    def primary_name(self) -> Column | None:
        """The column whose text stands for the row when another row looks it up."""
        return self.columns.get("name")

    def default_status(self, state: str) -> str | None:
        """The status that a row gets when only its state is given: of the same name, else the first."""
        status = self.columns.get("status")
        if status is None:
            return None
        fitting = [key for key in status.options if status.state_of(key) == state]
        return state if state in fitting else next(iter(fitting), None)


@dataclass(frozen=True)
class Collection:
    """A one-to-many navigation property: rows of `table` whose `column` looks up the owner."""

    name: str
    table: Table
    column: Column


@dataclass(frozen=True)
class Association:
    """A many-to-many navigation property from table `left` to table `right` (keys)."""

    name: str
    left: str
    right: str


@dataclass(frozen=True)
class Schema:
    """All tables by key."""

    tables: Mapping[str, Table]
    associations: tuple[Association, ...] = ()

    def table(self, key: str) -> Table:
        """The table with this key; KeyError when there is none."""
        return self.tables[key]

    @cached_property
    def by_entity_set(self) -> Mapping[str, Table]:
        return {table.entity_set: table for table in self.tables.values()}

    @cached_property
    def by_logical(self) -> Mapping[str, Table]:
        return {table.logical: table for table in self.tables.values()}

    @cached_property
    def _collections(self) -> Mapping[str, Mapping[str, Collection]]:
        found: dict[str, dict[str, Collection]] = {key: {} for key in self.tables}
        for table in self.tables.values():
            for column in table.columns.values():
                if column.target and column.collection:
                    found[column.target][column.collection] = Collection(column.collection, table, column)
        return found

    def collections(self, key: str) -> Mapping[str, Collection]:
        """The one-to-many navigation properties of a table, by name."""
        return self._collections[key]

    def association(self, key: str, name: str) -> Association | None:
        """The many-to-many navigation property of that name on a table, if it has one."""
        return next((a for a in self.associations if a.left == key and a.name == name), None)


def load_schema(path: Path | None = None) -> Schema:
    """Reads the schema map (the project's own when no path is given).

    Raises SchemaError when the file is not a usable map.
    """
    file = path or MAP_FILE
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SchemaError(f"schema map {file} cannot be read: {error}") from error
    return parse_schema(document)


def parse_schema(document: Mapping[str, Any]) -> Schema:
    """The schema of a parsed map document; SchemaError names what is wrong with it."""
    raw = {**SYSTEM_TABLES, **document.get("tables", {})}
    tables = {key: _table(key, value) for key, value in raw.items()}
    for table in tables.values():
        for column in table.columns.values():
            for target in (column.target, *column.also.values()):
                if target is not None and target not in tables:
                    raise SchemaError(f"{table.key}.{column.key} looks up {target}, which is no table")
    return Schema(tables, tuple(_associations(raw, tables)))


def _associations(raw: Mapping[str, Any], tables: Mapping[str, Table]) -> Iterator[Association]:
    for key, table in raw.items():
        for name, association in table.get("associations", {}).items():
            if association["target"] not in tables:
                raise SchemaError(f"{key}.{name} leads to {association['target']}, which is no table")
            yield Association(association["navigation"], key, association["target"])


def _table(key: str, raw: Mapping[str, Any]) -> Table:
    try:
        columns = {name: _column(key, name, value) for name, value in raw["columns"].items()}
        return Table(key, raw["logical"], raw["entity_set"], raw["primary_id"], raw["label"], raw["known"], columns)
    except KeyError as error:
        raise SchemaError(f"table {key} misses {error}") from error


def _column(table: str, key: str, raw: Mapping[str, Any]) -> Column:
    if raw["type"] not in get_args(ColumnType):
        raise SchemaError(f"{table}.{key} has the unknown type {raw['type']!r}")
    options = {
        name: Option(name, int(option["value"]), str(option["label"]))
        for name, option in raw.get("options", {}).items()
    }
    if raw["type"] in OPTION_TYPES and not options:
        raise SchemaError(f"{table}.{key} is a {raw['type']} without options")
    return Column(
        key=key,
        logical=raw["logical"],
        type=cast("ColumnType", raw["type"]),
        known=raw["known"],
        target=raw.get("target"),
        navigation=raw.get("navigation"),
        collection=raw.get("collection"),
        also=raw.get("also", {}),
        options=options,
        states=raw.get("states", {}),
        max_length=int(raw.get("max_length", TEXT_LENGTH)),
    )
