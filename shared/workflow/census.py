"""Census: how open cases, breakers and sweeps stand, as gauges. The wake timer takes it; nothing is decided by it."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.domain import signals
from shared.domain.breaker import Position, position
from shared.domain.case import State
from shared.errors import CaseUnreadable, SourceError
from shared.ports import Standing
from shared.workflow.context import Context

log = logging.getLogger(__name__)

MOST = 5_000
"""Cases of one state that are counted; an environment with more of them has other worries than their number."""

HALF_TOGGLED = "half_toggled"
"""The cause of every case whose change stands at a Not Applicable of ours."""


async def take_census(ctx: Context) -> None:
    """Shows how things stand. Never raises: what cannot be read is not shown this time, and the log says why."""
    for part in (_cases, _breakers, _sweeps):
        try:
            await part(ctx)
        except (SourceError, CaseUnreadable) as error:
            log.warning("How things stand could not be read: %s", error)


async def _cases(ctx: Context) -> None:
    """The index of open cases: one request for each thousand of a state."""
    standings, now = await ctx.store.standings(MOST), ctx.clock.now()
    for (state, cause), cases in Counter((s.state, s.cause or "none") for s in standings).items():
        ctx.telemetry.gauge(signals.CASES, cases, {"state": state, "cause": cause})
    for state in State:
        if state is not State.RESOLVED:
            since = (s.since for s in standings if s.state is state)
            ctx.telemetry.gauge(signals.OLDEST_IN_STATE, _seconds(since, now), {"state": state})
    ctx.telemetry.gauge(signals.OLDEST_OPEN, _seconds((s.opened_on for s in standings), now))
    ctx.telemetry.gauge(signals.NOT_APPLICABLE, _left(ctx, standings, now))


def _seconds(times: Iterable[datetime], now: datetime) -> float:
    """Since the earliest of these times; 0 where there is none."""
    return max((now - min(times, default=now)).total_seconds(), 0.0)


def _left(ctx: Context, standings: Sequence[Standing], now: datetime) -> int:
    """Changes of ours at Not Applicable for longer than finishing a retrigger takes, or than taking it over does."""
    limit = ctx.policy.action_time_limit
    return sum(s.cause == HALF_TOGGLED and now - s.since > limit for s in standings)


async def _breakers(ctx: Context) -> None:
    """One request."""
    read, now = await ctx.breakers.read(), ctx.clock.now()
    for name, breaker in read.breakers.items():
        shut = position(breaker, now) is not Position.CLOSED
        ctx.telemetry.gauge(signals.BREAKERS_OPEN, int(shut), {"breaker": name})
    for name in read.broken:  # nothing is let through where its row makes no sense
        ctx.telemetry.gauge(signals.BREAKERS_OPEN, 1, {"breaker": name})


async def _sweeps(ctx: Context) -> None:
    """One request."""
    receipt = await ctx.store.last_receipt()
    if receipt is not None:
        age = _seconds([receipt.started_on], ctx.clock.now())
        ctx.telemetry.gauge(signals.SWEEP_AGE, age, {"complete": str(receipt.complete).lower()})
