"""Pauses, mutes and holds: a person stops the app or a part of it, lets it go on, or confirms a surge."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from shared.domain.case import State
from shared.domain.causes import CAUSES
from shared.domain.pause import MUTABLE, PAUSABLE, Mute, Pause, Scope, Wish
from shared.domain.policy import Mode
from shared.domain.surge import Hold, Watch
from shared.errors import CaseUnreadable, NotPossible
from shared.ports import CaseFilter, Wishes
from shared.workflow.context import Context

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(days=366)
"""A pause that nobody remembers would be an outage that nobody sees."""

LONGEST_TEXT = 500

AT_ONCE = 5_000
"""Cases that are asked again when something is let go on; the others are when they are due."""

_PAGE = 500

_WISH_ID = re.compile(r"[a-z]{1,20}-[0-9a-f]{16}")


async def pause(ctx: Context, scope: Scope, target: str, *, by: str, reason: str, until: datetime) -> str:
    """Nothing is written to what is paused until then: the very next effect is stopped. Returns the pause's id.

    `target` is the id of what is paused, empty for everything. Several parties may pause the same thing; the same
    party's second pause replaces its first. Raises NotPossible naming what is missing, and SourceError.
    """
    now = ctx.clock.now()
    _check("pause", PAUSABLE, scope, target.strip(), by.strip(), reason.strip(), until, now)
    wish = Pause(scope, _id_of(ctx, "pause", scope, target), by.strip(), reason.strip(), now, until)
    id_ = await ctx.pauses.put(wish)
    log.warning("Paused %s: %s", id_, wish.sentence())
    return id_


async def mute(ctx: Context, scope: Scope, target: str, *, by: str, reason: str, until: datetime) -> str:
    """Nothing is begun on this until then, and nobody is told of it. Returns the mute's id.

    `target` is the id of a subscription, customer or provider, or the name of a cause. Raises as `pause` does.
    """
    now = ctx.clock.now()
    _check("mute", MUTABLE, scope, target.strip(), by.strip(), reason.strip(), until, now)
    wish = Mute(scope, _id_of(ctx, "mute", scope, target), by.strip(), reason.strip(), now, until)
    id_ = await ctx.mutes.put(wish)
    log.warning("Muted %s: %s", id_, wish.sentence())
    return id_


def _id_of(ctx: Context, wish: str, scope: Scope, target: str) -> str:
    """The id of what the wish is about. A name would be accepted and stop nothing. Raises NotPossible."""
    if scope is Scope.EVERYTHING:
        return ""
    if scope is Scope.CAUSE:
        if target.strip() not in CAUSES:
            raise NotPossible(f"target is no cause: there are {', '.join(CAUSES)}")
        return target.strip()
    try:
        id_ = str(UUID(target.strip()))
    except ValueError:
        raise NotPossible(f"target is no id: a {wish} of a {scope} needs its GUID, not its name") from None
    if scope is Scope.ENVIRONMENT and id_ != ctx.organization_id.casefold():
        raise NotPossible(f"target is another environment: this app writes to {ctx.organization_id} only")
    return id_


async def resume(ctx: Context, pause_id: str, *, by: str) -> Mapping[str, Pause]:
    """Takes back one pause, whoever asked for it. Returns those that are still in force, by id.

    Raises NotPossible when there is no such pause, CaseUnreadable when another one cannot be read, SourceError.
    One that cannot be read itself is taken back, too: it holds everything, and nobody else can.
    """
    left = await _taken_back(ctx, "pause", ctx.pauses, pause_id, by)
    await _ask_again(ctx)
    return left


async def unmute(ctx: Context, mute_id: str, *, by: str) -> Mapping[str, Mute]:
    """Takes back one mute, whoever asked for it. Returns those that are still in force. Raises as `resume` does.

    What it was about is begun, and told of, when its case is looked at next.
    """
    left = await _taken_back(ctx, "mute", ctx.mutes, mute_id, by)
    await _ask_again(ctx)
    return left


async def _taken_back[W: Wish](ctx: Context, what: str, wishes: Wishes[W], id_: str, by: str) -> Mapping[str, W]:
    try:
        known = id_ in await wishes.read()
    except CaseUnreadable:
        known = bool(_WISH_ID.fullmatch(id_))
    if not known:
        raise NotPossible(f"there is no {what} {id_[:100]}: it is over, or somebody else has taken it back")
    await wishes.remove(id_)
    log.warning("The %s %s was taken back by %s", what, id_, by)
    left, now = await wishes.read(), ctx.clock.now()
    return {each: wish for each, wish in left.items() if now < wish.until}


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


def _check(
    what: str,
    scopes: Sequence[Scope],
    scope: Scope,
    target: str,
    by: str,
    reason: str,
    until: datetime,
    now: datetime,
) -> None:
    """Raises NotPossible with the reason for which this is no pause or mute."""
    problem = None
    if scope not in scopes:
        problem = f"a {what} is of one of {', '.join(scopes)}, not {scope}"
    elif not by or not reason:
        problem = f"a {what} needs a name and a reason: whoever finds nothing happening wants to know both"
    elif (scope is Scope.EVERYTHING) == bool(target):
        problem = f"a {what} of everything has no id, any other {what} needs the id of what it is about"
    elif max(len(by), len(reason), len(target)) > LONGEST_TEXT:
        problem = f"name, reason and id have at most {LONGEST_TEXT} characters"
    elif until.tzinfo is None or not now < until <= now + LONGEST_PAUSE:
        problem = f"a {what} ends later than now, within {LONGEST_PAUSE.days} days, at a time with a zone"
    if problem is not None:
        raise NotPossible(problem)
