"""Diagnose: reads the evidence of up to 500 subscriptions and moves each one's case."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.domain.amending import reopened
from shared.domain.baseline import dismissed_again, held_back, nothing_new, still_dismissed
from shared.domain.breaker import Breaker, Outcome
from shared.domain.case import SYSTEM, Case, Recorded, State, record
from shared.domain.decision import Note, busy, decide, noted, seen_from, settle, unsettled_still
from shared.domain.diagnosis import diagnose
from shared.domain.look import Look
from shared.domain.plan import plan_for
from shared.domain.policy import Mode
from shared.domain.recurrence import closed_before, fix_of, fixed_before, helped, limits_of
from shared.domain.replay import grounded
from shared.domain.retrigger import judged_with_care
from shared.domain.signals import Step
from shared.errors import CaseConflict, CaseUnreadable, Refused, SourceError
from shared.ports import Stored
from shared.workflow.context import Context
from shared.workflow.reading import read
from shared.workflow.together import all_of
from shared.workflow.watching import keep, step

log = logging.getLogger(__name__)


@step(Step.DIAGNOSE)
async def diagnose_subscriptions(
    ctx: Context, subscription_ids: Sequence[str], *, by: str = ""
) -> dict[str, Case | None]:
    """Diagnoses each subscription and saves its case; None where nothing is stuck and no case was open.

    `by` is the person who asked for it, empty when nobody did.
    One odd subscription never fails the others: it gets a case that says what is odd.
    Raises SourceError when Dataverse or the case store could not be reached.
    """
    wanted = list(dict.fromkeys(i.casefold() for i in subscription_ids))
    stored = await ctx.store.load_many(wanted)
    now = ctx.clock.now()
    idle = [i for i in wanted if i not in stored or not busy(stored[i].case, now)]
    result: dict[str, Case | None] = {i: stored[i].case for i in wanted if i in stored and i not in idle}
    if not idle:
        return result
    cases = {i: _open_case(stored.get(i)) for i in idle}
    former = {i: stored[i].case for i in idle if i in stored and cases[i] is None}
    seen = await read(ctx, cases, purpose="diagnose", former=former)
    breakers = (await ctx.breakers.read()).breakers
    moves = {i: _judged(ctx, cases[i], look, stored.get(i), breakers, by) for i, look in seen.looks.items()}
    moves |= {i: _gone(ctx, case) for i in seen.missing if (case := cases.get(i)) is not None}
    keeps = {i: move for i, move in moves.items() if move is not None}
    saved = await all_of(save(ctx, move, stored.get(i)) for i, move in keeps.items())
    mine = {after.case.subscription_id: after.case for after in saved if after is not None}
    await _count_fixes(ctx, cases, seen.looks, {i: keeps[i] for i in mine})
    await wake_up(ctx, {**result, **mine})
    result |= {i: cases[i] for i in moves} | mine
    # Whoever saved one first has decided on what is as fresh: their case is the answer to who asked us.
    beaten = [i for i in keeps if i not in mine]
    theirs = await ctx.store.load_many(beaten) if beaten else {}
    return result | {i: s.case for i, s in theirs.items()}


def _open_case(stored: Stored | None) -> Case | None:
    return stored.case if stored is not None and stored.case.open else None


def _judged(
    ctx: Context, case: Case | None, look: Look, stored: Stored | None, breakers: Mapping[str, Breaker], by: str
) -> Recorded | None:
    """The case after this look; one whose evidence the rules cannot take is parked alone, with the reason."""
    try:
        return judge(case, look, stored, breakers, by)
    except Exception as error:
        subscription_id = look.evidence.subscription.id
        log.exception("Subscription %s cannot be judged", subscription_id)
        text = f"The rules failed on this subscription's evidence ({type(error).__name__}); the log says where."
        return parked(ctx, subscription_id, stored, "diagnose", text)


def judge(
    case: Case | None, look: Look, stored: Stored | None, breakers: Mapping[str, Breaker], by: str = ""
) -> Recorded | None:
    """The case after this look; None when there is nothing to keep. Pure. `breakers` say which fixes do not help."""
    subscription_id = look.evidence.subscription.id
    if case is None:
        if nothing_new(look):
            return None
        former = stored.case if stored is not None else None
        case = next_case(subscription_id, former, look.now, dismissed=still_dismissed(look))
        if diagnose(seen_from(look, case)).healthy:
            return None
    recorded = Recorded(case)
    if case.last_sequence == 0:
        recorded = record(recorded, look.now, by=SYSTEM, kind="opened", text="Found in Work 365.")
    recorded = _asked_for(recorded, look, by)
    settled = settle(recorded.case, look, look.now)
    recorded = reopened(Recorded(settled.case, (*recorded.events, *settled.events)), look)
    look = seen_from(look, recorded.case)
    if (waiting := unsettled_still(recorded, look)) is not None:
        return waiting
    if (closed := dismissed_again(recorded, look)) is not None:
        return closed
    diagnosis = judged_with_care(recorded.case, look, breakers)
    return grounded(decide(recorded, look, diagnosis, plan_for(look, diagnosis)), look, diagnosis, breakers)


async def _count_fixes(
    ctx: Context, before: Mapping[str, Case | None], looks: Mapping[str, Look], moves: Mapping[str, Recorded]
) -> None:
    """Whether the retriggers of these cases have helped, for the breaker of their cause at their provider."""
    outcomes: dict[str, list[Outcome]] = {}
    for i, move in moves.items():
        was, look = before.get(i), looks.get(i)
        if was is not None and look is not None and (good := helped(move, was)) is not None:
            reason = "" if good else f"the retrigger of {was.change_id} did not help"
            # One that helps while the fix rests was wanted by a person, who has shown that it can help.
            outcomes.setdefault(fix_of(look, was.cause), []).append(Outcome(good, reason, closes=good))
    for name, each in outcomes.items():
        # Where one has helped, the fix is good for something; where none has, only so many need to be counted.
        counts = [o for o in each if o.ok][:1] or each[: ctx.policy.breaker.failures]
        try:
            for outcome in counts:
                await ctx.breakers.count(name, outcome, limits_of(name, ctx.policy), ctx.clock.now())
        except (SourceError, CaseUnreadable) as error:
            log.warning("Whether retriggering helped could not be counted: %s", error)


def next_case(subscription_id: str, former: Case | None, now: datetime, *, dismissed: tuple[str, ...] = ()) -> Case:
    """A new case of a subscription, with what its former ones leave to it; `dismissed` is what stays so."""
    if former is None:
        return Case(subscription_id, 1, now, dismissed=dismissed)
    return Case(
        subscription_id,
        former.number + 1,
        now,
        fixed_before=fixed_before(former),
        closed_before=closed_before(former),
        dismissed=dismissed,
    )


def _asked_for(recorded: Recorded, look: Look, by: str) -> Recorded:
    """Who asked for the diagnosis, once for each: the policy may want a yes from somebody else."""
    case = recorded.case
    if not by or by in case.requested_by:
        return recorded
    text, names = f"{by} asked for a diagnosis.", (*case.requested_by, by)
    return record(recorded, look.now, by=by, kind="diagnosis_requested", text=text, requested_by=names)


def parked(ctx: Context, subscription_id: str, stored: Stored | None, step: str, text: str) -> Recorded:
    """The case, opened if need be, that says why nothing more could be done for it. Looked at again later."""
    now = ctx.clock.now()
    if stored is None or not stored.case.open:
        former = stored.case if stored is not None else None
        case = next_case(subscription_id, former, now, dismissed=former.dismissed if former is not None else ())
    else:
        case = stored.case
    next_step = "See whether Dataverse and storage answer; it is tried again by itself."
    return noted(case, now, now + ctx.policy.look_again, Note("parked", f"parked:{step}", text, next_step))


def _gone(ctx: Context, case: Case) -> Recorded:
    """Dataverse does not show the subscription: deleted, or no longer ours to read. Nothing is closed for that."""
    text = "Dataverse no longer shows this subscription: deleted, or this app may not read it."
    next_step = "Check whether the subscription was deleted, and the app's rights to read it."
    now = ctx.clock.now()
    kind = "subscription_not_found"
    return noted(case, now, now + ctx.policy.look_again, Note(kind, kind, text, next_step))


async def save(ctx: Context, recorded: Recorded, stored: Stored | None) -> Stored | None:
    """Saves one case; None when it could not be, for a reason of this case alone.

    Someone else saved it first, and has decided on what is as fresh; or its row was edited by hand and makes no
    sense, or it has grown too large: that is in the log, nothing is done with the case, and others go on.
    """
    try:
        return await keep(ctx, recorded, stored)
    except CaseConflict:
        log.info("Case %s was saved by another worker first; leaving it to them", recorded.case.id)
    except (CaseUnreadable, Refused) as error:
        log.error("Case %s is left alone: %s", recorded.case.id, error)  # noqa: TRY400  (the message says it all)
    return None


async def wake_up(ctx: Context, cases: Mapping[str, Case | None]) -> None:
    """Queues what the cases' states ask for next. A lost message is sent again when the case is due."""
    waiting = [c for c in cases.values() if c is not None and c.state is State.READY and _may_act(ctx, c)]
    ready = [c.id for c in sorted(waiting, key=lambda c: (c.opened_on, c.id))]  # oldest first: they share a budget
    owed = [c.subscription_id for c in cases.values() if c is not None and c.outgoing]
    if ready:
        await ctx.queues.remediate(ready)
    if owed:
        await ctx.queues.notify(owed)


def _may_act(ctx: Context, case: Case) -> bool:
    free = case.intent is not None or not held_back(case)
    return ctx.policy.mode is not Mode.OBSERVE and case.plan is not None and free
