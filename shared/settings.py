"""Settings: every app setting that the app reads, checked together before anything is done.

`load(environ)` returns Settings or raises SettingsError naming every problem. Values are never part of an error:
some are secrets.
"""

from collections.abc import Mapping
from datetime import UTC, timedelta, tzinfo
from typing import Annotated, Any, Self
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from shared.domain.policy import Mode, Policy
from shared.domain.role import Role
from shared.domain.schedule import Schedule, parse
from shared.domain.webhook import check_hosts
from shared.errors import SettingsError

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


_DEFAULTS = Policy(mode=Mode.OBSERVE)


def _url(value: object) -> str:
    """https, or http on this machine only: a token must never travel in the clear."""
    parts = urlsplit(str(value))
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not safe or not parts.hostname or parts.fragment:
        raise ValueError("should be an https address such as https://contoso.crm.dynamics.com")
    return str(value).rstrip("/")


def _base_url(value: object) -> str:
    if urlsplit(str(value)).query:
        raise ValueError("should be an address without a query")
    return _url(value)


def _time_zone(value: object) -> tzinfo:
    if isinstance(value, tzinfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise ValueError("should be an IANA time zone such as Europe/Amsterdam") from None


def _guid(value: object) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise ValueError("should be a GUID") from None


def _seconds(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        return timedelta(seconds=float(str(value)))
    except (ValueError, OverflowError):
        raise ValueError("should be a number of seconds such as 900") from None


def _hosts(value: object) -> tuple[str, ...]:
    hosts = tuple(each.strip().lower() for each in str(value).split(",") if each.strip())
    check_hosts(hosts)
    return hosts


def _schedule(value: object) -> Schedule:
    return value if isinstance(value, Schedule) else parse(str(value))


def _connection_string(value: object) -> str:
    if "InstrumentationKey=" not in str(value):
        raise ValueError("should be the connection string of Application Insights: InstrumentationKey=...;...")
    return str(value)


Url = Annotated[str, BeforeValidator(_url)]
BaseUrl = Annotated[str, BeforeValidator(_base_url)]
Guid = Annotated[str, BeforeValidator(_guid)]
Seconds = Annotated[timedelta, BeforeValidator(_seconds)]


class Settings(BaseModel):
    """Every setting by the name of its app setting."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True)

    UNSTUCK_MODE: Mode
    """How far the app may go: observe, approve or auto. No default, since it writes to a billing system."""

    DATAVERSE_URL: BaseUrl
    """The environment's address, such as https://contoso.crm.dynamics.com."""

    DATAVERSE_ORGANIZATION_ID: Guid
    """The organisation's id. Another one (a copied environment) is never written to."""

    DATAVERSE_TENANT_ID: str | None = None
    """Entra tenant for signing in with a client secret. Leave the three empty to use the managed identity."""

    DATAVERSE_CLIENT_ID: str | None = None
    """The app registration's client id for signing in with a client secret."""

    DATAVERSE_CLIENT_SECRET: str | None = Field(default=None, repr=False)
    """Its secret, as a Key Vault reference."""

    MANAGED_IDENTITY_CLIENT_ID: str | None = None
    """Client id of a user-assigned managed identity; empty for the system-assigned one."""

    PARTNER_CENTER_URL: BaseUrl | None = None
    """Partner Center's address. Empty: the provider is not asked, so nothing is retriggered without a yes."""

    PARTNER_CENTER_TENANT_ID: str | None = None
    """Entra tenant of the partner for signing in with a client secret."""

    PARTNER_CENTER_CLIENT_ID: str | None = None
    """The app registration's client id at the partner's tenant."""

    PARTNER_CENTER_CLIENT_SECRET: str | None = Field(default=None, repr=False)
    """Its secret, as a Key Vault reference."""

    PARTNER_CENTER_REQUESTS_PER_MINUTE: Annotated[int, Field(ge=1, le=100_000)] = 500
    """How many requests one process sends to Partner Center in a minute; 500 is Partner Center's own limit."""

    AzureWebJobsStorage: str | None = Field(default=None, repr=False)
    """Connection string of the storage account; on Azure leave it empty and set the account's name instead."""

    AzureWebJobsStorage__accountName: str | None = None
    """Name of the storage account, reached by managed identity."""

    WORK365_TIME_ZONE: Annotated[tzinfo, BeforeValidator(_time_zone)] = UTC
    """The time zone that Work 365 is configured with, as an IANA name."""

    WORK365_JOB_CYCLE_SECONDS: Annotated[Seconds, Field(gt=timedelta())] = _DEFAULTS.job_cycle
    """How often Work 365 picks up waiting jobs."""

    WORK365_RUN_JOB: Annotated[str, Field(pattern=r"^(next_cycle|job_row|workflow:[0-9a-fA-F-]{36})$")] = "next_cycle"
    """How a change's job is run: wait for the next cycle, create a job row, or run a workflow by its id."""

    WORK365_SCHEMA_MAP: str | None = None
    """Path of a schema map of your own; empty for the one that is shipped."""

    UNSTUCK_GRACE_SECONDS: Annotated[Seconds, Field(ge=timedelta())] = _DEFAULTS.grace
    """Added to one job cycle before a change counts as stuck."""

    UNSTUCK_JOB_NORMAL_SECONDS: Annotated[Seconds, Field(gt=timedelta())] = _DEFAULTS.job_normal_time
    """How long a live job may take before a person is asked to look at it."""

    UNSTUCK_STABLE_SECONDS: Annotated[Seconds, Field(ge=timedelta())] = _DEFAULTS.stable_for
    """How long a change must stay Provisioned before its case is resolved."""

    UNSTUCK_LOOK_AGAIN_SECONDS: Annotated[Seconds, Field(gt=timedelta())] = _DEFAULTS.look_again
    """How often a case that waits for a person or another case is read again."""

    UNSTUCK_ACTION_LIMIT_SECONDS: Annotated[Seconds, Field(gt=timedelta())] = _DEFAULTS.action_time_limit
    """After this long a started retrigger counts as abandoned by its worker."""

    UNSTUCK_PROVIDER_LAG_SECONDS: Annotated[Seconds, Field(ge=timedelta())] = _DEFAULTS.provider_lag
    """How far the provider's answers may lag behind its orders."""

    UNSTUCK_ATTEMPTS: Annotated[int, Field(ge=1, le=5)] = _DEFAULTS.attempts
    """How often one change may be retriggered. A first order is retriggered once, whatever this says."""

    UNSTUCK_POLICY: str | None = None
    """Path of the policy file (docs/policy.md). Empty: the documented defaults."""

    UNSTUCK_TENANT_ID: Guid | None = None
    """Entra tenant whose people and apps may call the HTTP API. Empty: nobody who signs in is let in."""

    UNSTUCK_KEYS_ALLOWED_AS: Role | None = None
    """Role of whoever has a function key: Reader, Operator or Approver. Empty: keys open nothing."""

    NOTIFY_WEBHOOK_URL: Url | None = Field(default=None, repr=False)
    """Where people are told, as JSON by POST. Empty: news goes to the log only."""

    UNSTUCK_WEBHOOK_HOSTS: Annotated[tuple[str, ...], BeforeValidator(_hosts)] = (
        "*.logic.azure.com",
        "*.api.powerplatform.com",
    )
    """Hosts where flows may have themselves called, with commas between; *. stands for all names below one."""

    APPLICATIONINSIGHTS_CONNECTION_STRING: Annotated[str, BeforeValidator(_connection_string)] | None = Field(
        default=None, repr=False
    )
    """Application Insights, reached by managed identity. Empty: nothing is sent there."""

    OTEL_EXPORTER_OTLP_ENDPOINT: BaseUrl | None = None
    """A collector that takes OTLP over HTTP, such as http://localhost:4318. Empty: nothing is sent there."""

    UNSTUCK_TELEMETRY_CONSOLE: bool = False
    """Whether spans and metrics are written to standard error, as JSON: true or false."""

    PYTHON_ENABLE_OPENTELEMETRY: bool = False
    """Whether the app sends its log itself, and the worker hands over the host's trace: true or false."""

    SWEEP_SCHEDULE: Annotated[Schedule, BeforeValidator(_schedule)]
    """When to sweep, as a schedule of six fields with seconds first."""

    WAKE_SCHEDULE: Annotated[Schedule, BeforeValidator(_schedule)]
    """When to look at due cases, likewise."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for prefix in ("DATAVERSE", "PARTNER_CENTER"):
            names = [f"{prefix}_TENANT_ID", f"{prefix}_CLIENT_ID", f"{prefix}_CLIENT_SECRET"]
            given = [name for name in names if getattr(self, name)]
            if given and len(given) < 3:
                missing = ", ".join(n for n in names if n not in given)
                raise ValueError(f"{given[0]} is set, so {missing} must be set, too")
        if not self.AzureWebJobsStorage and not self.AzureWebJobsStorage__accountName:
            raise ValueError("AzureWebJobsStorage or AzureWebJobsStorage__accountName must be set")
        return self

    @property
    def policy(self) -> Policy:
        """Mode, times and attempts for the domain, with the built-in levels and limits."""
        return Policy(
            mode=self.UNSTUCK_MODE,
            time_zone=self.WORK365_TIME_ZONE,
            job_cycle=self.WORK365_JOB_CYCLE_SECONDS,
            grace=self.UNSTUCK_GRACE_SECONDS,
            job_normal_time=self.UNSTUCK_JOB_NORMAL_SECONDS,
            stable_for=self.UNSTUCK_STABLE_SECONDS,
            look_again=self.UNSTUCK_LOOK_AGAIN_SECONDS,
            action_time_limit=self.UNSTUCK_ACTION_LIMIT_SECONDS,
            provider_lag=self.UNSTUCK_PROVIDER_LAG_SECONDS,
            attempts=self.UNSTUCK_ATTEMPTS,
            sweeps=self.SWEEP_SCHEDULE,
            wakes=self.WAKE_SCHEDULE,
        )


def load(environ: Mapping[str, str]) -> Settings:
    """Settings from app settings. An empty value counts as not set. Raises SettingsError with every problem."""
    given: dict[str, Any] = {name: environ[name] for name in Settings.model_fields if environ.get(name, "").strip()}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError([_problem(e["loc"], e["type"], e["msg"]) for e in error.errors()]) from None


_HINTS = {
    "PARTNER_CENTER_REQUESTS_PER_MINUTE": "should be a whole number from 1 to 100000",
    "PYTHON_ENABLE_OPENTELEMETRY": "should be true or false",
    "UNSTUCK_TELEMETRY_CONSOLE": "should be true or false",
    "UNSTUCK_ATTEMPTS": "should be a whole number from 1 to 5",
    "UNSTUCK_KEYS_ALLOWED_AS": "should be Reader, Operator or Approver, or empty",
    "UNSTUCK_MODE": "should be observe, approve or auto",
}


def _problem(where: tuple[int | str, ...], kind: str, message: str) -> str:
    name = str(where[0]) if where else ""
    if kind == "missing":
        hint = ": set it to observe, approve or auto" if name == "UNSTUCK_MODE" else ""
        return f"{name} is missing{hint}"
    if name in _HINTS:
        return f"{name} {_HINTS[name]}"
    if kind in ("greater_than", "greater_than_equal"):
        return f"{name} should be {'more than 0' if kind == 'greater_than' else '0 or more'} seconds"
    return f"{name} {message.removeprefix('Value error, ')}".strip()
