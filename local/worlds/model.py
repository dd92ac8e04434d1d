"""What a world file may say. docs/worlds.md describes it for people; unknown fields are refused."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from local.partner_center.errors import known_errors
from local.worlds.catalogue import CATALOGUE
from local.worlds.moments import Moment, Past

ProvisioningStatus = Literal["awaiting_provisioning", "not_applicable", "provisioned", "failed_provisioning"]
JobStatus = Literal[
    "waiting", "dispatched", "in_progress", "succeeded", "failed", "not_applicable", "retry", "cancelled"
]
SubscriptionStatus = Literal[
    "active", "awaiting_provisioning", "provisioned", "suspended", "expired", "cancelled", "inactive"
]
Outcome = Literal["resolved", "waiting", "awaiting_approval", "needs_person", "escalated", "none"]
Deed = Literal["renew_consent", "complete_manual", "archive_change", "edit_change", "end_quirks", "switch_workflow_on"]
UNPROVISIONED = ("awaiting_provisioning", "failed_provisioning")

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Key = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]


class Part(BaseModel):
    """Any part of a world. Unknown fields are typing errors and refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _by_turns(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


ByTurns = Annotated[tuple[int, ...], BeforeValidator(_by_turns), Field(min_length=1)]
"""One number, or several that the members of a group take by turns."""


class Said(Part):
    """An error of the provider by its code, in the provider's own words (partner_center/error_texts.tsv)."""

    code: str
    values: tuple[str, ...] = ()

    @field_validator("code")
    @classmethod
    def _known(cls, code: str) -> str:
        if code not in known_errors():
            raise ValueError(f"{code} is not in local/partner_center/error_texts.tsv: add it there, or write a text")
        return code


class Work365(Part):
    """How Work 365 is set up, and what is wrong with it as a whole."""

    time_zone: str = "UTC"
    workflow_on: bool = True
    plugin_touch: int = Field(default=0, ge=0, le=100)

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
    verified: Past | None = timedelta(days=-1)
    connectivity: Literal["verified", "failed"] | None = "verified"
    consent: Past | None = timedelta(days=-30)
    refuses: Said | None = None

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


class Job(Part):
    """A Work 365 Job of one change."""

    status: JobStatus
    created: Past | None = None
    modified: Past | None = None
    scheduled_for: Moment | None = None
    results: str | Said | None = None


class Change(Part):
    """A License Change Log. `quantity` is a difference in seats."""

    type: Literal["create", "update", "activate", "deactivate"]
    quantity: ByTurns = (0,)
    status: ProvisioningStatus = "provisioned"
    created: Past
    effective: Moment | None = None
    message: str | Said | None = None
    source: Literal["work365", "portal", "provider"] = "work365"
    archived: bool = False
    jobs: tuple[Job, ...] | None = None
    half_toggled: bool = False
    """This app set it to Not Applicable in an earlier run and was interrupted; its ledger says so."""

    @model_validator(mode="after")
    def _half_toggled_is_not_applicable(self) -> Self:
        if self.half_toggled and self.status != "not_applicable":
            raise ValueError("half_toggled: the status must be not_applicable")
        return self


class Scheduled(Part):
    """A Scheduled License Change Log."""

    type: Literal["update", "activate", "deactivate"] = "update"
    quantity: ByTurns = (0,)
    status: Literal["pending", "merge_failed", "archived"] = "pending"
    created: Past
    effective: Moment
    provision_on: Moment | None = None


class ProviderSide(Part):
    """What the provider really has, where that is not what the provisioned changes add up to."""

    exists: bool = True
    linked: bool = True
    """Off: it is there, and Work 365 does not know its id."""
    quantity: int | None = None
    status: Literal["active", "suspended", "expired", "deleted", "pending"] = "active"
    next_term: int | None = None
    """Seats that are instructed for the next term."""


class Quirks(Part):
    """How Work 365 misbehaves with these subscriptions (work365_engine/options.py)."""

    ignores: bool = False
    slow_cycles: int | Literal["for_ever"] = 0
    fails_with: Said | None = None
    provisions_without_saying: bool = False


class Happening(Part):
    """What a person does when asked, or what mends itself. `after`: so long after being asked or after loading."""

    does: Deed
    when: Literal["asked", "loaded"] = "asked"
    after: Moment = timedelta(seconds=1)
    change: int | None = Field(default=None, ge=1)
    """The number of the change, counted from 1."""
    provider: Key | None = None
    """Whose consent; where it is not said, that of the group's provider."""

    @model_validator(mode="after")
    def _names_its_change(self) -> Self:
        if self.does in ("complete_manual", "archive_change", "edit_change") and self.change is None:
            raise ValueError(f"{self.does} needs `change`: the number of the change, counted from 1")
        return self


class Expect(Part):
    """How these subscriptions end. `may_write`: numbers of the changes that the app may write, counted from 1."""

    cause: Annotated[str, Field(pattern=r"^[a-z_]+$")] | None = None
    outcome: Outcome = "none"
    may_write: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _cause_and_outcome(self) -> Self:
        if (self.cause is None) != (self.outcome == "none"):
            raise ValueError("a healthy subscription has neither cause nor outcome, any other has both")
        return self


class Group(Part):
    """Subscriptions that are alike."""

    group: Slug
    about: str = ""
    count: int = Field(default=1, ge=1, le=100_000)
    provider: Key
    product: Key
    customer: Slug | None = None
    """The group whose customers these subscriptions belong to; by default each has its own, or its parent's."""
    parent: Slug | None = None
    linked: Slug | None = None
    status: SubscriptionStatus | None = None
    quantity: int | None = None
    start: Moment | None = None
    end: Moment | None = None
    provider_side: ProviderSide = ProviderSide()
    changes: tuple[Change, ...] = ()
    scheduled: tuple[Scheduled, ...] = ()
    quirks: Quirks = Quirks()
    happens: tuple[Happening, ...] = ()
    expect: Expect = Expect()

    @model_validator(mode="after")
    def _numbers_of_changes(self) -> Self:
        numbers = [*self.expect.may_write, *(h.change for h in self.happens if h.change is not None)]
        beyond = [number for number in numbers if not 1 <= number <= len(self.changes)]
        if beyond:
            raise ValueError(f"there is no change {beyond[0]}: the group has {len(self.changes)}, counted from 1")
        return self


class World(Part):
    """One environment with everything in it."""

    name: Slug
    about: str
    work365: Work365 = Work365()
    providers: dict[Key, Provider]
    products: dict[Key, Product] = Field(default_factory=dict)
    subscriptions: tuple[Group, ...] = ()
    happens: tuple[Happening, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _with_catalogue(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("products", {}), dict):
            return {**given, "products": {**CATALOGUE, **given.get("products", {})}}
        return given

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        problems = [*_twice(self.subscriptions), *_unknown_names(self), *_world_happenings(self)]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def size(self) -> int:
        """How many subscriptions it has."""
        return sum(group.count for group in self.subscriptions)


def _twice(groups: Sequence[Group]) -> list[str]:
    names = [group.group for group in groups]
    return [f"the group {name} is there twice: rename one" for name in dict.fromkeys(names) if names.count(name) > 1]


def _unknown_names(world: World) -> list[str]:
    before: list[str] = []
    problems = []
    for group in world.subscriptions:
        where = f"group {group.group}"
        if group.provider not in world.providers:
            problems.append(f"{where}: there is no provider {group.provider}; there are {', '.join(world.providers)}")
        if group.product not in world.products:
            problems.append(f"{where}: there is no product {group.product}; there are {', '.join(world.products)}")
        problems += [
            f"{where}: {field} names {name}, which is no group before this one"
            for field, name in (("customer", group.customer), ("parent", group.parent), ("linked", group.linked))
            if name is not None and name not in before
        ]
        before.append(group.group)
    return problems


def _world_happenings(world: World) -> list[str]:
    problems = []
    for happening in world.happens:
        if happening.does == "renew_consent" and happening.provider not in world.providers:
            problems.append(f"happens: {happening.does} needs `provider`, one of {', '.join(world.providers)}")
        elif happening.does not in ("renew_consent", "switch_workflow_on"):
            problems.append(f"happens: {happening.does} is about one subscription: write it in its group")
    return problems
