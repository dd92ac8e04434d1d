"""Sweep: asks Dataverse which subscriptions are suspects and has them diagnosed."""

import logging
import uuid

from shared.domain import signals
from shared.domain.signals import Step
from shared.errors import SourceError
from shared.ports import SweepReceipt
from shared.workflow.baseline import tell_of_stock
from shared.workflow.context import Context
from shared.workflow.surges import watch_for_surges
from shared.workflow.watching import step

log = logging.getLogger(__name__)


@step(Step.SWEEP)
async def sweep(ctx: Context) -> SweepReceipt:
    """One sweep. Leaves a receipt of what it read, also when it could not read everything.

    A partial read opens, closes and concludes nothing: the next sweep is the retry.
    """
    started = ctx.clock.now()
    sweep_id = uuid.uuid4().hex
    try:
        receipt = await _read_and_queue(ctx, sweep_id)
    except SourceError as error:
        log.exception("Sweep %s is incomplete", sweep_id)
        receipt = SweepReceipt(sweep_id, started, ctx.clock.now(), complete=False, problem=str(error))
    await ctx.store.save_receipt(receipt)
    _show(ctx, receipt)
    return receipt


def _show(ctx: Context, receipt: SweepReceipt) -> None:
    ctx.telemetry.count(signals.SWEEPS, {"complete": str(receipt.complete).lower()})
    if receipt.complete:
        ctx.telemetry.gauge(signals.SUSPECTS, receipt.suspects)


async def _read_and_queue(ctx: Context, sweep_id: str) -> SweepReceipt:
    started = ctx.clock.now()
    today = started.astimezone(ctx.policy.time_zone).date()
    suspects = await ctx.work365.find_suspects(started - ctx.policy.waiting_time, today)
    open_cases = await ctx.store.open_cases()
    wanted = [i for i in suspects.subscription_ids if (due := open_cases.get(i)) is None or due <= started]
    # Before anything is queued: what is diagnosed may be acted on at once.
    problem = await watch_for_surges(ctx, suspects.subscription_ids)
    await ctx.queues.diagnose(wanted)
    await tell_of_stock(ctx)
    found, queued = len(suspects.subscription_ids), len(wanted)
    log.info("Sweep %s: %d suspects, %d to diagnose", sweep_id, found, queued)
    return SweepReceipt(
        sweep_id,
        started,
        ctx.clock.now(),
        complete=True,
        suspects=found,
        queued=queued,
        left_alone=found - queued,
        problem=problem,
    )
