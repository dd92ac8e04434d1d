"""Notify: tells people what a case owes them, once."""

import logging
from collections.abc import Sequence

from shared.domain.case import SYSTEM, record
from shared.domain.signals import Step
from shared.domain.webhook import CALLED, owed_to_flows
from shared.errors import SourceError
from shared.ports import Stored
from shared.workflow.context import Context
from shared.workflow.deliver import owe
from shared.workflow.diagnose import save
from shared.workflow.news import news_of
from shared.workflow.watching import step

log = logging.getLogger(__name__)

REMEMBERED = 50
"""Keys of sent news that a case keeps, so that the same news is not told twice."""


@step(Step.NOTIFY)
async def notify(ctx: Context, subscription_ids: Sequence[str]) -> int:
    """Sends all owed news of these cases in one message, has flows called, then notes on each case that it was told.

    A crash in between tells it twice, never not at all. Flows do not wait for a webhook of the settings that is out.
    Raises SourceError when it was not delivered.
    """
    stored = await ctx.store.load_many(list(dict.fromkeys(subscription_ids)))
    owing = [s for s in stored.values() if s.case.outgoing]
    news = [news_of(s.case, key=n.key, kind=n.kind, text=n.text) for s in owing for n in s.case.outgoing]
    if not news:
        return 0
    try:
        await ctx.notifier.tell(news)
    except SourceError:
        for s in owing:
            await _call_flows(ctx, s)
        raise
    await owe(ctx, [s.case for s in owing])
    for s in owing:
        await _note(ctx, s)
    return len(news)


async def _call_flows(ctx: Context, stored: Stored) -> None:
    """Noted at once, so that trying to tell people again calls no flow again."""
    case = stored.case
    if await owe(ctx, [case]):
        told = (*case.told, *(CALLED + n.key for n in owed_to_flows(case)))[-REMEMBERED:]
        text = "Flows were called; telling people otherwise has failed and is tried again."
        await save(ctx, record(case, ctx.clock.now(), by=SYSTEM, kind="told", text=text, told=told), stored)


async def _note(ctx: Context, stored: Stored) -> None:
    case = stored.case
    keys = tuple(n.key for n in case.outgoing)
    told = (*case.told, *keys)[-REMEMBERED:]
    text = f"Told: {', '.join(n.kind for n in case.outgoing)}."
    recorded = record(case, ctx.clock.now(), by=SYSTEM, kind="told", text=text, outgoing=(), told=told)
    await save(ctx, recorded, stored)
