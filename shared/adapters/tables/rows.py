"""A case as a row of table `cases`, and back.

What is listed, filtered or read by a person has a column of its own; what belongs together is JSON in one column,
or in several (`diagnosis`, `diagnosis_2` …) when it is long. Empty values have no column.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.adapters.tables.columns import ENTITY_BYTES, cut, joined, size, split
from shared.adapters.tables.keys import moment_of, partition_of, stamp
from shared.adapters.tables.shorten import fitting, with_fewer_facts
from shared.adapters.tables.versions import CASE, CASE_STEPS, Step, up_to_date
from shared.adapters.text import well_formed
from shared.domain.amendment import Asked, Done
from shared.domain.case import ACTING, Case, Notification, State
from shared.domain.diagnosis import Diagnosis
from shared.domain.finding import Disposition
from shared.domain.intent import Attempt, Intent
from shared.domain.plan import Plan
from shared.domain.standing import Stock
from shared.errors import CaseUnreadable, Refused

_NAME_UNITS = 1_000
_SENTENCE_UNITS = 8_000

_TEXTS: Mapping[str, int] = {
    "subscription_name": _NAME_UNITS,
    "customer_name": _NAME_UNITS,
    "provider_name": _NAME_UNITS,
    "summary": _SENTENCE_UNITS,
    "next_step": _SENTENCE_UNITS,
    "held_back": _SENTENCE_UNITS,
    "approved_digest": _NAME_UNITS,
    "approved_by": _NAME_UNITS,
    "assignee": _NAME_UNITS,
    "ticket": _NAME_UNITS,
    "ticket_url": _NAME_UNITS,
    "last_hash": _NAME_UNITS,
    "muted": _SENTENCE_UNITS,
}
"""Columns that are text, empty when not set, and how long they may be."""

_NULLABLE_TEXTS = ("cause", "first_cause", "change_id")
_MOMENTS = ("due_on", "provisioned_since", "resolved_on", "approved_on", "change_created_on", "muted_until")

_JSON: Mapping[str, TypeAdapter[Any]] = {
    "diagnosis": TypeAdapter(Diagnosis),
    "plan": TypeAdapter(Plan),
    "intent": TypeAdapter(Intent),
    "attempts": TypeAdapter(tuple[Attempt, ...]),
    "outgoing": TypeAdapter(tuple[Notification, ...]),
    "told": TypeAdapter(tuple[str, ...]),
    "dropped": TypeAdapter(tuple[str, ...]),
    "requested_by": TypeAdapter(tuple[str, ...]),
    "fixed_before": TypeAdapter(tuple[datetime, ...]),
    "asked": TypeAdapter(Asked),
    "done": TypeAdapter(tuple[Done, ...]),
    "closed_before": TypeAdapter(tuple[str, ...]),
    "dismissed": TypeAdapter(tuple[str, ...]),
}
_COLUMNS: Mapping[str, int] = {
    "diagnosis": 6,
    "plan": 1,
    "intent": 1,
    "attempts": 2,
    "outgoing": 2,
    "told": 1,
    "dropped": 1,
    "requested_by": 1,
    "fixed_before": 1,
    "asked": 1,
    "done": 1,
    "closed_before": 1,
    "dismissed": 1,
}
"""Into how many columns each may be split. Together with the texts they stay under an entity's 1 MiB."""


def to_row(case: Case, row_key: str) -> dict[str, Any]:
    """The row of a case. Raises Refused when it is too large even shortened, ValueError for a time without zone."""
    row: dict[str, Any] = {
        "PartitionKey": partition_of(case.subscription_id),
        "RowKey": row_key,
        "schema_version": CASE,
        "number": case.number,
        "state": case.state.value,
        "opened_on": stamp(case.opened_on),
        "last_sequence": case.last_sequence,
        "setbacks": case.setbacks,
    }
    if case.disposition is not None:
        row["disposition"] = case.disposition.value
    if case.stock is not Stock.NONE:
        row["stock"] = case.stock.value
    for name, longest in _TEXTS.items():
        row |= {name: well_formed(cut(text, longest))} if (text := getattr(case, name)) else {}
    for name in _NULLABLE_TEXTS:
        text = getattr(case, name)
        row |= {name: well_formed(cut(text, _NAME_UNITS))} if text is not None else {}
    for name in _MOMENTS:
        moment = getattr(case, name)
        row |= {name: stamp(moment)} if moment is not None else {}
    for name, text in _json_of(case):
        row |= split(name, text)
    if (bytes_ := size(row)) > ENTITY_BYTES:
        raise Refused("storage", f"The case is too large to be saved: {bytes_:,} bytes, {ENTITY_BYTES:,} fit.")
    return row


