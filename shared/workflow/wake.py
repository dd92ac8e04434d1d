"""Wake: looks again at every case whose time has come, whatever message about it was lost."""

import logging

from shared.domain.signals import Step
from shared.workflow.census import take_census
from shared.workflow.context import Context
from shared.workflow.watching import step

log = logging.getLogger(__name__)

AT_ONCE = 5_000
"""Cases that one tick wakes; the rest are still due at the next one, longest due first."""

ENOUGH_WAITING = 10
"""With so many messages still to be diagnosed nothing more is queued: what is due is most likely among them."""


@step(Step.WAKE)
async def wake(ctx: Context) -> int:
    """Queues due cases for diagnosis, which settles half-done effects and sends again what was not sent.

    A case stays due until it was looked at, so it may be queued by several ticks. That is bounded: while the queue is
    long, ticks only wait, and whatever was lost is queued once it is short again.
    """
    waiting = await ctx.queues.diagnoses_waiting()
    if waiting >= ENOUGH_WAITING:
        log.info("Woke nothing: %d messages are still to be diagnosed", waiting)
        return 0
    due = await ctx.store.due(ctx.clock.now(), AT_ONCE)
    await ctx.queues.diagnose([d.subscription_id for d in due])
    if due:
        log.info("Woke %d cases", len(due))
    await take_census(ctx)
    return len(due)
