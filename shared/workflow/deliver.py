"""Deliver: calls flows that have subscribed to cases that need a person."""

import logging
from collections.abc import Iterable
from dataclasses import replace

from shared.domain.case import Case
from shared.domain.signals import Step
from shared.domain.webhook import Delivery, Webhook, is_gone, next_try, overtaken, owed_to_flows
from shared.errors import SourceError
from shared.workflow.context import Context
from shared.workflow.news import news_of
from shared.workflow.watching import step

log = logging.getLogger(__name__)


async def owe(ctx: Context, cases: Iterable[Case]) -> int:
    """Sends a message for each piece of news of these cases and each webhook that wants it; how many.

    Raises SourceError.
    """
    read = await ctx.webhooks.read()
    for problem in read.broken.values():
        log.error("A flow is not called: %s", problem)
    owed = [
        Delivery(webhook.id, case.subscription_id, news.key, news.kind)
        for case in cases
        for webhook in read.webhooks.values()
        if webhook.wants(case)
        for news in owed_to_flows(case)
    ]
    if owed:
        await ctx.queues.deliver(owed)
    return len(owed)


@step(Step.DELIVER)
async def deliver(ctx: Context, delivery: Delivery) -> bool:
    """Makes one call that is owed; whether it was made. One that comes to nothing is made again later.

    A crash behind the call makes it twice, never not at all: `key` is the same then. News that was overtaken is
    not told. Raises SourceError when the store or the queue could not be reached, and CaseUnreadable.
    """
    webhook = await ctx.webhooks.load(delivery.webhook_id)
    stored = await ctx.store.load(delivery.subscription_id)
    if webhook is None or stored is None or overtaken(stored.case, delivery):
        return False
    case = stored.case
    news = news_of(case, key=delivery.key, kind=delivery.kind, text=case.held_back or case.summary)
    try:
        await ctx.callbacks.call(webhook.callback_url, news)
    except SourceError as error:
        await _again(ctx, webhook, delivery, error)
        return False
    if webhook.failure:
        await ctx.webhooks.ended(webhook.id, "", ctx.clock.now())
    return True


async def deliver_later(ctx: Context, delivery: Delivery) -> bool:
    """Puts a call off that could not even be tried; False where it was put off often enough. Raises SourceError."""
    tries = delivery.tries + 1
    after = next_try(tries, None)
    if after is not None:
        await ctx.queues.deliver([replace(delivery, tries=tries)], after)
    return after is not None


async def _again(ctx: Context, webhook: Webhook, delivery: Delivery, error: SourceError) -> None:
    tries = delivery.tries + 1
    after = next_try(tries, error.retry_after)
    if is_gone(error.status, last=after is None):
        await ctx.webhooks.remove(webhook.id)
        log.warning("Webhook %s at %s is gone and was taken away: %s", webhook.id, webhook.host, error)
        return
    if after is not None:
        await ctx.queues.deliver([replace(delivery, tries=tries)], after)
    else:
        log.error("Webhook %s at %s could not be called: %s", webhook.id, webhook.host, error)
    await ctx.webhooks.ended(webhook.id, str(error), ctx.clock.now())
