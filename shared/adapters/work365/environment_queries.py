"""The queries about what all subscriptions of an environment share: asked once for each message, in the first batch."""

from shared.adapters.dataverse import odata
from shared.adapters.dataverse.parts import Get
from shared.adapters.work365.queries import columns
from shared.adapters.work365.schema import SchemaMap

PROVIDER_COLUMNS = ("name", "type", "connector", "last_verified_on", "connectivity", "consent_on", "state")
USER_COLUMNS = ("name", "application_id", "is_disabled")
WORKFLOW_COLUMNS = ("name", "state", "modified_on")
SCHEDULED_JOB_COLUMNS = ("name", "enabled", "last_run_on", "next_run_on", "last_result")

# Microsoft's numbers in the process table: a classic workflow (no business rule), and the definition itself rather
# than the copy that runs or a template.
_CLASSIC, _DEFINITION = 0, 1


class EnvironmentQueries:
    """Queries by what they ask for, in the words that name what could not be read."""

    def __init__(self, schema: SchemaMap) -> None:
        self._schema = schema

    def all(self) -> dict[str, Get]:
        """What is shared. A table that the map leaves out is not asked for, and neither are users without an id.

        Raises SettingsError for a name that the map lacks.
        """
        may_be_left_out = {
            "workflows": ("workflow", self._workflows),
            "scheduled jobs": ("scheduled_job", self._scheduled_jobs),
            "currencies": ("currency", self._currencies),
            "security roles": ("role", self._roles),
        }
        optional = {
            what: build()
            for what, (table, build) in may_be_left_out.items()
            if table in self._schema.tables and (table != "role" or self._schema.application_ids)
        }
        return self._required() | optional

    def _required(self) -> dict[str, Get]:
        return {
            "providers": self._everything("provider", PROVIDER_COLUMNS),
            "application users": self._application_users(),
            "last Work 365 job": self._last_job(),
        }

    def _everything(self, key: str, keys: tuple[str, ...]) -> Get:
        """All rows of a table that holds a handful."""
        table = self._schema.table(key)
        return Get(odata.query(table.entity_set, select=columns(table, keys)))

    def _application_users(self) -> Get:
        """Users that are no persons: their touches of a row decide nothing. Work 365's own are among them."""
        table = self._schema.table("system_user")
        condition = odata.compare(table.column("application_id").logical, "ne", None)
        return Get(odata.query(table.entity_set, select=columns(table, USER_COLUMNS), filter=condition))

    def _roles(self) -> Get:
        """The security roles of Work 365's own users. Apart: roles may be closed to us where users are not."""
        users, roles = self._schema.table("system_user"), self._schema.table("role")
        column = users.column("application_id").logical
        ids = self._schema.application_ids.values()
        names = odata.Expand(users.association("roles").navigation, columns(roles, ("name",)))
        condition = odata.one_of(*(odata.compare(column, "eq", each) for each in ids))
        return Get(odata.query(users.entity_set, select=[users.primary_id], filter=condition, expand=[names]))

    def _workflows(self) -> Get:
        """The classic workflows that work on Work 365's tables, those that are switched off included."""
        table, changes = self._schema.table("workflow"), self._schema.table("license_change_log")
        prefix, underscore, _ = changes.logical.partition("_")
        condition = odata.all_of(
            odata.starts_with(table.column("primary_entity").logical, prefix + underscore),
            odata.compare(table.column("category").logical, "eq", _CLASSIC),
            odata.compare(table.column("type").logical, "eq", _DEFINITION),
        )
        return Get(odata.query(table.entity_set, select=columns(table, WORKFLOW_COLUMNS), filter=condition))

    def _scheduled_jobs(self) -> Get:
        return self._everything("scheduled_job", SCHEDULED_JOB_COLUMNS)

    def _currencies(self) -> Get:
        return self._everything("currency", ("iso_code",))

    def _last_job(self) -> Get:
        """The Work 365 Job of any kind that was touched last after it had run to its end."""
        table = self._schema.table("work365_job")
        status, touched = table.column("job_status"), table.column("modified_on").logical
        ended = [odata.compare(status.logical, "eq", status.value(each)) for each in ("succeeded", "failed")]
        path = odata.query(
            table.entity_set, select=[touched], filter=odata.one_of(*ended), orderby=[f"{touched} desc"], top=1
        )
        return Get(path, page_size=None)  # beside a page size Dataverse ignores $top
