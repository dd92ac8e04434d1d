"""HTTP: the policy in force, and whether another one would be taken."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from shared.adapters.policy_source import LONGEST, PolicyInvalid, read_policy
from shared.domain.policy import Level, Mode, Policy
from shared.entrypoints.bodies import Given
from shared.entrypoints.exchange import Reply
from shared.entrypoints.route import Ask, Nothing, Taken

LONGEST_BODY = LONGEST + 64 * 1024


class ValidationRequest(Taken):
    """A policy to look at. Nothing is put in force."""

    policy: dict[str, Any] = Field(
        title="Policy", description="What would stand in the policy file.", examples=[{"surge": 20}]
    )


class ValidationBody(Given):
    """Whether the policy would be taken."""

    valid: bool = Field(description="Whether it would be taken.")
    version: str = Field(description="The version it would have; empty when it is not valid.")
    problems: list[str] = Field(description="What is wrong, each by its place.")


class ExemptionBody(Given):
    """Another level, for a while."""

    level: Level = Field(description="The level that holds instead.")
    reason: str = Field(description="Why.")
    until: datetime = Field(description="When it expires.")
    provider_id: str | None = Field(description="Only for this provider; null: any.")
    customer_id: str | None = Field(description="Only for this customer; null: any.")
    cause: str | None = Field(description="Only for this cause; null: any.")


class CapsBody(Given):
    """What may be changed within any hour."""

    changes: int = Field(description="License Change Logs.")
    seats: int = Field(description="Seats that they are about.")
    customers: int = Field(description="Customers that they belong to.")


class QuietBody(Given):
    """A time in which nothing is written."""

    name: str = Field(description="What people call it.")
    reason: str = Field(description="Why nothing is written then.")


class PolicyBody(Given):
    """The policy in force, with the app settings' part of it. Times of rules are in seconds."""

    mode: Mode = Field(description="How far the app may go at all; observe while the policy is invalid.")
    version: str = Field(description="Digest of what the policy file means, `built-in` without one, or `invalid`.")
    problems: list[str] = Field(description="What is wrong with the policy file; nothing is written while it is.")
    causes: Mapping[str, Level] = Field(description="Level by cause; one that is not named has auto.")
    actions: Mapping[str, Level] = Field(description="Level by action; one that is not named has auto.")
    exemptions: list[ExemptionBody] = Field(description="Other levels, for a while.")
    caps_per_hour: CapsBody = Field(description="What may be changed within any hour.")
    surge: int = Field(description="More new suspects than this in one sweep: a person must confirm.")
    quiet: list[QuietBody] = Field(description="Times in which nothing is written.")
    attempts: int = Field(description="How often one change may be retriggered.")
    approval_expires_seconds: float = Field(description="How long a yes is good for, in seconds.")
    approver_is_not_requester: bool = Field(description="Whether a yes must be somebody else's than the request.")
    waiting_seconds: float = Field(description="How long a change may be unprovisioned before it counts as stuck.")

    @classmethod
    def of(cls, policy: Policy) -> "PolicyBody":
        return cls(
            mode=policy.mode,
            version=policy.version,
            problems=[*policy.problems],
            causes=policy.causes,
            actions=policy.actions,
            exemptions=[ExemptionBody.model_validate(each) for each in policy.exemptions],
            caps_per_hour=CapsBody.model_validate(policy.caps),
            surge=policy.surge,
            quiet=[QuietBody.model_validate(each) for each in policy.quiet],
            attempts=policy.attempts,
            approval_expires_seconds=policy.approval_expires.total_seconds(),
            approver_is_not_requester=policy.approver_is_not_requester,
            waiting_seconds=policy.waiting_time.total_seconds(),
        )


async def get_policy(ask: Ask[Nothing, Nothing]) -> Reply:
    """The policy in force."""
    return Reply(PolicyBody.of((await ask.context()).policy))


async def validate_policy(ask: Ask[ValidationRequest, Nothing]) -> Reply:
    """Whether a policy would be taken, and what is wrong with it."""
    base = ask.services.settings.policy
    text = json.dumps(ask.body.policy)
    try:
        policy = await asyncio.to_thread(read_policy, text, base)
    except PolicyInvalid as error:
        return Reply(ValidationBody(valid=False, version="", problems=[*error.problems]))
    return Reply(ValidationBody(valid=True, version=policy.version, problems=[]))
