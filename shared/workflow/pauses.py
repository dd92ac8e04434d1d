"""Pauses and holds: a person stops the app, lets it go on, or confirms that a surge is what it seems."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from shared.domain.case import State
from shared.domain.pause import Pause, Scope
from shared.domain.policy import Mode
from shared.domain.surge import Hold, Watch
from shared.errors import CaseUnreadable, NotPossible
from shared.ports import CaseFilter
from shared.workflow.context import Context

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(days=366)
"""A pause that nobody remembers would be an outage that nobody sees."""

LONGEST_TEXT = 500

AT_ONCE = 5_000
"""Cases that are asked again when something is let go on; the others are when they are due."""

_PAGE = 500

_PAUSE_ID = re.compile(r"[a-z]{1,20}-[0-9a-f]{16}")


async def pause(ctx: Context, scope: Scope, target: str, *, by: str, reason: str, until: datetime) -> str:
    """Nothing is written to what is paused until then: the very next effect is stopped. Returns the pause's id.

    `target` is the id of what is paused, empty for everything. Several parties may pause the same thing; the same
    party's second pause replaces its first. Raises NotPossible naming what is missing, and SourceError.
    """
    now = ctx.clock.now()
    problem = _problem(scope, target.strip(), by.strip(), reason.strip(), until, now)
    if problem is not None:
        raise NotPossible(problem)
    wish = Pause(scope, _id_of(ctx, scope, target), by.strip(), reason.strip(), now, until)
    id_ = await ctx.pauses.put(wish)
    log.warning("Paused %s: %s", id_, wish.sentence())
    return id_


def _id_of(ctx: Context, scope: Scope, target: str) -> str:
    """The id of what is paused. A name would be accepted and stop nothing. Raises NotPossible."""
    if scope is Scope.EVERYTHING:
        return ""
    try:
        id_ = str(UUID(target.strip()))
    except ValueError:
        raise NotPossible(f"target is no id: a pause of a {scope} needs its GUID, not its name") from None
    if scope is Scope.ENVIRONMENT and id_ != ctx.organization_id.casefold():
        raise NotPossible(f"target is another environment: this app writes to {ctx.organization_id} only")
    return id_


async def resume(ctx: Context, pause_id: str, *, by: str) -> Mapping[str, Pause]:
    """Takes back one pause, whoever asked for it. Returns those that are still in force, by id.

    Raises NotPossible when there is no such pause, CaseUnreadable when another one cannot be read, SourceError.
    One that cannot be read itself is taken back, too: it holds everything, and nobody else can.
    """
    try:
        known = pause_id in await ctx.pauses.read()
    except CaseUnreadable:
        known = bool(_PAUSE_ID.fullmatch(pause_id))
    if not known:
        raise NotPossible(f"there is no pause {pause_id[:100]}: it is over, or somebody else has taken it back")
    await ctx.pauses.remove(pause_id)
    log.warning("Pause %s was taken back by %s", pause_id, by)
    left, now = await ctx.pauses.read(), ctx.clock.now()
    await _ask_again(ctx)
    return {id_: each for id_, each in left.items() if now < each.until}


async def confirm_surge(ctx: Context, hold_id: str, *, by: str) -> Hold:
    """A person has looked at the surge: what is ready may be begun, within the hourly caps, oldest first.

    Only what was seen is confirmed: the next surge raises a hold of its own. Raises NotPossible when this hold is
    not in force, and SourceError.
    """

    def confirmed(watch: Watch) -> tuple[Watch, Hold | None]:
        if watch.hold is None or watch.hold.id != hold_id:
            return watch, None
        return replace(watch, hold=None), watch.hold

    hold = await ctx.holds.change(confirmed)
    if hold is None:
        raise NotPossible(f"there is no hold {hold_id[:100]}: read again what holds everything back")
    log.warning("Hold %s (%d suspects) was confirmed by %s", hold.id, hold.suspects, by)
    await _ask_again(ctx)
    return hold


async def _ask_again(ctx: Context) -> None:
    """Queues what is ready, oldest first. Whatever is left out or lost asks again when it is due."""
    if ctx.policy.mode is Mode.OBSERVE:
        return
    wanted, cursor, ready = CaseFilter(state=State.READY), None, list[str]()
    while len(ready) < AT_ONCE:
        page = await ctx.store.list_cases(wanted, _PAGE, cursor)
        ready += [case.id for case in page.cases if case.plan is not None]
        cursor = page.cursor
        if cursor is None:
            break
    if ready:
        await ctx.queues.remediate(ready)


def _problem(scope: Scope, target: str, by: str, reason: str, until: datetime, now: datetime) -> str | None:
    """Why this is no pause; None when it is one."""
    if not by or not reason:
        return "a pause needs a name and a reason: whoever finds nothing happening wants to know both"
    if (scope is Scope.EVERYTHING) == bool(target):
        return "a pause of everything has no id, any other pause needs the id of what is paused"
    if max(len(by), len(reason), len(target)) > LONGEST_TEXT:
        return f"name, reason and id have at most {LONGEST_TEXT} characters"
    if until.tzinfo is None or not now < until <= now + LONGEST_PAUSE:
        return f"a pause ends later than now, within {LONGEST_PAUSE.days} days, at a time with a zone"
    return None
