"""The change or its subscription begins on a later day: it is not stuck, it is early."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from shared.domain.evidence import ChangeType, ProvisioningStatus, SubscriptionStatus
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.seats import seats
from shared.domain.windows import day_of

NAME = "future_effective_date"


def look_for(look: Look) -> Finding | RuledOut:
    if look.head is None:
        return _activation(look) or RuledOut(NAME, "no change is unprovisioned")
    waits = [wait for wait in (_job(look), _effective(look), _start(look)) if wait is not None]
    if not waits:
        return RuledOut(NAME, "effective date, start date and the job's schedule are today or earlier")
    # The job's own schedule is what Work 365 goes by; else the latest date holds the change.
    until, fact = waits[0] if waits[0][1].what == "Scheduled For" else max(waits, key=lambda wait: wait[0])
    if (end := look.evidence.subscription.end_date) is not None and _beyond(day_of(look, until), end):
        return _typing_error(look, fact)
    return _wait(look, until, fact)


def _wait(look: Look, until: datetime, fact: Fact) -> Finding:
    head = look.head
    failed = head is not None and head.status is ProvisioningStatus.FAILED
    next_step = "Nothing to do: Work 365 picks it up when the date comes."
    if failed:
        next_step = "Mend by then what its message complains of: it stands at Failed Provisioning."
    elif (seats(head) or 0) > 0:
        next_step += " To begin earlier, a person decides to move the date, which changes the invoice."
    return Finding(
        cause=NAME,
        disposition=Disposition.WAIT,
        confidence=Confidence.CERTAIN,
        sentence=f"The change is not due yet: {fact.what} is {fact.value}.",
        next_step=next_step,
        who="billing administrator" if failed else "no one",
        proof=(fact,),
        until=look.after(until, look.policy.waiting_time),
    )


def _typing_error(look: Look, fact: Fact) -> Finding:
    subscription = look.evidence.subscription
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LIKELY,
        sentence=f"The change begins {fact.value}, after the subscription's term ends: a typing error?",
        next_step="Correct the date, or confirm it.",
        who="billing administrator",
        proof=(fact, look.fact("End Date", subscription.end_date, f"subscription:{subscription.id}")),
    )


def _beyond(day: date, end: date) -> bool:
    """Later than On Renewal, which is the first day behind the term."""
    return day > end and day - end > timedelta(days=1)


def _job(look: Look) -> tuple[datetime, Fact] | None:
    later = [(j.scheduled_for, j.id) for j in look.live_jobs if j.scheduled_for and j.scheduled_for > look.now]
    if not later:
        return None
    moment, job_id = min(later)
    return moment, look.fact("Scheduled For", moment.isoformat(), f"work365_job:{job_id}")


def _effective(look: Look) -> tuple[datetime, Fact] | None:
    day = look.head.effective_date if look.head else None
    if day is None or day <= look.today:
        return None
    return look.day_begins(day), look.change_fact("Effective Date", day)


def _start(look: Look) -> tuple[datetime, Fact] | None:
    subscription = look.evidence.subscription
    day = subscription.start_date
    if day is None or day <= look.today:
        return None
    return look.day_begins(day), look.fact("Effective Start Date", day, f"subscription:{subscription.id}")


def _activation(look: Look) -> Finding | None:
    """A subscription that awaits its scheduled activation has no change log yet, and needs none until then.

    Any other scheduled change explains nothing: the subscription should be in force before it.
    """
    if look.evidence.subscription.status is not SubscriptionStatus.AWAITING:
        return None
    days = [
        (day, s.id)
        for s in look.evidence.scheduled
        if s.status == "pending"
        and s.change_type is ChangeType.ACTIVATE
        and (day := s.effective_date) is not None
        and day > look.today
    ]
    if not days:
        return None
    day, scheduled_id = min(days)
    fact = look.fact("Effective Date", day, f"scheduled_license_change_log:{scheduled_id}")
    waiting = _wait(look, look.day_begins(day), fact)
    return replace(waiting, sentence=f"The subscription waits for its activation, which is scheduled for {day}.")
