"""Remediate: frees up to 100 cases at once, in journalled phases.

    guards → intent saved → Not Applicable → diagnosed again → Awaiting Provisioning → its job run → verifying

Whatever goes wrong in between, the saved intent says what we were about to do: the case is diagnosed again,
which reads what became of it and goes on from there. Nothing is tried again before it was read.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain import retrigger
from shared.domain.case import Case, Recorded, State, subscription_of
from shared.domain.decision import busy
from shared.domain.diagnosis import diagnose
from shared.domain.evidence import ProvisioningStatus
from shared.domain.guards import Organization, before_second_write
from shared.domain.intent import Phase
from shared.domain.look import Look
from shared.errors import SourceError
from shared.ports import StatusWrite, Stored, WriteResult
from shared.workflow.context import Context
from shared.workflow.diagnose import parked, save, wake_up
from shared.workflow.reading import read

log = logging.getLogger(__name__)

AWAITING, NOT_APPLICABLE = ProvisioningStatus.AWAITING, ProvisioningStatus.NOT_APPLICABLE


@dataclass(frozen=True, slots=True)
class Underway:
    """A case whose intent is saved, with the evidence that its next write rests on."""

    stored: Stored
    look: Look


type Group = Mapping[str, Underway]
"""By subscription id."""


async def remediate(ctx: Context, case_ids: Sequence[str]) -> dict[str, Case]:
    """Retriggers those of the cases that are ready and pass every guard. Returns each as it was left.

    Raises SourceError when Dataverse or the case store could not be reached before anything was begun.
    """
    stored = await ctx.store.load_many(list(dict.fromkeys(subscription_of(i) for i in case_ids)))
    ready = {i: s for i, s in stored.items() if s.case.id in case_ids and s.case.state is State.READY}
    left = {i: s.case for i, s in stored.items()}
    if not ready:
        return left
    begun = await _begin(ctx, ready, left)
    single = {i for i, u in begun.items() if not retrigger.needs_first_write(u.look)}
    # What needs one write gets it with the others' first: all of it rests on the evidence that was just read.
    first = await _write(ctx, begun, {i: AWAITING if i in single else NOT_APPLICABLE for i in begun})
    toggled = await _save_first(ctx, {i: u for i, u in begun.items() if i not in single}, first, left)
    again = await _read_again(ctx, toggled, left)
    last = {i: r for i, r in first.items() if i in single}
    last |= await _write(ctx, again, dict.fromkeys(again, AWAITING))
    await _save_finished(ctx, {**begun, **again}, last, left)
    await wake_up(ctx, {i: left[i] for i, s in ready.items() if i not in begun and _moved(s, left[i])})
    now = ctx.clock.now()
    await ctx.queues.diagnose([i for i in begun if _is_due(left[i], now)])
    return left


def _moved(before: Stored, case: Case) -> bool:
    """The case is not where it was. One that a guard holds back is, and asks again only when it is due."""
    return (case.state, case.plan) != (before.case.state, before.case.plan)


def _is_due(case: Case, now: datetime) -> bool:
    return case.due_on is not None and case.due_on <= now


async def _begin(ctx: Context, ready: Mapping[str, Stored], left: dict[str, Case]) -> Group:
    """Saves the intent of each case that passes the guards; the others go where their diagnosis puts them."""
    seen = await read(ctx, {i: s.case for i, s in ready.items()}, purpose="remediate")
    organization = Organization(seen.organization_id, ctx.organization_id)
    now = ctx.clock.now()

    def begin(stored: Stored, look: Look) -> Recorded:
        return retrigger.begin(stored.case, look, organization, now)

    moves = {i: _judged(ctx, ready[i], look, begin) for i, look in seen.looks.items()}
    saved = await _save_all(ctx, moves, ready, left)
    return {i: Underway(s, seen.looks[i]) for i, s in saved.items() if s.case.state is State.REMEDIATING}


def _judged(ctx: Context, stored: Stored, look: Look, move: Callable[[Stored, Look], Recorded]) -> Recorded:
    """The case's next move; one whose evidence the rules cannot take is parked alone, and others go on."""
    try:
        return move(stored, look)
    except Exception as error:
        subscription_id = look.evidence.subscription.id
        log.exception("Subscription %s cannot be judged", subscription_id)
        text = f"The rules failed on this subscription's evidence ({type(error).__name__}); the log says where."
        return parked(ctx, subscription_id, stored, "remediate", text)


