"""When a timer runs: NCRONTAB with six fields (seconds first) or five, or a time span. Always UTC. Pure.

The Functions host runs the timers; this only tells when they should have run, so that it shows when they do not.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache

_DAYS_AHEAD = 366 * 8
"""A date that fits comes within eight years, 29 February included."""

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d{1,4}))?")
_SPAN = re.compile(r"(?:(\d{1,4})\.)?(\d{1,2}):([0-5]\d):([0-5]\d)")


@dataclass(frozen=True)
class Schedule:
    """The times of one timer. Day of month and day of week must both fit, as in NCRONTAB."""

    text: str
    fields: tuple[frozenset[int], ...] = ()
    every: timedelta | None = None
    """For a time span; the fields are empty then."""

    def after(self, moment: datetime) -> datetime:
        """The first time after this moment; the end of time when there is none."""
        if self.every is not None:
            return moment + self.every
        begin = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        for days in range(_DAYS_AHEAD):
            day = begin.date() + timedelta(days=days)
            earliest = begin.time() if days == 0 else time()
            fits = day.day in self.fields[3] and day.month in self.fields[4] and day.isoweekday() % 7 in self.fields[5]
            if fits and (found := self._first(earliest)) is not None:
                return datetime.combine(day, found, UTC)
        return datetime.max.replace(tzinfo=UTC)

    def _first(self, earliest: time) -> time | None:
        """The first time of a day that is not before `earliest`."""
        seconds, minutes, hours = (sorted(field) for field in self.fields[:3])
        for hour in (h for h in hours if h >= earliest.hour):
            for minute in (m for m in minutes if hour > earliest.hour or m >= earliest.minute):
                later = (hour, minute) > (earliest.hour, earliest.minute)
                second = seconds[0] if later else next((s for s in seconds if s >= earliest.second), None)
                if second is not None:
                    return time(hour, minute, second)
        return None


@cache
def parse(text: str) -> Schedule:
    """Raises ValueError for what the Functions host would not take as a timer's schedule."""
    fields = text.split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) == 6:
        return Schedule(text, tuple(_numbers(field, *_RANGES[n], _names(n)) for n, field in enumerate(fields)))
    span = _SPAN.fullmatch(text.strip())
    days, *clock = (int(part or 0) for part in span.groups()) if span else (0, 0, 0, 0)
    every = timedelta(days=days, hours=clock[0], minutes=clock[1], seconds=clock[2])
    if not every:
        raise ValueError("should be a schedule with six fields, seconds first, such as 0 */5 * * * *")
    return Schedule(text, every=every)


def _names(field: int) -> dict[str, int]:
    if field == 4:
        return {name: number for number, name in enumerate(_MONTHS, start=1)}
    return {name: number for number, name in enumerate(_WEEKDAYS)} if field == 5 else {}


def _numbers(field: str, lowest: int, highest: int, names: dict[str, int]) -> frozenset[int]:
    numbers: set[int] = set()
    for part in field.lower().split(","):
        found = _PART.fullmatch(part)
        if found is None:
            raise ValueError(f"has a field {field!r} that is no part of a schedule")
        step = int(found["step"] or 1)
        first = _number(found["first"], lowest, names)
        last = _number(found["last"], first if found["first"] and not found["step"] else highest, names)
        if not (lowest <= first <= last <= highest and step):
            raise ValueError(f"has a field {field!r} outside of {lowest} to {highest}")
        numbers.update(range(first, last + 1, step))
    return frozenset(numbers)


def _number(text: str | None, otherwise: int, names: dict[str, int]) -> int:
    if text is None:
        return otherwise
    if text in names:
        return names[text]
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"has a field with {text!r}, which is no number")
    return int(text)


EVERY_FIVE_MINUTES = parse("0 */5 * * * *")
EVERY_MINUTE = parse("30 * * * * *")