def from_row(row: Mapping[str, Any]) -> Case:
    """The case in a row, whoever wrote it. Raises CaseUnreadable naming the column that makes no sense."""
    read = Reader(row)
    read.version(CASE, CASE_STEPS)
    row = read.row
    values: dict[str, Any] = {name: read.text(name) for name in (*_TEXTS, *_NULLABLE_TEXTS)}
    values |= {name: read.json(name, adapter) for name, adapter in _JSON.items()}
    values |= {name: read.moment(name) for name in _MOMENTS if row.get(name) is not None}
    if row.get("disposition") is not None:
        values["disposition"] = read.choice("disposition", Disposition)
    values |= {name: read.whole(name) for name in ("last_sequence", "setbacks")}
    if row.get("stock") is not None:
        values["stock"] = read.choice("stock", Stock)
    case = Case(
        subscription_id=str(row["PartitionKey"]),
        number=read.whole("number"),
        opened_on=read.moment("opened_on"),
        state=read.choice("state", State),
        **{name: value for name, value in values.items() if value is not None},
    )
    if case.state in ACTING and case.intent is None:
        # Without it nobody can tell whether a change at Not Applicable is ours to finish.
        raise read.fault("intent", f"is missing although the case is {case.state}")
    return case


class Reader:
    """Reads columns of one row, and says which one is at fault."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = row
        self.name = f"{row.get('PartitionKey')} / {row.get('RowKey')}"

    def fault(self, column: str, problem: str) -> CaseUnreadable:
        """The error that names this row, to be raised."""
        return CaseUnreadable(self.name, column, problem)

    def version(self, known: int, steps: Mapping[int, Step] = MappingProxyType({})) -> None:
        """Reads on in the row as version `known` means it. Refuses one of a newer version: see versions.py."""
        self.row = up_to_date(self.row, self.name, known, steps)

    def whole(self, column: str) -> int:
        """A whole number that must be there. 64-bit ones come in a wrapper of the client's."""
        value = self.row.get(column)
        value = getattr(value, "value", value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.fault(column, f"should be a whole number and is {_shown(value)}")
        return value

    def text(self, column: str) -> str | None:
        """Text of one or several columns, None when it is not there."""
        try:
            return joined(self.row, column)
        except TypeError as error:
            raise self.fault(column, str(error)) from None

    def moment(self, column: str) -> datetime:
        """A time with a zone that must be there, as ISO 8601 text or as the table's own type."""
        value = self.row.get(column)
        try:
            if isinstance(value, (str, datetime)):
                return moment_of(value if isinstance(value, str) else value.isoformat())
        except ValueError:
            pass
        raise self.fault(column, f"should be a time with a zone and is {_shown(value)}")

    def choice[E: StrEnum](self, column: str, choices: type[E]) -> E:
        """One of `choices`, which must be there."""
        value = self.row.get(column)
        try:
            return choices(str(value))
        except ValueError:
            raise self.fault(column, f"is {_shown(value)}, not one of {', '.join(choices)}") from None

    def json(self, column: str, adapter: TypeAdapter[Any]) -> Any:
        """What the JSON of a column says, None when it is not there."""
        text = self.text(column)
        if text is None:
            return None
        try:
            value = adapter.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise self.fault(column, f"is not what it should be: {where or 'the JSON'}: {first['msg']}") from None
        if _MAY_LACK_ZONE.search(text) and _zoneless(value):
            raise self.fault(column, "holds a time without a zone")
        return value


def _json_of(case: Case) -> list[tuple[str, str]]:
    """Name and text of every JSON column that the case needs."""
    return [
        (name, fitting(name, most, _rendering(name, value)))
        for name, most in _COLUMNS.items()
        if (value := getattr(case, name)) not in (None, ())
    ]


def _rendering(name: str, value: Any) -> Callable[[int], Any]:
    """JSON of a value with at most so many items: of a diagnosis its facts, of what was told the newest keys."""
    match value:
        case Diagnosis():
            return lambda most: _dump(name, with_fewer_facts(value, most))
        case tuple() if name == "told":
            return lambda most: _dump(name, value[-most:])
        case _:
            return lambda _: _dump(name, value)


def _dump(name: str, value: Any) -> Any:
    return _JSON[name].dump_python(value, mode="json")


_MAY_LACK_ZONE = re.compile(r'"\d{4}-\d\d-\d\d([Tt _][\d:.,]*)?"')
"""A text that is a day, or a time that ends without a zone: without one, nothing needs to be looked through."""


def _zoneless(value: Any) -> bool:
    """Whether a time without a zone is anywhere inside: comparing it later would raise far from here."""
    if isinstance(value, datetime):
        return value.tzinfo is None
    if isinstance(value, (tuple, list)):
        return any(_zoneless(item) for item in value)
    if is_dataclass(value):
        return any(_zoneless(getattr(value, field.name)) for field in fields(value))
    return False


def _shown(value: object) -> str:
    return "missing" if value is None else cut(repr(value), 80)
