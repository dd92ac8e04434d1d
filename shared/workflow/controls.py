"""Controls: what the guards need to know besides the evidence, and what of the common limits a group is given.

Read once for a group and once more when its request is about to be sent; never once for a case.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.breaker import Breaker, Outcome, Position, position
from shared.domain.budget import Claim, Wait, claim_for
from shared.domain.case import Case
from shared.domain.look import Look
from shared.domain.pause import Mute, Pause
from shared.domain.recurrence import fix_of, limits_of
from shared.domain.situation import DATAVERSE, Organization, Share, Situation, connector_of
from shared.domain.standing import Standing
from shared.domain.surge import Watch
from shared.errors import CaseUnreadable, SourceError
from shared.ports import WriteResult
from shared.workflow.context import Context
from shared.workflow.watching import spent

log = logging.getLogger(__name__)


async def situation(ctx: Context, organization_id: str | None) -> Situation:
    """Pauses, mutes, breakers and holds as they are now: four requests.

    `organization_id` is what Dataverse last answered. A row that makes no sense is part of the answer: nothing is
    written then. Raises SourceError.
    """
    unreadable: list[str] = []

    async def pauses() -> tuple[Pause, ...]:
        try:
            return tuple((await ctx.pauses.read()).values())
        except CaseUnreadable as error:
            unreadable.append(str(error))
            return ()

    async def mutes() -> tuple[Mute, ...]:
        try:
            return tuple((await ctx.mutes.read()).values())
        except CaseUnreadable as error:
            unreadable.append(str(error))
            return ()

    async def watch() -> Watch:
        try:
            return await ctx.holds.read()
        except CaseUnreadable as error:
            unreadable.append(str(error))
            return Watch()

    breakers, seen, muted = await ctx.breakers.read(), await watch(), await mutes()
    in_force = await pauses()  # last of all: nothing else must come between a pause and the write that it stops
    return Situation(
        organization=Organization(organization_id, ctx.organization_id),
        now=ctx.clock.now(),
        pauses=in_force,
        breakers=breakers.breakers,
        broken=breakers.broken,
        watch=seen,
        mutes=muted,
        unreadable=tuple(unreadable),
    )


async def standing(ctx: Context) -> Standing | None:
    """What a diagnosis says of the stock and of mutes; None where their rows make no sense. Raises SourceError."""
    try:
        watch, mutes = await ctx.holds.read(), await ctx.mutes.read()
    except CaseUnreadable as error:
        log.error("%s", error)  # noqa: TRY400  (the message says it all)
        return None
    return Standing(watch.stock_taken_on, tuple(mutes.values()))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case that passes all guards, if the common limits have room for it."""

    case: Case
    """As it is stored: without the intent that it would be given."""
    look: Look

    @property
    def half_done(self) -> bool:
        """What is half done needs no budget, and goes first."""
        return self.case.intent is not None

    @property
    def claim(self) -> Claim | None:
        """What it takes of the hour."""
        head, own = self.look.head, self.look.evidence.subscription
        if self.half_done:
            return None
        if head is not None:
            taken = claim_for(own, head, self.case.opened_on)
        else:  # something is undone where nothing awaits provisioning
            taken = Claim("", self.case.opened_on, 1, own.customer_id or own.id)
        planned = self.case.plan.change_id if self.case.plan is not None else taken.key
        return replace(taken, key=planned or self.case.subscription_id)

    @property
    def breakers(self) -> tuple[str, ...]:
        """The names of the breakers that it must get through."""
        if self.half_done:
            return (DATAVERSE,)
        connector, cause = connector_of(self.look), self.case.plan.cause if self.case.plan else None
        return (DATAVERSE, *([connector] if connector else []), fix_of(self.look, cause))


