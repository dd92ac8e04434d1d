"""Surges: each complete sweep is compared with the one before. Too many new suspects, and nothing is begun."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from shared.domain.pause import whole
from shared.domain.surge import Hold, Watch, looked
from shared.errors import CaseUnreadable, SourceError
from shared.ports import News
from shared.workflow.context import Context

log = logging.getLogger(__name__)

KIND = "surge"


async def watch_for_surges(ctx: Context, suspects: Sequence[str]) -> str:
    """Remembers what a complete sweep found, and raises a hold where that is too much at once.

    People are told once for each hold; news that was not delivered is told at a later sweep. Returns what is wrong
    with the rows that this needs, empty when nothing is: then the guards let nothing through, and diagnosis goes on.
    Raises SourceError; then nothing of this sweep may be queued.
    """
    now = ctx.clock.now()
    try:
        paused = whole((await ctx.pauses.read()).values(), ctx.organization_id, now)

        def look(watch: Watch) -> tuple[Watch, Hold | None]:
            after = looked(watch, suspects, ctx.policy.surge, now, paused=paused)
            return after, after.hold

        hold = await ctx.holds.change(look)
    except CaseUnreadable as error:
        log.error("%s", error)  # noqa: TRY400  (the message says it all)
        return str(error)
    if hold is not None and not hold.told:
        await _tell(ctx, hold)
    return ""


async def _tell(ctx: Context, hold: Hold) -> None:
    log.warning("Hold %s: %s", hold.id, hold.sentence())

    def told(watch: Watch) -> tuple[Watch, None]:
        mine = watch.hold is not None and watch.hold.id == hold.id
        return (replace(watch, hold=replace(watch.hold, told=True)) if mine and watch.hold else watch), None

    try:
        await ctx.notifier.tell([_news(hold)])
        await ctx.holds.change(told)
    except (SourceError, CaseUnreadable) as error:
        log.warning("Whether people know of hold %s is not sure, they are told again: %s", hold.id, error)


def _news(hold: Hold) -> News:
    return News(
        key=f"{KIND}:{hold.id}",
        kind=KIND,
        case_id="",
        text=f"{hold.sentence()[0].upper()}{hold.sentence()[1:]}.",
        next_step="Look at the cases. If they are what they seem, confirm the surge; else pause and find the reason.",
        who="billing administrator",
        details={"hold": hold.id, "suspects": str(hold.suspects), "limit": str(hold.limit)},
    )
