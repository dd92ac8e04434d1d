"""HTTP: sweeps and what they read; and whether the app can do its work."""

import re
from datetime import datetime
from http import HTTPStatus

from pydantic import Field

from shared.domain.pause import WHOLE
from shared.entrypoints.bodies import Given
from shared.entrypoints.exchange import Reply
from shared.entrypoints.problems import Problem, bad_field
from shared.entrypoints.queries import PageQuery
from shared.entrypoints.route import Ask, Nothing
from shared.errors import SettingsError, UnstuckError
from shared.ports import SweepReceipt
from shared.workflow.context import Context
from shared.workflow.sweep import sweep
from shared.workflow.watch import problems as problems_now

_SWEEP_ID = re.compile(r"[0-9a-f]{32}")


class SweepBody(Given):
    """What a sweep read."""

    id: str = Field(description="Id of the sweep.")
    started_on: datetime = Field(description="When it began.")
    finished_on: datetime = Field(description="When it ended.")
    complete: bool = Field(description="Whether it could read everything. If not, it concludes nothing.")
    suspects: int = Field(description="Subscriptions that may be stuck.")
    queued: int = Field(description="Those of them that are diagnosed now.")
    left_alone: int = Field(description="Those whose case is not due yet.")
    problem: str = Field(description="What went wrong, or what holds everything back; empty otherwise.")


class SweepPage(Given):
    """One page of sweeps, newest first."""

    sweeps: list[SweepBody] = Field(description="The sweeps of this page.")
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last one.")


class HealthBody(Given):
    """Whether the app can do its work, and what is in its way."""

    status: str = Field(description="`ok`, `not_configured` or `degraded`.")
    mode: str | None = Field(description="How far it may go: observe, approve or auto.")
    problems: list[str] = Field(description="What is in its way: names of settings, never their values.")
    last_sweep: SweepBody | None = Field(description="What the last sweep read.")


async def start_sweep(ask: Ask[Nothing, Nothing]) -> Reply:
    """Sweeps now. Answers with the receipt; the suspects are diagnosed by the queue."""
    receipt = await sweep(await ask.context())
    if not receipt.complete:
        detail = f"The sweep is incomplete and concludes nothing: {receipt.problem}"
        raise Problem(HTTPStatus.BAD_GATEWAY, detail)
    return Reply(SweepBody.model_validate(receipt))


async def list_sweeps(ask: Ask[Nothing, PageQuery]) -> Reply:
    """Receipts, newest first."""
    ctx = await ask.context()
    try:
        receipts, cursor = await ctx.store.receipts(ask.query.limit, ask.query.cursor)
    except ValueError as error:
        raise bad_field("cursor", f"cursor: {error}", "Begin without a cursor.") from None
    return Reply(SweepPage(sweeps=[SweepBody.model_validate(each) for each in receipts], next_cursor=cursor))


async def get_sweep(ask: Ask[Nothing, Nothing]) -> Reply:
    """One receipt."""
    id_ = ask.path["sweep_id"].casefold()
    ctx = await ask.context()
    receipt = await ctx.store.receipt(id_) if _SWEEP_ID.fullmatch(id_) else None
    if receipt is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"There is no sweep {id_[:100]}.", field="sweep_id")
    return Reply(SweepBody.model_validate(receipt))


async def get_health(ask: Ask[Nothing, Nothing]) -> Reply:
    """Whether the app can do its work. Names settings, never their values; needs no role."""
    try:
        ctx = await ask.context()
    except SettingsError as error:
        body = HealthBody(status="not_configured", mode=None, problems=error.problems, last_sweep=None)
        return Reply(body, HTTPStatus.SERVICE_UNAVAILABLE)
    mode = ctx.policy.mode.value
    try:
        receipt = await ctx.store.last_receipt()
    except UnstuckError as error:
        problems = [*ctx.policy.problems, f"Case store: {error}"]
        body = HealthBody(status="degraded", mode=mode, problems=problems, last_sweep=None)
        return Reply(body, HTTPStatus.SERVICE_UNAVAILABLE)
    problems = [*ctx.policy.problems, *_sweeping(receipt), *await _standing(ctx), *await _holding(ctx)]
    last_sweep = SweepBody.model_validate(receipt) if receipt is not None else None
    status = "degraded" if problems else "ok"
    return Reply(HealthBody(status=status, mode=mode, problems=problems, last_sweep=last_sweep))


def _sweeping(receipt: SweepReceipt | None) -> list[str]:
    if receipt is None:
        return []
    if not receipt.complete:
        return [f"The last sweep is incomplete: {receipt.problem}"]
    return [receipt.problem] if receipt.problem else []


async def _standing(ctx: Context) -> list[str]:
    """What the watch over the app finds, in words."""
    try:
        return await problems_now(ctx)
    except UnstuckError as error:
        return [f"Whether the app does its work cannot be seen: {error}"]


async def _holding(ctx: Context) -> list[str]:
    """What holds everything back, in words."""
    now = ctx.clock.now()
    try:
        pauses, watch = await ctx.pauses.read(), await ctx.holds.read()
    except UnstuckError as error:
        return [f"Nothing is written, since what holds it back cannot be read: {error}"]
    said = [each.sentence() for each in pauses.values() if each.scope in WHOLE and now < each.until]
    return [*said, *([watch.hold.sentence()] if watch.hold is not None else [])]
