"""Reads the evidence of many subscriptions at once and turns it into looks.

Dataverse is read for all. The provider, which is slow and counts requests, is asked only where what Dataverse says
leaves doubt or where something might be written (rule 1); and what became of the last order only where even the
provider's list of subscriptions leaves that open (rule 3).
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from shared.domain.baseline import dismissed_in, nothing_new
from shared.domain.case import Case
from shared.domain.decision import seen_from
from shared.domain.diagnosis import Diagnosis, diagnose
from shared.domain.evidence import ChangeType, ProviderAccount, ProviderReading
from shared.domain.finding import Disposition, Finding
from shared.domain.look import Look
from shared.workflow.context import Context
from shared.workflow.controls import standing

log = logging.getLogger(__name__)

_MICROSOFT = "microsoft_csp"
_ACTS = (Disposition.AUTO, Disposition.APPROVE)
_ALWAYS = frozenset({"unknown", "half_toggled", "trigger_missed"})
"""Not understood, or about to be written."""
_UNCLEAR_CALL = frozenset({"attempt_outcome_unknown", "provider_operation_pending"})
_PATIENT = frozenset({"parent_not_provisioned", "provider_unavailable"})
"""Not worth asking before their time: the parent's case goes first, and an overloaded provider is left in peace."""
_READS_PROVIDER = (
    _UNCLEAR_CALL
    | _PATIENT
    | {
        "billed_not_provisioned",
        "nothing_to_provision",
        "provider_account_mismatch",
        "reduction_window_closed",
        "set_aside_by_hand",
        "subscription_state_blocked",
    }
)
"""What the provider shows decides these, or what they say of it."""


@dataclass(frozen=True, slots=True)
class Read:
    """What one round of reading gave: a look for each subscription that exists."""

    looks: Mapping[str, Look]
    missing: tuple[str, ...]
    organization_id: str | None


async def read(
    ctx: Context, cases: Mapping[str, Case | None], *, purpose: str, former: Mapping[str, Case] | None = None
) -> Read:
    """Reads Dataverse for all, and the provider for those whose diagnosis depends on it.

    `former` are closed cases of subscriptions that have no open one: what was dismissed in them stays so.
    Raises SourceError when Dataverse could not be read at all. A provider that could not be read is a reading.
    """
    got = await ctx.work365.read_evidence(tuple(cases), purpose=purpose)
    stands, closed = await standing(ctx), former or {}
    now = ctx.clock.now()
    looks = {
        subscription_id: _seen(
            Look(
                evidence,
                now,
                ctx.policy,
                standing=stands,
                dismissed=dismissed_in(cases[subscription_id] or closed.get(subscription_id)),
            ),
            cases[subscription_id],
        )
        for subscription_id, evidence in got.evidence.items()
    }
    return Read(await _with_provider(ctx, looks), got.missing, got.organization_id)


def _seen(look: Look, case: Case | None) -> Look:
    return seen_from(look, case) if case is not None else look


async def _with_provider(ctx: Context, looks: Mapping[str, Look]) -> dict[str, Look]:
    tenants = {subscription_id: _tenants(look) for subscription_id, look in looks.items()}
    asked = sorted({tenant for each in tenants.values() for tenant in each})
    if not asked:
        return dict(looks)
    readings = await ctx.provider.read(asked)
    seen = {i: _shown(look, tenants[i], readings) if tenants[i] else look for i, look in looks.items()}
    return await _with_details(ctx, seen, tenants)


async def _with_details(
    ctx: Context, looks: dict[str, Look], tenants: Mapping[str, tuple[str, ...]]
) -> dict[str, Look]:
    """What became of the last order, where that is still open after the provider was read."""
    wanted = {
        subscription_id: (each[0], linked)
        for subscription_id, each in tenants.items()
        if each and (linked := _open_call_of(looks[subscription_id])) is not None
    }
    if not wanted:
        return looks
    details = await ctx.provider.details(sorted(set(wanted.values())))
    return looks | {
        i: replace(looks[i], evidence=replace(looks[i].evidence, provider_details=details.get(linked)))
        for i, (_, linked) in wanted.items()
    }


