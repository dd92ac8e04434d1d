"""Wake: looks again at every case whose time has come, whatever message about it was lost."""

import logging

from shared.workflow.context import Context

log = logging.getLogger(__name__)

AT_ONCE = 5_000
"""Cases that one tick wakes; the rest are still due at the next one, longest due first."""


async def wake(ctx: Context) -> int:
    """Queues due cases for diagnosis, which settles half-done effects and sends again what was not sent."""
    due = await ctx.store.due(ctx.clock.now(), AT_ONCE)
    await ctx.queues.diagnose([d.subscription_id for d in due])
    if due:
        log.info("Woke %d cases", len(due))
    return len(due)
