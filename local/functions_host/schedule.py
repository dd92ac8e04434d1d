"""When a timer is due: NCRONTAB with six fields (seconds first) or five, or a time span. Always UTC."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from croniter import croniter  # type: ignore[import-untyped]

from local.functions_host.errors import CannotStart
from local.functions_host.hostjson import time_span

type Schedule = Callable[[datetime], datetime]
"""The first due time after the one given."""

# croniter knows signs that NCRONTAB does not (L, #, ?, @daily): let none of them pass here and fail on Azure.
_NAMES = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat"
_FIELD = re.compile(rf"(?:\d|[*,/-]|{_NAMES})+", re.IGNORECASE)


def parse_schedule(text: str) -> Schedule:
    """The schedule that a timer trigger names, %SETTINGS% already filled in."""
    fields = text.split()
    if len(fields) in (5, 6) and all(map(_FIELD.fullmatch, fields)):
        return _cron(text)
    try:
        every = time_span(text)
    except ValueError:
        every = timedelta(0)
    if not every:
        raise CannotStart(f"the schedule {text!r} is neither NCRONTAB with six fields nor a time span")
    return lambda after: after + every


def _cron(text: str) -> Schedule:
    # NCRONTAB wants day of month AND day of week to fit where both are given; cron would take either.
    def next_after(after: datetime) -> datetime:
        due: datetime = croniter(text, after, ret_type=datetime, day_or=False, second_at_beginning=True).get_next()
        return due

    if not croniter.is_valid(text, second_at_beginning=True):
        raise CannotStart(f"the schedule {text!r} is not NCRONTAB")
    return next_after
