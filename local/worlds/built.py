"""A world, built: rows by key, what the provider has, and what is expected. Plain values, ready to be loaded."""

from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from local.partner_center.errors import Refusal
from local.partner_center.model import Customer, ProviderSubscription
from local.work365_engine.options import Quirk
from local.worlds.changing import Deed
from local.worlds.words import Outcome

type Row = dict[str, Any]


@dataclass(frozen=True)
class Expectation:
    """How one subscription should end, and which changes the app may write."""

    subscription_id: str
    name: str
    group: str
    cause: str | None
    outcome: Outcome
    may_write: tuple[str, ...] = ()
    set_by_app: tuple[str, ...] = ()
    """Changes that stand at Not Applicable because this app set them there in an earlier run."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class HalfToggled:
    """An interrupted retrigger that this app's ledger tells of."""

    subscription_id: str
    change_id: str


@dataclass(frozen=True)
class Planned:
    """Something that a person will do, or that mends itself. Once done it is not done again."""

    does: Deed
    after: timedelta
    when_asked_about: frozenset[str] | None
    """Subscriptions; being told of any of them starts the clock. None: loading does."""
    subscription_id: str | None = None
    change_id: str | None = None
    provider_id: str | None = None
    tenant_id: str | None = None


@dataclass
class Built:
    """Everything of one world. `tables`: rows by table key, in an order that lookups allow."""

    tables: dict[str, list[Row]] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    provider_subscriptions: list[ProviderSubscription] = field(default_factory=list)
    unknown_tenants: set[str] = field(default_factory=set)
    """Of the customers, those whose tenants the provider does not know."""
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Security roles by user."""
    refusals: list[Refusal] = field(default_factory=list)
    quirks: dict[str, Quirk] = field(default_factory=dict)
    half_toggled: list[HalfToggled] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    expectations: list[Expectation] = field(default_factory=list)

    def add(self, table: str, row: Row) -> None:
        """One more row."""
        self.tables.setdefault(table, []).append(row)
