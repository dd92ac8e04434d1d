"""Watch: looks whether the app does its work, and tells people once when it does not, and once when it does again."""

import logging
from collections.abc import Mapping

from shared.domain.watchdog import LONG_DUE, Alarm, Concern, Sight, Vigil, claimed, looked, told, troubles
from shared.errors import SourceError
from shared.ports import News
from shared.workflow.context import Context

log = logging.getLogger(__name__)

MOST_DUE = 100
"""Cases that are read to see whether they move; the longest due ones tell."""

_NEXT = {
    Concern.STANDSTILL: "See whether Dataverse and storage answer, and whether the app's timers and queues run.",
    Concern.UNREADABLE: "Mend the rows and columns that the log names; docs/ledger.md says how.",
}


async def watch(ctx: Context) -> Vigil:
    """One look. News that was not delivered is told at a later one. Raises SourceError and CaseUnreadable."""
    sight = await _sight(ctx)

    def look(before: Vigil) -> tuple[Vigil, tuple[Vigil, Mapping[Concern, Alarm]]]:
        after = looked(before, sight, ctx.policy)
        return after, (after, claimed(before, after))

    vigil, claims = await ctx.alarms.change(look)
    if claims:
        delivered = await _tell(ctx, claims)
        await ctx.alarms.change(lambda vigil: (told(vigil, claims, delivered=delivered), None))
    return vigil


async def problems(ctx: Context) -> list[str]:
    """What is wrong now, whether or not a timer has looked. Raises SourceError and CaseUnreadable."""
    return list(troubles(await ctx.alarms.read(), await _sight(ctx), ctx.policy).values())


async def _sight(ctx: Context) -> Sight:
    now = ctx.clock.now()
    last, complete = await ctx.store.last_receipt(), await ctx.store.last_receipt(complete=True)
    long_due = await ctx.store.due(now - LONG_DUE, MOST_DUE)
    stored = await ctx.store.load_many([due.subscription_id for due in long_due])
    still = [s.case.due_on or s.case.opened_on for s in stored.values() if s.case.open]
    due = [on for on in still if on <= now - LONG_DUE]
    return Sight(
        now,
        complete.finished_on if complete is not None else None,
        last.problem if last is not None and not last.complete else "",
        min(due, default=None),
        len(due),
        sum(each.subscription_id not in stored for each in long_due),
    )


async def _tell(ctx: Context, claims: Mapping[Concern, Alarm]) -> bool:
    """Whether the news was delivered."""
    for concern, alarm in claims.items():
        log.log(logging.INFO if alarm.over else logging.ERROR, "%s, over=%s: %s", concern, alarm.over, alarm.text)
    try:
        await ctx.notifier.tell([_news(concern, alarm) for concern, alarm in claims.items()])
    except SourceError as error:
        log.warning("People could not be told how the app does, they are told later: %s", error)
        return False
    return True


def _news(concern: Concern, alarm: Alarm) -> News:
    over = f"{concern}_over" if alarm.over else str(concern)
    return News(
        key=f"{over}:{alarm.since.isoformat()}",
        kind=over,
        case_id="",
        text=f"This is over: {alarm.text}" if alarm.over else alarm.text,
        next_step="Nothing to do." if alarm.over else _NEXT[concern],
        who="nobody" if alarm.over else "whoever runs this app",
        details={"since": alarm.since.isoformat()},
    )
