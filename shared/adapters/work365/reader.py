"""One row of Dataverse, read by the map's column names. Odd values become None and are noted; nothing here raises."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.adapters.text import well_formed
from shared.adapters.work365.schema import Table

type Row = Mapping[str, Any]

MOST_SEATS = 1_000_000_000
"""A number beyond this is no quantity, price or number of days but a mistake: it is not known."""

_BARE_DAY = len("2026-11-22")


@dataclass
class Reader:
    """Reads the columns of one row. What a column holds and cannot be understood is noted in `unmapped`."""

    table: Table
    row: Row
    time_zone: tzinfo
    """Where Work 365 runs: what its days and its times without a zone mean."""
    unmapped: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The row's id, empty when it has none that makes sense."""
        return _guid(self.row.get(self.table.primary_id)) or ""

    def raw(self, key: str) -> Any:
        return self.row.get(self.table.column(key).in_row)

    def text(self, key: str) -> str:
        value = self.raw(key)
        if isinstance(value, str):
            return well_formed(value)
        self._note(key, value)
        return ""

    def flag(self, key: str) -> bool | None:
        value = self.raw(key)
        if isinstance(value, bool):
            return value
        self._note(key, value)
        return None

    def lookup(self, key: str) -> str | None:
        value = self.raw(key)
        read = _guid(value)
        if read is None and value != "":
            self._note(key, value)
        return read

    def number(self, key: str) -> Decimal | None:
        value = self.raw(key)
        number = _number(value)
        if number is None:
            self._note(key, value)
        return number

    def whole(self, key: str) -> int | None:
        """A number of days and the like: whole and not negative."""
        number = self.number(key)
        if number is None:
            return None
        if number < 0 or number != number.to_integral_value():
            self._note(key, self.raw(key))
            return None
        return int(number)

    def moment(self, key: str) -> datetime | None:
        """A moment, in UTC.

        The map's type says what the column means. `datetime` is a moment (Dataverse's UserLocal), which the Web API
        gives in UTC. `wall_time` is what a clock on the wall showed (TimeZoneIndependent): the Web API gives it as
        it was typed, with a Z that says nothing. It and a bare day are read in Work 365's time zone.
        """
        read = self._time(key)
        if read is None:
            return None
        if self._is_wall_time(key) or len(self.raw(key)) <= _BARE_DAY:
            read = read.replace(tzinfo=self.time_zone)
        try:
            return read.astimezone(UTC) if read.tzinfo is not None else read.replace(tzinfo=UTC)
        except (ValueError, OverflowError):  # within a day of the first or the last moment there is
            self._note(key, self.raw(key))
            return None

    def day(self, key: str) -> date | None:
        """A day as Work 365 means it: a bare date as it stands, a moment as a day where Work 365 runs."""
        read = self._time(key)
        if read is None:
            return None
        if read.tzinfo is None or self._is_wall_time(key):
            return read.date()
        try:
            return read.astimezone(self.time_zone).date()
        except (ValueError, OverflowError):
            return read.date()  # the last day there is; a rule will find it absurd

    def option[E: StrEnum](self, key: str, kind: type[E]) -> E | None:
        """The option as the domain knows it; anything else is noted, not guessed."""
        name = self.option_name(key)
        if name is not None and name not in kind:
            self._note(key, self.raw(key))
            return None
        return kind(name) if name is not None else None

    def option_name(self, key: str) -> str | None:
        value = self.raw(key)
        known = self.table.column(key).option_of
        name = known.get(value) if isinstance(value, int) and not isinstance(value, bool) else None
        if name is None:
            self._note(key, value)
        return name

    def is_one_of(self, key: str, *options: str) -> bool | None:
        """Whether a choice stands at one of these; None when that is not known."""
        name = self.option_name(key)
        return name in options if name is not None else None

    def must_have(self, key: str) -> None:
        """Notes a column that is empty although Dataverse never leaves it so."""
        if self.raw(key) is None:
            self.unmapped[self._place(key)] = "(empty)"

    def _time(self, key: str) -> datetime | None:
        value = self.raw(key)
        if isinstance(value, str):
            try:
                return datetime.fromisoformat(value)
            except ValueError:
                pass
        self._note(key, value)
        return None

    def _is_wall_time(self, key: str) -> bool:
        return self.table.column(key).type == "wall_time"

    def _note(self, key: str, value: object) -> None:
        if value is not None:
            self.unmapped[self._place(key)] = str(value)[:100]

    def _place(self, key: str) -> str:
        return f"{self.table.logical}.{self.table.column(key).logical}"


def _guid(value: object) -> str | None:
    try:
        return str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):  # the second: more digits than Python prints
        return None
    if not number.is_finite() or abs(number) > MOST_SEATS:
        return None
    # Dataverse writes 25 seats as 25.0; people are shown this number.
    return Decimal(int(number)) if number == number.to_integral_value() else number
