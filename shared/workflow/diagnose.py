"""Diagnose: reads the evidence of up to 500 subscriptions and moves each one's case."""

import logging
from collections.abc import Mapping, Sequence

from shared.domain.case import Case, Recorded, State, record
from shared.domain.decision import SYSTEM, Note, busy, decide, noted, seen_from, settle, unsettled_still
from shared.domain.diagnosis import diagnose
from shared.domain.look import Look
from shared.domain.plan import plan_for
from shared.domain.policy import Mode
from shared.errors import CaseConflict, CaseUnreadable, Refused
from shared.ports import Stored
from shared.workflow.context import Context
from shared.workflow.reading import read
from shared.workflow.together import all_of

log = logging.getLogger(__name__)


async def diagnose_subscriptions(ctx: Context, subscription_ids: Sequence[str]) -> dict[str, Case | None]:
    """Diagnoses each subscription and saves its case; None where nothing is stuck and no case was open.

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
    seen = await read(ctx, cases, purpose="diagnose")
    moves = {i: _judged(ctx, cases[i], look, stored.get(i)) for i, look in seen.looks.items()}
    moves |= {i: _gone(ctx, case) for i in seen.missing if (case := cases.get(i)) is not None}
    keeps = {i: move for i, move in moves.items() if move is not None}
    saved = await all_of(save(ctx, move, stored.get(i)) for i, move in keeps.items())
    mine = {after.case.subscription_id: after.case for after in saved if after is not None}
    await wake_up(ctx, {**result, **mine})
    result |= {i: cases[i] for i in moves} | mine
    # Whoever saved one first has decided on what is as fresh: their case is the answer to who asked us.
    beaten = [i for i in keeps if i not in mine]
    theirs = await ctx.store.load_many(beaten) if beaten else {}
    return result | {i: s.case for i, s in theirs.items()}


def _open_case(stored: Stored | None) -> Case | None:
    return stored.case if stored is not None and stored.case.open else None


def _judged(ctx: Context, case: Case | None, look: Look, stored: Stored | None) -> Recorded | None:
    """The case after this look; one whose evidence the rules cannot take is parked alone, with the reason."""
    try:
        return judge(case, look, stored)
    except Exception as error:
        subscription_id = look.evidence.subscription.id
        log.exception("Subscription %s cannot be judged", subscription_id)
        text = f"The rules failed on this subscription's evidence ({type(error).__name__}); the log says where."
        return parked(ctx, subscription_id, stored, "diagnose", text)


def judge(case: Case | None, look: Look, stored: Stored | None) -> Recorded | None:
    """The case after this look; None when there is nothing to keep. Pure."""
    subscription_id = look.evidence.subscription.id
    if case is None:
        diagnosis = diagnose(look)
        if diagnosis.healthy:
            return None
        number = stored.case.number + 1 if stored is not None else 1
        case = Case(subscription_id, number, look.now)
    recorded = Recorded(case)
    if case.last_sequence == 0:
        recorded = record(recorded, look.now, by=SYSTEM, kind="opened", text="Found in Work 365.")
    settled = settle(recorded.case, look, look.now)
    recorded = Recorded(settled.case, (*recorded.events, *settled.events))
    look = seen_from(look, recorded.case)
    if (waiting := unsettled_still(recorded, look)) is not None:
        return waiting
    diagnosis = diagnose(look)
    return decide(recorded, look, diagnosis, plan_for(look, diagnosis))


def parked(ctx: Context, subscription_id: str, stored: Stored | None, step: str, text: str) -> Recorded:
    """The case, opened if need be, that says why nothing more could be done for it. Looked at again later."""
    now = ctx.clock.now()
    if stored is None or not stored.case.open:
        case = Case(subscription_id, stored.case.number + 1 if stored is not None else 1, now)
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
        return await ctx.store.save(recorded, stored.version if stored is not None else None)
    except CaseConflict:
        log.info("Case %s was saved by another worker first; leaving it to them", recorded.case.id)
    except (CaseUnreadable, Refused) as error:
        log.error("Case %s is left alone: %s", recorded.case.id, error)  # noqa: TRY400  (the message says it all)
    return None


async def wake_up(ctx: Context, cases: Mapping[str, Case | None]) -> None:
    """Queues what the cases' states ask for next. A lost message is sent again when the case is due."""
    ready = [c.id for c in cases.values() if c is not None and c.state is State.READY and _may_act(ctx, c)]
    owed = [c.subscription_id for c in cases.values() if c is not None and c.outgoing]
    if ready:
        await ctx.queues.remediate(ready)
    if owed:
        await ctx.queues.notify(owed)


def _may_act(ctx: Context, case: Case) -> bool:
    return ctx.policy.mode is not Mode.OBSERVE and case.plan is not None
