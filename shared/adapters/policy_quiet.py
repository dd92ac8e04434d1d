"""When nothing is written: local wall-clock times with a recurrence rule, as the windows of a moment.

    starts 2026-01-02T22:00, ends 2026-01-03T06:00, repeats FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR, in Europe/Amsterdam

A window's length is that of the wall clock, so 22:00 to 06:00 stays so on the nights when clocks are changed. A time
that the clock shows twice, or never, is taken so that the window is the longer one. Rules are those of RFC 5545,
section 3.3.10, read by dateutil.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
PARTS = ("FREQ", "INTERVAL", "UNTIL", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS", "WKST")
"""What a rule may say. The hour is that of `starts`; COUNT is not there since UNTIL says it more plainly."""

_HORIZON = "20991231T235959"
"""Where a rule without UNTIL ends: one that never happens would be looked for until the year 9999."""

LONGEST = timedelta(days=366)
YEARS = range(2000, 2099)

type Window = tuple[datetime, datetime]


def rule_of(text: str, starts: datetime) -> rrule:
    """The rule, beginning at `starts` (local, without zone). Raises ValueError that says what is wrong."""
    said = [part.partition("=")[::2] for part in text.upper().removeprefix("RRULE:").split(";")]
    parts = dict(said)
    odd = next((name for name in parts if name not in PARTS), None)
    if odd is not None:
        raise ValueError(f"repeats: {odd[:20] or 'an empty part'} is not allowed; allowed are {', '.join(PARTS)}")
    if len(parts) < len(said):
        raise ValueError("repeats: the same part is there twice")
    if parts.get("FREQ") not in FREQUENCIES:
        raise ValueError(f"repeats: FREQ should be one of {', '.join(FREQUENCIES)}")
    if not re.fullmatch(r"[1-9]\d{0,3}", parts.get("INTERVAL", "1"), re.ASCII):
        raise ValueError("repeats: INTERVAL should be a whole number from 1 to 9999")
    if not re.fullmatch(r"20\d{6}(T\d{6})?", parts.setdefault("UNTIL", _HORIZON), re.ASCII):
        raise ValueError("repeats: UNTIL should be local time, such as 20271231T235959")
    try:
        rule = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=starts)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"repeats: not a rule of RFC 5545 such as FREQ=WEEKLY;BYDAY=MO,TU ({error})") from None
    if not isinstance(rule, rrule) or next(iter(rule), None) is None:
        raise ValueError("repeats: the rule never happens")
    return rule


def windows_of(
    starts: datetime, ends: datetime, zone: ZoneInfo, repeats: str | None
) -> Callable[[datetime], Window | None]:
    """The window, in UTC, that a moment falls into; of several that overlap the one that ends last. Pure.

    `starts` and `ends` are local times without zone. Raises ValueError when they or the rule make no sense.
    """
    if not starts < ends <= starts + LONGEST:
        raise ValueError(f"ends should be after starts, by {LONGEST.days} days at most")
    if starts.year not in YEARS:
        raise ValueError(f"starts should be in a year from {YEARS[0]} to {YEARS[-1]}")
    rule = rule_of(repeats, starts) if repeats is not None else None
    length = ends - starts

    @lru_cache(maxsize=16)  # a rule is walked from its beginning, and a step asks for each of its cases
    def around(day: date) -> tuple[Window, ...]:
        """Every window that may touch a local day."""
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001  (local wall clock, as the rule is)
        first, last = midnight - length - timedelta(days=1), midnight + timedelta(days=2)
        begins = rule.between(first, last, inc=True) if rule is not None else [starts]
        return tuple(_in_utc(begin, begin + length, zone) for begin in begins)

    def window(moment: datetime) -> Window | None:
        found = [w for w in around(moment.astimezone(zone).date()) if w[0] <= moment < w[1]]
        return max(found, key=lambda w: w[1], default=None)

    return window


def _in_utc(begins: datetime, ends: datetime, zone: ZoneInfo) -> Window:
    return min(_readings(begins, zone)), max(_readings(ends, zone))


def _readings(local: datetime, zone: ZoneInfo) -> list[datetime]:
    """Both instants that a local time may mean where clocks are changed; the same twice on any other day."""
    return [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
