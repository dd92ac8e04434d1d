"""Waiting by design: young changes, live jobs, automation that has just come back, other people's providers."""

from dataclasses import replace
from datetime import date, timedelta

from shared.domain.evidence import Change, JobStatus, Related, Workflow
from shared.domain.evidence import SubscriptionStatus as Status
from shared.domain.intent import Attempt
from tests.builders import DAY, HOUR, NOW, STUCK
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, Case, case, healthy
from tests.corpus.parts import (
    FAILED,
    LINKED,
    MANUAL,
    MICROSOFT,
    MINUTE,
    NOTHING,
    REST,
    REST_ACCOUNT,
    THROUGH,
    env,
    failed,
    job,
    old,
    scheduled,
    see,
    stuck,
    sub,
)

_THROTTLED = '{"statusCode":429,"message":"Rate limit is exceeded. Try again in 57 seconds."}'
_BY_PHONE = sub(provider=MANUAL, account=None, provider_subscription_id=None)
_CHILD = sub(provider=THROUGH, linked_id=LINKED)


def _young(minutes: float) -> Case:
    made = NOW - timedelta(minutes=minutes)
    return case(
        f"made {minutes:g} minutes ago",
        "inside one job cycle and grace",
        see(old(), stuck(created_on=made, modified_on=made, effective_date=date(2026, 11, 1))),
        "not_stuck_yet",
        WAIT,
        never=["trigger_missed"],
        until=made + 30 * MINUTE,
    )


def _live(status: JobStatus, minutes: float) -> Case:
    return case(
        f"a job {status} for {minutes:g} minutes",
        "a live job in its normal time is never raced",
        see(jobs=(job(status, minutes),)),
        "not_stuck_yet",
        WAIT,
    )


def _late(status: JobStatus) -> Case:
    return case(
        f"a job {status} for a day",
        "longer than is normal, yet it may still act: a person looks",
        see(old(), stuck(created_on=NOW - 2 * DAY), jobs=(job(status, 24 * 60),)),
        ("unknown", "attempt_outcome_unknown"),
        PERSON,
        never=["not_stuck_yet"],
    )


def _switched_on(minutes: int) -> Workflow:
    return Workflow("w1", "Work 365: run a job", active=True, modified_on=NOW - minutes * MINUTE)


def _other(*changes: Change, status: Status = Status.AWAITING) -> Related:
    return Related(sub(id=LINKED, name="The one it is linked to", status=status), changes)


