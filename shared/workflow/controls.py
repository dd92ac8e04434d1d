"""Controls: what the guards need to know besides the evidence, and what of the common limits a group is given.

Read once for a group and once more when its request is about to be sent; never once for a case.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.breaker import Breaker, Outcome, Position, position
from shared.domain.budget import Claim, Wait, claim_for
from shared.domain.case import Case
from shared.domain.look import Look
from shared.domain.pause import Pause
from shared.domain.recurrence import fix_of, limits_of
from shared.domain.situation import DATAVERSE, Organization, Share, Situation, connector_of
from shared.domain.surge import Watch
from shared.errors import CaseUnreadable, SourceError
from shared.ports import WriteResult
from shared.workflow.context import Context

log = logging.getLogger(__name__)


async def situation(ctx: Context, organization_id: str | None) -> Situation:
    """Pauses, breakers and holds as they are now: three requests. `organization_id` is what Dataverse last answered.

    A row that makes no sense is part of the answer: nothing is written then. Raises SourceError.
    """
    unreadable: list[str] = []

    async def pauses() -> tuple[Pause, ...]:
        try:
            return tuple((await ctx.pauses.read()).values())
        except CaseUnreadable as error:
            unreadable.append(str(error))
            return ()

    async def watch() -> Watch:
        try:
            return await ctx.holds.read()
        except CaseUnreadable as error:
            unreadable.append(str(error))
            return Watch()

    breakers, seen, in_force = await ctx.breakers.read(), await watch(), await pauses()
    return Situation(
        organization=Organization(organization_id, ctx.organization_id),
        now=ctx.clock.now(),
        pauses=in_force,
        breakers=breakers.breakers,
        broken=breakers.broken,
        watch=seen,
        unreadable=tuple(unreadable),
    )


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
        head = self.look.head
        if self.half_done or head is None:
            return None
        return claim_for(self.look.evidence.subscription, head, self.case.opened_on)

    @property
    def breakers(self) -> tuple[str, ...]:
        """The names of the breakers that it must get through."""
        if self.half_done:
            return (DATAVERSE,)
        connector, cause = connector_of(self.look), self.case.plan.cause if self.case.plan else None
        return (DATAVERSE, *([connector] if connector else []), fix_of(self.look, cause))


async def shared_out(ctx: Context, candidates: Mapping[str, Candidate], now: Situation) -> dict[str, Share]:
    """What each candidate is given: the one probe of a half-open breaker, and a part of the hour's budget.

    Oldest first; what is half done before all. Raises SourceError; then nothing may be begun.
    """
    order = sorted(candidates, key=lambda i: _age(candidates[i]))
    shares = await _probes(ctx, {i: candidates[i] for i in order}, now)
    claims = {i: claim for i in order if not shares[i].taken and (claim := candidates[i].claim) is not None}
    if not claims:
        return shares
    try:
        granted = await ctx.limits.reserve(list(claims.values()), ctx.policy.caps, ctx.clock.now())
        waits = granted.waits
    except CaseUnreadable as error:
        waits = {claim.key: Wait(str(error), None) for claim in claims.values()}
    return shares | {
        i: Share(shares[i].probes, shares[i].taken, waits[claim.key])
        for i, claim in claims.items()
        if claim.key in waits
    }


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
