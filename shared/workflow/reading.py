"""Reads the evidence of many subscriptions at once and turns it into looks."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.domain.case import Case
from shared.domain.diagnosis import diagnose
from shared.domain.finding import Disposition
from shared.domain.look import Look
from shared.domain.safety import wants_provider
from shared.workflow.context import Context

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Read:
    """What one round of reading gave: a look for each subscription that exists."""

    looks: Mapping[str, Look]
    missing: tuple[str, ...]
    organization_id: str | None


async def read(ctx: Context, cases: Mapping[str, Case | None], *, purpose: str) -> Read:
    """Reads Dataverse for all, and the provider for those whose diagnosis depends on it.

    Raises SourceError when Dataverse could not be read at all. A provider that could not be read is a reading.
    """
    got = await ctx.work365.read_evidence(tuple(cases), purpose=purpose)
    now = ctx.clock.now()
    looks = {
        subscription_id: Look(
            evidence=evidence,
            now=now,
            policy=ctx.policy,
            intent=case.intent if (case := cases[subscription_id]) is not None else None,
            attempts=case.attempts if case is not None else (),
            dropped=case.dropped if case is not None else (),
        )
        for subscription_id, evidence in got.evidence.items()
    }
    return Read(await _with_provider(ctx, looks), got.missing, got.organization_id)


async def _with_provider(ctx: Context, looks: Mapping[str, Look]) -> dict[str, Look]:
    asked = {
        subscription_id: tenant
        for subscription_id, look in looks.items()
        if (tenant := _tenant(look)) is not None and wants_provider(look) and _depends_on_provider(look)
    }
    if not asked:
        return dict(looks)
    readings = await ctx.provider.read(sorted(set(asked.values())))
    return {
        subscription_id: replace(look, evidence=replace(look.evidence, provider=readings.get(tenant)))
        if (tenant := asked.get(subscription_id)) is not None
        else look
        for subscription_id, look in looks.items()
    }


def _tenant(look: Look) -> str | None:
    account = look.evidence.subscription.account
    return account.tenant_id.casefold() if account is not None and account.tenant_id else None


def _depends_on_provider(look: Look) -> bool:
    """Where we might act, or do not understand. Waiting and known needs of a person stay as they are (rule 1)."""
    try:
        preliminary = diagnose(look)
    except Exception:
        log.exception("Subscription %s cannot be judged", look.evidence.subscription.id)
        return False  # its diagnosis parks it
    if preliminary.healthy:
        return False
    acts = preliminary.disposition in (Disposition.AUTO, Disposition.APPROVE)
    return acts or any(f.cause in ("unknown", "half_toggled", "trigger_missed") for f in preliminary.findings)
