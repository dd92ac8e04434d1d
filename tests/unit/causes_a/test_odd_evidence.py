"""Whatever the evidence is like: a finding or a reason, never an exception, and never `auto` for what is not cured."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain import causes
from shared.domain.evidence import (
    Change,
    ChangeType,
    Environment,
    Evidence,
    Job,
    JobStatus,
    ProviderAccount,
    ProviderDetails,
    ProviderReading,
    ProviderRow,
    ProviderSubscription,
    ProviderType,
    ProvisioningStatus,
    ScheduledChange,
    ScheduledJob,
    ServiceUser,
    Subscription,
    SystemJob,
    SystemJobStatus,
    Workflow,
)
from shared.domain.finding import Disposition, Finding
from shared.domain.look import Look
from tests.builders import AT_PROVIDER, NOW, POLICY, STUCK, SUBSCRIPTION, TENANT

MINE = (
    "service_user_not_ready",
    "automation_inactive",
    "credentials_invalid",
    "consent_expired",
    "provider_unavailable",
    "attempt_outcome_unknown",
    "provider_operation_pending",
    "quantity_cap_exceeded",
    "offer_unavailable",
    "customer_agreement_missing",
    "customer_under_review",
    "credit_or_risk_hold",
    "not_stuck_yet",
)

moments = st.none() | st.sampled_from(
    [
        datetime.min.replace(tzinfo=UTC),
        NOW - timedelta(days=100),
        NOW - timedelta(hours=1),
        NOW - timedelta(minutes=5),
        NOW,
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    ]
)
days = moments.map(lambda moment: moment.date() if moment is not None else None)
numbers = st.none() | st.sampled_from([Decimal(n) for n in ("0", "5", "-5", "1e30", "-1e30", "NaN", "Infinity")])
texts = st.sampled_from(
    [
        "",
        "504 Gateway Timeout",
        "429 Too Many Requests",
        '{"code":13605}',
        '{"code":800082}',
        "AADSTS700082",
        "<b>\x07",
        "AADSTS50076",
        '{"code":800073}',
        '{"code":2091}',
        '{"code":2002}',
        "0x80040220",
        '{"code":900257}',
    ]
)
flags = st.none() | st.booleans()


def any_of(kind: Any) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(list(kind))


changes = st.builds(
    Change,
    id=st.sampled_from([STUCK, "b"]),
    change_type=any_of(ChangeType),
    quantity=numbers,
    effective_date=days,
    created_on=moments,
    modified_on=moments,
    status=any_of(ProvisioningStatus),
    message=texts,
    actual_provisioned_on=moments,
    archived=st.booleans(),
)
jobs = st.builds(
    Job, st.sampled_from("ab"), st.just(STUCK), any_of(JobStatus), moments, moments, moments, results=texts
)
system_jobs = st.builds(
    SystemJob,
    st.just("j"),
    st.sampled_from([STUCK, SUBSCRIPTION, "b"]),
    texts,
    any_of(SystemJobStatus),
    st.booleans(),
    message=texts,
    created_on=moments,
    completed_on=moments,
)
providers = st.builds(
    ProviderRow,
    st.just("p"),
    texts,
    any_of(ProviderType),
    st.sampled_from([None, "microsoft_csp", "pax8"]),
    moments,
    st.sampled_from([None, "verified", "failed"]),
    moments,
    flags,
)
subscriptions = st.builds(
    Subscription,
    st.just(SUBSCRIPTION),
    quantity=numbers,
    start_date=days,
    end_date=days,
    part_number=texts,
    product_class=st.sampled_from([None, "usage"]),
    provider=st.none() | providers,
    account=st.none() | st.just(ProviderAccount("a", TENANT)),
    provider_subscription_id=st.sampled_from([None, AT_PROVIDER]),
)
shown = st.builds(
    ProviderSubscription,
    st.just(AT_PROVIDER),
    st.none() | st.integers(),
    st.sampled_from([None, "active", "suspended"]),
    created_on=moments,
    commitment_end=moments,
)
readings = st.builds(
    ProviderReading,
    moments.map(lambda moment: moment or NOW),
    st.lists(shown, max_size=2).map(tuple),
    st.sampled_from([None, "403"]),
    st.booleans(),
)
environments = st.builds(
    Environment,
    st.none() | st.lists(st.builds(Workflow, st.just("w"), texts, flags, moments), max_size=2).map(tuple),
    st.none()
    | st.lists(st.builds(ScheduledJob, st.just("s"), texts, flags, moments, moments, texts), max_size=2).map(tuple),
    st.none()
    | st.lists(st.builds(ServiceUser, st.just("u"), texts, flags, st.none() | st.frozensets(texts)), max_size=2).map(
        tuple
    ),
    moments,
)
evidence = st.builds(
    Evidence,
    subscriptions,
    st.lists(changes, max_size=3).map(tuple),
    st.just(NOW),
    scheduled=st.lists(
        st.builds(ScheduledChange, st.just("s"), status=st.sampled_from(["pending", ""]), effective_date=days),
        max_size=1,
    ).map(tuple),
    jobs=st.lists(jobs, max_size=2).map(tuple),
    system_jobs=st.lists(system_jobs, max_size=2).map(tuple),
    environment=environments,
    provider=st.none() | readings,
    provider_details=st.none() | st.builds(ProviderDetails, st.just(NOW), st.sampled_from([None, "pending"])),
    linked_at_provider=st.none() | st.just(frozenset[str]()),
)


@pytest.mark.parametrize("name", MINE)
@given(evidence)
@settings(max_examples=120, deadline=None)
def test_a_finding_or_a_reason(name: str, seen: Evidence) -> None:
    verdict = causes.CAUSES[name](Look(seen, NOW, POLICY))
    assert verdict.cause == name
    if not isinstance(verdict, Finding):
        assert verdict.reason
        return
    assert verdict.sentence
    assert verdict.next_step
    assert verdict.who
    assert verdict.disposition is not Disposition.AUTO or (verdict.cured and seen.provider is not None)
    assert verdict.disposition is not Disposition.WAIT or verdict.until is not None
