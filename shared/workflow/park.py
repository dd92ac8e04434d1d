"""Park: what becomes of subscriptions whose step failed again and again. Nothing is lost silently.

A source that is out says nothing of any case: cases stay due, the wake timer asks again at every tick, and people hear
of the outage once (watch.py) rather than of each case. Only what fails although the sources answer is parked.
"""

import logging
from collections.abc import Awaitable, Sequence

from shared.domain.signals import Step
from shared.errors import OUTAGES
from shared.workflow.context import Context
from shared.workflow.diagnose import parked, save
from shared.workflow.together import all_of
from shared.workflow.watching import step

log = logging.getLogger(__name__)


async def unless_out(step: Awaitable[object], what: str) -> bool:
    """Whether the step was done. Not when a source is out: then its cases are due as before, and asked again.

    Raises whatever else the step raises: its message comes back, and is parked when that does not help.
    """
    try:
        await step
    except OUTAGES as error:
        log.warning("Could not %s, its cases stay due: %s", what, error)
        return False
    return True


@step(Step.PARK)
async def park(ctx: Context, subscription_ids: Sequence[str], step: str) -> int:
    """Opens or marks the case of each subscription: this step failed too often. Looked at again later by itself.

    A case with an open effect keeps its state, since the wake timer settles it by reading; people are told as well.
    While even sweeps fail, nothing is parked: it is no case of these subscriptions.
    """
    wanted = list(dict.fromkeys(subscription_ids))
    receipt = await ctx.store.last_receipt()
    if receipt is not None and not receipt.complete:
        log.warning("%d subscriptions are not parked, since sweeps fail, too: %s", len(wanted), receipt.problem)
        return 0
    stored = await ctx.store.load_many(wanted)
    text = f"The step {step} failed too often for this subscription; the logs say why."
    moves = {i: parked(ctx, i, stored.get(i), step, text) for i in wanted}
    saved = await all_of(save(ctx, move, stored.get(i)) for i, move in moves.items())
    done = [after.case.subscription_id for after in saved if after is not None]
    if done:
        await ctx.queues.notify(done)
    return len(done)
