"""Park: what becomes of subscriptions whose message failed again and again. Nothing is lost silently."""

import logging
from collections.abc import Sequence

from shared.domain.case import Case, Notification, State, record
from shared.domain.decision import SYSTEM, acting
from shared.ports import Stored
from shared.workflow.context import Context
from shared.workflow.diagnose import save
from shared.workflow.together import all_of

log = logging.getLogger(__name__)


async def park(ctx: Context, subscription_ids: Sequence[str], step: str) -> int:
    """Opens or marks the case of each subscription: this step failed too often. Looked at again later by itself.

    A case with an open effect keeps its state: the wake timer settles it by reading.
    """
    stored = await ctx.store.load_many(list(dict.fromkeys(subscription_ids)))
    saved = await all_of(_park(ctx, i, stored.get(i), step) for i in dict.fromkeys(subscription_ids))
    parked = [after.case.subscription_id for after in saved if after is not None]
    if parked:
        await ctx.queues.notify(parked)
    return len(parked)


async def _park(ctx: Context, subscription_id: str, stored: Stored | None, step: str) -> Stored | None:
    now = ctx.clock.now()
    if stored is not None and acting(stored.case):
        return None
    if stored is None or not stored.case.open:
        case = Case(subscription_id, stored.case.number + 1 if stored is not None else 1, now)
    else:
        case = stored.case
    text = f"The step {step} failed too often for this subscription; the logs say why."
    key = f"parked:{step}"
    recorded = record(
        case,
        now,
        by=SYSTEM,
        kind="parked",
        text=text,
        details={"step": step},
        state=State.NEEDS_PERSON,
        summary=text,
        next_step="See whether Dataverse and storage answer; it is tried again by itself.",
        due_on=now + ctx.policy.look_again,
        plan=None,
        outgoing=() if key in case.told else (Notification(key, "parked", text, now),),
    )
    return await save(ctx, recorded, stored)
