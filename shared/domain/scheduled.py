"""Scheduled License Change Logs that should have been merged into their subscription and were not."""

from datetime import UTC, date, datetime

from shared.domain.evidence import Change, Job, ScheduledChange
from shared.domain.look import Look
from shared.domain.windows import day_of


def overdue(look: Look) -> list[ScheduledChange]:
    """Those that failed to merge, and those whose day is over, the earliest first.

    On its day itself a change is still merged: it is late from the next day on, where Work 365 runs.
    """
    late = [s for s in look.evidence.scheduled if s.status == "merge_failed" or _day_is_over(look, s)]
    return sorted(late, key=lambda s: (s.effective_date or date.min, s.id))


def _day_is_over(look: Look, scheduled: ScheduledChange) -> bool:
    return scheduled.effective_date is not None and scheduled.effective_date < look.today


def before_head(look: Look, scheduled: ScheduledChange) -> bool:
    """Whether it should have been merged before the head: on the same day or an earlier one, or nobody knows."""
    head = look.head
    if head is None or merged_as(look, scheduled) is not None:
        return False
    made = day_of(look, head.created_on) if head.created_on is not None else None
    day = head.effective_date or made
    return scheduled.effective_date is None or day is None or scheduled.effective_date <= day


def merged_as(look: Look, scheduled: ScheduledChange) -> Change | None:
    """The change log that an overdue one seems to have become: its row was not archived, its change is there.

    One that failed to merge has none.
    """
    if scheduled.status == "merge_failed" or scheduled.quantity is None or scheduled.effective_date is None:
        return None
    same = [
        change
        for change in look.evidence.changes
        if change.effective_date == scheduled.effective_date
        and change.quantity == scheduled.quantity
        and (scheduled.change_type is None or change.change_type is scheduled.change_type)
    ]
    return min(same, key=lambda change: change.id, default=None)


def merge_jobs(look: Look, scheduled: ScheduledChange) -> list[Job]:
    """The jobs that merge it, newest first."""
    oldest = datetime.min.replace(tzinfo=UTC)
    mine = [job for job in look.evidence.jobs if job.scheduled_change_id == scheduled.id]
    return sorted(mine, key=lambda job: (job.created_on or oldest, job.id), reverse=True)
