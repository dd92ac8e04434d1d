"""Turns Dataverse's rows into evidence.

Nothing here raises for what a row holds. A value that makes no sense becomes None and is noted in `unmapped`; what
should have come with a row and did not is named in `unread`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

from shared.adapters.work365.reader import Reader, Row
from shared.adapters.work365.schema import SchemaMap
from shared.domain.evidence import (
    Change,
    ChangeSource,
    ChangeType,
    Job,
    JobStatus,
    ProviderAccount,
    ProviderRow,
    ProviderType,
    ProvisioningStatus,
    ReductionBehavior,
    ScheduledChange,
    Subscription,
    SubscriptionStatus,
    SystemJob,
    SystemJobStatus,
)

__all__ = ["LARGEST_COLLECTION", "Row", "Rows", "Shared"]

LARGEST_COLLECTION = 5_000
"""Rows that Dataverse returns of one expanded collection; at that many, some may be missing."""


@dataclass(frozen=True)
class Shared:
    """What many subscriptions point to and is read once. `notes` is what was not understood of a provider."""

    providers: Mapping[str, ProviderRow] = field(default_factory=dict)
    notes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    currencies: Mapping[str, str] = field(default_factory=dict)
    """ISO codes by id."""


@dataclass
class Rows:
    """Makes evidence of rows by one schema map. One is made for each subscription, so that its notes are its own."""

    schema: SchemaMap
    time_zone: tzinfo
    unmapped: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def afresh(self) -> "Rows":
        """The same map, with nothing noted yet."""
        return Rows(self.schema, self.time_zone)

    def reader(self, table: str, row: Row) -> Reader:
        return Reader(self.schema.table(table), row, self.time_zone, self.unmapped)

    def change(self, row: Row) -> Change:
        read = self.reader("license_change_log", row)
        read.must_have("state")
        return Change(
            id=read.id,
            name=read.text("name"),
            change_type=read.option("change_type", ChangeType),
            quantity=read.number("quantity"),
            effective_date=read.day("effective_date"),
            created_on=read.moment("created_on"),
            modified_on=read.moment("modified_on"),
            modified_by=read.lookup("modified_by"),
            status=read.option("provisioning_status", ProvisioningStatus),
            message=read.text("provisioning_message"),
            actual_provisioned_on=read.moment("actual_provisioned_on"),
            source=read.option("change_source", ChangeSource),
            # A state that is not known may be Archived, which is never written.
            archived=read.option_name("state") != "active",
            etag=str(row.get("@odata.etag") or ""),
            account_id=read.lookup("account"),
            unit_price=read.number("unit_price"),
        )

    def scheduled(self, row: Row) -> ScheduledChange:
        read = self.reader("scheduled_license_change_log", row)
        return ScheduledChange(
            id=read.id,
            name=read.text("name"),
            status=read.option_name("status") or "",
            effective_date=read.day("effective_date"),
            quantity=read.number("quantity"),
            change_type=read.option("change_type", ChangeType),
            provision_on=read.day("provision_on"),
            created_on=read.moment("created_on"),
        )

    def job(self, row: Row) -> Job:
        read = self.reader("work365_job", row)
        return Job(
            id=read.id,
            change_id=read.lookup("license_change_log") or "",
            status=read.option("job_status", JobStatus),
            scheduled_for=read.moment("scheduled_for"),
            created_on=read.moment("created_on"),
            modified_on=read.moment("modified_on"),
            results=read.text("results"),
            scheduled_change_id=read.lookup("scheduled_license_change_log"),
        )

    def system_job(self, row: Row) -> SystemJob:
        read = self.reader("system_job", row)
        return SystemJob(
            id=read.id,
            regarding_id=read.lookup("regarding") or "",
            name=read.text("name"),
            status=read.option("status", SystemJobStatus),
            suspended=read.option_name("state") == "suspended",
            message=read.text("message"),
            created_on=read.moment("created_on"),
            completed_on=read.moment("completed_on"),
        )

    def provider(self, row: Row) -> ProviderRow:
        read = self.reader("provider", row)
        return ProviderRow(
            id=read.id,
            name=read.text("name"),
            type=read.option("type", ProviderType),
            connector=read.option_name("connector"),
            last_verified_on=read.moment("last_verified_on"),
            connectivity=read.option_name("connectivity"),
            consent_on=read.moment("consent_on"),
            active=read.is_one_of("state", "active"),
        )

    def account(self, row: Row) -> ProviderAccount:
        read = self.reader("provider_account", row)
        return ProviderAccount(
            id=read.id,
            tenant_id=read.text("provider_specific_id").strip() or None,
            customer_id=read.lookup("account"),
            provider_id=read.lookup("provider"),
            active=read.is_one_of("state", "active"),
        )

    def subscription(self, row: Row, shared: Shared) -> Subscription:
        """A subscription; what its lookups point to comes from the expands of the same row, or is shared."""
        read = self.reader("subscription", row)
        found = Subscription(
            id=read.id,
            name=read.text("name"),
            status=read.option("status", SubscriptionStatus),
            quantity=read.number("quantity"),
            start_date=read.day("start_date"),
            end_date=read.day("end_date"),
            product_class=read.option_name("product_class"),
            product_id=read.lookup("product"),
            customer_id=read.lookup("customer"),
            parent_id=read.lookup("parent"),
            linked_id=read.lookup("linked"),
            provider=self._provider(read, shared),
            account=self._account(read),
            provider_subscription_id=read.text("provider_subscription_id") or None,
            contract_id=read.lookup("billing_contract"),
            reduction_behavior=read.option("reduction_behavior", ReductionBehavior),
            reduction_window_days=read.whole("reduction_window"),
            price_list_id=self._lookup_if_followed(read, "price_list"),
            etag=str(row.get("@odata.etag") or ""),
            currency=shared.currencies.get(self._lookup_if_followed(read, "currency") or ""),
        )
        return self._with_what_it_looks_up(found, read)

    def _with_what_it_looks_up(self, found: Subscription, read: Reader) -> Subscription:
        customer, product = self._expanded(read, "customer"), self._expanded(read, "product")
        contract = self._expanded(read, "billing_contract")
        return replace(
            found,
            customer_name=customer.text("name") if customer else "",
            customer_active=customer.is_one_of("state", "active") if customer else None,
            product_name=product.text("name") if product else "",
            # A product under revision is sold as it was until the revision is published.
            product_active=product.is_one_of("state", "active", "under_revision") if product else None,
            part_number=(product.text("provider_part_number") or None) if product else None,
            contract_customer_id=contract.lookup("customer") if contract else None,
            contract_active=contract.is_one_of("state", "active") if contract else None,
            next_invoice_on=contract.day("next_invoice_on") if contract else None,
        )

    def _provider(self, read: Reader, shared: Shared) -> ProviderRow | None:
        """The provider; only its id when it was not among those read: that is another thing than none."""
        id = read.lookup("provider")
        if id is None:
            return None
        self.unmapped.update(shared.notes.get(id, {}))
        return shared.providers.get(id) or ProviderRow(id)

    def _account(self, read: Reader) -> ProviderAccount | None:
        inner = self._expanded(read, "provider_account")
        if inner is not None:
            return self.account(inner.row)
        id = read.lookup("provider_account")
        return ProviderAccount(id) if id is not None else None

    def _expanded(self, read: Reader, key: str) -> Reader | None:
        """The row that a lookup leads to; one that should have come along and did not is named."""
        column = read.table.column(key)
        inner = read.row.get(column.navigation or "")
        if isinstance(inner, Mapping):
            return self.reader(column.target or "", inner)
        if read.raw(key) is not None:
            self.unread.append(f"the {self.schema.table(column.target or '').label} that its {key} points to")
        return None

    def _lookup_if_followed(self, read: Reader, key: str) -> str | None:
        return read.lookup(key) if self.schema.follows("subscription", key) else None

    def above(self, row: Row) -> tuple[str, ...]:
        """The ids of a subscription's parents, as far up as they came along; a circle is gone round once."""
        navigation = self.schema.table("subscription").column("parent").navigation or ""
        found: list[str] = []
        level: object = row
        while isinstance(level, Mapping):
            parent = self.reader("subscription", level).lookup("parent")
            if parent is None or parent in found:
                break
            found.append(parent)
            level = level.get(navigation)
        return tuple(found)

    def collection(self, row: Row, table: str) -> tuple[Sequence[Row], bool]:
        """The rows of a collection expanded in a subscription, and whether they are all there and make sense."""
        name = self.schema.table(table).column("subscription").collection or ""
        rows = row.get(name)
        if not isinstance(rows, list):
            return (), False
        good = [each for each in rows if isinstance(each, Mapping) and self.reader(table, each).id]
        cut_off = f"{name}@odata.nextLink" in row and len(rows) >= LARGEST_COLLECTION
        return good, len(good) == len(rows) and not cut_off


def newest(moments: Sequence[datetime | None]) -> datetime | None:
    """The latest of those that are known."""
    return max((each for each in moments if each is not None), default=None)
