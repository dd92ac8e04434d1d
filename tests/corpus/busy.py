"""What passes by itself: throttling, outages, pending operations, renewal night, reviews that take days."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.evidence import ChangeType, JobStatus
from shared.domain.intent import Attempt
from shared.domain.look import Look
from tests.builders import DAY, HOUR, NOW, STUCK
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, Case, case
from tests.corpus.parts import FAILED, MICROSOFT, MINUTE, failed, job, later, offered, old, seats, see, stuck, sub

_THROTTLED = '{"statusCode":429,"message":"Rate limit is exceeded. Try again in 57 seconds."}'
_NOT_READY = '{"code":800082,"description":"Subscription is not ready to be updated. Try again after sometime"}'
_DAY_LONG = '{"code":900278,"description":"There is a pending operation on this subscription. Try after 24 hours."}'
_IN_PROGRESS = '{"code":800060,"description":"Your order is in progress."}'
_NO_ORDER = '{"code":20000,"description":"Order not found"}'
_REVIEW = '{"code":800073,"description":"Your customer account is currently under review. Check back in few days."}'


def _left(message: str, ago: timedelta, **values: Any) -> Look:
    return see(old(), failed(message, ago.total_seconds() / 60), **values)


_WAITS = (
    ("throttled seconds ago", _THROTTLED, timedelta(seconds=20), "provider_unavailable"),
    ("throttled for an hour", "429 Too Many Requests. Retry-After: 3600", 10 * MINUTE, "provider_unavailable"),
    (
        "Dataverse throttles",
        "0x80072322: Number of requests exceeded the limit of 6000",
        MINUTE,
        "provider_unavailable",
    ),
    ("not ready, minutes ago", _NOT_READY, 5 * MINUTE, "provider_operation_pending"),
    ("order in progress, minutes ago", _IN_PROGRESS, 5 * MINUTE, "provider_operation_pending"),
    ("the order is not visible yet", _NO_ORDER, 5 * MINUTE, "provider_operation_pending"),
    ("pending operation, an hour ago", _DAY_LONG, HOUR, "provider_operation_pending"),
    ("pending operation, 23 hours ago", _DAY_LONG, 23 * HOUR, "provider_operation_pending"),
    ("pending adjustment", '{"code":800014,"description":"pending adjustment"}', HOUR, "provider_operation_pending"),
    (
        "not allowed at present",
        '{"code":900280,"description":"currently not allowed"}',
        HOUR,
        "provider_operation_pending",
    ),
    ("under review since an hour", _REVIEW, HOUR, "customer_under_review"),
    ("under review, the other code", _REVIEW.replace("800073", "800074"), 2 * HOUR, "customer_under_review"),
)
_OVER = (
    ("throttled hours ago", _THROTTLED, 3 * HOUR, "provider_unavailable"),
    ("Dataverse throttled hours ago", "0x80072321: Combined execution time", 3 * HOUR, "provider_unavailable"),
    (
        "a row changed under the call",
        '{"code":2055,"description":"Etag is no longer valid"}',
        3 * HOUR,
        "provider_unavailable",
    ),
    (
        "the catalogue was changing",
        '{"code":400019,"description":"Availability not found"}',
        3 * HOUR,
        "provider_unavailable",
    ),
    ("Entra was not available", "AADSTS90033: not available", 3 * HOUR, "provider_unavailable"),
    ("not ready, hours ago", _NOT_READY, 3 * HOUR, "provider_operation_pending"),
    ("order in progress, hours ago", _IN_PROGRESS, 3 * HOUR, "provider_operation_pending"),
    ("pending operation, two days ago", _DAY_LONG, 2 * DAY, "provider_operation_pending"),
)


def _passes(name: str, message: str, ago: timedelta, cause: str) -> Case:
    return case(name, "it passes by itself: wait by the class of the code", _left(message, ago), cause, WAIT)


def _passed(name: str, message: str, ago: timedelta, cause: str) -> Case:
    return case(name, "its time is over and nothing speaks against another try", _left(message, ago), cause, AUTO)


def _again(name: str, message: str, ago: timedelta, cause: str) -> Case:
    tried = (Attempt(STUCK, NOW - ago - HOUR, "unstuck", message_before=message),)
    return case(
        f"{name}, the same again",
        "rule 5: it said so before our retrigger",
        _left(message, ago, attempts=tried),
        cause,
        PERSON,
    )


def _renewing(ended: datetime, now: datetime) -> Look:
    """A change made half a day before, on a subscription whose term ends then."""
    made = now - 12 * HOUR
    used = replace(MICROSOFT, last_verified_on=now - DAY, consent_on=now - 9 * DAY)
    return see(
        old(),
        stuck(created_on=made, modified_on=made, effective_date=made.date()),
        now=now,
        subscription=sub(end_date=None, provider=used),
        provider=seats(20, now=now, commitment_end=ended),
    )


_NIGHTS = (
    ("a month's last day", datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC), datetime(2026, 12, 1, 6, tzinfo=UTC)),
    ("a leap day", datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC), datetime(2028, 3, 1, 6, tzinfo=UTC)),
    ("the end of a short February", datetime(2027, 2, 28, 23, 59, 59, tzinfo=UTC), datetime(2027, 3, 1, 6, tzinfo=UTC)),
    ("New Year's Eve", datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2027, 1, 1, 6, tzinfo=UTC)),
)
_LAST_NIGHT = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)

# fmt: off
CASES = [
    *(_passes(*row) for row in _WAITS),
    *(_passed(*row) for row in _OVER),
    *(_again(*row) for row in (_OVER[0], _OVER[5], _OVER[7])),
    case(
        "under review for three days", "days may not be enough: look again, or go on", _left(_REVIEW, 3 * DAY),
        "customer_under_review", WAIT, AUTO, PERSON,
    ),
    case(
        "refused after the review", "not approved: waiting does not help",
        _left('{"code":800075,"description":"Your customer account was not approved"}', HOUR),
        "customer_under_review", PERSON,
    ),
    case(
        "locked for transactions", "only a person gets it unlocked",
        _left('{"code":900416,"description":"This customer account is locked for transactions."}', HOUR),
        "customer_under_review", PERSON,
    ),
    case(
        "the loop that we made ourselves", "AADSTS50196: sending the same again never helps",
        _left("AADSTS50196: LoopDetected - too many of the same request", 3 * HOUR), "provider_unavailable", PERSON,
    ),
    case(
        "renewal night", "the term ended last night: renewal runs after midnight UTC and takes up to 24 hours",
        see(provider=seats(20, commitment_end=_LAST_NIGHT)), "provider_operation_pending", WAIT,
    ),
    *(
        case(
            f"renewal night: {name}",
            "the term ended that midnight, UTC, and renewal takes up to 24 hours",
            _renewing(ended, now),
            "provider_operation_pending",
            WAIT,
        )
        for name, ended, now in _NIGHTS
    ),
    *(
        case(
            f"two days after: {name}",
            "renewal is over",
            _renewing(ended, now + 2 * DAY),
            "trigger_missed",
            AUTO,
            never=["provider_operation_pending"],
        )
        for name, ended, now in _NIGHTS
    ),
    case(
        "renewal night with a failed change", "refused because it renews just then",
        see(old(), failed(_NOT_READY, 120), provider=seats(20, commitment_end=_LAST_NIGHT)),
        "provider_operation_pending", WAIT,
    ),
    case(
        "a reduction on renewal night", "within 24 hours of the term's end: one retry before the new window closes",
        see(
            old(), failed('{"code":900257,"description":"passed your 7-day window"}', 60, -5),
            provider=seats(20, commitment_end=_LAST_NIGHT),
        ),
        ("provider_operation_pending", "reduction_window_closed"), WAIT, APPROVE, PERSON,
        also=["provider_operation_pending"],
    ),
    case(
        "the term ended three days ago", "renewal is over", see(provider=seats(20, commitment_end=NOW - 3 * DAY)),
        "trigger_missed", AUTO, never=["provider_operation_pending"],
    ),
    case(
        "the term ends in five weeks", "no renewal is near", see(provider=seats(20, commitment_end=NOW + 39 * DAY)),
        "trigger_missed", AUTO, never=["provider_operation_pending"],
    ),
    case(
        "the provider does not say when the term ends", "not known is not renewal night",
        see(provider=seats(20, commitment_end=None)), "trigger_missed", AUTO, APPROVE,
        never=["provider_operation_pending"],
    ),
    case(
        "throttled, with later changes behind it", "all of them wait with the first",
        see(old(), failed(_THROTTLED, 0.3), later()), "provider_unavailable", WAIT, also=["prior_change_blocking"],
    ),
    case(
        "not ready, and already applied", "busy with our own order: it is there",
        see(old(), failed(_NOT_READY, 120), provider=seats(25)), "already_applied", APPROVE, WAIT, PERSON,
    ),
    case(
        "not ready, and Work 365 retries", "its own job is live",
        see(old(), stuck(message=_NOT_READY), jobs=(job(JobStatus.RETRY, 5, results=_NOT_READY),)), "not_stuck_yet",
        WAIT, also=["provider_operation_pending"],
    ),
    case(
        "throttled long ago, suspended now", "the old complaint has passed, the state has not",
        see(old(), failed(_THROTTLED, 180), provider=seats(20, status="suspended")), "provider_unavailable", PERSON,
        also=["subscription_state_blocked"],
    ),
    case(
        "no longer allowed, which is not at present", "900279 never passes, 900280 does",
        _left('{"code":900279,"description":"Update operations are no longer allowed for this subscription."}', HOUR),
        "subscription_state_blocked", PERSON, never=["provider_operation_pending"],
    ),
    case(
        "a review in the words of another", "credit is not review",
        _left('{"code":800069,"description":"Order failed risk management check"}', HOUR), "credit_or_risk_hold",
        PERSON, never=["customer_under_review"],
    ),
    case(
        "a reduction far from any renewal", "an open window: nothing is pending",
        see(old(), stuck(-5), provider=offered((5, 3 * DAY))), "trigger_missed", AUTO, APPROVE,
        never=["provider_operation_pending", "reduction_window_closed"],
    ),
    case(
        "a deactivation refused as not ready", "it passes, but taking licenses away is approved",
        see(old(), replace(failed(_NOT_READY, 180, -20), change_type=ChangeType.DEACTIVATE)),
        "provider_operation_pending", APPROVE, PERSON,
    ),
    case(
        "429 seats", "a number of seats is no status", see(old(), failed("Customer asked for 429 seats in all", 60)),
        "unknown", PERSON, never=["provider_unavailable"],
    ),
    case(
        "status of the change", "failed at the provider by its own word",
        see(old(), stuck(status=FAILED, message="Status: failed")), "unknown", PERSON, never=["provider_unavailable"],
    ),
]
