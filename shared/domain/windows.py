"""Dates of terms and of the windows in which seats may be given back.

What the provider itself says comes first: each batch of seats has its own window there. Then Work 365's own rule for
the subscription (Quantity Reduction Behavior and Window). Where neither is known, nothing is claimed.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from shared.domain.evidence import ChangeType, ProviderSubscription, ProvisioningStatus, ReductionBehavior, SeatBatch
from shared.domain.look import Look

RENEWAL_RUNS = timedelta(hours=24)
"""Renewal begins after 00:00 UTC of the day behind the term and may take this long."""

_TERMS = (1, 12, 36)
"""Months of the terms that are sold."""


def months_after(day: date, months: int) -> date | None:
    """The same day so many months later, or the month's last where it has no such day; None where dates end.

    Always counted from the first day, so that 31 January comes back to the 31st after February.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        return None
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def last_anniversary(start: date, months: int, today: date) -> date | None:
    """The latest day, up to today, that is a whole number of terms after the start; None before the first."""
    for terms in (_months(start, today) // months, _months(start, today) // months - 1):
        day = months_after(start, terms * months) if terms > 0 else None
        if day is not None and day <= today:
            return day
    return None


def days_later(moment: datetime, days: int, zone: tzinfo) -> datetime:
    """The same time of day so many days later where Work 365 runs: a day with a clock change counts as one day."""
    try:
        return moment.astimezone(zone) + timedelta(days=days)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def day_of(look: Look, moment: datetime) -> date:
    """The day of a moment where Work 365 runs; at the end of all dates the day as it is written."""
    try:
        return moment.astimezone(look.policy.time_zone).date()
    except OverflowError:
        return moment.date()


def term_ends(look: Look) -> datetime | None:
    """The moment at which the running term ends: the provider's own, else from Work 365's End Date."""
    shown = look.at_provider()
    if shown is not None and shown.commitment_end is not None:
        return shown.commitment_end
    day = _renewal_by_work365(look)
    return look.day_begins(day) if day is not None else None


def renews_on(look: Look) -> date | None:
    """The first day of the next term; None when it is not known or lies behind us."""
    shown = look.at_provider()
    if shown is not None and shown.commitment_end is not None:
        day = _day_behind(shown.commitment_end)
        return day if day is not None and day > look.today else None
    day = _renewal_by_work365(look)
    return day if day is not None and day > look.today else None


def renewing(look: Look) -> bool:
    """Whether the term ends, or ended, within a day: renewal runs then, and nothing else gets through."""
    end = term_ends(look)
    return end is not None and abs(end - look.now) <= RENEWAL_RUNS


def _day_behind(end: datetime) -> date | None:
    """The day behind a term that ends at 23:59:59, or at 00:00 of the day itself, in UTC as the provider counts."""
    try:
        return (end.astimezone(UTC) - timedelta(microseconds=1)).date() + timedelta(days=1)
    except OverflowError:
        return None


def _renewal_by_work365(look: Look) -> date | None:
    """End Date is the term's last day; where it falls on the anniversary of the start it is the renewal itself."""
    start, end = look.evidence.subscription.start_date, look.evidence.subscription.end_date
    if end is None or end == date.max:
        return None
    if start is not None and start < end and months_after(start, _months(start, end)) == end:
        return end
    return end + timedelta(days=1)


def _months(start: date, end: date) -> int:
    """Calendar months from one to the other."""
    return (end.year - start.year) * 12 + end.month - start.month


@dataclass(frozen=True, slots=True)
class Room:
    """How many seats may be given back now, and how that is known."""

    seats: int | None
    """None: as many as one likes."""
    until: datetime | None
    """When the first of them are lost; None when that is not known or never."""
    by_provider: bool
    """The provider said so itself."""
    closed_on: datetime | None = None
    """When the last window that is known of closed."""


def room(look: Look) -> Room | None:
    """The seats that may be given back now; None when nobody said: then no window is claimed to be closed."""
    shown = look.at_provider()
    if shown is not None and (shown.refundable_total is not None or shown.refundable is not None):
        return _by_provider(shown, look.now)
    return _by_work365(look)


def _by_provider(shown: ProviderSubscription, now: datetime) -> Room:
    batches = shown.refundable
    if batches is None:
        return Room(shown.refundable_total, None, by_provider=True)
    running = [b for b in batches if b.until is None or b.until > now]
    untils = [b.until for b in running if b.until is not None]
    over = [b.until for b in batches if b.until is not None and b.until <= now]
    return Room(_seats(running, shown.refundable_total), min(untils, default=None), True, max(over, default=None))


def _seats(running: list[SeatBatch], total: int | None) -> int | None:
    """Of the provider's total and the sum of its batches the smaller one: a total may be from before one ran out."""
    each = [batch.quantity for batch in running if batch.quantity is not None]
    if len(each) < len(running):
        return total
    return sum(each) if total is None else min(total, sum(each))


def _by_work365(look: Look) -> Room | None:
    subscription = look.evidence.subscription
    match subscription.reduction_behavior:
        case ReductionBehavior.ALLOWED:
            return Room(None, None, by_provider=False)
        case ReductionBehavior.DISALLOWED:
            return Room(0, None, by_provider=False)
        case ReductionBehavior.WITHIN_WINDOW if subscription.reduction_window_days is not None:
            return _within(look, subscription.reduction_window_days)
        case _:
            return None


def _within(look: Look, days: int) -> Room | None:
    """Work 365 counts the window from the Create's Actual Provisioned On, and anew from each renewal."""
    opened = _openings(look)
    if opened is None or not 0 <= days <= 3660:
        return None
    closings = [days_later(moment, days, look.policy.time_zone) for moment in opened]
    still = [until for until in closings if until > look.now]
    if not still:
        return Room(0, None, False, max(closings))
    return Room(None, max(still), by_provider=False)


def _openings(look: Look) -> list[datetime] | None:
    """When a window opened so far. None when the first order's provisioning is not known.

    Where the term is not known either, every month could have been a renewal: a window may then be open, and is
    not claimed to be closed.
    """
    first = min(_first_orders(look), default=None)
    if first is None:
        return None
    start = look.evidence.subscription.start_date or day_of(look, first)
    opened = [first] if first <= look.now else []
    renewed = last_anniversary(start, _term(look), look.today)
    return [*opened, look.day_begins(renewed)] if renewed is not None else opened or None


def _first_orders(look: Look) -> list[datetime]:
    """When the Create was provisioned."""
    return [
        c.actual_provisioned_on
        for c in look.evidence.changes
        if c.change_type is ChangeType.CREATE
        and c.status is ProvisioningStatus.PROVISIONED
        and c.actual_provisioned_on is not None
    ]


def _term(look: Look) -> int:
    """Months of a term: those between start and renewal when they are one term, else one month."""
    start, renewal = look.evidence.subscription.start_date, _renewal_by_work365(look)
    if start is None or renewal is None:
        return 1
    months = _months(start, renewal)
    return months if months in _TERMS and months_after(start, months) == renewal else 1
