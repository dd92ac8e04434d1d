"""Act: actions other than a retrigger, whose intents are saved: one save of a row each, or a job that is run."""

from collections.abc import Mapping

from shared.domain.actions import pull_forward, run_job
from shared.domain.amending import finished
from shared.domain.case import Case, Recorded
from shared.domain.decision import busy
from shared.domain.guards import JOBS
from shared.errors import Forbidden, NotFound, Refused, SignInRefused, SourceError, Throttled, Unreachable
from shared.ports import WriteResult
from shared.workflow.context import Context
from shared.workflow.controls import claimed, give_back
from shared.workflow.effects import Group, Underway, amend, not_done, run_jobs, save_all
from shared.workflow.refusals import refused_now
from shared.workflow.watching import wrote

RUN_THEIR_JOB = frozenset({pull_forward.NAME})
"""Actions after which the change's job is run: it stands scheduled for the date before."""

_NOT_EXECUTED = (Throttled, Unreachable, SignInRefused)
_SAID_NO = (Refused, Forbidden, NotFound)


async def act(ctx: Context, group: Group, organization_id: str | None, left: dict[str, Case]) -> None:
    """Does what the intents say and notes what became of each. Nothing is asked of anybody where there is nothing."""
    if not group:
        return
    saving = {i: u for i, u in group.items() if _action(u) != run_job.NAME}
    results = dict(await amend(ctx, saving))
    to_run = {i: _change(saving[i]) for i, r in results.items() if r.done and _runs(saving[i])}
    refused = await refused_now(ctx, {i: group[i] for i in to_run}, organization_id, JOBS) if to_run else {}
    how = await run_jobs(ctx, to_run, refused)
    for i in group.keys() - saving.keys():
        # No version refuses who was asleep: asked right before, whether there still is time.
        if busy(group[i].stored.case, ctx.clock.now()):
            results[i] = await _run(ctx, group[i])
            wrote(ctx, [(run_job.NAME, results[i])])
    moves = {i: _noted(ctx, group[i], result, how.get(i, "")) for i, result in results.items()}
    await save_all(ctx, moves, {i: u.stored for i, u in group.items()}, left)
    await give_back(ctx, _not_used(group, results))


def _noted(ctx: Context, underway: Underway, result: WriteResult, how: str) -> Recorded:
    if not result.done:
        return not_done(ctx, underway, result)
    if _action(underway) == run_job.NAME:
        return finished(underway.stored.case, ctx.clock.now(), f"{result.reason}.")
    text = f"saved; {how}." if how else "saved."
    return finished(underway.stored.case, ctx.clock.now(), text)


async def _run(ctx: Context, underway: Underway) -> WriteResult:
    """A job that was asked for is the effect itself: without an answer it is not known whether it was run."""
    change_id = _change(underway)
    try:
        how = await ctx.work365.run_jobs([change_id])
    except _NOT_EXECUTED as error:
        return WriteResult(change_id, deferred=True, reason=str(error), retry_after=error.retry_after or 0.0)
    except _SAID_NO as error:
        return WriteResult(change_id, refused=True, reason=str(error))
    except SourceError as error:
        return WriteResult(change_id, unknown=True, reason=str(error))
    return WriteResult(change_id, done=True, reason=how)


def _not_used(group: Group, results: Mapping[str, WriteResult]) -> list[str]:
    """What was taken of the hour and for sure not used."""
    unused = [i for i, r in results.items() if not (r.done or r.unknown)]
    return [key for i in unused for key in claimed(group[i].stored.case)]


def _action(underway: Underway) -> str:
    intent = underway.stored.case.intent
    return intent.action if intent is not None else ""


def _runs(underway: Underway) -> bool:
    return _action(underway) in RUN_THEIR_JOB


def _change(underway: Underway) -> str:
    intent = underway.stored.case.intent
    return intent.change_id if intent is not None else ""