def _shown(look: Look, tenants: tuple[str, ...], readings: Mapping[str, ProviderReading]) -> Look:
    """With what its tenants show. Where several were asked and none is its own, none of them is its provider's."""
    mine = tenants[0] if len(tenants) == 1 or tenants[0] == _own_tenant(look) else None
    accounts = _tenants_of(look.evidence.accounts_of_customer or ())
    evidence = replace(
        look.evidence,
        provider=readings.get(mine) if mine is not None else None,
        accounts_at_provider={t: readings[t] for t in tenants if t in accounts and t in readings},
    )
    return replace(look, evidence=evidence)


def _open_call_of(look: Look) -> str | None:
    """The provider's subscription whose last call is in doubt, once it can show: before, they know no more either."""
    reading, linked = look.evidence.provider, look.evidence.subscription.provider_subscription_id
    if reading is None or not reading.readable or not linked:
        return None
    found = _preliminary(look)
    unclear = [f for f in found.findings if f.cause in _UNCLEAR_CALL] if found is not None else []
    return linked if any(not _waits(look, f) for f in unclear) else None


def _tenants(look: Look) -> tuple[str, ...]:
    """The tenants to be asked for this subscription: its own first; none where the provider decides nothing."""
    provider = look.evidence.subscription.provider
    if provider is not None and provider.connector != _MICROSOFT:
        return ()  # only Microsoft can be asked
    found = _preliminary(look)
    if found is None or not _leaves_doubt(look, found):
        return ()
    own = _own_tenant(look)
    mine = (own,) if own is not None and provider is not None else ()
    if all(f.cause != "provider_account_mismatch" for f in found.findings):
        return mine
    accounts = [
        account
        for account in look.evidence.accounts_of_customer or ()
        if account.active is not False and (provider is None or account.provider_id in (None, provider.id))
    ]
    return tuple(dict.fromkeys((*((own,) if own else ()), *sorted(_tenants_of(accounts)))))


def _own_tenant(look: Look) -> str | None:
    account = look.evidence.subscription.account
    return account.tenant_id.casefold() if account is not None and account.tenant_id else None


def _tenants_of(accounts: Iterable[ProviderAccount]) -> frozenset[str]:
    return frozenset(account.tenant_id.casefold() for account in accounts if account.tenant_id)


def _preliminary(look: Look) -> Diagnosis | None:
    """What is diagnosed so far; None where nothing is stuck, a person dismissed it all, or the rules fail on it."""
    if nothing_new(look):
        return None
    try:
        found = diagnose(look)
    except Exception:
        log.exception("Subscription %s cannot be judged", look.evidence.subscription.id)
        return None  # its diagnosis parks it
    return None if found.healthy else found


def _leaves_doubt(look: Look, found: Diagnosis) -> bool:
    """Where we might act, do not understand, or a rule reads the provider. What waits by design stays as it is."""
    first, may_act = found.first, look.head is not None
    if look.asked is not None:
        return True
    if may_act and (found.disposition in _ACTS or any(f.cause in _ALWAYS for f in found.findings)):
        return True
    if first is None or (_waits(look, first) and not _worth_asking(look, first)):
        return False
    return any(_worth_asking(look, f) for f in found.findings) or _may_be_bought(look)


def _worth_asking(look: Look, finding: Finding) -> bool:
    return finding.cause in _READS_PROVIDER and not (finding.cause in _PATIENT and _waits(look, finding))


def _waits(look: Look, finding: Finding) -> bool:
    """Whether it still waits for its time, or for something that has none."""
    return finding.disposition is Disposition.WAIT and (finding.until is None or finding.until > look.now)


def _may_be_bought(look: Look) -> bool:
    """A first order that, as far as is known, nobody refused: it may stand at the provider without a link to it."""
    head, says = look.head, look.reading.cause
    if head is None or head.change_type is not ChangeType.CREATE:
        return False
    return says is None or (says in _READS_PROVIDER and says != "provider_unavailable")
