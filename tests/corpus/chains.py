"""Earlier changes that hold back later ones, scheduled changes that were never merged, and what only looks so."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from shared.domain.evidence import Change, JobStatus
from shared.domain.evidence import SubscriptionStatus as Status
from shared.domain.finding import Disposition
from shared.domain.intent import Attempt
from tests.builders import DAY, HOUR, NOW, STUCK
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, Case, case, healthy
from tests.corpus.parts import (
    FAILED,
    NOT_APPLICABLE,
    PROVISIONED,
    THIRD,
    failed,
    job,
    later,
    old,
    scheduled,
    seats,
    see,
    stuck,
    sub,
)

PRIOR = (
    "There are one or more prior License Change Logs for this Subscription that are either Awaiting "
    "Provisioning or have Failed Provisioning."
)
_REST = sub(status=Status.PROVISIONED)
_HELD = later(2, status=FAILED, message=PRIOR)
_CAP = '{"code":2002,"description":"Subscription quantity isn\u2019t within minimum and maximum allowed quantity"}'
_MERGE_FAILED = scheduled("merge_failed", date(2026, 11, 1))
_OVERDUE = scheduled("pending", date(2026, 11, 20))
_NEXT_WEEK = scheduled("pending", date(2026, 11, 29))


def _chain(id: str, why: str, *allowed: Disposition, changes: tuple[Change, ...], also: tuple[str, ...] = ()) -> Case:
    return case(id, why, see(old(), *changes), "prior_change_blocking", *allowed, also=also)


def _unmerged(id: str, why: str, **values: Any) -> Case:
    return case(id, why, see(old(), **values), "scheduled_change_not_applied", PERSON)


# fmt: off
CASES = [
    _chain("two wait", "the first was missed, the second waits behind it", AUTO, changes=(stuck(), later())),
    _chain("one waits, one was refused for it", "the first is solved, then the second", AUTO, changes=(stuck(), _HELD)),
    _chain("three in a row", "the head is what is solved", AUTO, changes=(stuck(), later(), later(1, 40, id=THIRD))),
    _chain(
        "the head was refused", "its own cause is reported as well, and it is a person's", PERSON,
        changes=(failed(_CAP), later()), also=("quantity_cap_exceeded",),
    ),
    _chain(
        "the head failed without a word", "a chain is only as understood as its head", PERSON,
        changes=(stuck(status=FAILED), later()),
    ),
    _chain(
        "the head is not understood", "an unknown text keeps the whole chain", PERSON,
        changes=(failed("Nobody knows this one"), later()), also=("unknown",),
    ),
    _chain(
        "a later date made earlier", "the order is by effective date first, then by creation", AUTO,
        changes=(later(effective_date=date(2026, 11, 10)), stuck()),
    ),
    _chain("a reduction behind an increase", "order matters for what is charged", AUTO, changes=(stuck(), later(-1))),
    case(
        "the earlier one is out of the way", "its complaint is cured: nothing earlier is open any more",
        see(old(), failed(PRIOR)), "prior_change_blocking", AUTO,
    ),
    case(
        "the earlier one was archived", "archived changes do not block, though the customer pays for it",
        see(old(), stuck(3, id="a", archived=True, status=FAILED, created_on=NOW - DAY), failed(PRIOR)),
        "prior_change_blocking", PERSON, also=["billed_not_provisioned"],
    ),
    case(
        "out of the way, and the same text after our retrigger", "rule 5",
        see(old(), failed(PRIOR), attempts=(Attempt(STUCK, NOW - 2 * HOUR, "unstuck", message_before=PRIOR),)),
        "prior_change_blocking", PERSON,
    ),
    case(
        "first now, others behind it still complain", "their complaint is about this one",
        see(old(), failed(PRIOR), later(2, 30, status=FAILED, message=PRIOR)), "prior_change_blocking", AUTO,
    ),
    case(
        "a scheduled change failed to merge before it", "a scheduled change Merge Failed holds this one back",
        see(scheduled=(_MERGE_FAILED,)), ("prior_change_blocking", "scheduled_change_not_applied"), PERSON,
        also=["prior_change_blocking"],
    ),
    case(
        "a scheduled change is overdue before it", "pending past its date holds this one back",
        see(scheduled=(_OVERDUE,)), ("prior_change_blocking", "scheduled_change_not_applied"), PERSON,
        also=["prior_change_blocking"],
    ),
    case(
        "the text speaks of a prior change, and it is a scheduled one", "the live obstacle, not a cured complaint",
        see(old(), failed(PRIOR), scheduled=(_MERGE_FAILED,)),
        ("prior_change_blocking", "scheduled_change_not_applied"), PERSON, also=["prior_change_blocking"],
        never=["unknown", "trigger_missed"],
    ),
    case(
        "a scheduled change for next week beside it", "not due: it holds nothing back", see(scheduled=(_NEXT_WEEK,)),
        "trigger_missed", AUTO, never=["prior_change_blocking", "scheduled_change_not_applied"],
    ),
    case(
        "an earlier change that is provisioned", "provisioned changes do not block",
        see(old(), stuck(3, id="a", status=PROVISIONED, created_on=NOW - DAY), stuck(), provider=seats(23)),
        "trigger_missed", AUTO, never=["prior_change_blocking"],
    ),
    case(
        "an earlier change at Not Applicable by the system", "a closed price change does not block",
        see(old(), stuck(0, id="a", status=NOT_APPLICABLE, created_on=NOW - DAY), stuck()), "trigger_missed", AUTO,
        never=["prior_change_blocking"],
    ),
    case(
        "an earlier change whose status is not known", "not known is not provisioned",
        see(old(), stuck(3, id="a", status=None, created_on=NOW - DAY), stuck()), ("unknown", "trigger_missed"),
        PERSON,
    ),
    case(
        "a chain whose head is for next week", "everything waits for the first date",
        see(old(), stuck(effective_date=date(2026, 11, 29)), later(effective_date=date(2026, 11, 30))),
        "future_effective_date", WAIT, also=["prior_change_blocking"],
    ),
    case(
        "today's change before next week's", "the later one is not due, the first was missed",
        see(old(), stuck(), later(effective_date=date(2026, 11, 29))), "prior_change_blocking", AUTO,
        never=["future_effective_date"],
    ),
    case(
        "the head's job is live", "the head is being worked on",
        see(old(), stuck(), later(), jobs=(job(JobStatus.IN_PROGRESS, 5),)), "not_stuck_yet", WAIT,
        also=["prior_change_blocking"],
    ),
    _unmerged(
        "a merge failed and nothing else", "no change log came of it", subscription=_REST, scheduled=(_MERGE_FAILED,),
    ),
    _unmerged("a scheduled change is overdue", "two days past its date", subscription=_REST, scheduled=(_OVERDUE,)),
    _unmerged(
        "a merge failed and the subscription awaits", "the reason is known: not a subscription without any change",
        scheduled=(_MERGE_FAILED,),
    ),
    _unmerged(
        "a failed merge with its job's text", "the job says why", subscription=_REST, scheduled=(_MERGE_FAILED,),
        jobs=(
            job(JobStatus.FAILED, change_id="", scheduled_change_id=_MERGE_FAILED.id, results="Price list is missing"),
        ),
    ),
    _unmerged(
        "a merge that failed for a date to come", "Merge Failed is final, whatever its date", subscription=_REST,
        scheduled=(replace(_NEXT_WEEK, status="merge_failed"),),
    ),
    _unmerged(
        "two scheduled changes, one of them failed", "the other is not due", subscription=_REST,
        scheduled=(replace(_NEXT_WEEK, id="b"), _MERGE_FAILED),
    ),
    healthy(
        "a scheduled reduction for the renewal", "pending and not due",
        see(old(), subscription=_REST, scheduled=(scheduled("pending", date(2026, 12, 31), quantity=Decimal(-5)),)),
        near="scheduled_change_not_applied",
    ),
    case(
        "the running total of a chain", "twenty is before the first, though the subscription says 27",
        see(old(), stuck(), later(), subscription=sub(quantity=Decimal(27)), provider=seats(20)),
        "prior_change_blocking", AUTO, never=["already_applied"],
    ),
    case(
        "effective dates the other way round",
        "made later, effective earlier: that one is the head, and the provider has it",
        see(old(), stuck(created_on=NOW - 2 * HOUR), later(3, effective_date=date(2026, 11, 10)), provider=seats(23)),
        "already_applied", APPROVE, also=["prior_change_blocking"],
    ),
]
