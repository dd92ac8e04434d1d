"""Act: actions other than a retrigger, whose intents are saved: one save of a row each, or a job that is run."""

from collections.abc import Mapping

from shared.domain.actions import pull_forward, run_job
from shared.domain.amending import finished
from shared.domain.case import Case, Recorded
from shared.domain.retrigger import outcome_unknown
from shared.errors import SourceError
from shared.ports import WriteResult
from shared.workflow.context import Context
from shared.workflow.controls import give_back
from shared.workflow.effects import Group, Underway, amend, not_done, run_jobs, save_all

RUN_THEIR_JOB = frozenset({pull_forward.NAME})
"""Actions after which the change's job is run: it stands scheduled for the date before."""


async def act(ctx: Context, group: Group, left: dict[str, Case]) -> None:
    """Does what the intents say and notes what became of each."""
    saving = {i: u for i, u in group.items() if _action(u) != run_job.NAME}
    results = await amend(ctx, saving)
    how = await run_jobs(ctx, [_change(saving[i]) for i, r in results.items() if r.done and _runs(saving[i])])
    moves = {i: _noted(ctx, saving[i], result, how) for i, result in results.items()}
    moves |= {i: await _run(ctx, u) for i, u in group.items() if _action(u) == run_job.NAME}
    await save_all(ctx, moves, {i: u.stored for i, u in group.items()}, left)
    await give_back(ctx, _not_used(group, results))


def _noted(ctx: Context, underway: Underway, result: WriteResult, how: str) -> Recorded:
    if not result.done:
        return not_done(ctx, underway, result)
    text = f"saved; {how}." if how and _runs(underway) else "saved."
    return finished(underway.stored.case, ctx.clock.now(), text)


async def _run(ctx: Context, underway: Underway) -> Recorded:
    """A job that was asked for is the effect itself: without an answer it is not known whether it was run."""
    case = underway.stored.case
    try:
        how = await ctx.work365.run_jobs([_change(underway)])
    except SourceError as error:
        return outcome_unknown(case, ctx.clock.now(), str(error))
    return finished(case, ctx.clock.now(), f"{how}.")


def _not_used(group: Group, results: Mapping[str, WriteResult]) -> list[str]:
    """Changes whose share of the hour was for sure not used."""
    return [_change(group[i]) for i, r in results.items() if not (r.done or r.unknown)]


def _action(underway: Underway) -> str:
    intent = underway.stored.case.intent
    return intent.action if intent is not None else ""


def _runs(underway: Underway) -> bool:
    return _action(underway) in RUN_THEIR_JOB


def _change(underway: Underway) -> str:
    intent = underway.stored.case.intent
    return intent.change_id if intent is not None else ""
