"""What was read about one subscription: plain values, no opinion.

Everything here may be missing. A column that could not be read is `None` and is named in `Evidence.unread`;
a rule that depends on it must not treat it as fine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class ProvisioningStatus(StrEnum):
    """The four values of a License Change Log's Provisioning Status in Work 365."""

    AWAITING = "awaiting_provisioning"
    NOT_APPLICABLE = "not_applicable"
    PROVISIONED = "provisioned"
    FAILED = "failed_provisioning"


class ChangeType(StrEnum):
    """What a License Change Log does to its subscription."""

    CREATE = "create"
    UPDATE = "update"
    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"


class ChangeSource(StrEnum):
    """Who made the change. Provider-sourced changes are already at the provider."""

    WORK365 = "work365"
    PORTAL = "portal"
    PROVIDER = "provider"


class SubscriptionStatus(StrEnum):
    """Status Reason of a subscription."""

    ACTIVE = "active"
    AWAITING = "awaiting_provisioning"
    PROVISIONED = "provisioned"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    INACTIVE = "inactive"


class ProviderType(StrEnum):
    """How a provider in Work 365 is driven."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"
    DO_NOTHING = "do_nothing"
    LINKED = "linked_subscription"
    REST = "rest"


class JobStatus(StrEnum):
    """State of a Work 365 Job."""

    WAITING = "waiting"
    DISPATCHED = "dispatched"
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"
    RETRY = "retry"
    CANCELLED = "cancelled"


LIVE_JOBS = frozenset({JobStatus.WAITING, JobStatus.DISPATCHED, JobStatus.IN_PROGRESS, JobStatus.RETRY})
"""Work 365 may still act on a job in one of these states: never retrigger beside it (rule 7)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One License Change Log. `quantity` is a delta in seats, not a total."""

    id: str
    name: str = ""
    change_type: ChangeType | None = None
    quantity: Decimal | None = None
    effective_date: date | None = None
    created_on: datetime | None = None
    modified_on: datetime | None = None
    modified_by: str | None = None
    status: ProvisioningStatus | None = None
    message: str = ""
    actual_provisioned_on: datetime | None = None
    source: ChangeSource | None = None
    archived: bool = False
    """Invoiced. Archived changes neither block nor are ever written."""
    etag: str = ""
    """Dataverse's version of the row as it was read; every write to it carries this."""


@dataclass(frozen=True, slots=True)
class ScheduledChange:
    """One Scheduled License Change Log that is not archived."""

    id: str
    name: str = ""
    status: str = ""
    """`pending` or `merge_failed`."""
    effective_date: date | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One Work 365 Job of type Sync License Change Log."""

    id: str
    change_id: str
    status: JobStatus | None = None
    scheduled_for: datetime | None = None
    created_on: datetime | None = None
    modified_on: datetime | None = None
    results: str = ""


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A provider as Work 365 has it configured."""

    id: str
    name: str = ""
    type: ProviderType | None = None
    connector: str | None = None
    last_verified_on: datetime | None = None
    """When Verify Connectivity last ran; whether it succeeded is `connectivity`."""
    connectivity: str | None = None
    consent_on: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProviderAccount:
    """The customer's account at the provider. `tenant_id` is the Provider Specific Id."""

    id: str
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A Work 365 subscription with what its lookups point to."""

    id: str
    name: str = ""
    status: SubscriptionStatus | None = None
    quantity: Decimal | None = None
    start_date: date | None = None
    end_date: date | None = None
    product_class: str | None = None
    """`license`, `usage`, `service` or `tiered`; quantities of usage-based ones are not comparable."""
    product_id: str | None = None
    part_number: str | None = None
    """The product's Provider Part Number, for Microsoft `ProductId:SkuId`."""
    customer_id: str | None = None
    customer_name: str = ""
    parent_id: str | None = None
    linked_id: str | None = None
    provider: ProviderRow | None = None
    account: ProviderAccount | None = None
    provider_subscription_id: str | None = None


@dataclass(frozen=True, slots=True)
class Parent:
    """The parent subscription of an add-on, with its own unprovisioned changes."""

    subscription: Subscription
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderSubscription:
    """A subscription as the provider itself shows it."""

    id: str
    quantity: int | None = None
    status: str | None = None
    product: str | None = None
    """`ProductId:SkuId` of the offer."""
    created_on: datetime | None = None
    has_next_term_instructions: bool | None = None
    """A scheduled change for the next term, which any mid-term change would delete."""


@dataclass(frozen=True, slots=True)
class ProviderReading:
    """What the provider answered, or why it could not be asked. Never both."""

    read_on: datetime
    subscriptions: tuple[ProviderSubscription, ...] = ()
    problem: str | None = None
    """Why nothing could be read (not configured, not Microsoft, throttled, refused); None when it was read."""
    transient: bool = False
    """The problem passes by itself (throttled, no answer): ask again before concluding."""

    @property
    def readable(self) -> bool:
        return self.problem is None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything one diagnosis looks at.

    `provider` is None as long as the provider has not been asked. `linked_at_provider` holds the provider's
    subscription ids that some Work 365 subscription of this customer already points to, None when not read.
    """

    subscription: Subscription
    changes: tuple[Change, ...]
    read_on: datetime
    scheduled: tuple[ScheduledChange, ...] = ()
    jobs: tuple[Job, ...] = ()
    parent: Parent | None = None
    provider: ProviderReading | None = None
    linked_at_provider: frozenset[str] | None = None
    own_user_id: str | None = None
    """The application user this app writes as."""
    service_user_ids: frozenset[str] = frozenset()
    """Application users, such as Work 365's own: their plug-ins touch rows without deciding anything."""
    unread: tuple[str, ...] = ()
    """What could not be read, in words: "jobs (403)". It never counts as fine."""
    unmapped: Mapping[str, str] = field(default_factory=dict)
    """Columns whose value the schema map does not know: where -> raw value."""
