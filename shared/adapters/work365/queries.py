"""The queries about subscriptions: built from the schema map, with tight column lists."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, tzinfo
from itertools import batched
from uuid import UUID

from shared.adapters.dataverse import odata
from shared.adapters.dataverse.odata import Expand, Filter
from shared.adapters.dataverse.parts import Get
from shared.adapters.work365.schema import SchemaMap, Table

IDS_IN_A_QUERY = 1_000
"""GUIDs that one query holds: a query inside a batch may be 64 KB long, and each id takes 45 characters."""

LEVELS_ABOVE_A_PARENT = 4
"""How many of a parent's parents are looked up: more than sense makes, so that a circle shows."""

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
    "account",
    "unit_price",
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
    "billing_contract",
    "parent",
    "linked",
    "provider",
    "provider_account",
    "provider_subscription_id",
    "reduction_behavior",
    "reduction_window",
)
LOOKUPS_THAT_MAY_BE_LEFT_OUT = ("price_list", "currency")
LOOKED_UP = {
    "provider_account": ("provider_specific_id", "account", "provider", "state"),
    "customer": ("name", "state"),
    "product": ("name", "provider_part_number", "state"),
    "billing_contract": ("customer", "next_invoice_on", "state"),
}
"""What a subscription's lookups bring along of the rows that they lead to."""

SCHEDULED_COLUMNS = ("name", "status", "effective_date", "quantity", "change_type", "provision_on", "created_on")
JOB_COLUMNS = (
    "license_change_log",
    "scheduled_license_change_log",
    "job_status",
    "scheduled_for",
    "created_on",
    "modified_on",
    "results",
)
SYSTEM_JOB_COLUMNS = ("name", "regarding", "status", "state", "message", "created_on", "completed_on")


