"""Remediate: acts on up to 100 cases at once, in journalled phases. An action other than a retrigger is one save.

    guards → budget → intent saved → guards → Not Applicable → diagnosed again, guards → saved → guards
           → Awaiting Provisioning → its job run → verifying

Whatever goes wrong in between, the saved intent says what we were about to do: the case is diagnosed again,
which reads what became of it and goes on from there. Nothing is tried again before it was read.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from shared.domain import retrigger
from shared.domain.case import Case, Recorded, State, subscription_of
from shared.domain.diagnosis import diagnose
from shared.domain.evidence import ProvisioningStatus
from shared.domain.guards import JOBS, SECOND, STILL, Question, first_no
from shared.domain.intent import Phase
from shared.domain.look import Look
from shared.domain.signals import Step
from shared.domain.situation import ALL_FREE, Share
from shared.errors import SourceError
from shared.ports import Stored, WriteResult
from shared.workflow.act import act
from shared.workflow.context import Context
from shared.workflow.controls import Candidate, claimed, give_back, shared_out, situation
from shared.workflow.diagnose import parked, wake_up
from shared.workflow.effects import Group, Underway, not_done, run_jobs, save_all, write
from shared.workflow.reading import Read, read
from shared.workflow.refusals import refused_now
from shared.workflow.watching import refused as show_refused
from shared.workflow.watching import step

log = logging.getLogger(__name__)

AWAITING, NOT_APPLICABLE = ProvisioningStatus.AWAITING, ProvisioningStatus.NOT_APPLICABLE


@step(Step.REMEDIATE)
async def remediate(ctx: Context, case_ids: Sequence[str]) -> dict[str, Case]:
    """Acts on those of the cases that are ready and pass every guard. Returns each as it was left.

    Raises SourceError when Dataverse, the case store or the guards' tables could not be reached before anything
    was begun.
    """
    stored = await ctx.store.load_many(list(dict.fromkeys(subscription_of(i) for i in case_ids)))
    ready = {i: s for i, s in stored.items() if s.case.id in case_ids and s.case.state is State.READY}
    left = {i: s.case for i, s in stored.items()}
    if not ready:
        return left
    seen = await read(ctx, {i: s.case for i, s in ready.items()}, purpose="remediate")
    begun = await _begin(ctx, ready, seen, left)
    going = await _still_allowed(ctx, begun, seen.organization_id, left)
    await act(ctx, {i: u for i, u in going.items() if not _retriggers(u)}, seen.organization_id, left)
    going = {i: u for i, u in going.items() if _retriggers(u)}
    single = {i for i, u in going.items() if not retrigger.needs_first_write(u.look)}
    # What needs one write gets it with the others' first: all of it rests on the evidence that was just read.
    first = await write(ctx, going, {i: AWAITING if i in single else NOT_APPLICABLE for i in going})
    await _give_back_unwritten(ctx, going, first)
    toggled = await _save_first(ctx, {i: u for i, u in going.items() if i not in single}, first, left)
    again = await _read_again(ctx, toggled, left)
    last = {i: r for i, r in first.items() if i in single}
    last |= await write(ctx, again, dict.fromkeys(again, AWAITING))
    await _save_finished(ctx, {**going, **again}, last, seen.organization_id, left)
    await _wake_up(ctx, ready, begun, left)
    return left


def _retriggers(underway: Underway) -> bool:
    intent = underway.stored.case.intent
    return intent is not None and intent.retriggers


async def _wake_up(ctx: Context, ready: Mapping[str, Stored], begun: Group, left: Mapping[str, Case]) -> None:
    """Queues what follows. A case that a guard holds back is where it was, and asks again only when it is due."""
    moved = {i for i, s in ready.items() if i not in begun and _moved(s, left[i])}
    await wake_up(ctx, {i: left[i] for i in moved})
    owed = [i for i in ready if i not in moved and left[i].outgoing]
    if owed:
        await ctx.queues.notify(owed)
    now = ctx.clock.now()
    await ctx.queues.diagnose([i for i in begun if _is_due(left[i], now)])


def _moved(before: Stored, case: Case) -> bool:
    return (case.state, case.plan) != (before.case.state, before.case.plan)


def _is_due(case: Case, now: datetime) -> bool:
    return case.due_on is not None and case.due_on <= now


async def _begin(ctx: Context, ready: Mapping[str, Stored], seen: Read, left: dict[str, Case]) -> Group:
    """Saves the intent of each case that passes the guards and is given its share of the common limits.

    The others go where their diagnosis puts them, or say what holds them back.
    """
    now = await situation(ctx, seen.organization_id)

    def begin(i: str, share: Share) -> Recorded:
        look = seen.looks[i]
        return _judged(ctx, ready[i], look, lambda: retrigger.begin(ready[i].case, look, now, share))

    moves = {i: begin(i, ALL_FREE) for i in seen.looks}
    candidates = {i: Candidate(ready[i].case, seen.looks[i]) for i, m in moves.items() if _begins(m.case)}
    shares = await shared_out(ctx, candidates, now)
    moves |= {i: begin(i, share) for i, share in shares.items() if share != ALL_FREE}
    saved = await save_all(ctx, moves, ready, left)
    begun = {i: Underway(s, seen.looks[i], shares[i]) for i, s in saved.items() if _begins(s.case)}
    granted = {i: claim.key for i, c in candidates.items() if shares[i].wait is None and (claim := c.claim) is not None}
    await give_back(ctx, [key for i, key in granted.items() if i not in begun and not shares[i].taken])
    return begun


def _begins(case: Case) -> bool:
    return case.state is State.REMEDIATING


def _judged(ctx: Context, stored: Stored, look: Look, move: Callable[[], Recorded]) -> Recorded:
    """The case's next move; one whose evidence the rules cannot take is parked alone, and others go on."""
    try:
        return move()
    except Exception as error:
        subscription_id = look.evidence.subscription.id
        log.exception("Subscription %s cannot be judged", subscription_id)
        text = f"The rules failed on this subscription's evidence ({type(error).__name__}); the log says where."
        return parked(ctx, subscription_id, stored, "remediate", text)


