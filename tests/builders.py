"""Evidence by default values: one stuck update of 5 seats on a Microsoft subscription of 20, an hour old.

Input of the unit tests. Nothing here is faked: these are the plain values that the domain works on.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.domain.evidence import (
    Change,
    ChangeSource,
    ChangeType,
    Evidence,
    Job,
    JobStatus,
    ProviderAccount,
    ProviderReading,
    ProviderRow,
    ProviderSubscription,
    ProviderType,
    ProvisioningStatus,
    Related,
    Subscription,
    SubscriptionStatus,
)
from shared.domain.intent import Intent, Phase
from shared.domain.look import Look
from shared.domain.policy import Mode, Policy

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

OURS = "99999999-0000-0000-0000-000000000001"
WORK365_USER = "99999999-0000-0000-0000-000000000002"
SOMEONE = "99999999-0000-0000-0000-000000000003"
SUBSCRIPTION = "11111111-0000-0000-0000-000000000001"
PARENT = "11111111-0000-0000-0000-000000000002"
TENANT = "33333333-0000-0000-0000-000000000001"
AT_PROVIDER = "44444444-0000-0000-0000-000000000001"
OLD, STUCK, LATER = (f"22222222-0000-0000-0000-00000000000{n}" for n in (1, 2, 3))

MICROSOFT = ProviderRow(
    id="55555555-0000-0000-0000-000000000001",
    name="Microsoft Partner Center",
    type=ProviderType.AUTOMATIC,
    connector="microsoft_csp",
    last_verified_on=NOW - 2 * DAY,
    connectivity="verified",
    consent_on=NOW - 10 * DAY,
)


def change(id: str = STUCK, **values: Any) -> Change:
    defaults: dict[str, Any] = {
        "name": "Increase by 5",
        "change_type": ChangeType.UPDATE,
        "quantity": Decimal(5),
        "effective_date": (NOW - HOUR).date(),
        "created_on": NOW - HOUR,
        "modified_on": NOW - HOUR,
        "status": ProvisioningStatus.AWAITING,
        "source": ChangeSource.WORK365,
        "etag": 'W/"100"',
    }
    return Change(id=id, **{**defaults, **values})


def provisioned(id: str = OLD, quantity: int = 20, **values: Any) -> Change:
    return change(
        id,
        name="Create 20",
        change_type=ChangeType.CREATE,
        quantity=Decimal(quantity),
        effective_date=date(2026, 1, 1),
        created_on=NOW - 300 * DAY,
        status=ProvisioningStatus.PROVISIONED,
        **values,
    )


def subscription(**values: Any) -> Subscription:
    defaults: dict[str, Any] = {
        "name": "Contoso Microsoft 365",
        "status": SubscriptionStatus.AWAITING,
        "quantity": Decimal(25),
        "start_date": date(2026, 1, 1),
        "product_class": "license",
        "part_number": "CFQ7TTC0LH16:0001",
        "customer_id": "66666666-0000-0000-0000-000000000001",
        "customer_name": "Contoso",
        "customer_active": True,
        "contract_id": "cccccccc-0000-0000-0000-000000000001",
        "contract_customer_id": "66666666-0000-0000-0000-000000000001",
        "contract_active": True,
        "product_active": True,
        "price_list_id": "eeeeeeee-0000-0000-0000-000000000001",
        "currency": "EUR",
        "provider": MICROSOFT,
        "account": ProviderAccount("77777777-0000-0000-0000-000000000001", TENANT),
        "provider_subscription_id": AT_PROVIDER,
    }
    return Subscription(id=values.pop("id", SUBSCRIPTION), **{**defaults, **values})


def shown(quantity: int | None = 20, **values: Any) -> ProviderReading:
    """The provider shows this many seats."""
    defaults: dict[str, Any] = {
        "id": AT_PROVIDER,
        "status": "active",
        "product": "CFQ7TTC0LH16:0001",
        "created_on": NOW - 300 * DAY,
        "has_next_term_instructions": False,
    }
    return ProviderReading(NOW, (ProviderSubscription(quantity=quantity, **{**defaults, **values}),))


def job(status: JobStatus, **values: Any) -> Job:
    defaults: dict[str, Any] = {"change_id": STUCK, "created_on": NOW - HOUR, "modified_on": NOW - HOUR}
    return Job(id="88888888-0000-0000-0000-000000000001", status=status, **{**defaults, **values})


def parent(**values: Any) -> Related:
    changes = values.pop("changes", ())
    status = values.pop("status", SubscriptionStatus.PROVISIONED)
    return Related(subscription(id=PARENT, name="Contoso base", status=status, **values), changes)


def evidence(*changes: Change, **values: Any) -> Evidence:
    defaults: dict[str, Any] = {
        "subscription": subscription(),
        "changes": changes or (provisioned(), change()),
        "read_on": NOW,
        "provider": shown(),
        "own_user_id": OURS,
        "service_user_ids": frozenset({OURS, WORK365_USER}),
    }
    return Evidence(**{**defaults, **values})


def look(*changes: Change, policy: Policy | None = None, now: datetime = NOW, **values: Any) -> Look:
    intent, attempts = values.pop("intent", None), values.pop("attempts", ())
    return Look(evidence(*changes, **values), now, policy or POLICY, intent, attempts)


POLICY = Policy(mode=Mode.AUTO)


def our_intent(**values: Any) -> Intent:
    defaults: dict[str, Any] = {
        "change_id": STUCK,
        "plan_digest": "a" * 32,
        "by": "unstuck",
        "written_on": NOW - HOUR,
        "phase": Phase.NOT_APPLICABLE_SET,
        "status_before": ProvisioningStatus.AWAITING,
        "etag_before": 'W/"100"',
        "etag_after": 'W/"101"',
    }
    return Intent(**{**defaults, **values})


def half_toggled(**values: Any) -> Change:
    """The change as our first write left it."""
    defaults = {"status": ProvisioningStatus.NOT_APPLICABLE, "etag": 'W/"101"', "modified_by": OURS}
    return replace(change(), **{**defaults, **values})
