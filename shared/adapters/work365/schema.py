"""The schema map: which of Work 365's tables, columns and options is which, as a data file.

Work 365 does not publish all of its names, so none is in the code; a wrong map is found when it is loaded.
"""

import json
from collections.abc import Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import SettingsError

type ColumnType = Literal[
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


class Option(BaseModel):
    """One value of a choice, state or status column."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: int
    label: str


class Column(BaseModel):
    """One column. `known` says whether its name is documented or assumed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    logical: str
    type: ColumnType
    known: Literal["public", "assumed"]
    target: str | None = None
    navigation: str | None = None
    collection: str | None = None
    also: Mapping[str, str] | None = None
    """Further tables that a lookup may lead to, by the navigation property that leads there."""
    options: Mapping[str, Option] | None = None
    states: Mapping[str, str] | None = None

    @property
    def in_row(self) -> str:
        """The property that holds its value in a row; a lookup's id has a name of its own."""
        return f"_{self.logical}_value" if self.type == "lookup" else self.logical

    def value(self, option: str) -> int:
        """The option's number. Raises SettingsError when the map lacks it."""
        if self.options is None or option not in self.options:
            raise SettingsError([f"WORK365_SCHEMA_MAP: {self.logical} has no option {option}"])
        return self.options[option].value

    @cached_property
    def option_of(self) -> Mapping[int, str]:
        return {option.value: key for key, option in (self.options or {}).items()}


class Association(BaseModel):
    """A many-to-many relationship, by the navigation property that this table has for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    navigation: str
    target: str
    known: Literal["public", "assumed"]


class Table(BaseModel):
    """One table with the columns that the app reads or writes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    logical: str
    entity_set: str
    primary_id: str
    label: str
    known: Literal["public", "assumed"]
    columns: Mapping[str, Column]
    associations: Mapping[str, Association] = {}

    def column(self, key: str) -> Column:
        """Raises SettingsError when the map lacks it."""
        if key not in self.columns:
            raise SettingsError([f"WORK365_SCHEMA_MAP: table {self.logical} has no column {key}"])
        return self.columns[key]

    def association(self, key: str) -> Association:
        """Raises SettingsError when the map lacks it."""
        if key not in self.associations:
            raise SettingsError([f"WORK365_SCHEMA_MAP: table {self.logical} has no association {key}"])
        return self.associations[key]


class SchemaMap(BaseModel):
    """The whole map, by the names that the app uses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    about: str
    application_ids: Mapping[str, UUID] = {}
    """Work 365's own applications in Entra, by region: whoever signs in as one of them is its back-end."""
    tables: Mapping[str, Table]

    def table(self, key: str) -> Table:
        """Raises SettingsError when the map lacks it."""
        if key not in self.tables:
            raise SettingsError([f"WORK365_SCHEMA_MAP: there is no table {key}"])
        return self.tables[key]

    def follows(self, table: str, key: str) -> bool:
        """Whether a lookup and the table that it leads to are both in the map: some may be taken out of it."""
        column = self.table(table).columns.get(key)
        return column is not None and column.target in self.tables


def load(path: str | None = None) -> SchemaMap:
    """The shipped map, or the one at `path`. Raises SettingsError naming the field that is wrong."""
    try:
        text = Path(path).read_text("utf-8") if path else _shipped()
        return SchemaMap.model_validate(json.loads(text))
    except OSError as error:
        raise SettingsError([f"WORK365_SCHEMA_MAP: the file cannot be read ({error.strerror})"]) from None
    except ValueError as error:
        raise SettingsError(_problems(error)) from None


def _shipped() -> str:
    return resources.files(__package__).joinpath("schema_map.json").read_text("utf-8")


def _problems(error: ValueError) -> list[str]:
    if not isinstance(error, ValidationError):
        return [f"WORK365_SCHEMA_MAP: not JSON ({error})"]
    return [f"WORK365_SCHEMA_MAP: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
