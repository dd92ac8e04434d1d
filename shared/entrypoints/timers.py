"""Timers: sweep looks for suspects, wake looks again at what is due, purge deletes old history.

A missed or failed tick is made up by the next. Sweep and wake both look whether the app does its work, so that it
shows when one of them stands still.
"""

import logging

import azure.functions as func

from shared.bootstrap import app
from shared.errors import SettingsError, UnstuckError
from shared.workflow.context import Context
from shared.workflow.purge import purge as purge_step
from shared.workflow.sweep import sweep as sweep_step
from shared.workflow.wake import wake as wake_step
from shared.workflow.watch import watch

blueprint = func.Blueprint()
log = logging.getLogger(__name__)

EVERY_NIGHT = "0 17 3 * * *"


@blueprint.function_name("sweep")
@blueprint.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%", run_on_startup=False)
async def sweep(timer: func.TimerRequest) -> None:
    """Asks Dataverse for suspects and has them diagnosed."""
    try:
        ctx = await app().context()
    except SettingsError as error:
        log.error("Not configured, nothing is read or written: %s", error)  # noqa: TRY400  (no traceback helps)
        return
    try:
        receipt = await sweep_step(ctx)
        log.info("Sweep complete=%s suspects=%d late=%s", receipt.complete, receipt.suspects, timer.past_due)
        await _purge_answers(ctx)
    finally:
        await _watch(ctx)


@blueprint.function_name("wake")
@blueprint.timer_trigger(arg_name="timer", schedule="%WAKE_SCHEDULE%", run_on_startup=False)
async def wake(timer: func.TimerRequest) -> None:  # noqa: ARG001  (the trigger's name is part of its signature)
    """Has due cases looked at again."""
    try:
        ctx = await app().context()
    except SettingsError:
        return  # the sweep timer and the health page say so already
    try:
        await wake_step(ctx)
    except UnstuckError:
        log.exception("Due cases could not be woken; the next tick tries again")
    await _watch(ctx)


@blueprint.function_name("purge")
@blueprint.timer_trigger(arg_name="timer", schedule=EVERY_NIGHT, run_on_startup=False)
async def purge(timer: func.TimerRequest) -> None:  # noqa: ARG001  (the trigger's name is part of its signature)
    """Deletes history that was kept long enough."""
    try:
        await purge_step(await app().context())
    except SettingsError:
        return  # the sweep timer and the health page say so already
    except UnstuckError:
        log.exception("Old history could not be purged; the next night goes on")


async def _watch(ctx: Context) -> None:
    try:
        await watch(ctx)
    except UnstuckError:
        log.exception("Whether the app does its work could not be seen; the next tick looks again")


async def _purge_answers(ctx: Context) -> None:
    """Takes away kept answers that have expired; the next sweep goes on."""
    try:
        await app().idempotency_keys().purge(ctx.clock.now())
        await app().operations().purge(ctx.clock.now())
    except UnstuckError as error:
        log.warning("Expired answers stay for now: %s", error)
