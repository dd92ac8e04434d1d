"""What a world file may say. docs/worlds.md describes it for people; unknown fields are refused.

The parts of a world are in words.py, surroundings.py, belongings.py and changing.py.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from local.worlds.belongings import Accounts, Contract, Holder, ProviderSide, Quirks, Reduction
from local.worlds.catalogue import CATALOGUE
from local.worlds.changing import OF_THE_WORLD, Change, Happening, Scheduled
from local.worlds.moments import Moment
from local.worlds.surroundings import Product, Provider, Work365
from local.worlds.words import Key, Outcome, Part, Slug, SubscriptionStatus


class Expect(Part):
    """How these subscriptions end. `may_write`: numbers of the changes that the app may write, counted from 1."""

    cause: Annotated[str, Field(pattern=r"^[a-z_0-9]+$")] | None = None
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
    provider_lookup: bool = True
    """Off: the subscription names no provider."""
    product: Key
    product_lookup: bool = True
    customer: Slug | None = None
    """The group whose customers these subscriptions belong to; by default each has its own, or its parent's."""
    holder: Holder = Holder()
    contract: Contract = Contract()
    accounts: Accounts = Accounts()
    reduction: Reduction = Reduction()
    price_list: bool = True
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
        if happening.does == "renew_consent":
            if happening.provider not in world.providers:
                problems.append(f"happens: {happening.does} needs `provider`, one of {', '.join(world.providers)}")
        elif happening.does not in OF_THE_WORLD:
            problems.append(f"happens: {happening.does} is about one subscription: write it in its group")
    return problems
