"""Queues: wake-ups that carry ids. A failed message comes back; one that fails too often is parked, never dropped.

Where only a source is out, the message has done what it can: its cases are still due.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence

import azure.functions as func

from shared.adapters.messages import (
    DeliverMessage,
    DiagnoseMessage,
    NotifyMessage,
    OperateMessage,
    RemediateMessage,
    decode,
)
from shared.bootstrap import app
from shared.domain.case import subscription_of
from shared.domain.signals import POISON_MESSAGES
from shared.entrypoints.operations import carry_out, give_up
from shared.entrypoints.routes import ROUTES
from shared.errors import MessageUnreadable, UnstuckError
from shared.workflow.context import Context
from shared.workflow.deliver import deliver as deliver_step
from shared.workflow.deliver import deliver_later
from shared.workflow.diagnose import diagnose_subscriptions
from shared.workflow.notify import notify as notify_step
from shared.workflow.park import park, unless_out
from shared.workflow.remediate import remediate as remediate_step

blueprint = func.Blueprint()
log = logging.getLogger(__name__)

STORAGE = "AzureWebJobsStorage"


@blueprint.function_name("diagnose")
@blueprint.queue_trigger(arg_name="message", queue_name="diagnose", connection=STORAGE)
async def diagnose(message: func.QueueMessage) -> None:
    """Diagnoses up to 500 subscriptions."""
    if (wanted := _read(message, "diagnose", DiagnoseMessage)) is not None:
        ctx = await app().context()
        with ctx.telemetry.following(wanted.traceparent):
            step = diagnose_subscriptions(ctx, wanted.subscription_ids)
            await unless_out(step, f"diagnose {len(wanted.subscription_ids)} subscriptions")


@blueprint.function_name("remediate")
@blueprint.queue_trigger(arg_name="message", queue_name="remediate", connection=STORAGE)
async def remediate(message: func.QueueMessage) -> None:
    """Retriggers up to 100 cases."""
    if (wanted := _read(message, "remediate", RemediateMessage)) is not None:
        ctx = await app().context()
        with ctx.telemetry.following(wanted.traceparent):
            await unless_out(remediate_step(ctx, wanted.case_ids), f"act on {len(wanted.case_ids)} cases")


@blueprint.function_name("notify")
@blueprint.queue_trigger(arg_name="message", queue_name="notify", connection=STORAGE)
async def notify(message: func.QueueMessage) -> None:
    """Tells people what these cases owe them."""
    if (wanted := _read(message, "notify", NotifyMessage)) is not None:
        ctx = await app().context()
        with ctx.telemetry.following(wanted.traceparent):
            await notify_step(ctx, wanted.subscription_ids)


@blueprint.function_name("diagnose_poison")
@blueprint.queue_trigger(arg_name="message", queue_name="diagnose-poison", connection=STORAGE)
async def diagnose_poison(message: func.QueueMessage) -> None:
    """Parks subscriptions whose diagnosis failed too often."""
    await _poisoned("diagnose")
    if (wanted := _read(message, "diagnose-poison", DiagnoseMessage)) is not None:
        await _never_raising("diagnose", wanted.subscription_ids, park)


@blueprint.function_name("remediate_poison")
@blueprint.queue_trigger(arg_name="message", queue_name="remediate-poison", connection=STORAGE)
async def remediate_poison(message: func.QueueMessage) -> None:
    """Parks cases whose remediation failed too often."""
    await _poisoned("remediate")
    if (wanted := _read(message, "remediate-poison", RemediateMessage)) is not None:
        await _never_raising("remediate", [subscription_of(i) for i in wanted.case_ids], park)


@blueprint.function_name("notify_poison")
@blueprint.queue_trigger(arg_name="message", queue_name="notify-poison", connection=STORAGE)
async def notify_poison(message: func.QueueMessage) -> None:
    """Says in the log that people could not be told. The cases still owe it and try again when they are due."""
    await _poisoned("notify")
    log.error("People could not be told: %s", message.get_body().decode(errors="replace")[:2_000])


@blueprint.function_name("operate")
@blueprint.queue_trigger(arg_name="message", queue_name="operate", connection=STORAGE)
async def operate(message: func.QueueMessage) -> None:
    """Does what somebody asked for over HTTP and did not get in time."""
    if (wanted := _read(message, "operate", OperateMessage)) is not None:
        await carry_out(app(), ROUTES, wanted.operation_id)


@blueprint.function_name("operate_poison")
@blueprint.queue_trigger(arg_name="message", queue_name="operate-poison", connection=STORAGE)
async def operate_poison(message: func.QueueMessage) -> None:
    """Tells whoever asks for it that the operation came to nothing."""
    await _poisoned("operate")
    if (wanted := _read(message, "operate-poison", OperateMessage)) is None:
        return
    try:
        await give_up(app(), wanted.operation_id)
    except Exception:  # as below: its address says that it is lost after a while, too
        log.exception("Operation %s could not be given up", wanted.operation_id)


@blueprint.function_name("deliver")
@blueprint.queue_trigger(arg_name="message", queue_name="deliver", connection=STORAGE)
async def deliver(message: func.QueueMessage) -> None:
    """Calls a flow that has subscribed."""
    if (wanted := _read(message, "deliver", DeliverMessage)) is not None:
        ctx = await app().context()
        with ctx.telemetry.following(wanted.traceparent):
            await deliver_step(ctx, wanted.delivery)


@blueprint.function_name("deliver_poison")
@blueprint.queue_trigger(arg_name="message", queue_name="deliver-poison", connection=STORAGE)
async def deliver_poison(message: func.QueueMessage) -> None:
    """Puts a call off that could not even be tried, since storage was out. A call that fails never gets here."""
    await _poisoned("deliver")
    try:
        wanted = _read(message, "deliver-poison", DeliverMessage)
        if wanted is None or await deliver_later(await app().context(), wanted.delivery):
            return
    except Exception:  # as below
        log.exception("A call of a flow could not be put off")
    log.error("A flow could not be called: %s", message.get_body().decode(errors="replace")[:2_000])


def _read[M: (DiagnoseMessage, RemediateMessage, NotifyMessage, OperateMessage, DeliverMessage)](
    message: func.QueueMessage, queue: str, kind: type[M]
) -> M | None:
    """The message, or None when it makes no sense: that is logged whole, since no retry would mend it."""
    text = message.get_body().decode(errors="replace")
    try:
        return decode(kind, text)
    except MessageUnreadable as error:
        log.error("Unreadable message %s on queue %s: %s. Text: %r", message.id, queue, error, text[:2_000])  # noqa: TRY400
        return None


async def _never_raising(
    step: str, subscription_ids: Sequence[str], parks: Callable[[Context, Sequence[str], str], Awaitable[int]]
) -> None:
    """A poison queue has no poison queue of its own: raising here would repeat for days and end in nothing."""
    try:
        await parks(await app().context(), subscription_ids, step)
    except Exception:
        log.exception(
            "Could not park %d subscriptions after %s failed: %s", len(subscription_ids), step, subscription_ids
        )


async def _poisoned(queue: str) -> None:
    try:
        (await app().context()).telemetry.count(POISON_MESSAGES, {"queue": queue})
    except UnstuckError as error:
        log.warning("A poison message of queue %s is not counted: %s", queue, error)