# fmt: off
CASES = [
    *(_young(minutes) for minutes in (0, 5, 15, 29, 29.98)),
    case(
        "made exactly a cycle and grace ago", "the waiting time is over",
        see(old(), stuck(created_on=NOW - 30 * MINUTE)), "trigger_missed", AUTO, never=["not_stuck_yet"],
    ),
    case(
        "an old change edited just now", "modifiedon is never an age: toggles and repeated messages reset it",
        see(old(), stuck(modified_on=NOW, created_on=NOW - DAY)), "trigger_missed", AUTO, never=["not_stuck_yet"],
    ),
    case(
        "made a month ago for today", "the age runs from the effective date where that is later",
        see(old(), stuck(created_on=NOW - 30 * DAY, effective_date=NOW.date())), "trigger_missed", AUTO,
        never=["not_stuck_yet", "future_effective_date"],
    ),
    case(
        "retriggered by us five minutes ago", "our own last attempt is given a cycle",
        see(attempts=(Attempt(STUCK, NOW - 5 * MINUTE, "unstuck"),)), "not_stuck_yet", WAIT, until=NOW + 25 * MINUTE,
    ),
    case(
        "we retriggered another change five minutes ago", "that says nothing about this one",
        see(attempts=(Attempt("another", NOW - 5 * MINUTE, "unstuck"),)), "trigger_missed", AUTO,
        never=["not_stuck_yet"],
    ),
    *(_live(status, 5) for status in (JobStatus.WAITING, JobStatus.DISPATCHED, JobStatus.IN_PROGRESS, JobStatus.RETRY)),
    _live(JobStatus.IN_PROGRESS, 55),
    *(_late(status) for status in (JobStatus.DISPATCHED, JobStatus.IN_PROGRESS, JobStatus.RETRY)),
    case(
        "a job in a state that nobody knows", "unmapped is not ended: it may be live", see(jobs=(job(None),)),
        "unknown", PERSON, never=["not_stuck_yet"],
    ),
    case(
        "a live job of another change", "only this change's own job counts as its job",
        see(jobs=(job(JobStatus.IN_PROGRESS, 5, change_id="another"),)), "trigger_missed", AUTO, WAIT,
    ),
    case(
        "cancelled by a person", "someone stopped it: that is a decision, not a missed trigger",
        see(jobs=(job(JobStatus.CANCELLED),)), "unknown", PERSON, never=["trigger_missed", "not_stuck_yet"],
    ),
    case(
        "cancelled minutes ago", "a cancelled job is not a live one", see(jobs=(job(JobStatus.CANCELLED, 3),)),
        ("unknown", "attempt_outcome_unknown"), PERSON, WAIT, never=["trigger_missed"],
    ),
    case(
        "a new job after a cancelled one", "the newest is live",
        see(jobs=(job(JobStatus.CANCELLED, 50), job(JobStatus.DISPATCHED, 4, id="newer"))), "not_stuck_yet", WAIT,
    ),
    case(
        "Work 365 itself retries a throttled call", "its own retry is not raced",
        see(old(), stuck(message=_THROTTLED), jobs=(job(JobStatus.RETRY, 2, results=_THROTTLED),)), "not_stuck_yet",
        WAIT, also=["provider_unavailable"],
    ),
    case(
        "the workflow was switched on five minutes ago", "automation came back less than a cycle ago",
        see(old(), stuck(created_on=NOW - DAY), environment=env(workflows=(_switched_on(5),))), "not_stuck_yet", WAIT,
    ),
    case(
        "the workflow was switched on two hours ago", "it has had its cycle: what still has no job was missed",
        see(old(), stuck(created_on=NOW - DAY), environment=env(workflows=(_switched_on(120),))), "trigger_missed",
        AUTO, never=["not_stuck_yet", "automation_inactive"],
    ),
    healthy(
        "a change for next week that is only scheduled", "a scheduled change is not due yet",
        see(old(), subscription=sub(status=Status.PROVISIONED), scheduled=(scheduled("pending", date(2026, 11, 29)),)),
        near="not_stuck_yet",
    ),
    case(
        "a manual provider", "a person does it at the provider and confirms it",
        see(old(), stuck(), subscription=_BY_PHONE, provider=None), "manual_provider", PERSON,
        never=["trigger_missed"],
    ),
    case(
        "a manual provider, five days late", "past its own age limit: late, and still a person's",
        see(
            old(), stuck(created_on=NOW - 5 * DAY, effective_date=date(2026, 11, 17)), subscription=_BY_PHONE,
            provider=None,
        ),
        "manual_provider", PERSON,
    ),
    case(
        "a first order at a manual provider", "nothing of it is ordered by Work 365",
        see(stuck(25), subscription=_BY_PHONE, provider=None), "manual_provider", PERSON,
    ),
    case(
        "a manual provider's reduction", "seats are given back by hand as well",
        see(old(), stuck(-5), subscription=_BY_PHONE, provider=None), "manual_provider", PERSON,
    ),
    case(
        "a manual provider with a failed change", "retriggering sends another mail and nothing else",
        see(old(), stuck(status=FAILED), subscription=_BY_PHONE, provider=None), "manual_provider", PERSON,
    ),
    case(
        "a manual provider's change for next month", "not due yet: nobody has to do anything",
        see(old(), stuck(effective_date=date(2026, 12, 10)), subscription=_BY_PHONE, provider=None),
        "future_effective_date", WAIT,
    ),
    case(
        "a manual provider's change of five minutes ago", "inside the waiting time",
        see(
            old(), stuck(created_on=NOW - 5 * MINUTE, modified_on=NOW - 5 * MINUTE), subscription=_BY_PHONE,
            provider=None,
        ),
        ("not_stuck_yet", "manual_provider"), WAIT, PERSON, also=["manual_provider"],
    ),
    case(
        "a manual provider's price change", "nothing is to be done at the provider either",
        see(old(), stuck(0), subscription=_BY_PHONE, provider=None), "nothing_to_provision", APPROVE, PERSON,
    ),
    case(
        "an automatic provider that is called Manual", "the type decides, not the name",
        see(subscription=sub(provider=replace(MICROSOFT, name="Manual"))), "trigger_missed", AUTO,
        never=["manual_provider"],
    ),
    case(
        "a provider of REST", "driven by Work 365, but nobody can ask what it has: approve at most",
        see(subscription=sub(provider=REST, account=REST_ACCOUNT), provider=None), "trigger_missed", APPROVE, PERSON,
        never=["manual_provider"],
    ),
    case(
        "a Do Nothing provider", "not manual: provisioning was expected where nothing is provisioned",
        see(subscription=sub(provider=NOTHING), provider=None), "subscription_state_blocked", PERSON,
        never=["manual_provider"],
    ),
    case(
        "works through another subscription", "the change is applied at the linked one: never retrigger the child",
        see(subscription=_CHILD, linked=_other(stuck(id="x1")), provider=None), "linked_change", WAIT,
        never=["trigger_missed"], waits_for=LINKED,
    ),
    case(
        "a failed child of a linked subscription", "its case is the other one's",
        see(
            old(), stuck(status=FAILED), subscription=_CHILD, linked=_other(failed(_THROTTLED, id="x1")),
            provider=None,
        ),
        "linked_change", WAIT, waits_for=LINKED,
    ),
    case(
        "linked, and the other one is at rest", "still nothing that may be retriggered here",
        see(subscription=_CHILD, linked=_other(status=Status.PROVISIONED), provider=None), "linked_change", WAIT,
        PERSON, APPROVE, never=["trigger_missed"],
    ),
    case(
        "linked, and the other one could not be read", "the child is not retriggered on that account",
        see(subscription=_CHILD, linked=None, provider=None), "linked_change", WAIT, PERSON, never=["trigger_missed"],
    ),
    case(
        "linked to nothing", "the link is missing: a person sets it",
        see(subscription=replace(_CHILD, linked_id=None), provider=None), "linked_change", PERSON, WAIT,
        never=["trigger_missed"],
    ),
    case(
        "linked to itself", "a data error: it would wait for itself for ever",
        see(
            subscription=replace(_CHILD, linked_id=sub().id), provider=None,
            linked=Related(replace(_CHILD, linked_id=sub().id), (stuck(),)),
        ),
        "linked_change", PERSON, never=["trigger_missed"],
    ),
    case(
        "has a link, but its provider is automatic", "only the provider's type makes it work through another",
        see(subscription=sub(linked_id=LINKED), linked=_other(stuck(id="x1"))), "trigger_missed", AUTO, APPROVE,
        never=["linked_change"],
    ),
    case(
        "a linked subscription's change for next week", "not due yet",
        see(
            old(), stuck(effective_date=date(2026, 11, 29)), subscription=_CHILD, linked=_other(stuck(id="x1")),
            provider=None,
        ),
        "future_effective_date", WAIT,
    ),
    case(
        "the provider row is of an unknown type", "unmapped is neither manual nor automatic",
        see(subscription=sub(provider=replace(MICROSOFT, type=None))), "unknown", PERSON,
        never=["manual_provider", "linked_change", "trigger_missed"],
    ),
    case(
        "a job for three hours from now", "the job's own schedule is what Work 365 goes by",
        see(jobs=(job(JobStatus.WAITING, 5, scheduled_for=NOW + 3 * HOUR),)), "future_effective_date", WAIT,
        until=NOW + 3 * HOUR + 30 * MINUTE,
    ),
]