async def _still_allowed(ctx: Context, group: Group, organization_id: str | None, left: dict[str, Case]) -> Group:
    """The guards once more, when the request is about to be sent: a pause stops the very next effect (promise P13)."""
    if not group:
        return {}
    refused = await refused_now(ctx, group, organization_id, STILL)
    if not refused:
        return group
    now = ctx.clock.now()
    moves = {i: retrigger.not_sent(group[i].stored.case, now, refusal) for i, refusal in refused.items()}
    await save_all(ctx, moves, {i: group[i].stored for i in refused}, left)
    show_refused(ctx, [r.guard for i, r in refused.items() if moves[i].case.intent is None])  # others say so themselves
    unused = [group[i].stored.case for i in refused]
    await give_back(ctx, [key for c in unused if c.intent and c.intent.phase is Phase.INTENDED for key in claimed(c)])
    return {i: u for i, u in group.items() if i not in refused}


async def _give_back_unwritten(ctx: Context, group: Group, first: Mapping[str, WriteResult]) -> None:
    """What was granted to retriggers whose first write was for sure not made."""
    intents = {i: intent for i, u in group.items() if (intent := u.stored.case.intent) is not None}
    unsure = {i for i, result in first.items() if result.done or result.unknown}
    await give_back(ctx, [n.change_id for i, n in intents.items() if n.phase is Phase.INTENDED and i not in unsure])


async def _save_first(ctx: Context, group: Group, results: Mapping[str, WriteResult], left: dict[str, Case]) -> Group:
    """Notes what became of the first writes. Returns the cases whose write Dataverse has confirmed."""
    now = ctx.clock.now()
    moves = {
        i: retrigger.not_applicable_set(u.stored.case, now, results[i].etag)
        if results[i].done
        else not_done(ctx, u, results[i])
        for i, u in group.items()
        if i in results
    }
    saved = await save_all(ctx, moves, {i: u.stored for i, u in group.items()}, left)
    return {i: Underway(s, group[i].look, group[i].share) for i, s in saved.items() if results[i].done}


async def _read_again(ctx: Context, group: Group, left: dict[str, Case]) -> Group:
    """Diagnoses again before the second write (rule 8). What may not go on is settled by a diagnosis of its own."""
    if not group:
        return {}
    try:
        seen = await read(ctx, {i: u.stored.case for i, u in group.items()}, purpose="remediate")
        now = await situation(ctx, seen.organization_id)
    except SourceError:
        log.exception("Evidence for the second write of %d retriggers could not be read", len(group))
        return {}  # they stay in remediating; the wake timer takes them up when their time is over

    def go_on(i: str, look: Look) -> Recorded:
        case = group[i].stored.case
        refusal = first_no(SECOND, Question(case, look, diagnose(look), case.plan, now, group[i].share))
        if refusal is not None:
            return retrigger.held_before_second(case, now.now, refusal)
        return retrigger.second_write(case, look, now.now)

    moves = {i: _judged(ctx, group[i].stored, look, partial(go_on, i, look)) for i, look in seen.looks.items()}
    saved = await save_all(ctx, moves, {i: u.stored for i, u in group.items()}, left)
    again = {i: Underway(s, seen.looks[i], group[i].share) for i, s in saved.items() if _begun_second(s.case)}
    return await _still_allowed(ctx, again, seen.organization_id, left)


def _begun_second(case: Case) -> bool:
    return case.state is State.REMEDIATING and case.intent is not None and case.intent.phase is Phase.SECOND_WRITE


async def _save_finished(
    ctx: Context,
    group: Group,
    results: Mapping[str, WriteResult],
    organization_id: str | None,
    left: dict[str, Case],
) -> None:
    """Has Work 365 take up what stands at Awaiting Provisioning now, and notes what became of each.

    Its job is not run for what somebody has paused meanwhile: Work 365's own schedule takes that up.
    """
    done = {i: r.change_id for i, r in results.items() if r.done}
    refused = await refused_now(ctx, {i: group[i] for i in done}, organization_id, JOBS) if done else {}
    how = await run_jobs(ctx, done, refused)
    now = ctx.clock.now()
    moves = {
        i: retrigger.retriggered(group[i].stored.case, group[i].look, now, how[i])
        if r.done
        else not_done(ctx, group[i], r)
        for i, r in results.items()
    }
    await save_all(ctx, moves, {i: u.stored for i, u in group.items()}, left)