async def shared_out(ctx: Context, candidates: Mapping[str, Candidate], now: Situation) -> dict[str, Share]:
    """What each candidate is given: a part of the hour's budget, and the one probe of a half-open breaker.

    Oldest first; what is half done before all. The budget comes first: a probe that could not be used would rest the
    breaker once more. Raises SourceError; then nothing may be begun.
    """
    order = sorted(candidates, key=lambda i: _age(candidates[i]))
    claims = {i: claim for i in order if (claim := candidates[i].claim) is not None}
    waits = await _reserved(ctx, list(claims.values()))
    late = {i: Share(wait=waits[claim.key]) for i, claim in claims.items() if claim.key in waits}
    shares = await _probes(ctx, {i: candidates[i] for i in order if i not in late}, now)
    await give_back(ctx, [claims[i].key for i, share in shares.items() if share.taken and i in claims])
    return shares | late


async def _reserved(ctx: Context, claims: Sequence[Claim]) -> Mapping[str, Wait]:
    """Takes what fits from the hour's budget. Why the others wait."""
    if not claims:
        return {}
    try:
        granted = await ctx.limits.reserve(claims, ctx.policy.caps, ctx.clock.now())
        spent(ctx, granted.budget, ctx.policy.caps)
        return granted.waits
    except CaseUnreadable as error:
        return {claim.key: Wait(str(error), None) for claim in claims}


def _age(candidate: Candidate) -> tuple[bool, datetime, str]:
    claim = candidate.claim
    since = claim.since if claim is not None else candidate.case.opened_on
    return not candidate.half_done, since, candidate.case.id


async def _probes(ctx: Context, candidates: Mapping[str, Candidate], now: Situation) -> dict[str, Share]:
    """Each half-open breaker lets one candidate through: the first that asks, if no other worker was faster."""
    asked: set[str] = set()
    shares = {}
    for i, candidate in candidates.items():
        half_open = [n for n in candidate.breakers if _half_open(now, n)]
        free = [n for n in half_open if n not in asked]
        won = free == half_open and await _won(ctx, half_open)
        asked.update(half_open)
        shares[i] = Share(probes=frozenset(half_open)) if won else Share(taken=frozenset(half_open))
    return shares


def _half_open(now: Situation, name: str) -> bool:
    return position(now.breakers.get(name, Breaker()), now.now) is Position.HALF_OPEN


async def _won(ctx: Context, names: Sequence[str]) -> bool:
    for name in names:
        try:
            if not await ctx.breakers.probe(name, limits_of(name, ctx.policy), ctx.clock.now()):
                return False
        except CaseUnreadable as error:
            log.error("%s", error)  # noqa: TRY400  (the message says it all)
            return False
    return True


def claimed(case: Case) -> list[str]:
    """What the case's open intent has taken of the hour; nothing where it finishes a half-done retrigger."""
    intent = case.intent
    return [intent.change_id or case.subscription_id] if intent is not None and intent.over is None else []


async def give_back(ctx: Context, change_ids: Iterable[str]) -> None:
    """Returns to the hour's budget what for sure was not written. That this fails wastes some of it, nothing more."""
    keys = list(change_ids)
    if not keys:
        return
    try:
        await ctx.limits.release(keys, ctx.clock.now())
    except (SourceError, CaseUnreadable) as error:
        log.warning("The budget of %d changes could not be given back: %s", len(keys), error)


async def count_writes(ctx: Context, results: Sequence[WriteResult]) -> None:
    """One request of writes, for Dataverse's breaker. A refusal or a newer version is an answer like any other."""
    if not results:
        return
    failed = [r for r in results if r.deferred or r.unknown]
    outcome = Outcome(
        ok=2 * len(failed) <= len(results),
        reason=failed[0].reason if failed else "",
        retry_after=max((r.retry_after for r in failed), default=0.0),
    )
    try:
        await ctx.breakers.count(DATAVERSE, outcome, ctx.policy.breaker, ctx.clock.now())
    except (SourceError, CaseUnreadable) as error:
        log.warning("A write request could not be counted: %s", error)
