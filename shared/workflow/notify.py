"""Notify: tells people what a case owes them, once."""

import logging
from collections.abc import Sequence

from shared.domain.case import NOT_DONE, SYSTEM, Case, Notification, record
from shared.domain.retrigger import HELD_BACK
from shared.domain.signals import Step
from shared.ports import News, Stored
from shared.workflow.context import Context
from shared.workflow.diagnose import save
from shared.workflow.watching import step

log = logging.getLogger(__name__)

REMEMBERED = 50
"""Keys of sent news that a case keeps, so that the same news is not told twice."""


@step(Step.NOTIFY)
async def notify(ctx: Context, subscription_ids: Sequence[str]) -> int:
    """Sends all owed news of these cases in one message, then notes on each case that it was told.

    A crash between the two tells it twice, never not at all. Raises SourceError when it was not delivered.
    """
    stored = await ctx.store.load_many(list(dict.fromkeys(subscription_ids)))
    owing = [s for s in stored.values() if s.case.outgoing]
    news = [_news(s.case, n) for s in owing for n in s.case.outgoing]
    if not news:
        return 0
    await ctx.notifier.tell(news)
    for s in owing:
        await _note(ctx, s)
    return len(news)


def _news(case: Case, owed: Notification) -> News:
    diagnosis, held = case.diagnosis, owed.kind in (HELD_BACK, NOT_DONE)
    who = next((f.who for f in diagnosis.findings if f.disposition is diagnosis.disposition), "") if diagnosis else ""
    return News(
        key=owed.key,
        kind=owed.kind,
        case_id=case.id,
        text=owed.text if held else case.summary,
        next_step=case.held_back or case.next_step if held else case.next_step,
        who=who,
        details={
            "subscription_id": case.subscription_id,
            "subscription": case.subscription_name,
            "customer": case.customer_name,
            "provider": case.provider_name,
            "cause": case.cause or "",
            "change_id": case.change_id or "",
            "plan_digest": case.plan.digest if case.plan else "",
        },
    )


async def _note(ctx: Context, stored: Stored) -> None:
    case = stored.case
    keys = tuple(n.key for n in case.outgoing)
    told = (*case.told, *keys)[-REMEMBERED:]
    text = f"Told: {', '.join(n.kind for n in case.outgoing)}."
    recorded = record(case, ctx.clock.now(), by=SYSTEM, kind="told", text=text, outgoing=(), told=told)
    await save(ctx, recorded, stored)
