"""Effects: the writes of one group, and what became of each of them."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.domain import retrigger
from shared.domain.case import Case, Recorded
from shared.domain.decision import busy
from shared.domain.evidence import ProvisioningStatus
from shared.domain.guards import Refusal
from shared.domain.look import Look
from shared.domain.situation import ALL_FREE, Share
from shared.errors import SourceError
from shared.ports import RowWrite, StatusWrite, Stored, WriteResult
from shared.workflow.context import Context
from shared.workflow.controls import count_writes
from shared.workflow.diagnose import save
from shared.workflow.watching import wrote

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Underway:
    """A case whose intent is saved, with the evidence that its next write rests on."""

    stored: Stored
    look: Look
    share: Share = ALL_FREE
    """What of the common limits it was given."""


type Group = Mapping[str, Underway]
"""By subscription id."""


async def write(ctx: Context, group: Group, status: Mapping[str, ProvisioningStatus]) -> dict[str, WriteResult]:
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
    wrote(ctx, ((_action(group[i]), result) for i, result in zip(writes, results, strict=True)))
    await count_writes(ctx, results)
    return dict(zip(writes, results, strict=True))


async def amend(ctx: Context, group: Group) -> dict[str, WriteResult]:
    """One save for each case's amendment, with the version its evidence was read at, while the worker's time lasts."""
    now = ctx.clock.now()
    writes = {i: saving for i, u in group.items() if busy(u.stored.case, now) and (saving := _saving(u)) is not None}
    if not writes:
        return {}
    results = await ctx.work365.amend(list(writes.values()))
    wrote(ctx, ((_action(group[i]), result) for i, result in zip(writes, results, strict=True)))
    await count_writes(ctx, results)
    return dict(zip(writes, results, strict=True))


def _action(underway: Underway) -> str:
    intent = underway.stored.case.intent
    return intent.action if intent is not None else ""


def _saving(underway: Underway) -> RowWrite | None:
    intent = underway.stored.case.intent
    amendment = intent.amendment if intent is not None else None
    if intent is None or amendment is None:
        return None
    values = {column.name: column.after for column in amendment.columns}
    return RowWrite(amendment.table, amendment.row_id, intent.etag_before, values)


def not_done(ctx: Context, underway: Underway, result: WriteResult) -> Recorded:
    """A write that did not go through for sure: the intent stays until the change has been read."""
    case, now = underway.stored.case, ctx.clock.now()
    if result.version_changed:
        return retrigger.version_changed(case, now)
    if result.deferred:
        return retrigger.deferred(case, now, result.reason, result.retry_after)
    if result.refused:
        return retrigger.refused(case, now, result.reason)
    return retrigger.outcome_unknown(case, now, result.reason)


async def run_jobs(ctx: Context, changes: Mapping[str, str], refused: Mapping[str, Refusal]) -> dict[str, str]:
    """Has Work 365 take up the change of each subscription, except where a guard says no. Says in words how."""
    how = await _run(ctx, [change_id for i, change_id in changes.items() if i not in refused])
    said = {i: f"its job was not run: {refusal.reason}" for i, refusal in refused.items()}
    return dict.fromkeys(changes, how) | said


async def _run(ctx: Context, change_ids: Sequence[str]) -> str:
    """A job that could not be run costs a cycle, nothing more: Work 365's own schedule picks the change up."""
    if not change_ids:
        return ""
    try:
        return await ctx.work365.run_jobs(change_ids)
    except SourceError as error:
        log.warning("The jobs of %d changes could not be run: %s", len(change_ids), error)
        return f"its job could not be run ({error}), so the next job cycle takes it up"


async def save_all(
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
