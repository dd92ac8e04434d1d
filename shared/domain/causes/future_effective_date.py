"""The change or its subscription begins on a later day: it is not stuck, it is early."""

from datetime import datetime

from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look

NAME = "future_effective_date"


def look_for(look: Look) -> Finding | RuledOut:
    head, subscription = look.head, look.evidence.subscription
    if head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    waits = [wait for wait in (_job(look), _effective(look), _start(look)) if wait is not None]
    if not waits:
        return RuledOut(NAME, "effective date, start date and the job's schedule are today or earlier")
    # The job's own schedule is what Work 365 goes by; else the latest date holds the change.
    until, fact = waits[0] if waits[0][1].what == "Scheduled For" else max(waits, key=lambda wait: wait[0])
    if subscription.end_date is not None and until.date() > subscription.end_date:
        return Finding(
            cause=NAME,
            disposition=Disposition.PERSON,
            confidence=Confidence.LIKELY,
            sentence=f"The change begins {fact.value}, after the subscription's term ends: a typing error?",
            next_step="Correct the date, or confirm it.",
            who="billing administrator",
            proof=(fact, look.fact("End Date", subscription.end_date, f"subscription:{subscription.id}")),
        )
    return Finding(
        cause=NAME,
        disposition=Disposition.WAIT,
        confidence=Confidence.CERTAIN,
        sentence=f"The change is not due yet: {fact.what} is {fact.value}.",
        next_step="Nothing to do: Work 365 picks it up when the date comes.",
        who="no one",
        proof=(fact,),
        until=look.after(until, look.policy.waiting_time),
    )


def _job(look: Look) -> tuple[datetime, Fact] | None:
    later = [j for j in look.live_jobs if j.scheduled_for is not None and j.scheduled_for > look.now]
    if not later:
        return None
    job = later[0]
    assert job.scheduled_for is not None  # noqa: S101  (narrowing: chosen for it above)
    return job.scheduled_for, look.fact("Scheduled For", job.scheduled_for.isoformat(), f"work365_job:{job.id}")


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
