"""Park: what becomes of subscriptions whose step failed again and again. Nothing is lost silently."""

from collections.abc import Sequence

from shared.workflow.context import Context
from shared.workflow.diagnose import parked, save
from shared.workflow.together import all_of


async def park(ctx: Context, subscription_ids: Sequence[str], step: str) -> int:
    """Opens or marks the case of each subscription: this step failed too often. Looked at again later by itself.

    A case with an open effect keeps its state, since the wake timer settles it by reading; people are told as well.
    """
    wanted = list(dict.fromkeys(subscription_ids))
    stored = await ctx.store.load_many(wanted)
    text = f"The step {step} failed too often for this subscription; the logs say why."
    moves = {i: parked(ctx, i, stored.get(i), step, text) for i in wanted}
    saved = await all_of(save(ctx, move, stored.get(i)) for i, move in moves.items())
    done = [after.case.subscription_id for after in saved if after is not None]
    if done:
        await ctx.queues.notify(done)
    return len(done)
