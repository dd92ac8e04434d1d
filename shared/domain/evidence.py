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


class ReductionBehavior(StrEnum):
    """Quantity Reduction Behavior (QRB) of a subscription: when seats may be given back."""

    ALLOWED = "allowed"
    DISALLOWED = "disallowed"
    WITHIN_WINDOW = "within_window"


class SystemJobStatus(StrEnum):
    """Status Reason of a System Job (asyncoperation) of Dataverse."""

    WAITING_FOR_RESOURCES = "waiting_for_resources"
    WAITING = "waiting"
    """Also what a suspended one shows."""
    IN_PROGRESS = "in_progress"
    PAUSING = "pausing"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
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
    account_id: str | None = None
    """The customer account that the change itself names."""
    unit_price: Decimal | None = None
    """Selling price of one seat for one billing period, in the subscription's currency."""


@dataclass(frozen=True, slots=True)
class ScheduledChange:
    """One Scheduled License Change Log that is not archived."""

    id: str
    name: str = ""
    status: str = ""
    """`pending` or `merge_failed`."""
    effective_date: date | None = None
    quantity: Decimal | None = None
    change_type: ChangeType | None = None
    provision_on: date | None = None
    """When it is sent to the provider; `effective_date` is when it is merged."""
    created_on: datetime | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One Work 365 Job that provisions a change (Sync License Change Log) or merges a scheduled one."""

    id: str
    change_id: str
    """Empty for a job of a scheduled change."""
    status: JobStatus | None = None
    scheduled_for: datetime | None = None
    created_on: datetime | None = None
    modified_on: datetime | None = None
    results: str = ""
    scheduled_change_id: str | None = None


@dataclass(frozen=True, slots=True)
class SystemJob:
    """A System Job of Dataverse about a change or its subscription that failed, was cancelled, or has not ended.

    Beside one that failed stands the newest of the same name, about the same row, that succeeded in the last 30 days,
    if there is one: whether it came later and did what the other failed at is for a rule to say.
    """

    id: str
    regarding_id: str
    """The License Change Log, scheduled change or subscription it is about."""
    name: str = ""
    status: SystemJobStatus | None = None
    suspended: bool = False
    message: str = ""
    created_on: datetime | None = None
    completed_on: datetime | None = None


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow (process) of Work 365 in Dataverse."""

    id: str
    name: str = ""
    active: bool | None = None
    modified_on: datetime | None = None
    """When it was last switched on or off, at the latest."""


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """One of Work 365's own scheduled jobs, with its latest run."""

    id: str
    name: str = ""
    enabled: bool | None = None
    last_run_on: datetime | None = None
    next_run_on: datetime | None = None
    last_result: str = ""


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """The application user as which Work 365's back-end works in Dataverse."""

    id: str
    name: str = ""
    enabled: bool | None = None
    roles: frozenset[str] | None = None
    """Names of its security roles; None when they could not be read."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What all subscriptions of one environment share. None: not read, and so not known; empty: there is none."""

    workflows: tuple[Workflow, ...] | None = None
    scheduled_jobs: tuple[ScheduledJob, ...] | None = None
    service_users: tuple[ServiceUser, ...] | None = None
    last_job_on: datetime | None = None
    """When any Work 365 Job last ended; None when none has, or it was not read."""
    unread: tuple[str, ...] = ()
    """What of this could not be read, in words: "workflows (403)". It lowers confidence and never counts as fine."""


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
    """`verified` or `failed`."""
    consent_on: datetime | None = None
    """When consent was last given; it lapses after 90 days without use."""
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class ProviderAccount:
    """The customer's account at the provider. `tenant_id` is the Provider Specific Id."""

    id: str
    tenant_id: str | None = None
    customer_id: str | None = None
    """The account it belongs to."""
    provider_id: str | None = None
    active: bool | None = None


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
    customer_active: bool | None = None
    product_name: str = ""
    product_active: bool | None = None
    contract_id: str | None = None
    """The billing contract."""
    contract_customer_id: str | None = None
    contract_active: bool | None = None
    next_invoice_on: date | None = None
    """When the billing contract is invoiced next."""
    reduction_behavior: ReductionBehavior | None = None
    reduction_window_days: int | None = None
    """Quantity Reduction Window (QRW), counted from the Create's Actual Provisioned On and from each renewal."""
    price_list_id: str | None = None
    currency: str | None = None
    """ISO 4217 code."""
    etag: str = ""
    """Dataverse's version of the row as it was read; every write to it carries this."""


