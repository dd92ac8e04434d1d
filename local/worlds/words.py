"""The vocabulary of world files: what every part of one is made of."""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from local.partner_center.errors import Refusal, known_errors
from local.worlds.moments import Moment

ProvisioningStatus = Literal["awaiting_provisioning", "not_applicable", "provisioned", "failed_provisioning"]
JobStatus = Literal[
    "waiting", "dispatched", "in_progress", "succeeded", "failed", "not_applicable", "retry", "cancelled"
]
SystemJobStatus = Literal[
    "waiting_for_resources", "waiting", "in_progress", "pausing", "cancelling", "succeeded", "failed", "cancelled"
]
SubscriptionStatus = Literal[
    "active", "awaiting_provisioning", "provisioned", "suspended", "expired", "cancelled", "inactive"
]
Outcome = Literal["resolved", "waiting", "awaiting_approval", "needs_person", "escalated", "none"]
UNPROVISIONED = ("awaiting_provisioning", "failed_provisioning")

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Key = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
Price = Annotated[Decimal, Field(ge=0)]


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


class Refused(Said):
    """What the provider answers to everything, until somebody mends it, a time is over or it was said often enough."""

    times: int | None = Field(default=None, ge=1)
    lasts: Moment | None = None
    executes: bool = False
    """The order goes through all the same; only the answer says no."""
    reads: bool = False
    """Whoever only asks is refused as well."""

    def rule(self, **scope: object) -> Refusal:
        """The provider's rule for it, limited to `scope` (fields of Refusal)."""
        known: Callable[..., Refusal] = Refusal.known
        return known(self.code, *self.values, times=self.times, executes=self.executes, reads=self.reads, **scope)
