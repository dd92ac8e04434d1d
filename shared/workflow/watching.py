"""Watching: what the steps show of themselves to the outside, as spans and counters (docs/telemetry.md)."""

from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from functools import wraps
from typing import Any, Concatenate

from shared.domain import signals
from shared.domain.budget import Budget
from shared.domain.case import Case, Recorded
from shared.domain.policy import Caps
from shared.domain.signals import Attributes, Step
from shared.ports import Stored, WriteResult
from shared.workflow.context import Context

HELD_BACK_BY = "held_back_by_"
"""What the kinds of events begin with that say which guard held a case back."""


type Run[**P, R] = Callable[Concatenate[Context, P], Coroutine[Any, Any, R]]
"""A step of the workflow: what it is called with begins with the context."""


def step[**P, R](name: Step) -> Callable[[Run[P, R]], Run[P, R]]:
    """Makes a step of the workflow a span of its own."""

    def watched(run: Run[P, R]) -> Run[P, R]:
        @wraps(run)
        async def seen(ctx: Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
            with ctx.telemetry.span(name):
                return await run(ctx, *args, **kwargs)

        return seen

    return watched


async def keep(ctx: Context, recorded: Recorded, stored: Stored | None) -> Stored:
    """Saves a case where `stored` stands, and shows what has become of it. Raises what CaseStore.save raises."""
    version = stored.version if stored is not None else None
    if not recorded.events:  # only looked at again: nothing to show
        return await ctx.store.save(recorded, version)
    same = stored is not None and stored.case.number == recorded.case.number
    before = stored.case if stored is not None and same else None
    with ctx.telemetry.span(Step.CASE, _shown(recorded, before)):
        saved = await ctx.store.save(recorded, version)
    _count(ctx, recorded, before)
    return saved


def _shown(recorded: Recorded, before: Case | None) -> Attributes:
    case = recorded.case
    intent = case.intent or (before.intent if before is not None else None)
    return {
        "case_id": case.id,
        "cause": case.cause or "",
        "state": case.state,
        "state_before": before.state if before is not None else "",
        "action": intent.action if intent is not None else "",
        "outcome": recorded.events[-1].kind,
    }


def _count(ctx: Context, recorded: Recorded, before: Case | None) -> None:
    case = recorded.case
    if before is None or before.state is not case.state:
        was = before.state if before is not None else "none"
        ctx.telemetry.count(signals.TRANSITIONS, {"from": was, "to": case.state, "cause": case.cause or "none"})
    refused(ctx, [e.kind.removeprefix(HELD_BACK_BY) for e in recorded.events if e.kind.startswith(HELD_BACK_BY)])


def refused(ctx: Context, guards: Iterable[str]) -> None:
    """These guards each hold a case back that they did not hold back before."""
    for guard, times in Counter(guards).items():
        ctx.telemetry.count(signals.REFUSALS, {"guard": guard}, times)


def wrote(ctx: Context, results: Iterable[tuple[str, WriteResult]]) -> None:
    """Writes to Dataverse, each with the action that it belongs to."""
    for (action, outcome), times in Counter((action, outcome_of(result)) for action, result in results).items():
        ctx.telemetry.count(signals.EFFECTS, {"action": action, "outcome": outcome}, times)


def outcome_of(result: WriteResult) -> str:
    """The one flag of the result that is true."""
    outcomes = ("done", "version_changed", "refused", "deferred", "unknown")
    return next((name for name in outcomes if getattr(result, name)), "unknown")


def spent(ctx: Context, budget: Budget, caps: Caps) -> None:
    """How much of each hourly cap is used up after a reservation."""
    used = {
        "changes": (len(budget.spent), caps.changes),
        "seats": (sum(each.seats for each in budget.spent), caps.seats),
        "customers": (len({each.customer for each in budget.spent}), caps.customers),
    }
    for cap, (taken, most) in used.items():
        ctx.telemetry.gauge(signals.CAPS_USED, taken / most if most else 1.0, {"cap": cap})