@dataclass(frozen=True, slots=True)
class Related:
    """Another subscription that this one depends on (its parent, or the one it is linked to), with its changes."""

    subscription: Subscription
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class SeatBatch:
    """Seats bought together, and until when they may be given back."""

    quantity: int | None
    until: datetime | None


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
    next_term_quantity: int | None = None
    parent_id: str | None = None
    actions: frozenset[str] | None = None
    """What may be done with it now: `edit`, `cancel`; None when the provider does not say."""
    refundable: tuple[SeatBatch, ...] | None = None
    """Seats that may still be given back, each batch with its own window; None when not known."""
    refundable_total: int | None = None
    """Seats that may be given back now."""
    cancellation_until: datetime | None = None
    commitment_end: datetime | None = None
    """When the term ends. Renewal runs after 00:00 UTC of the next day and may take up to 24 hours."""
    auto_renew: bool | None = None
    suspension_reasons: tuple[str, ...] = ()
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderReading:
    """What the provider answered, or why it could not be asked. Never both."""

    read_on: datetime
    subscriptions: tuple[ProviderSubscription, ...] = ()
    problem: str | None = None
    """Why nothing could be read (not configured, not Microsoft, throttled, refused); None when it was read."""
    transient: bool = False
    """The problem passes by itself (throttled, no answer): ask again before concluding."""
    relationship: bool | None = None
    """Whether the provider knows the tenant as a customer of this partner; None when not known."""

    @property
    def readable(self) -> bool:
        return self.problem is None


@dataclass(frozen=True, slots=True)
class ProviderDetails:
    """What the provider says of one subscription's last order. `problem` says why a part could not be read."""

    read_on: datetime
    provisioning: str | None = None
    """`success`, `pending`, `failed` or `none`; refreshed by the provider every 15 minutes."""
    provisioned_quantity: int | None = None
    order_status: str | None = None
    """`completed`, `pending`, `cancelled` or `unknown`."""
    problem: str | None = None


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
    parent: Related | None = None
    ancestors: tuple[str, ...] = ()
    """Ids of the parent's parents, as far up as was read: a subscription among its own ancestors is a data error."""
    linked: Related | None = None
    """The subscription through which this one's changes work (provider type Linked Subscription)."""
    accounts_of_customer: tuple[ProviderAccount, ...] | None = None
    """The customer's provider accounts; None when not read, which is so unless the subscription's own is in doubt."""
    system_jobs: tuple[SystemJob, ...] = ()
    environment: Environment = Environment()
    provider: ProviderReading | None = None
    provider_details: ProviderDetails | None = None
    """Only asked where what became of the last call is in doubt."""
    accounts_at_provider: Mapping[str, ProviderReading] = field(default_factory=dict)
    """What each tenant of `accounts_of_customer` shows, by tenant id in lower case; only asked where the
    subscription's own account is in doubt. `provider` is the own account's reading, else that of the only tenant."""
    linked_at_provider: frozenset[str] | None = None
    own_user_id: str | None = None
    """The application user this app writes as."""
    service_user_ids: frozenset[str] = frozenset()
    """Application users, such as Work 365's own: their plug-ins touch rows without deciding anything."""
    unread: tuple[str, ...] = ()
    """What could not be read, in words: "jobs (403)". It never counts as fine."""
    unmapped: Mapping[str, str] = field(default_factory=dict)
    """Columns whose value the schema map does not know: where -> raw value."""