class Queries:
    """Every query about subscriptions that the app sends to Work 365's tables."""

    def __init__(self, schema: SchemaMap, time_zone: tzinfo = UTC) -> None:
        """`time_zone` is Work 365's: it says when a day begins, where a column holds moments."""
        self._schema = schema
        self._time_zone = time_zone
        self._subscription = schema.table("subscription")
        self._change = schema.table("license_change_log")
        self._scheduled = schema.table("scheduled_license_change_log")

    def check(self) -> None:
        """Builds every query once, so that a name that the map lacks is found before anything is read.

        Raises SettingsError naming it.
        """
        nobody, some_time = ["00000000-0000-0000-0000-000000000000"], datetime(2000, 1, 1, tzinfo=UTC)
        self.suspects(some_time, some_time.date())
        self.subscription_of_change(nobody[0])
        queries = (self.jobs, self.jobs_of_scheduled, self.related, self.above, self.linked_at_provider, self.accounts)
        for query in queries:
            list(query(nobody))
        list(self.system_jobs(nobody))
        list(self.later_system_jobs(nobody, some_time))
        self.subscriptions(nobody)

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
        scheduled = Expand(
            self._collection(self._scheduled),
            columns(self._scheduled, SCHEDULED_COLUMNS),
            self._is(self._scheduled, "state", "active"),
        )
        return self._subscriptions(ids, [scheduled])

    def related(self, ids: Iterable[str]) -> Iterator[Get]:
        """Parents and linked subscriptions with their changes: what is open, and when the rest was provisioned."""
        for some in batched(ids, IDS_IN_A_QUERY, strict=False):
            yield self._subscriptions(some, [])

    def above(self, ids: Iterable[str]) -> Iterator[Get]:
        """The parents of these subscriptions, and theirs. Lookups only: beside collections Dataverse pages those."""
        parent = self._subscription.column("parent")
        expand: list[Expand] = []
        for _ in range(LEVELS_ABOVE_A_PARENT - 1):
            expand = [Expand(parent.navigation or "", [parent.in_row], expand=expand)]
        yield from self._of_subscriptions(self._subscription.primary_id, ids, ("parent",), expand)

    def jobs(self, change_ids: Iterable[str]) -> Iterator[Get]:
        """The jobs of these changes."""
        return self._listed("work365_job", "license_change_log", change_ids, JOB_COLUMNS)

    def jobs_of_scheduled(self, scheduled_ids: Iterable[str]) -> Iterator[Get]:
        """The jobs that were to merge these scheduled changes."""
        return self._listed("work365_job", "scheduled_license_change_log", scheduled_ids, JOB_COLUMNS)

    def accounts(self, customer_ids: Iterable[str]) -> Iterator[Get]:
        """All provider accounts of these customers."""
        return self._listed("provider_account", "account", customer_ids, LOOKED_UP["provider_account"])

    def linked_at_provider(self, customer_ids: Iterable[str]) -> Iterator[Get]:
        """Which of the provider's subscriptions some subscription of these customers points to."""
        column = self._subscription.column("customer").logical
        return self._of_subscriptions(column, customer_ids, ("customer", "provider_subscription_id"))

    def system_jobs(self, regarding_ids: Iterable[str]) -> Iterator[Get]:
        """System Jobs about these rows that did not succeed, or have not yet. Nothing without that table in the map."""
        return self._system_jobs(regarding_ids, "ne", None)

    def later_system_jobs(self, regarding_ids: Iterable[str], since: datetime) -> Iterator[Get]:
        """Those that succeeded since then: one of them may have done what another failed at."""
        return self._system_jobs(regarding_ids, "eq", since)

    def subscription_of_change(self, change_id: str) -> str:
        column = self._change.column("subscription").in_row
        return odata.query(odata.row(self._change.entity_set, change_id), select=[column])

    def _subscriptions(self, ids: Sequence[str], collections: Sequence[Expand]) -> Get:
        lookups = [
            Expand(
                self._subscription.column(key).navigation or "",
                columns(self._schema.table(self._subscription.column(key).target or ""), inner),
            )
            for key, inner in LOOKED_UP.items()
        ]
        changes = Expand(self._collection(self._change), columns(self._change, CHANGE_COLUMNS))
        followed = [key for key in LOOKUPS_THAT_MAY_BE_LEFT_OUT if self._schema.follows("subscription", key)]
        return Get(
            odata.query(
                self._subscription.entity_set,
                select=columns(self._subscription, (*SUBSCRIPTION_COLUMNS, *followed)),
                filter=_ids(self._subscription.primary_id, ids),
                expand=[changes, *collections, *lookups],
            )
        )

    def _of_subscriptions(
        self, column: str, ids: Iterable[str], keys: Iterable[str], expand: Sequence[Expand] = ()
    ) -> Iterator[Get]:
        table, select = self._subscription, columns(self._subscription, keys)
        for some in batched(ids, IDS_IN_A_QUERY, strict=False):
            yield Get(odata.query(table.entity_set, select=select, filter=_ids(column, some), expand=expand))

    def _listed(self, key: str, owner: str, ids: Iterable[str], keys: Iterable[str]) -> Iterator[Get]:
        """Rows of a table whose lookup `owner` holds one of these ids."""
        table = self._schema.table(key)
        column, select = table.column(owner).logical, columns(table, keys)
        for some in batched(ids, IDS_IN_A_QUERY, strict=False):
            yield Get(odata.query(table.entity_set, select=select, filter=_ids(column, some)))

    def _system_jobs(self, ids: Iterable[str], succeeded: odata.Operator, since: datetime | None) -> Iterator[Get]:
        if "system_job" not in self._schema.tables:
            return
        table = self._schema.table("system_job")
        status, select = table.column("status"), columns(table, SYSTEM_JOB_COLUMNS)
        conditions = [odata.compare(status.logical, succeeded, status.value("succeeded"))]
        if since is not None:
            conditions.append(odata.compare(table.column("created_on").logical, "ge", since))
        for some in batched(ids, IDS_IN_A_QUERY, strict=False):
            about = _ids(table.column("regarding").logical, some)
            yield Get(odata.query(table.entity_set, select=select, filter=odata.all_of(about, *conditions)))

    def _old_unprovisioned(self, created_before: datetime) -> Filter:
        created = odata.compare(f"x/{self._change.column('created_on').logical}", "lt", created_before)
        return odata.all_of(self._unprovisioned("x/"), created)

    def _unprovisioned(self, prefix: str) -> Filter:
        return odata.one_of(
            self._is(self._change, "provisioning_status", "awaiting_provisioning", prefix),
            self._is(self._change, "provisioning_status", "failed_provisioning", prefix),
        )

    def _scheduled_late(self, today: date) -> Filter:
        column = self._scheduled.column("effective_date")
        late = odata.compare(f"x/{column.logical}", "lt", self._begin_of(today, column.type))
        return odata.one_of(
            self._is(self._scheduled, "status", "merge_failed", "x/"),
            odata.all_of(self._is(self._scheduled, "status", "pending", "x/"), late),
        )

    def _begin_of(self, day: date, column_type: str) -> date | datetime:
        """When a day begins, as a column of that type is compared with it."""
        match column_type:
            case "datetime":
                return datetime.combine(day, time(), self._time_zone)
            case "wall_time":  # it says UTC and means the clock on the wall
                return datetime.combine(day, time(), UTC)
        return day

    def _is(self, table: Table, key: str, option: str, prefix: str = "") -> Filter:
        column = table.column(key)
        return odata.compare(f"{prefix}{column.logical}", "eq", column.value(option))

    def _collection(self, table: Table) -> str:
        return table.column("subscription").collection or ""


def columns(table: Table, keys: Iterable[str]) -> list[str]:
    """The names under which these columns stand in a row."""
    return [table.column(key).in_row for key in keys]


def _ids(column: str, ids: Sequence[str]) -> Filter:
    return odata.in_(column, [UUID(each) for each in ids])
