"""Nothing wrong but the trigger: what may be retriggered without asking, and what only seems so."""

from dataclasses import replace
from decimal import Decimal

from shared.domain.evidence import ChangeSource, ChangeType, JobStatus, ProviderReading, ProviderSubscription
from shared.domain.evidence import SubscriptionStatus as Status
from shared.domain.intent import Attempt
from tests.builders import DAY, HOUR, LATER, NOW, PARENT, STUCK
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, Case, case
from tests.corpus.parts import (
    ACCOUNT,
    NOT_APPLICABLE,
    PART,
    job,
    later,
    old,
    parent,
    seats,
    see,
    stuck,
    sub,
)

_NEW = sub(provider_subscription_id=None)
_FIRST = stuck(25, change_type=ChangeType.CREATE)
_THERE = ProviderSubscription("f0f0", 25, "active", PART, NOW - DAY)


def _first(id: str, why: str, *found: ProviderSubscription, linked: tuple[str, ...] = ()) -> Case:
    provider = ProviderReading(NOW, found, relationship=True)
    seen = see(_FIRST, subscription=_NEW, provider=provider, linked_at_provider=frozenset(linked))
    return case(id, why, seen, "trigger_missed", AUTO)


def _hours(hours: int) -> Case:
    made = NOW - hours * HOUR
    return case(
        f"missed {hours} hours ago",
        "no job, no message, nothing that holds it",
        see(old(), stuck(created_on=made, modified_on=made, effective_date=made.date())),
        "trigger_missed",
        AUTO,
    )


def _quantity(quantity: int) -> Case:
    return case(
        f"{quantity} more seats",
        "any number of seats can be missed",
        see(old(), stuck(quantity), subscription=sub(quantity=Decimal(20 + quantity))),
        "trigger_missed",
        AUTO,
    )


# fmt: off
CASES = [
    case("a missed trigger", "no job, no message, nothing that holds it", see(), "trigger_missed", AUTO),
    *(_hours(hours) for hours in (2, 30, 24 * 90)),
    *(_quantity(quantity) for quantity in (1, 300, 100_000)),
    case(
        "its job did nothing", "Not Applicable: it has not called the provider",
        see(jobs=(job(JobStatus.NOT_APPLICABLE, 50),)), "trigger_missed", AUTO,
    ),
    case(
        "another change's job failed", "only this change's own jobs count",
        see(jobs=(job(JobStatus.FAILED, 50, change_id=LATER, results="HTTP 504"),)), "trigger_missed", AUTO,
    ),
    case(
        "the customer has other subscriptions", "only the linked one counts",
        see(provider=ProviderReading(NOW, (*seats().subscriptions, _THERE))), "trigger_missed", AUTO,
    ),
    _first("a first order", "nothing of the product is there, nothing ordered just now"),
    _first("a first order, bought by another row", "linked elsewhere: not this order", _THERE, linked=("f0f0",)),
    _first(
        "a first order, another product there", "unlinked, and another product", replace(_THERE, product="CFQ7:0001"),
    ),
    case(
        "an add-on of a parent in force", "the parent is provisioned",
        see(subscription=sub(parent_id=PARENT), parent=parent()), "trigger_missed", AUTO,
    ),
    case("a portal order", "made in Work 365", see(old(), stuck(source=ChangeSource.PORTAL)), "trigger_missed", AUTO),
    case(
        "a resumption", "an activation compared by status",
        see(old(), stuck(20, change_type=ChangeType.ACTIVATE), provider=seats(20, status="suspended")),
        "trigger_missed", AUTO,
    ),
    case(
        "a second try", "once retriggered hours ago, and nothing has happened since",
        see(attempts=(Attempt(STUCK, NOW - 3 * HOUR, "unstuck"),)), "trigger_missed", AUTO, PERSON,
    ),
    case(
        "an older change of the same size, provisioned", "days apart: nothing entered twice",
        see(old(), stuck(id="a", status=old().status, created_on=NOW - 9 * DAY), stuck(), provider=seats(25)),
        "trigger_missed", AUTO,
    ),
    case(
        "never: a change from the provider", "it is there already", see(old(), stuck(source=ChangeSource.PROVIDER)),
        "nothing_to_provision", APPROVE, PERSON, never=["trigger_missed"],
    ),
    case(
        "never: a live job", "in its normal time", see(jobs=(job(JobStatus.DISPATCHED, 10),)), "not_stuck_yet", WAIT,
        never=["trigger_missed"],
    ),
    case(
        "never: a job that a person cancelled", "someone stopped it", see(jobs=(job(JobStatus.CANCELLED, 50),)),
        "unknown", PERSON, never=["trigger_missed"],
    ),
    case(
        "never: a text that nobody knows", "Work 365 has tried and said so",
        see(old(), stuck(message="Reference 7F-2231")), "unknown", PERSON, never=["trigger_missed"],
    ),
    case(
        "never by itself: a deactivation", "a person says yes, deadline first",
        see(old(), stuck(-20, change_type=ChangeType.DEACTIVATE)), "trigger_missed", APPROVE,
    ),
    case(
        "never by itself: a first order without a number", "nothing says how many",
        see(
            stuck(None, change_type=ChangeType.CREATE), subscription=_NEW, provider=ProviderReading(NOW, ()),
            linked_at_provider=frozenset(),
        ),
        ("trigger_missed", "unknown"), PERSON, APPROVE,
    ),
    case(
        "never by itself: a first order on a linked subscription", "linked already: what would be ordered?",
        see(_FIRST, provider=seats(25)), ("trigger_missed", "already_applied"), PERSON, APPROVE,
    ),
    case(
        "never by itself: someone else's seats on top", "three seats were bought at the provider directly",
        see(provider=seats(23)), "trigger_missed", PERSON,
    ),
    case(
        "an absurd quantity", "more seats than anybody has: still a number", see(old(), stuck(10**9)),
        "trigger_missed", AUTO, APPROVE, PERSON,
    ),
    case(
        "a broken quantity", "two and a half seats cannot be what the provider shows",
        see(replace(old(), quantity=Decimal("20.5")), stuck()), "trigger_missed", PERSON,
    ),
    case(
        "a reduction below zero", "twenty-five back of twenty", see(old(), stuck(-25)),
        ("reduction_window_closed", "trigger_missed", "unknown"), PERSON, APPROVE,
    ),
    case(
        "behind a change that the system closed", "Not Applicable and from the provider",
        see(old(), stuck(0, id="z", status=NOT_APPLICABLE, source=ChangeSource.PROVIDER), stuck()), "trigger_missed",
        AUTO,
    ),
    case(
        "a subscription labelled Provisioned with a change that waits", "the label is older than the change",
        see(subscription=sub(status=Status.PROVISIONED)), "trigger_missed", AUTO,
    ),
    case(
        "an account found again in capitals", "ids are compared without case",
        see(subscription=sub(account=replace(ACCOUNT, customer_id=str(ACCOUNT.customer_id).upper()))),
        "trigger_missed", AUTO, never=["provider_account_mismatch", "customer_missing"],
    ),
    case(
        "made a moment before the rest of the chain", "the second waits behind it", see(old(), stuck(), later(3, 59)),
        "prior_change_blocking", AUTO,
    ),
]
