"""Timers: sweep looks for suspects, wake looks again at what is due. A missed or failed tick is made up by the next."""

import logging

import azure.functions as func

from shared.bootstrap import app
from shared.errors import SettingsError, UnstuckError
from shared.workflow.sweep import sweep as sweep_step
from shared.workflow.wake import wake as wake_step

blueprint = func.Blueprint()
log = logging.getLogger(__name__)


@blueprint.function_name("sweep")
@blueprint.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%", run_on_startup=False)
async def sweep(timer: func.TimerRequest) -> None:
    """Asks Dataverse for suspects and has them diagnosed."""
    try:
        receipt = await sweep_step(await app().context())
        log.info("Sweep complete=%s suspects=%d late=%s", receipt.complete, receipt.suspects, timer.past_due)
    except SettingsError as error:
        log.error("Not configured, nothing is read or written: %s", error)  # noqa: TRY400  (no traceback helps)


@blueprint.function_name("wake")
@blueprint.timer_trigger(arg_name="timer", schedule="%WAKE_SCHEDULE%", run_on_startup=False)
async def wake(timer: func.TimerRequest) -> None:  # noqa: ARG001  (the trigger's name is part of its signature)
    """Has due cases looked at again."""
    try:
        await wake_step(await app().context())
    except SettingsError:
        return  # the sweep timer and the health page say so already
    except UnstuckError:
        log.exception("Due cases could not be woken; the next tick tries again")
