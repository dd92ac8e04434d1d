"""The queries: built from the schema map, with tight column lists."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import batched
from uuid import UUID

from shared.adapters.dataverse import odata
from shared.adapters.dataverse.odata import Expand, Filter
from shared.adapters.dataverse.parts import Get
from shared.adapters.work365.schema import SchemaMap, Table

IDS_IN_A_QUERY = 1_000
"""GUIDs that one query holds: a query inside a batch may be 64 KB long, and each id takes 45 characters."""

CHANGE_COLUMNS = (
    "name",
    "change_type",
    "quantity",
    "effective_date",
    "created_on",
    "modified_on",
    "modified_by",
    "provisioning_status",
    "provisioning_message",
    "actual_provisioned_on",
    "change_source",
    "state",
)
SUBSCRIPTION_COLUMNS = (
    "name",
    "status",
    "quantity",
    "start_date",
    "end_date",
    "product_class",
    "product",
    "customer",
    "parent",
    "linked",
    "provider",
    "provider_subscription_id",
)
PROVIDER_COLUMNS = ("name", "type", "connector", "last_verified_on", "connectivity", "consent_on")
SCHEDULED_COLUMNS = ("name", "status", "effective_date", "quantity")
JOB_COLUMNS = ("license_change_log", "job_status", "scheduled_for", "created_on", "modified_on", "results")


class Queries:
    """Every query that the app sends to Work 365's tables."""

    def __init__(self, schema: SchemaMap) -> None:
        self._schema = schema
        self._subscription = schema.table("subscription")
        self._change = schema.table("license_change_log")
        self._scheduled = schema.table("scheduled_license_change_log")

    def check(self) -> None:
        """Builds every query once, so that a name that the map lacks is found before anything is read.

        Raises SettingsError naming it.
        """
        nobody = ["00000000-0000-0000-0000-000000000000"]
        self.suspects(datetime.min.replace(tzinfo=UTC), date.min)
        self.providers()
        self.application_users()
        self.subscription_of_change(nobody[0])
        list(self.jobs(nobody))
        for query in (self.subscriptions, self.parents, self.linked_at_provider):
            query(nobody)

    def suspects(self, created_before: datetime, today: date) -> str:
        """Ids of the subscriptions that may be stuck: one request for each 5,000 of them, healthy ones cost nothing."""
        awaiting = self._is(self._subscription, "status", "awaiting_provisioning")
        untouched = odata.compare(self._subscription.column("modified_on").logical, "lt", created_before)
        without_change = odata.negated(odata.any_row(self._collection(self._change), self._unprovisioned("x/")))
        wanted = odata.one_of(
            odata.any_row(self._collection(self._change), self._old_unprovisioned(created_before)),
            odata.all_of(awaiting, untouched, without_change),
            odata.any_row(self._collection(self._scheduled), self._scheduled_late(today)),
        )
        return odata.query(self._subscription.entity_set, select=[self._subscription.primary_id], filter=wanted)

    def subscriptions(self, ids: Sequence[str]) -> Get:
        """Subscriptions with their changes, scheduled changes and what their lookups point to."""
        return Get(
            odata.query(
                self._subscription.entity_set,
                select=self._columns(self._subscription, SUBSCRIPTION_COLUMNS),
                filter=_ids(self._subscription.primary_id, ids),
                expand=[
                    Expand(self._collection(self._change), self._columns(self._change, CHANGE_COLUMNS)),
                    Expand(
                        self._collection(self._scheduled),
                        self._columns(self._scheduled, SCHEDULED_COLUMNS),
                        self._is(self._scheduled, "state", "active"),
                    ),
                    self._lookup("provider_account", "provider_account", ("provider_specific_id",)),
                    self._lookup("customer", "account", ("name",)),
                    self._lookup("product", "product", ("name", "provider_part_number")),
                ],
            )
        )

    def parents(self, ids: Sequence[str]) -> Get:
        """Parent subscriptions with their changes: what of them is open, and when the rest was provisioned."""
        return Get(
            odata.query(
                self._subscription.entity_set,
                select=self._columns(self._subscription, SUBSCRIPTION_COLUMNS),
                filter=_ids(self._subscription.primary_id, ids),
                expand=[Expand(self._collection(self._change), self._columns(self._change, CHANGE_COLUMNS))],
            )
        )

    def providers(self) -> Get:
        """All providers: a handful, shared by every subscription of a message."""
        table = self._schema.table("provider")
        return Get(odata.query(table.entity_set, select=self._columns(table, PROVIDER_COLUMNS)))

    def application_users(self) -> Get:
        """Users that are no persons: their touches of a row decide nothing."""
        table = self._schema.table("system_user")
        condition = odata.compare(table.column("application_id").logical, "ne", None)
        return Get(odata.query(table.entity_set, select=[table.primary_id], filter=condition))

    def jobs(self, change_ids: Iterable[str]) -> Iterator[Get]:
        """The jobs of these changes."""
        table = self._schema.table("work365_job")
        column = table.column("license_change_log").logical
        for ids in batched(change_ids, IDS_IN_A_QUERY, strict=False):
            yield Get(odata.query(table.entity_set, select=self._columns(table, JOB_COLUMNS), filter=_ids(column, ids)))

    def linked_at_provider(self, customer_ids: Sequence[str]) -> Get:
        """Which of the provider's subscriptions some subscription of these customers points to."""
        column = self._subscription.column("customer").logical
        return Get(
            odata.query(
                self._subscription.entity_set,
                select=self._columns(self._subscription, ("customer", "provider_subscription_id")),
                filter=_ids(column, customer_ids),
            )
        )

    def subscription_of_change(self, change_id: str) -> str:
        column = self._change.column("subscription").in_row
        return odata.query(odata.row(self._change.entity_set, change_id), select=[column])

    def _old_unprovisioned(self, created_before: datetime) -> Filter:
        created = odata.compare(f"x/{self._change.column('created_on').logical}", "lt", created_before)
        return odata.all_of(self._unprovisioned("x/"), created)

    def _unprovisioned(self, prefix: str) -> Filter:
        return odata.one_of(
            self._is(self._change, "provisioning_status", "awaiting_provisioning", prefix),
            self._is(self._change, "provisioning_status", "failed_provisioning", prefix),
        )

    def _scheduled_late(self, today: date) -> Filter:
        late = odata.compare(f"x/{self._scheduled.column('effective_date').logical}", "lt", today)
        return odata.one_of(
            self._is(self._scheduled, "status", "merge_failed", "x/"),
            odata.all_of(self._is(self._scheduled, "status", "pending", "x/"), late),
        )

    def _is(self, table: Table, key: str, option: str, prefix: str = "") -> Filter:
        column = table.column(key)
        return odata.compare(f"{prefix}{column.logical}", "eq", column.value(option))

    def _lookup(self, key: str, target: str, columns: Sequence[str]) -> Expand:
        navigation = self._subscription.column(key).navigation or ""
        return Expand(navigation, self._columns(self._schema.table(target), columns))

    def _collection(self, table: Table) -> str:
        return table.column("subscription").collection or ""

    @staticmethod
    def _columns(table: Table, keys: Iterable[str]) -> list[str]:
        return [table.column(key).in_row for key in keys]


def _ids(column: str, ids: Sequence[str]) -> Filter:
    return odata.in_(column, [UUID(each) for each in ids])
