"""What all subscriptions of a world share: Work 365 itself, its providers, its products."""

from datetime import timedelta
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from local.work365_engine.options import MERGE_JOB, SERVICE_ROLES
from local.worlds.moments import Moment, Past
from local.worlds.words import Part, Price, Refused


class ServiceUser(Part):
    """Work 365's application user in Dataverse."""

    enabled: bool = True
    roles: tuple[str, ...] = SERVICE_ROLES


class Process(Part):
    """A workflow of Dataverse. One that is named as Work 365's own two says what state that one is in."""

    name: str
    state: Literal["activated", "draft", "suspended"] = "activated"
    modified: Past = timedelta(days=-200)


class TimedJob(Part):
    """One of Work 365's scheduled jobs. `stuck`: its back-end does not come to run it."""

    name: str
    enabled: bool = True
    last_run: Past | None = timedelta(hours=-10)
    next_run: Moment | None = timedelta(hours=14)
    result: str | None = "Succeeded"
    stuck: bool = False


_USUAL_JOBS = (TimedJob(name=MERGE_JOB), TimedJob(name="Sync Provider Accounts"))


class Work365(Part):
    """How Work 365 is set up, and what is wrong with it as a whole."""

    time_zone: str = "UTC"
    region: Literal["us", "eu"] = "us"
    """Which of Work 365's two public applications works here."""
    workflow_on: bool = True
    workflows: tuple[Process, ...] = ()
    scheduled_jobs: tuple[TimedJob, ...] = _USUAL_JOBS
    service_user: ServiceUser = ServiceUser()
    plugin_touch: int = Field(default=0, ge=0, le=100)
    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{name!r} is no time zone: write an IANA name such as Europe/Berlin") from error
        return name


class Provider(Part):
    """A row of Work 365's table of providers, and what the provider refuses to it."""

    name: str
    type: Literal["automatic", "manual", "do_nothing", "linked_subscription", "rest"] = "automatic"
    connector: Literal["microsoft_csp", "pax8", "crayon", "ingram", "other"] | None = None
    active: bool = True
    verified: Past | None = timedelta(days=-1)
    connectivity: Literal["verified", "failed"] | None = "verified"
    consent: Past | None = timedelta(days=-30)
    refuses: Refused | None = None

    @model_validator(mode="after")
    def _has_connector(self) -> Self:
        if self.type in ("automatic", "rest") and self.connector is None:
            raise ValueError(f"a provider of type {self.type} needs a connector, such as microsoft_csp")
        return self


class Product(Part):
    """A product. `class`: how it is billed. Without a part number nothing of it can be ordered first."""

    name: str
    part_number: str | None = None
    product_class: Literal["license", "usage", "service", "tiered"] = Field(default="license", alias="class")
    active: bool = True
    price: Price | None = None
    """Of one seat for one billing period."""
