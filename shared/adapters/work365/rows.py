"""Turns Dataverse's rows into evidence. Odd values become None and are named; nothing here raises for data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from shared.adapters.work365.schema import SchemaMap, Table
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
    ScheduledChange,
    Subscription,
    SubscriptionStatus,
)

type Row = Mapping[str, Any]


@dataclass
class Reader:
    """Reads one row by the map's column names, and notes every option that the map does not know."""

    table: Table
    row: Row
    time_zone: tzinfo
    unmapped: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.row.get(self.table.primary_id) or "").casefold()

    def raw(self, key: str) -> Any:
        return self.row.get(self.table.column(key).in_row)

    def text(self, key: str) -> str:
        value = self.raw(key)
        return value if isinstance(value, str) else ""

    def lookup(self, key: str) -> str | None:
        value = self.raw(key)
        return value.casefold() if isinstance(value, str) and value else None

    def number(self, key: str) -> Decimal | None:
        value = self.raw(key)
        if value is None or isinstance(value, bool):
            return None
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            return None
        if not number.is_finite() or abs(number) > MOST_SEATS:
            return None
        # Dataverse writes 25 seats as 25.0; people are shown this number.
        return Decimal(int(number)) if number == number.to_integral_value() else number

    def moment(self, key: str) -> datetime | None:
        value = self.raw(key)
        if not isinstance(value, str):
            return None
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            return None
        return read.astimezone(UTC) if read.tzinfo is not None else read.replace(tzinfo=UTC)

    def day(self, key: str) -> date | None:
        """A date-only column; a column that holds a time after all is read where Work 365 runs."""
        value = self.raw(key)
        if not isinstance(value, str):
            return None
        if "T" in value:
            moment = self.moment(key)
            return moment.astimezone(self.time_zone).date() if moment is not None else None
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None

    def option[E: StrEnum](self, key: str, kind: type[E]) -> E | None:
        """The option as the domain knows it; an unknown number is noted, not guessed."""
        name = self.option_name(key)
        return kind(name) if name is not None and name in kind else None

    def option_name(self, key: str) -> str | None:
        value = self.raw(key)
        if value is None:
            return None
        name = self.table.column(key).option_of.get(value) if isinstance(value, int) else None
        if name is None:
            self.unmapped[f"{self.table.logical}.{self.table.column(key).logical}"] = str(value)[:100]
        return name


@dataclass
class Rows:
    """Makes evidence of rows by one schema map."""

    schema: SchemaMap
    time_zone: tzinfo
    unmapped: dict[str, str] = field(default_factory=dict)

    def reader(self, table: str, row: Row) -> Reader:
        return Reader(self.schema.table(table), row, self.time_zone, self.unmapped)

    def change(self, row: Row) -> Change:
        read = self.reader("license_change_log", row)
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
            archived=read.option_name("state") != "active",
            etag=str(row.get("@odata.etag") or ""),
        )

    def scheduled(self, row: Row) -> ScheduledChange:
        read = self.reader("scheduled_license_change_log", row)
        return ScheduledChange(
            id=read.id,
            name=read.text("name"),
            status=read.option_name("status") or "",
            effective_date=read.day("effective_date"),
            quantity=read.number("quantity"),
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
        )

    def subscription(self, row: Row, providers: Mapping[str, ProviderRow]) -> Subscription:
        """A subscription; what its lookups point to comes from the expands of the same row."""
        read = self.reader("subscription", row)
        product, customer = self._expanded(row, "product"), self._expanded(row, "customer")
        return Subscription(
            id=read.id,
            name=read.text("name"),
            status=read.option("status", SubscriptionStatus),
            quantity=read.number("quantity"),
            start_date=read.day("start_date"),
            end_date=read.day("end_date"),
            product_class=read.option_name("product_class"),
            product_id=read.lookup("product"),
            part_number=product.text("provider_part_number") or None if product else None,
            customer_id=read.lookup("customer"),
            customer_name=customer.text("name") if customer else "",
            parent_id=read.lookup("parent"),
            linked_id=read.lookup("linked"),
            provider=providers.get(read.lookup("provider") or ""),
            account=self._account(row),
            provider_subscription_id=read.text("provider_subscription_id") or None,
        )

    def _account(self, row: Row) -> ProviderAccount | None:
        account = self._expanded(row, "provider_account")
        if account is None:
            return None
        return ProviderAccount(account.id, account.text("provider_specific_id").strip() or None)

    def _expanded(self, row: Row, key: str) -> Reader | None:
        column = self.schema.table("subscription").column(key)
        inner = row.get(column.navigation or "")
        return self.reader(column.target or "", inner) if isinstance(inner, Mapping) else None

    def collection(self, row: Row, table: str) -> tuple[Sequence[Row], bool]:
        """The rows of a collection expanded in a subscription, and whether they are all there."""
        name = self.schema.table(table).column("subscription").collection or ""
        rows = row.get(name)
        if not isinstance(rows, list):
            return (), False
        cut_off = f"{name}@odata.nextLink" in row and len(rows) >= LARGEST_COLLECTION
        return [each for each in rows if isinstance(each, Mapping)], not cut_off


MOST_SEATS = 1_000_000_000
"""A quantity beyond this is no quantity but a mistake: it is not known."""

LARGEST_COLLECTION = 5_000
"""Rows that Dataverse returns of one expanded collection; at that many, some may be missing."""
