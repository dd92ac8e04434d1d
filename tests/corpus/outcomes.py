"""What happened to the last call? 429 was not executed; 5xx, a timeout, a success without effect may have been."""

from shared.domain.evidence import Change, ChangeType, JobStatus, ProviderDetails, ProviderReading
from tests.builders import NOW
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, Case, case
from tests.corpus.parts import MINUTE, REST, REST_ACCOUNT, failed, job, old, seats, see, stuck, sub, unreadable

LOST = {
    "504 page": "<html><head><title>504 Gateway Time-out</title></head></html>",
    "503": "HTTP/1.1 503 Service Unavailable",
    "500": '{"statusCode":500,"message":"Internal server error"}',
    "502": "The remote server returned an error: (502) Bad Gateway.",
    "800003": '{"code":800003,"description":"Unexpected service error"}',
    "800094": '{"code":"800094","description":"Update subscription isn\u2019t successful"}',
    "timeout": "The operation has timed out.",
    "cancelled call": "A task was canceled.",
}
"""Messages after which nobody knows whether the call was carried out."""

_LOST = LOST["504 page"]
_NEW = sub(provider_subscription_id=None)
_EMPTY = ProviderReading(NOW, (), relationship=True)
_USAGE = sub(product_class="usage")


def _first(minutes: float) -> Change:
    return failed(_LOST, minutes, 25, change_type=ChangeType.CREATE)


def _fresh(name: str) -> Case:
    return case(
        f"{name}, five minutes ago",
        "the provider's answer may lag by 15 minutes: wait, then read it",
        see(old(), failed(LOST[name], 5)),
        "attempt_outcome_unknown",
        WAIT,
        also=["provider_unavailable"],
    )


def _read_since(name: str) -> Case:
    return case(
        f"{name}, hours ago, not executed",
        "the provider, read now, still shows the seats from before it",
        see(old(), failed(LOST[name], 180)),
        "provider_unavailable",
        AUTO,
        never=["attempt_outcome_unknown"],
    )


def _never_read(name: str) -> Case:
    return case(
        f"{name}, hours ago, provider refuses to be read",
        "whether it was ordered stays open: a person looks",
        see(old(), failed(LOST[name], 180), provider=unreadable("403")),
        "attempt_outcome_unknown",
        PERSON,
    )


