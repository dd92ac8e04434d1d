"""What the corpus is built from: a subscription about which everything was read and nothing is wrong but one change.

Input only. Each case changes what it is about and leaves the rest as it is here.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from shared.domain.evidence import (
    Change,
    ChangeType,
    Environment,
    Evidence,
    Job,
    JobStatus,
    ProviderAccount,
    ProviderReading,
    ProviderRow,
    ProviderType,
    ProvisioningStatus,
    ReductionBehavior,
    Related,
    ScheduledChange,
    ScheduledJob,
    SeatBatch,
    ServiceUser,
    Subscription,
    SubscriptionStatus,
    Workflow,
)
from shared.domain.look import Look
from shared.domain.policy import Mode, Policy
from tests import builders
from tests.builders import AT_PROVIDER, DAY, HOUR, LATER, NOW, PARENT, STUCK, TENANT, WORK365_USER

FAILED, AWAITING = ProvisioningStatus.FAILED, ProvisioningStatus.AWAITING
NOT_APPLICABLE, PROVISIONED = ProvisioningStatus.NOT_APPLICABLE, ProvisioningStatus.PROVISIONED
MINUTE = timedelta(minutes=1)
CUSTOMER = "66666666-0000-0000-0000-000000000001"
OTHER_CUSTOMER = "66666666-0000-0000-0000-000000000002"
LINKED = "11111111-0000-0000-0000-000000000003"
EARLIER = "22222222-0000-0000-0000-000000000000"
THIRD = "22222222-0000-0000-0000-000000000004"
PART = "CFQ7TTC0LH16:0001"
ROLES = frozenset({"Work 365 Service", "Work 365 Portal Service"})

MICROSOFT = replace(builders.MICROSOFT, active=True)
MANUAL = ProviderRow("55555555-0000-0000-0000-000000000002", "Phone lines", ProviderType.MANUAL, active=True)
NOTHING = ProviderRow("55555555-0000-0000-0000-000000000003", "Do Nothing", ProviderType.DO_NOTHING, active=True)
THROUGH = ProviderRow("55555555-0000-0000-0000-000000000004", "Linked", ProviderType.LINKED, active=True)
REST = ProviderRow("55555555-0000-0000-0000-000000000005", "Own cloud", ProviderType.REST, "rest", active=True)
PAX8 = ProviderRow(
    "55555555-0000-0000-0000-000000000006",
    "Pax8",
    ProviderType.AUTOMATIC,
    "pax8",
    last_verified_on=NOW - DAY,
    connectivity="verified",
    active=True,
)
ACCOUNT = ProviderAccount("77777777-0000-0000-0000-000000000001", TENANT, CUSTOMER, MICROSOFT.id, active=True)
REST_ACCOUNT, PAX8_ACCOUNT = replace(ACCOUNT, provider_id=REST.id), replace(ACCOUNT, provider_id=PAX8.id)
OTHER_ACCOUNT = replace(ACCOUNT, id="77777777-0000-0000-0000-000000000002", tenant_id=TENANT[:-1] + "2")


def at(quantity: int) -> Decimal:
    return Decimal(quantity)


def sub(**values: Any) -> Subscription:
    """The subscription: 20 seats in force, 5 more asked for, in its year, with everything filled in."""
    full: dict[str, Any] = {
        "end_date": date(2026, 12, 31),
        "product_id": "dddddddd-0000-0000-0000-000000000001",
        "product_name": "Microsoft 365 Business Premium",
        "product_active": True,
        "customer_id": CUSTOMER,
        "customer_active": True,
        "contract_id": "cccccccc-0000-0000-0000-000000000001",
        "contract_customer_id": CUSTOMER,
        "contract_active": True,
        "next_invoice_on": date(2026, 12, 1),
        "reduction_behavior": ReductionBehavior.WITHIN_WINDOW,
        "reduction_window_days": 7,
        "price_list_id": "eeeeeeee-0000-0000-0000-000000000001",
        "currency": "EUR",
        "provider": MICROSOFT,
        "account": ACCOUNT,
    }
    return builders.subscription(**{**full, **values})


def old(quantity: int = 20, **values: Any) -> Change:
    """The first order, provisioned at the beginning of the year."""
    return builders.provisioned(
        quantity=quantity, **{"actual_provisioned_on": NOW - 300 * DAY, "modified_by": WORK365_USER, **values}
    )


def stuck(quantity: int | None = 5, **values: Any) -> Change:
    """The change that waits: made an hour ago in Work 365."""
    wanted = None if quantity is None else Decimal(quantity)
    return builders.change(
        **{"quantity": wanted, "modified_by": WORK365_USER, "unit_price": Decimal("20.60"), **values}
    )


def later(quantity: int = 2, minutes: int = 45, **values: Any) -> Change:
    """Another change of the subscription, made after the first."""
    when = NOW - minutes * MINUTE
    return stuck(quantity, **{"id": LATER, "name": "Later", "created_on": when, "modified_on": when, **values})


def failed(message: str, minutes: float = 60, quantity: int | None = 5, **values: Any) -> Change:
    """The change after Work 365 gave up on it, `minutes` ago, with this text."""
    left = NOW - minutes * MINUTE
    made = min(left, NOW - HOUR)
    return stuck(quantity, **{"status": FAILED, "message": message, "modified_on": left, "created_on": made, **values})


def seats(quantity: int | None = 20, *, now: datetime = NOW, **values: Any) -> ProviderReading:
    """What the provider shows: these seats, in force, far from its renewal."""
    full: dict[str, Any] = {
        "actions": frozenset({"edit", "cancel"}),
        "refundable": (),
        "refundable_total": 0,
        "commitment_end": datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
        "auto_renew": True,
        "order_id": "order-1",
    }
    return replace(builders.shown(quantity, **{**full, **values}), read_on=now, relationship=True)


def offered(*batches: tuple[int, timedelta], total: int | None = None, quantity: int = 20) -> ProviderReading:
    """What the provider shows when it takes seats back: each batch until this long from now."""
    refundable = tuple(SeatBatch(number, NOW + left) for number, left in batches)
    open_now = sum(number for number, left in batches if left > timedelta())
    return seats(quantity, refundable=refundable, refundable_total=open_now if total is None else total)


def unreadable(problem: str, *, transient: bool = False) -> ProviderReading:
    return ProviderReading(NOW, problem=problem, transient=transient)


def env(now: datetime = NOW, **values: Any) -> Environment:
    """An environment in which everything runs."""
    full: dict[str, Any] = {
        "workflows": (
            Workflow("w1", "Work 365: run a job", active=True, modified_on=now - 200 * DAY),
            Workflow("w2", "Work 365: new change", active=True, modified_on=now - 200 * DAY),
        ),
        "scheduled_jobs": (
            ScheduledJob("s1", "Process jobs", True, now - 10 * MINUTE, now + 5 * MINUTE, "Succeeded"),
            ScheduledJob("s2", "Merge scheduled changes", True, now - 10 * HOUR, now + 14 * HOUR, "Succeeded"),
        ),
        "service_users": (ServiceUser(WORK365_USER, "Work 365", True, ROLES),),
        "last_job_on": now - 10 * MINUTE,
    }
    return Environment(**{**full, **values})


def job(status: JobStatus | None, minutes: float = 60, **values: Any) -> Job:
    """A job of the change that last moved this long ago."""
    when = NOW - minutes * MINUTE
    full: dict[str, Any] = {"change_id": STUCK, "created_on": when, "modified_on": when, "scheduled_for": when}
    return Job(id=values.pop("id", "88888888-0000-0000-0000-000000000001"), status=status, **{**full, **values})


def parent(
    *changes: Change, status: SubscriptionStatus | None = SubscriptionStatus.PROVISIONED, **values: Any
) -> Related:
    """The base subscription of an add-on, with its changes."""
    return Related(sub(id=PARENT, name="Contoso base", status=status, **values), changes)


def of_parent(**values: Any) -> Change:
    """A change of the parent that is not provisioned."""
    return stuck(**{"id": "23232323-0000-0000-0000-000000000001", "name": "Base", **values})


def scheduled(status: str, day: date | None, **values: Any) -> ScheduledChange:
    full: dict[str, Any] = {
        "name": "Five more from then on",
        "quantity": Decimal(5),
        "change_type": ChangeType.UPDATE,
        "created_on": NOW - 30 * DAY,
    }
    return ScheduledChange(
        "12121212-0000-0000-0000-000000000001", status=status, effective_date=day, **{**full, **values}
    )


def see(*changes: Change, now: datetime = NOW, zone: tzinfo = UTC, **values: Any) -> Look:
    """One look. Without changes: the first order and the change that waits."""
    intent, attempts = values.pop("intent", None), values.pop("attempts", ())
    full: dict[str, Any] = {
        "subscription": sub(),
        "provider": seats(now=now),
        "environment": env(now),
        "read_on": now,
        "linked_at_provider": frozenset({AT_PROVIDER}),
    }
    evidence: Evidence = builders.evidence(*(changes or (old(), stuck())), **{**full, **values})
    return Look(evidence, now, Policy(mode=Mode.AUTO, time_zone=zone), intent, attempts)