async def _save_first(
    ctx: Context, group: Group, results: Mapping[str, WriteResult], left: dict[str, Case]
) -> Mapping[str, Stored]:
    """Notes what became of the first writes. Returns the cases whose write Dataverse has confirmed."""
    now = ctx.clock.now()
    moves = {
        i: retrigger.not_applicable_set(u.stored.case, now, results[i].etag)
        if results[i].done
        else _not_done(ctx, u, results[i])
        for i, u in group.items()
        if i in results
    }
    saved = await _save_all(ctx, moves, {i: u.stored for i, u in group.items()}, left)
    return {i: s for i, s in saved.items() if results[i].done}


async def _read_again(ctx: Context, stored: Mapping[str, Stored], left: dict[str, Case]) -> Group:
    """Diagnoses again before the second write (rule 8). What may not go on is settled by a diagnosis of its own."""
    if not stored:
        return {}
    try:
        seen = await read(ctx, {i: s.case for i, s in stored.items()}, purpose="remediate")
    except SourceError:
        log.exception("Evidence for the second write of %d retriggers could not be read", len(stored))
        return {}  # they stay in remediating; the wake timer takes them up when their time is over
    organization = Organization(seen.organization_id, ctx.organization_id)
    now = ctx.clock.now()

    def go_on(stored: Stored, look: Look) -> Recorded:
        refusal = before_second_write(look, diagnose(look), organization)
        if refusal is not None:
            return retrigger.held_before_second(stored.case, now, refusal)
        return retrigger.second_write(stored.case, look, now)

    moves = {i: _judged(ctx, stored[i], look, go_on) for i, look in seen.looks.items()}
    saved = await _save_all(ctx, moves, stored, left)
    return {i: Underway(s, seen.looks[i]) for i, s in saved.items() if _begun_second(s.case)}


def _begun_second(case: Case) -> bool:
    return case.state is State.REMEDIATING and case.intent is not None and case.intent.phase is Phase.SECOND_WRITE


async def _save_finished(ctx: Context, group: Group, results: Mapping[str, WriteResult], left: dict[str, Case]) -> None:
    """Has Work 365 take up what stands at Awaiting Provisioning now, and notes what became of each."""
    how = await _run_jobs(ctx, [r.change_id for r in results.values() if r.done])
    now = ctx.clock.now()
    moves = {
        i: retrigger.retriggered(group[i].stored.case, group[i].look, now, how)
        if r.done
        else _not_done(ctx, group[i], r)
        for i, r in results.items()
    }
    await _save_all(ctx, moves, {i: u.stored for i, u in group.items()}, left)


async def _write(ctx: Context, group: Group, status: Mapping[str, ProvisioningStatus]) -> dict[str, WriteResult]:
    """One write for each case's head, with the version its evidence was read at, while the worker's time lasts."""
    now = ctx.clock.now()
    writes = {
        i: StatusWrite(head.id, head.etag, status[i])
        for i, u in group.items()
        if (head := u.look.head) is not None and busy(u.stored.case, now)
    }
    if not writes:
        return {}
    results = await ctx.work365.set_provisioning_status(list(writes.values()))
    return dict(zip(writes, results, strict=True))


def _not_done(ctx: Context, underway: Underway, result: WriteResult) -> Recorded:
    """A write that did not go through for sure: the intent stays until the change has been read."""
    case, now = underway.stored.case, ctx.clock.now()
    if result.version_changed:
        return retrigger.version_changed(case, now)
    if result.deferred:
        return retrigger.deferred(case, now, result.reason, result.retry_after)
    if result.refused:
        return retrigger.refused(case, now, result.reason)
    return retrigger.outcome_unknown(case, now, result.reason)


async def _run_jobs(ctx: Context, change_ids: Sequence[str]) -> str:
    """A job that could not be run costs a cycle, nothing more: Work 365's own schedule picks the change up."""
    if not change_ids:
        return ""
    try:
        return await ctx.work365.run_jobs(change_ids)
    except SourceError as error:
        log.warning("The jobs of %d changes could not be run: %s", len(change_ids), error)
        return f"its job could not be run ({error}), so the next job cycle takes it up"


async def _save_all(
    ctx: Context, moves: Mapping[str, Recorded], stored: Mapping[str, Stored], left: dict[str, Case]
) -> dict[str, Stored]:
    """Saves every move. A case that could not be saved drops out of the group: nothing more is done for it here.

    Another worker has it then, or the wake timer finds it when its time is over.
    """
    saved = await asyncio.gather(*(_save(ctx, move, stored[i]) for i, move in moves.items()))
    mine = {i: s for i, s in zip(moves, saved, strict=True) if s is not None}
    left.update({i: s.case for i, s in mine.items()})
    return mine


async def _save(ctx: Context, move: Recorded, stored: Stored) -> Stored | None:
    try:
        return await save(ctx, move, stored)
    except SourceError:
        log.exception("Case %s could not be saved", move.case.id)
        return None
