"""Two causes at once: both are reported, and what must be solved first comes first, by the order of looking."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import combinations

from shared.domain.causes import CAUSES
from shared.domain.evidence import Change, ChangeType, Evidence, ServiceUser, SystemJob, SystemJobStatus, Workflow
from shared.domain.evidence import SubscriptionStatus as Status
from shared.domain.finding import CAUTION, Disposition
from shared.domain.look import Look
from tests.builders import DAY, HOUR, NOW, PARENT, SOMEONE, STUCK, WORK365_USER
from tests.corpus.case import PERSON, WAIT, Case, case
from tests.corpus.parts import (
    EARLIER,
    MINUTE,
    NOT_APPLICABLE,
    ROLES,
    env,
    failed,
    later,
    of_parent,
    old,
    parent,
    scheduled,
    see,
    stuck,
)

_ORDER = list(CAUSES)
"""The order of looking: what must be solved first comes first."""


@dataclass(frozen=True)
class Trouble:
    """One cause as a change of otherwise healthy evidence."""

    name: str
    cause: str
    disposition: Disposition
    happen: Callable[[Evidence], Evidence]
    clashes: frozenset[str] = field(default_factory=frozenset)
    """Troubles that would undo this one."""


def _subscription(**values: object) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, subscription=replace(e.subscription, **values))  # type: ignore[arg-type]


def _environment(**values: object) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, environment=replace(e.environment, **values))  # type: ignore[arg-type]


def _head(**values: object) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, changes=tuple(replace(c, **values) if c.id == STUCK else c for c in e.changes))  # type: ignore[arg-type]


def _also(change: Change) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, changes=(*e.changes, change))


def _with_parent(e: Evidence) -> Evidence:
    of = parent(of_parent(change_type=ChangeType.CREATE), status=Status.AWAITING)
    return replace(e, subscription=replace(e.subscription, parent_id=PARENT), parent=of)


def _says(cause: str, message: str, disposition: Disposition, minutes: float = 60) -> Trouble:
    left = failed(message, minutes)
    happen = _head(status=left.status, message=message, modified_on=left.modified_on, created_on=left.created_on)
    return Trouble(f"it says {cause}", cause, disposition, happen, frozenset({"text"}))


_OFF = (Workflow("w1", "Work 365: run a job", active=False, modified_on=NOW - 5 * DAY),)
_DISABLED = (ServiceUser(WORK365_USER, "Work 365", False, ROLES),)
_BILLED = stuck(5, id="b", archived=True, created_on=NOW - 40 * DAY, effective_date=date(2026, 10, 13))
_BY_HAND = stuck(3, id=EARLIER, status=NOT_APPLICABLE, modified_by=SOMEONE, created_on=NOW - DAY)
_SYSTEM_JOB = (SystemJob("sj", STUCK, "Work 365: new change", SystemJobStatus.FAILED, created_on=NOW - HOUR),)

STATES = (
    Trouble("not due", "future_effective_date", WAIT, _head(effective_date=date(2026, 11, 29))),
    Trouble("user disabled", "service_user_not_ready", PERSON, _environment(service_users=_DISABLED)),
    Trouble("workflow off", "automation_inactive", PERSON, _environment(workflows=_OFF)),
    Trouble(
        "System Job failed",
        "automation_inactive",
        PERSON,
        lambda e: replace(e, system_jobs=_SYSTEM_JOB),
        frozenset({"workflow off"}),
    ),
    Trouble("parent waits", "parent_not_provisioned", WAIT, _with_parent),
    Trouble(
        "merge failed",
        "prior_change_blocking",
        PERSON,
        lambda e: replace(e, scheduled=(scheduled("merge_failed", date(2026, 11, 1)),)),
    ),
    Trouble("suspended", "subscription_state_blocked", PERSON, _subscription(status=Status.SUSPENDED)),
    Trouble(
        "no customer",
        "customer_missing",
        PERSON,
        _subscription(
            customer_id=None, customer_active=None, contract_id=None, contract_customer_id=None, contract_active=None
        ),
    ),
    Trouble("no account", "provider_account_mismatch", PERSON, _subscription(account=None)),
    Trouble("no part number", "product_or_price_invalid", PERSON, _subscription(part_number=None)),
    Trouble("billed", "billed_not_provisioned", PERSON, _also(_BILLED)),
    Trouble("set aside", "set_aside_by_hand", PERSON, _also(_BY_HAND)),
    Trouble("unread", "unknown", PERSON, lambda e: replace(e, unread=("jobs (403)",))),
)
TEXTS = (
    _says("credentials_invalid", "AADSTS50076: multi-factor", PERSON),
    _says("consent_expired", '{"error":"invalid_grant","error_description":"AADSTS700082: expired"}', PERSON),
    _says("provider_unavailable", "429 Too Many Requests. Retry-After: 3600", WAIT, 5),
    _says("provider_operation_pending", '{"code":900278,"description":"pending operation"}', WAIT),
    _says("customer_agreement_missing", '{"code":"13605","description":"x"}', PERSON),
    _says("credit_or_risk_hold", '{"code":"800023","description":"x"}', PERSON),
    _says("quantity_cap_exceeded", '{"code":"800067","description":"x"}', PERSON),
    _says("offer_unavailable", '{"code":"2091","description":"x"}', PERSON),
    _says("unknown", "Reference 7F-2231", PERSON),
)
_UNSURE = {("merge failed", "prior_change_blocking"): "scheduled_change_not_applied"}
"""A failed merge may also be named by the scheduled change itself."""


def _rank(trouble: Trouble) -> int:
    return _ORDER.index(trouble.cause)


def _pair(one: Trouble, other: Trouble) -> Case:
    first, second = sorted((one, other), key=_rank)
    base = see(old(), stuck())
    seen = Look(second.happen(first.happen(base.evidence)), NOW, base.policy)
    names = tuple(n for t in (first, second) if (n := _UNSURE.get((t.name, t.cause))))
    causes = (first.cause, *(n for n in names if _ORDER.index(n) < _rank(first) or first.name == "merge failed"))
    return case(
        f"{first.name} and {second.name}",
        f"{first.cause} must be solved before {second.cause}",
        seen,
        causes,
        *_most_cautious(first, second),
        also=[first.cause, second.cause],
    )


def _most_cautious(first: Trouble, second: Trouble) -> set[Disposition]:
    """The strictest of both, except that what waits by design waits whatever comes after it."""
    if first.disposition is WAIT:
        return {WAIT}
    return {max(first.disposition, second.disposition, key=CAUTION.index)}


def _together(one: Trouble, other: Trouble) -> bool:
    return other.name not in one.clashes and one.name not in other.clashes and one.cause != other.cause


# fmt: off
CASES = [
    *(_pair(one, other) for one, other in combinations(STATES, 2) if _together(one, other)),
    *(_pair(state, text) for state in STATES for text in TEXTS if _together(state, text)),
    case(
        "three at once", "consent, a waiting parent and a chain: the provider goes first",
        see(
            old(), failed('{"error":"invalid_grant","error_description":"AADSTS700082: expired"}'), later(),
            subscription=replace(see().evidence.subscription, parent_id=PARENT),
            parent=parent(of_parent(change_type=ChangeType.CREATE), status=Status.AWAITING), environment=env(),
        ),
        "consent_expired", PERSON, also=["parent_not_provisioned", "prior_change_blocking"],
    ),
    case(
        "young and everything wrong", "inside the waiting time nothing is judged",
        see(old(), stuck(created_on=NOW - 5 * MINUTE), environment=env(workflows=_OFF, service_users=_DISABLED)),
        "not_stuck_yet", WAIT, also=["automation_inactive", "service_user_not_ready"],
    ),
]
