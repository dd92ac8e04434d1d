"""What all subscriptions of an environment share, put together from the parts of the first batch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from shared.adapters.dataverse.parts import PartResult
from shared.adapters.work365.reader import Row
from shared.adapters.work365.rows import Rows, Shared, newest
from shared.domain.evidence import Environment, ProviderRow, ScheduledJob, ServiceUser, Workflow
from shared.errors import SourceError

type Answers = Mapping[str, PartResult]
"""The answers by what was asked for; a table that the map leaves out was not asked for and has none."""


def rows_of(answers: Answers, what: str, unread: list[str]) -> list[Row] | None:
    """The rows of a part; None when it was not asked for, or could not be read, which is named in `unread`."""
    if what not in answers:
        return None
    try:
        return list(answers[what].rows)
    except SourceError as error:
        unread.append(f"{what} ({error.status or type(error).__name__})")
        return None


@dataclass
class Setting:
    """What is the same for every subscription of one round of reading."""

    shared: Shared
    environment: Environment
    application_users: frozenset[str] = frozenset()
    unread: list[str] = field(default_factory=list)
    """What every subscription lacks, its own provider for example."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What of it the map does not know."""


def setting(answers: Answers, rows: Rows) -> Setting:
    """Puts the parts together. What could not be read is named; nothing is raised."""
    about_all: list[str] = []
    about_environment: list[str] = []
    rows = rows.afresh()
    shared = _shared(answers, rows, about_all, about_environment)
    users = rows_of(answers, "application users", about_environment)
    about_all += about_environment[-1:] if users is None else []  # nor can anybody tell persons from applications
    roles = rows_of(answers, "security roles", about_environment)
    jobs = rows_of(answers, "last Work 365 job", about_environment) or []
    workflows = rows_of(answers, "workflows", about_environment)
    scheduled = rows_of(answers, "scheduled jobs", about_environment)
    environment = Environment(
        workflows=tuple(_workflow(rows, row) for row in workflows) if workflows is not None else None,
        scheduled_jobs=tuple(_scheduled_job(rows, row) for row in scheduled) if scheduled is not None else None,
        service_users=_service_users(rows, users, roles),
        last_job_on=newest([rows.reader("work365_job", row).moment("modified_on") for row in jobs]),
        unread=tuple(about_environment),
    )
    ids = frozenset(id for row in users or () if (id := rows.reader("system_user", row).id))
    return Setting(shared, environment, ids, about_all, rows.unmapped)


def _shared(answers: Answers, rows: Rows, about_all: list[str], about_environment: list[str]) -> Shared:
    providers: dict[str, ProviderRow] = {}
    notes: dict[str, Mapping[str, str]] = {}
    for row in rows_of(answers, "providers", about_all) or ():
        own = rows.afresh()
        provider = own.provider(row)
        providers[provider.id], notes[provider.id] = provider, own.unmapped
    read = [rows.reader("currency", row) for row in rows_of(answers, "currencies", about_environment) or ()]
    return Shared(providers, notes, {each.id: code for each in read if (code := each.text("iso_code"))})


def _workflow(rows: Rows, row: Row) -> Workflow:
    read = rows.reader("workflow", row)
    active = read.is_one_of("state", "activated")
    return Workflow(read.id, read.text("name"), active, read.moment("modified_on"))


def _scheduled_job(rows: Rows, row: Row) -> ScheduledJob:
    read = rows.reader("scheduled_job", row)
    return ScheduledJob(
        id=read.id,
        name=read.text("name"),
        enabled=read.flag("enabled"),
        last_run_on=read.moment("last_run_on"),
        next_run_on=read.moment("next_run_on"),
        last_result=read.text("last_result"),
    )


def _service_users(
    rows: Rows, users: Iterable[Row] | None, with_roles: Iterable[Row] | None
) -> tuple[ServiceUser, ...] | None:
    """Those application users that are Work 365's own; None when nobody can say who is."""
    known = {str(each) for each in rows.schema.application_ids.values()}
    if users is None or not known:
        return None
    roles = {rows.reader("system_user", row).id: _roles(rows, row) for row in with_roles or ()}
    found = []
    for row in users:
        read = rows.reader("system_user", row)
        if _application(read.raw("application_id")) in known:
            disabled = read.flag("is_disabled")
            enabled = not disabled if disabled is not None else None
            found.append(ServiceUser(read.id, read.text("name"), enabled, roles.get(read.id)))
    return tuple(found)


def _roles(rows: Rows, row: Row) -> frozenset[str] | None:
    named = row.get(rows.schema.table("system_user").association("roles").navigation)
    if not isinstance(named, list):
        return None
    return frozenset(rows.reader("role", each).text("name") for each in named if isinstance(each, Mapping))


def _application(value: object) -> str | None:
    try:
        return str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None
