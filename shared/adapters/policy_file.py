"""The policy file: one JSON document, checked as a whole, and the Policy that it makes.

docs/policy.md describes it and docs/policy.schema.json is made from `PolicyFile`. Whatever is not understood is
refused by name, with what is allowed: a policy that is half understood would be acted on.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NaiveDatetime,
    WithJsonSchema,
    model_validator,
)

from shared.adapters.policy_quiet import windows_of
from shared.domain.actions import ACTIONS
from shared.domain.budget import MOST_CHANGES
from shared.domain.causes import CAUSES
from shared.domain.policy import BreakerLimits, Caps, Exemption, Level, Mode, Policy, Quiet, Recurrence
from shared.domain.recurrence import REMEMBERED

_DEFAULTS = Policy(mode=Mode.OBSERVE)


def _one_of(what: str, names: tuple[str, ...]) -> Callable[[str], str]:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"is not {what}; there are {', '.join(names)}")
        return name

    return check


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise ValueError("should be an IANA time zone such as Europe/Amsterdam") from None
    return name


def _guid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ValueError("should be a GUID") from None


Cause = Annotated[
    str, AfterValidator(_one_of("a cause", tuple(CAUSES))), WithJsonSchema({"type": "string", "enum": [*CAUSES]})
]
Action = Annotated[
    str, AfterValidator(_one_of("an action", tuple(ACTIONS))), WithJsonSchema({"type": "string", "enum": [*ACTIONS]})
]
Guid = Annotated[str, AfterValidator(_guid), WithJsonSchema({"type": "string", "format": "uuid"})]
Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
HourlyChanges = Annotated[int, Field(ge=1, le=MOST_CHANGES)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Days = Annotated[float, Field(gt=0, le=3_650, allow_inf_nan=False)]
Kept = Annotated[float, Field(ge=30, le=3_650, allow_inf_nan=False)]
Hours = Annotated[float, Field(gt=0, le=8_760, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class CapsPart(_Part):
    """What may be changed within any hour, by all instances together. The rest waits, oldest first."""

    changes: HourlyChanges = Field(default=_DEFAULTS.caps.changes, description="License Change Logs that are written.")
    seats: Count = Field(default=_DEFAULTS.caps.seats, description="Seats that those changes are about.")
    customers: Count = Field(default=_DEFAULTS.caps.customers, description="Customers that those changes belong to.")


class BreakerPart(_Part):
    """When no more is tried at one provider, or in Dataverse, and for how long."""

    failures: Count = Field(default=_DEFAULTS.breaker.failures, description="So many failures in a row open it.")
    share: float = Field(
        default=_DEFAULTS.breaker.share,
        gt=0,
        le=1,
        description="Or this part of the calls within the window, 0.5 being half.",
    )
    least: Count = Field(default=_DEFAULTS.breaker.least, description="Calls within the window before `share` counts.")
    window_seconds: Seconds = Field(
        default=_DEFAULTS.breaker.window.total_seconds(), description="How far back calls count."
    )
    open_for_seconds: Seconds = Field(
        default=_DEFAULTS.breaker.open_for.total_seconds(),
        description="How long it stays open before one call is let through as a probe; a longer Retry-After counts.",
    )


class RecurrencePart(_Part):
    """How often the same subscription may need the same fix before a person is asked instead."""

    times: Annotated[int, Field(ge=1, le=REMEMBERED)] = Field(
        default=_DEFAULTS.recurrence.times, description="How many times."
    )
    within_days: Days = Field(default=_DEFAULTS.recurrence.within / timedelta(days=1), description="In how many days.")


class QuietPart(_Part):
    """A time in which nothing is written: quiet hours, or a freeze around an invoice run."""

    name: Words = Field(description="What people call it; it is on the cases that it holds back.")
    reason: Words = Field(description="Why nothing is written then.")
    time_zone: Annotated[str, AfterValidator(_zone)] = Field(description="IANA time zone of `starts` and `ends`.")
    starts: NaiveDatetime = Field(
        description="When the first one starts: local time without zone, 2026-01-02T22:00:00."
    )
    ends: NaiveDatetime = Field(description="When the first one ends, likewise.")
    repeats: Annotated[str, Field(max_length=500)] | None = Field(
        default=None,
        description="Recurrence rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=SA,SU; left out for a single time.",
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self.quiet()
        return self

    def quiet(self) -> Quiet:
        """Raises ValueError when times or rule make no sense."""
        windows = windows_of(self.starts, self.ends, ZoneInfo(self.time_zone), self.repeats)
        return Quiet(self.name, self.reason, windows)


class ExemptionPart(_Part):
    """Another level for one provider, customer or cause, until it expires. It names at least one of the three."""

    level: Level = Field(description="The level that holds instead, under the ceiling of UNSTUCK_MODE.")
    reason: Words = Field(description="Why, for whoever reads it later.")
    until: AwareDatetime = Field(description="When it expires, with a zone: 2026-12-31T00:00:00Z.")
    provider_id: Guid | None = Field(default=None, description="Id of a provider in Work 365; left out for any.")
    customer_id: Guid | None = Field(
        default=None, description="Id of a customer account in Dataverse; left out for any."
    )
    cause: Cause | None = Field(default=None, description="A cause; left out for any.")

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.provider_id is None and self.customer_id is None and self.cause is None:
            raise ValueError("give provider_id, customer_id or cause, at least one of them")
        return self

    def exemption(self) -> Exemption:
        return Exemption(self.level, self.reason, self.until, self.provider_id, self.customer_id, self.cause)


class PolicyFile(_Part):
    """What an operator decides about acting: levels, limits, quiet times and approvals. Everything may be left out."""

    schema_: str | None = Field(default=None, alias="$schema", description="For editors: where this schema is.")
    causes: Mapping[Cause, Level] = Field(
        default={}, description="Level of each cause; one that is left out has `auto`."
    )
    actions: Mapping[Action, Level] = Field(
        default={}, description="Level of each action; one that is left out has `auto`."
    )
    exemptions: tuple[ExemptionPart, ...] = Field(
        default=(), max_length=1_000, description="Other levels, for a while."
    )
    caps_per_hour: CapsPart = CapsPart()
    surge: Count = Field(
        default=_DEFAULTS.surge,
        description="More new suspects than this in one sweep: none is acted on until a person confirms.",
    )
    breaker: BreakerPart = BreakerPart()
    recurrence: RecurrencePart = RecurrencePart()
    quiet: tuple[QuietPart, ...] = Field(default=(), max_length=100, description="Times in which nothing is written.")
    approval_expires_hours: Hours = Field(
        default=_DEFAULTS.approval_expires / timedelta(hours=1), description="How long a person's yes is good for."
    )
    approver_is_not_requester: bool = Field(
        default=_DEFAULTS.approver_is_not_requester,
        description="Whoever had a subscription diagnosed by hand may not say yes to its plan.",
    )
    evidence_age_seconds: Seconds = Field(
        default=_DEFAULTS.evidence_age.total_seconds(), description="Evidence older than this is no ground for a write."
    )
    manual_late_after_hours: Hours = Field(
        default=_DEFAULTS.manual_late_after / timedelta(hours=1),
        description="How long a person has to make a change at a manual provider before the case says that it is late.",
    )
    duplicate_within_seconds: Seconds = Field(
        default=_DEFAULTS.duplicate_within.total_seconds(),
        description="Two equal changes made within this time look like one that was entered twice.",
    )

    history_kept_days: Kept = Field(
        default=_DEFAULTS.history_kept / timedelta(days=1),
        description="How long closed cases are kept with their events, and receipts of sweeps; then they are purged.",
    )

    def policy(self, base: Policy, version: str) -> Policy:
        """`base` holds what the app settings say: the mode, the times and the attempts."""
        breaker, recurrence = self.breaker, self.recurrence
        return replace(
            base,
            version=version,
            causes=dict(self.causes),
            actions=dict(self.actions),
            exemptions=tuple(each.exemption() for each in self.exemptions),
            caps=Caps(**self.caps_per_hour.model_dump()),
            surge=self.surge,
            breaker=BreakerLimits(
                breaker.failures,
                breaker.share,
                breaker.least,
                timedelta(seconds=breaker.window_seconds),
                timedelta(seconds=breaker.open_for_seconds),
            ),
            recurrence=Recurrence(recurrence.times, timedelta(days=recurrence.within_days)),
            quiet=tuple(each.quiet() for each in self.quiet),
            approval_expires=timedelta(hours=self.approval_expires_hours),
            approver_is_not_requester=self.approver_is_not_requester,
            evidence_age=timedelta(seconds=self.evidence_age_seconds),
            manual_late_after=timedelta(hours=self.manual_late_after_hours),
            duplicate_within=timedelta(seconds=self.duplicate_within_seconds),
            history_kept=timedelta(days=self.history_kept_days),
        )
