"""What one subscription belongs to, and what the provider really has of it, as a world file says it."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from local.worlds.moments import Moment, Past
from local.worlds.words import Part, Refused

Lookup = Literal["own", "none", "another"]


class Holder(Part):
    """The customer that the subscription names. `another`: somebody else's account."""

    lookup: Lookup = "own"
    active: bool = True


class Contract(Part):
    """Its billing contract. `another`: one of somebody else's."""

    lookup: Lookup = "own"
    active: bool = True
    next_invoice: Moment | None = timedelta(days=12)


class Accounts(Part):
    """The customer's accounts at the provider, and which of them the subscription names.

    `tenant` is what the own account holds as Provider Specific Id: the customer's own, another customer's, one
    that the provider does not know, a text that is no id, or nothing.
    """

    lookup: Lookup = "own"
    own: bool = True
    """Off: the customer has no account of its own at this provider."""
    tenant: Literal["own", "another", "unknown", "text", "empty"] = "own"
    active: bool = True
    more: int = Field(default=0, ge=0, le=5)
    """Further accounts of the same customer at the same provider, each with a tenant of its own."""


class Reduction(Part):
    """When Work 365 lets seats be given back."""

    behavior: Literal["allowed", "disallowed", "within_window"] | None = None
    window: int | None = Field(default=None, ge=0)
    """Days."""


class Batch(Part):
    """Seats that may be given back until a moment."""

    quantity: int = Field(ge=1)
    until: Moment


class Twin(Part):
    """A subscription of the same product that the provider has as well and nothing in Work 365 points to."""

    quantity: int = Field(ge=1)
    ordered: Past = timedelta(days=-20)
    status: Literal["active", "suspended", "expired", "deleted", "pending"] = "active"


class ProviderSide(Part):
    """What the provider really has, where that is not what the provisioned changes add up to."""

    exists: bool = True
    linked: bool = True
    """Off: it is there, and Work 365 does not know its id."""
    customer: Literal["reseller", "none", "unknown"] = "reseller"
    """`none`: it knows the tenant, which is no customer of this partner; `unknown`: it does not know it."""
    quantity: int | None = None
    status: Literal["active", "suspended", "expired", "deleted", "pending"] = "active"
    suspension_reasons: tuple[str, ...] | None = None
    actions: tuple[str, ...] | None = None
    created: Past | None = None
    term_ends: Moment | None = None
    auto_renew: bool = True
    next_term: int | None = None
    """Seats that are instructed for the next term."""
    refundable: tuple[Batch, ...] | None = None
    """By default what was bought within the last seven days."""
    cancellation: Moment | None = None
    """Until when it may be cancelled as a whole."""
    provisioning: Literal["success", "pending", "failed", "none"] | None = None
    order_status: Literal["completed", "pending", "cancelled", "unknown"] | None = None
    twin: Twin | None = None
    refuses: Refused | None = None
    """What it answers to whatever this customer wants."""


class Quirks(Part):
    """How Work 365 misbehaves with these subscriptions (work365_engine/options.py)."""

    ignores: bool = False
    slow_cycles: int | Literal["for_ever"] = 0
    fails_with: Refused | None = None
    provisions_without_saying: bool = False
    succeeds_without_doing: bool = False
    workflow_fails: str | None = None
    """What the System Job says that each run of the workflow for these ends as."""
