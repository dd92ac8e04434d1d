"""Rows as the Web API prints them: columns, etag, and the annotations that the caller asked for."""

import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from local.dataverse.store import Store
from local.dataverse.values import etag
from local.schema import OPTION_TYPES, Column, Table

FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOGICAL_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"
TOTAL = "Microsoft.Dynamics.CRM.totalrecordcount"
TOTAL_EXCEEDED = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"

# Microsoft's number for English (United States).
ENGLISH = 1033

type Json = dict[str, Any]


@dataclass(frozen=True)
class Annotations:
    """Which annotations `Prefer: odata.include-annotations` asked for; `*` and `prefix.*` are patterns."""

    patterns: tuple[str, ...] = ()

    def wants(self, name: str) -> bool:
        return any(
            pattern == "*" or name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1]))
            for pattern in self.patterns
        )


def parse_annotations(preference: str | None) -> Annotations:
    """The annotations of an include-annotations preference (its value, quotes removed)."""
    return Annotations(tuple(name for name in re.split(r"\s*,\s*", preference or "") if name))


@dataclass(frozen=True)
class Language:
    """The calling user's language: its code, and what the map's English labels are called in it."""

    code: int = ENGLISH
    labels: Mapping[str, str] = field(default_factory=dict)

    def label(self, english: str) -> str:
        return self.labels.get(english, english)


class Renderer:
    """Turns stored rows into JSON objects."""

    def __init__(self, store: Store, annotations: Annotations, language: Language) -> None:
        self.store = store
        self.language = language
        self.formatted = annotations.wants(FORMATTED)
        self.lookup_annotations = tuple(n for n in (NAVIGATION, LOGICAL_NAME) if annotations.wants(n))

    def rows(self, table: Table, select: tuple[Column, ...] | None, rows: Sequence[sqlite3.Row]) -> list[Json]:
        """One JSON object a row, in order."""
        columns = tuple(table.columns.values()) if select is None else select
        writers = [self._writer(column, rows) for column in columns]
        result: list[Json] = []
        for row in rows:
            item: Json = {"@odata.etag": etag(row["version"])}
            for write in writers:
                write(row, item)
            item[table.primary_id] = row["id"]
            result.append(item)
        return result

    def _writer(self, column: Column, rows: Iterable[sqlite3.Row]) -> Callable[[sqlite3.Row, Json], None]:
        key, name = column.key, column.api_name
        convert: Callable[[Any], Any] = bool if column.type == "boolean" else _same
        label = self._labels(column, rows) if self.formatted else None
        said = self._lookup_annotations(column, rows)

        def write(row: sqlite3.Row, item: Json) -> None:
            value = row[key]
            if value is None:
                item[name] = None
                return
            if label is not None:
                text = label(value)
                if text is not None:
                    item[f"{name}@{FORMATTED}"] = text
            item.update(said(value))
            item[name] = convert(value)

        return write

    def _lookup_annotations(self, column: Column, rows: Iterable[sqlite3.Row]) -> Callable[[str], Json]:
        """What is said beside a lookup's id: the same for all rows, unless it leads to several tables."""
        if not column.targets or not self.lookup_annotations:
            return lambda _: {}
        fixed = {name: self._leads(column, name) for name in column.targets}
        if not column.also:
            return lambda _: fixed[str(column.navigation)]
        leads = {id: name for name in column.targets for id in self._names(column.targets[name], column, rows)}
        return lambda id: fixed.get(leads.get(id, ""), {})

    def _leads(self, column: Column, navigation: str) -> Json:
        logical = self.store.schema.table(column.targets[navigation]).logical
        values = {NAVIGATION: navigation, LOGICAL_NAME: logical}
        return {f"{column.api_name}@{name}": values[name] for name in self.lookup_annotations}

    def _names(self, table: str, column: Column, rows: Iterable[sqlite3.Row]) -> dict[str, str | None]:
        ids = {row[column.key] for row in rows} - {None}
        return self.store.names_of(self.store.schema.table(table), sorted(ids))

    def _labels(self, column: Column, rows: Iterable[sqlite3.Row]) -> Callable[[Any], str | None] | None:
        if column.type in OPTION_TYPES:
            by_value: Mapping[int, str] = {
                value: self.language.label(option.label) for value, option in column.by_value.items()
            }
            return by_value.get
        if column.targets:
            names: dict[str, str | None] = {}
            for table in column.targets.values():
                names |= self._names(table, column, rows)
            return names.get
        return _FORMATS.get(column.type)


def _same(value: Any) -> Any:
    return value


def _short_date(moment: date) -> str:
    return f"{moment.month}/{moment.day}/{moment.year}"


def _date_label(text: str) -> str:
    return _short_date(date.fromisoformat(text))


def _time_label(text: str) -> str:
    moment = datetime.fromisoformat(text)
    return f"{_short_date(moment)} {moment.hour % 12 or 12}:{moment:%M %p}"


# As an English (United States) user in UTC sees them.
_FORMATS: Mapping[str, Callable[[Any], str]] = {
    "decimal": lambda value: f"{value:,.2f}",
    "whole": lambda value: f"{value:,}",
    "boolean": lambda value: "Yes" if value else "No",
    "date": _date_label,
    "datetime": _time_label,
    "wall_time": _time_label,
}
