"""Dates where Work 365 runs: its midnight, nights of 23 or 25 hours, leap days, month ends, the last year there is."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from shared.domain.evidence import Evidence
from shared.domain.evidence import SubscriptionStatus as Status
from shared.domain.look import Look
from tests.builders import DAY, NOW
from tests.corpus.case import AUTO, PERSON, WAIT, Case, case, healthy
from tests.corpus.parts import MICROSOFT, MINUTE, old, scheduled, seats, see, stuck, sub

BERLIN, NEW_YORK, AUCKLAND = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Auckland")
SANTIAGO, CAIRO, KOLKATA = ZoneInfo("America/Santiago"), ZoneInfo("Africa/Cairo"), ZoneInfo("Asia/Kolkata")
HAVANA, APIA = ZoneInfo("America/Havana"), ZoneInfo("Pacific/Apia")


def _on(now: datetime, day: date, zone: ZoneInfo | None = None, **values: object) -> Look:
    """A change effective that day, made three days ago, looked at now."""
    made = now - 3 * DAY
    change = stuck(effective_date=day, created_on=made, modified_on=made)
    used = replace(MICROSOFT, last_verified_on=now - 2 * DAY, consent_on=now - 10 * DAY)
    subscription = sub(**{"end_date": None, "provider": used, **values})
    return see(old(), change, now=now, zone=zone or UTC, subscription=subscription, provider=seats(now=now))


def _utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[arg-type, misc]


# name, now, effective date, zone, when its day begins there
_TOMORROW: tuple[tuple[str, datetime, date, ZoneInfo | None, datetime], ...] = (
    ("a minute before midnight", _utc(2026, 11, 22, 23, 59), date(2026, 11, 23), None, _utc(2026, 11, 23)),
    ("New York's evening", _utc(2026, 11, 23, 3), date(2026, 11, 23), NEW_YORK, _utc(2026, 11, 23, 5)),
    ("Berlin before the short night", _utc(2026, 3, 28, 22), date(2026, 3, 29), BERLIN, _utc(2026, 3, 28, 23)),
    ("Berlin in the short night", _utc(2026, 3, 29, 1, 30), date(2026, 3, 30), BERLIN, _utc(2026, 3, 29, 22)),
    ("Berlin before the long night", _utc(2026, 10, 24, 21), date(2026, 10, 25), BERLIN, _utc(2026, 10, 24, 22)),
    ("Berlin in the long night", _utc(2026, 10, 25, 0, 30), date(2026, 10, 26), BERLIN, _utc(2026, 10, 25, 23)),
    ("New York before the short night", _utc(2026, 3, 8, 4), date(2026, 3, 8), NEW_YORK, _utc(2026, 3, 8, 5)),
    ("New York after the long night", _utc(2026, 11, 2, 4, 30), date(2026, 11, 2), NEW_YORK, _utc(2026, 11, 2, 5)),
    (
        "a midnight that does not exist in Santiago",
        _utc(2026, 9, 6, 3),
        date(2026, 9, 6),
        SANTIAGO,
        _utc(2026, 9, 6, 4),
    ),
    ("a midnight that does not exist in Cairo", _utc(2026, 4, 23, 21), date(2026, 4, 24), CAIRO, _utc(2026, 4, 23, 22)),
    ("half an hour off in Kolkata", _utc(2026, 11, 22, 18), date(2026, 11, 23), KOLKATA, _utc(2026, 11, 22, 18, 30)),
    ("the day before a leap day", _utc(2028, 2, 28, 12), date(2028, 2, 29), None, _utc(2028, 2, 29)),
    ("a leap day, for the first of March", _utc(2028, 2, 29, 12), date(2028, 3, 1), None, _utc(2028, 3, 1)),
    ("the last of a short month", _utc(2026, 2, 28, 12), date(2026, 3, 1), None, _utc(2026, 3, 1)),
    ("New Year's Eve", _utc(2026, 12, 31, 23, 0), date(2027, 1, 1), None, _utc(2027, 1, 1)),
    ("New Year's Eve far in the west", _utc(2027, 1, 1, 3), date(2027, 1, 1), NEW_YORK, _utc(2027, 1, 1, 5)),
)
_DUE: tuple[tuple[str, datetime, date, ZoneInfo | None], ...] = (
    ("today at noon", NOW, date(2026, 11, 22), None),
    ("Berlin has tomorrow already", _utc(2026, 11, 22, 23, 59), date(2026, 11, 23), BERLIN),
    ("Auckland has tomorrow already", _utc(2026, 11, 22, 12), date(2026, 11, 23), AUCKLAND),
    ("Apia has tomorrow already", _utc(2026, 11, 22, 12), date(2026, 11, 23), APIA),
    ("Berlin in the short night, for today", _utc(2026, 3, 29, 1, 30), date(2026, 3, 29), BERLIN),
    ("Berlin in the long night, for today", _utc(2026, 10, 25, 1, 30), date(2026, 10, 25), BERLIN),
    ("Santiago after the missing hour", _utc(2026, 9, 6, 4, 45), date(2026, 9, 6), SANTIAGO),
    ("Havana after the hour that came twice", _utc(2026, 11, 1, 6, 30), date(2026, 11, 1), HAVANA),
    ("a leap day itself", _utc(2028, 2, 29, 12), date(2028, 2, 29), None),
    ("the first of March after a leap day", _utc(2028, 3, 1, 12), date(2028, 2, 29), None),
    ("yesterday in New York, which is the day before in UTC", _utc(2026, 11, 23, 6), date(2026, 11, 22), NEW_YORK),
    ("the last of the month", _utc(2026, 11, 30, 12), date(2026, 11, 30), None),
    ("long ago", NOW, date(1901, 1, 1), None),
)


def _early(name: str, now: datetime, day: date, zone: ZoneInfo | None, begins: datetime) -> Case:
    return case(
        f"tomorrow: {name}",
        "effective after today where Work 365 runs: until then and a cycle",
        _on(now, day, zone),
        "future_effective_date",
        WAIT,
        until=begins + 30 * MINUTE,
    )


def _due(name: str, now: datetime, day: date, zone: ZoneInfo | None) -> Case:
    return case(
        f"due: {name}",
        "the day has come where Work 365 runs: not the future",
        _on(now, day, zone),
        "trigger_missed",
        AUTO,
        never=["future_effective_date"],
    )


_REST = sub(status=Status.PROVISIONED)


def _plan(day: date | None, now: datetime = NOW, zone: ZoneInfo | None = None) -> Look:
    """Nothing but a scheduled change for that day."""
    return see(old(), now=now, zone=zone or UTC, subscription=_REST, scheduled=(scheduled("pending", day),))


def _merged_late(name: str, day: date, now: datetime = NOW, zone: ZoneInfo | None = None) -> Case:
    return case(
        f"scheduled for {name}",
        "pending past its date where Work 365 runs, and no change log came of it",
        _plan(day, now, zone),
        "scheduled_change_not_applied",
        PERSON,
        never=["unknown"],
    )


def _merge_due(name: str, day: date, now: datetime = NOW, zone: ZoneInfo | None = None) -> Case:
    return healthy(
        f"scheduled for {name}",
        "its day is not over yet where Work 365 runs",
        _plan(day, now, zone),
        near="scheduled_change_not_applied",
    )


def _year_9999(*, end: date | None) -> Evidence:
    return see(old(), stuck(effective_date=date(9999, 12, 31)), subscription=sub(end_date=end)).evidence


# fmt: off
CASES = [
    *(_early(*row) for row in _TOMORROW),
    *(_due(*row) for row in _DUE),
    case(
        "ten minutes into its day in Berlin", "not the future any more, and not a cycle old either",
        _on(_utc(2026, 11, 22, 23, 10), date(2026, 11, 23), BERLIN), "not_stuck_yet", WAIT,
        never=["future_effective_date"], until=_utc(2026, 11, 22, 23, 30),
    ),
    case(
        "ten minutes into a leap day", "the day has begun ten minutes ago",
        _on(_utc(2028, 2, 29, 0, 10), date(2028, 2, 29)), "not_stuck_yet", WAIT, never=["future_effective_date"],
    ),
    case(
        "the subscription starts next week", "the start date holds it as well",
        _on(NOW, date(2026, 11, 1), start_date=date(2026, 11, 29)), "future_effective_date", WAIT,
        until=_utc(2026, 11, 29, 0, 30),
    ),
    case(
        "starts tomorrow, effective in a week", "the later of the two dates",
        _on(NOW, date(2026, 11, 29), start_date=date(2026, 11, 23)), "future_effective_date", WAIT,
        until=_utc(2026, 11, 29, 0, 30),
    ),
    case(
        "the subscription starts today", "today is not the future",
        _on(NOW, date(2026, 11, 22), start_date=date(2026, 11, 22)), "trigger_missed", AUTO,
        never=["future_effective_date"],
    ),
    case(
        "in the year 9999 beyond the term", "a typing error?", see(old(), stuck(effective_date=date(9999, 12, 31))),
        "future_effective_date", PERSON,
    ),
    case(
        "in the year 9999 without a term", "later than any cycle can be added to",
        Look(_year_9999(end=None), NOW, see().policy), "future_effective_date", WAIT, PERSON,
    ),
    case(
        "in the year 9999 where midnight lies in the year 10000", "no such instant in UTC",
        see(old(), stuck(effective_date=date(9999, 12, 31)), subscription=sub(end_date=None), zone=NEW_YORK),
        "future_effective_date", WAIT, PERSON,
    ),
    case(
        "2062 for 2026", "beyond the term: two digits turned round",
        see(old(), stuck(effective_date=date(2062, 11, 23))), "future_effective_date", PERSON,
    ),
    case(
        "on the last day of the term", "still inside it", see(old(), stuck(effective_date=date(2026, 12, 31))),
        "future_effective_date", WAIT,
    ),
    case(
        "from the first day there is", "the year 1 is long past",
        see(old(), stuck(effective_date=date(1, 1, 1)), zone=BERLIN), "trigger_missed", AUTO,
    ),
    case(
        "a change without an effective date", "only what is known to lie ahead waits",
        see(old(), stuck(effective_date=None)), "trigger_missed", AUTO, never=["future_effective_date"],
    ),
    _merged_late("yesterday", date(2026, 11, 21)),
    _merged_late("yesterday in Berlin, today in UTC", date(2026, 11, 22), _utc(2026, 11, 22, 23, 30), BERLIN),
    _merged_late("the leap day, on the first of March", date(2028, 2, 29), _utc(2028, 3, 1, 12)),
    _merged_late("the day of the short night, a day later", date(2026, 3, 29), _utc(2026, 3, 30, 1), BERLIN),
    _merged_late("a month's last day, on the first", date(2026, 10, 31), _utc(2026, 11, 1, 9)),
    _merge_due("today", date(2026, 11, 22)),
    _merge_due("today in New York, yesterday in UTC", date(2026, 11, 22), _utc(2026, 11, 23, 3), NEW_YORK),
    _merge_due("the leap day, on that day", date(2028, 2, 29), _utc(2028, 2, 29, 23, 59)),
    _merge_due("the day of the long night, in its 25th hour", date(2026, 10, 25), _utc(2026, 10, 25, 22, 30), BERLIN),
    _merge_due("the year 9999", date(9999, 12, 31)),
]