# fmt: off
CASES = [
    *(_fresh(name) for name in LOST),
    *(_read_since(name) for name in LOST),
    *(_never_read(name) for name in LOST),
    case(
        "lost answer, provider throttles", "it can be read in a moment",
        see(old(), failed(_LOST, 180), provider=unreadable("429", transient=True)), "attempt_outcome_unknown", WAIT,
    ),
    case(
        "lost answer at a provider that cannot be asked", "not Microsoft: nobody can read what it has",
        see(old(), failed(_LOST, 180), subscription=sub(provider=REST, account=REST_ACCOUNT), provider=None),
        "attempt_outcome_unknown", PERSON,
    ),
    case(
        "lost answer, provider shows neither number", "not twenty, not twenty-five",
        see(old(), failed(_LOST, 180), provider=seats(23)), ("attempt_outcome_unknown", "provider_unavailable"),
        PERSON,
    ),
    case(
        "lost answer, the provider does not say how many", "read, and still open",
        see(old(), failed(_LOST, 180), provider=seats(None)), ("attempt_outcome_unknown", "provider_unavailable"),
        PERSON, APPROVE,
    ),
    case(
        "lost answer about usage", "its quantity proves nothing either way",
        see(old(), failed(_LOST, 180), subscription=_USAGE), ("attempt_outcome_unknown", "provider_unavailable"),
        PERSON, APPROVE,
    ),
    case(
        "lost answer, provider still provisioning", "its own status says pending: not done, not refused",
        see(old(), failed(_LOST, 60), provider_details=ProviderDetails(NOW, "pending", 20, "pending")),
        ("attempt_outcome_unknown", "provider_operation_pending", "provider_unavailable"), WAIT, PERSON, APPROVE,
    ),
    case(
        "lost answer, the order is closed", "order completed and provisioned at the old number: nothing is under way",
        see(old(), failed(_LOST, 180), provider_details=ProviderDetails(NOW, "success", 20, "completed")),
        "provider_unavailable", AUTO, never=["attempt_outcome_unknown"],
    ),
    case(
        "a first order with a lost answer just now", "an order shows up to 15 minutes late",
        see(_first(5), subscription=_NEW, provider=_EMPTY, linked_at_provider=frozenset()), "attempt_outcome_unknown",
        WAIT,
    ),
    case(
        "a first order with a lost answer, nothing there", "hours later nothing of the product is there",
        see(_first(180), subscription=_NEW, provider=_EMPTY, linked_at_provider=frozenset()), "provider_unavailable",
        AUTO, never=["attempt_outcome_unknown"],
    ),
    case(
        "succeeded minutes ago, status unchanged", "what it did may not show yet",
        see(jobs=(job(JobStatus.SUCCEEDED, 5),)), "attempt_outcome_unknown", WAIT,
    ),
    case(
        "succeeded hours ago, status unchanged, seats unchanged", "a success that ordered nothing is not understood",
        see(jobs=(job(JobStatus.SUCCEEDED, 50),)), ("attempt_outcome_unknown", "unknown"), PERSON,
    ),
    case(
        "succeeded, status unchanged, provider unreadable", "nobody can say what it did",
        see(jobs=(job(JobStatus.SUCCEEDED, 50),), provider=unreadable("403")), "attempt_outcome_unknown", PERSON,
    ),
    case(
        "succeeded, status unchanged, provider throttles", "ask again in a moment",
        see(jobs=(job(JobStatus.SUCCEEDED, 50),), provider=unreadable("429", transient=True)),
        "attempt_outcome_unknown", WAIT,
    ),
    case(
        "the job's result is all there is", "the change has no text, its job has",
        see(jobs=(job(JobStatus.FAILED, 5, results=_LOST),)), "attempt_outcome_unknown", WAIT,
        also=["provider_unavailable"],
    ),
    case(
        "throttled five minutes ago", "429 means not executed: nothing is open",
        see(old(), failed('{"statusCode":429,"message":"Rate limit is exceeded. Try again in 900 seconds."}', 5)),
        "provider_unavailable", WAIT, never=["attempt_outcome_unknown"],
    ),
    case(
        "throttled, and the provider refuses to be read", "not executed, but rule 1 wants the provider read",
        see(old(), failed('{"statusCode":429,"message":"Rate limit is exceeded."}', 180), provider=unreadable("403")),
        "provider_unavailable", APPROVE, PERSON, never=["attempt_outcome_unknown"],
    ),
    case(
        "a lost answer while Work 365 retries by itself", "a live job in its normal time is left alone",
        see(old(), stuck(message=_LOST), jobs=(job(JobStatus.RETRY, 5, results=_LOST),)), "not_stuck_yet", WAIT,
    ),
    case(
        "a job that called nobody", "Not Applicable is no attempt", see(jobs=(job(JobStatus.NOT_APPLICABLE, 50),)),
        "trigger_missed", AUTO, never=["attempt_outcome_unknown"],
    ),
    case(
        "refused in so many words", "a refusal is an outcome",
        see(old(), failed('{"code":2002,"description":"not within minimum and maximum"}', 5)),
        "quantity_cap_exceeded", PERSON, never=["attempt_outcome_unknown"],
    ),
    case(
        "lost answer exactly fifteen minutes ago", "the lag is over: the provider's answer counts",
        see(old(), failed(_LOST, 15 + 1)), "provider_unavailable", AUTO, WAIT, never=["attempt_outcome_unknown"],
    ),
    case(
        "lost answer and nobody asked the provider", "not asked is not known",
        see(old(), failed(_LOST, 180), provider=None), "attempt_outcome_unknown", PERSON, WAIT, APPROVE,
    ),
    case(
        "when the answer was lost is not known", "without a time nothing can be called over",
        see(old(), failed(_LOST, 180, modified_on=None)), ("attempt_outcome_unknown", "provider_unavailable"), PERSON,
        WAIT, APPROVE,
    ),
    case(
        "a minute short of the lag", "fourteen minutes: the provider may not show it yet",
        see(old(), failed(_LOST, (15 * MINUTE - MINUTE).total_seconds() / 60)), "attempt_outcome_unknown", WAIT,
    ),
]
