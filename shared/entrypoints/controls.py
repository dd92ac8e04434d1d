"""HTTP: what holds the app back. A person pauses it or mutes a part, lets it go on, or confirms a surge."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import unquote

import azure.functions as func
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints

from shared.bootstrap import app
from shared.domain.pause import MUTABLE, PAUSABLE, Scope, Wish
from shared.domain.surge import Hold
from shared.entrypoints.bodies import Taken
from shared.entrypoints.exchange import answer, body_of
from shared.entrypoints.problems import answers
from shared.workflow.context import Context
from shared.workflow.pauses import LONGEST_TEXT, confirm_surge, mute, pause, resume, unmute

blueprint = func.Blueprint()

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT)]


def _one_of(*scopes: Scope) -> AfterValidator:
    def check(scope: Scope) -> Scope:
        if scope not in scopes:
            raise ValueError(f"should be one of {', '.join(scopes)}")
        return scope

    return AfterValidator(check)


class WishRequest(Taken):
    """What pauses and mutes have in common."""

    by: Text = Field(title="By", description="Who wants it. The same party's second wish about it replaces the first.")
    reason: Text = Field(title="Reason", description="Why, for whoever finds nothing happening.")
    until: AwareDatetime = Field(title="Until", description="When it ends by itself, with a time zone.")


class PauseRequest(WishRequest):
    """Nothing is to be written to this until then. The very next effect is stopped."""

    scope: Annotated[Scope, _one_of(*PAUSABLE)] = Field(title="Scope", description=f"One of {', '.join(PAUSABLE)}.")
    target: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)] = Field(
        "", title="Target", description="Id of what is paused; empty for everything."
    )


class MuteRequest(WishRequest):
    """Nothing is to be begun on this until then, and nobody told of it. It is diagnosed and listed as ever."""

    scope: Annotated[Scope, _one_of(*MUTABLE)] = Field(title="Scope", description=f"One of {', '.join(MUTABLE)}.")
    target: Text = Field(title="Target", description="Id of what is muted, or the name of a cause.")


class ConfirmationRequest(Taken):
    """A person has looked at the surge: what is ready may be begun."""

    by: Text = Field(title="By", description="Who has looked.")


class WishBody(BaseModel):
    """One pause or mute."""

    id: str
    scope: Scope
    target: str
    by: str
    reason: str
    since: datetime
    until: datetime

    @classmethod
    def of(cls, id_: str, wish: Wish) -> "WishBody":
        return cls(
            id=id_,
            scope=wish.scope,
            target=wish.target,
            by=wish.by,
            reason=wish.reason,
            since=wish.since,
            until=wish.until,
        )


class HoldBody(BaseModel):
    """Too many new suspects at once: nothing new is begun until a person confirms."""

    id: str
    raised_on: datetime
    suspects: int = Field(description="New ones since it was raised.")
    limit: int
    after_silence: bool = Field(description="Less was enough, since the app had not looked for a while.")
    sentence: str

    @classmethod
    def of(cls, hold: Hold) -> "HoldBody":
        return cls(
            id=hold.id,
            raised_on=hold.raised_on,
            suspects=hold.suspects,
            limit=hold.limit,
            after_silence=hold.after_silence,
            sentence=hold.sentence(),
        )


class ControlsBody(BaseModel):
    """What holds the app back."""

    pauses: list[WishBody]
    mutes: list[WishBody]
    hold: HoldBody | None


@blueprint.function_name("show_controls")
@blueprint.route("controls", methods=["GET"])
@answers
async def show_controls(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """Pauses and mutes in force, and the hold of a surge."""
    return answer(await _controls(await app().context()))


@blueprint.function_name("add_pause")
@blueprint.route("pauses", methods=["POST"])
@answers
async def add_pause(req: func.HttpRequest) -> func.HttpResponse:
    """Pauses everything, an environment, a provider, a customer or a subscription."""
    example = '{"scope": "everything", "by": "...", "reason": "...", "until": "2026-12-01T06:00:00Z"}'
    wanted = body_of(req, PauseRequest, example=example)
    ctx = await app().context()
    await pause(ctx, wanted.scope, wanted.target, by=wanted.by, reason=wanted.reason, until=wanted.until)
    return answer(await _controls(ctx), HTTPStatus.CREATED)


@blueprint.function_name("end_pause")
@blueprint.route("pauses/{pause_id}", methods=["DELETE"])
@answers
async def end_pause(req: func.HttpRequest) -> func.HttpResponse:
    """Takes one pause back; what is ready is asked again."""
    ctx = await app().context()
    await resume(ctx, unquote(str(req.route_params.get("pause_id", ""))), by="API key")
    return answer(await _controls(ctx))


@blueprint.function_name("add_mute")
@blueprint.route("mutes", methods=["POST"])
@answers
async def add_mute(req: func.HttpRequest) -> func.HttpResponse:
    """Leaves a subscription, customer, provider or cause be, for a while."""
    example = '{"scope": "customer", "target": "<id>", "by": "...", "reason": "...", "until": "2026-12-01T06:00:00Z"}'
    wanted = body_of(req, MuteRequest, example=example)
    ctx = await app().context()
    await mute(ctx, wanted.scope, wanted.target, by=wanted.by, reason=wanted.reason, until=wanted.until)
    return answer(await _controls(ctx), HTTPStatus.CREATED)


@blueprint.function_name("end_mute")
@blueprint.route("mutes/{mute_id}", methods=["DELETE"])
@answers
async def end_mute(req: func.HttpRequest) -> func.HttpResponse:
    """Takes one mute back."""
    ctx = await app().context()
    await unmute(ctx, unquote(str(req.route_params.get("mute_id", ""))), by="API key")
    return answer(await _controls(ctx))


@blueprint.function_name("confirm_hold")
@blueprint.route("holds/{hold_id}/confirmations", methods=["POST"])
@answers
async def confirm_hold(req: func.HttpRequest) -> func.HttpResponse:
    """Confirms the surge that was looked at; the next one raises a hold of its own."""
    wanted = body_of(req, ConfirmationRequest, example='{"by": "..."}')
    ctx = await app().context()
    await confirm_surge(ctx, unquote(str(req.route_params.get("hold_id", ""))), by=wanted.by)
    return answer(await _controls(ctx))


async def _controls(ctx: Context) -> ControlsBody:
    now = ctx.clock.now()
    hold = (await ctx.holds.read()).hold
    return ControlsBody(
        pauses=_in_force(await ctx.pauses.read(), now),
        mutes=_in_force(await ctx.mutes.read(), now),
        hold=HoldBody.of(hold) if hold is not None else None,
    )


def _in_force(wishes: Mapping[str, Wish], now: datetime) -> list[WishBody]:
    return [WishBody.of(id_, each) for id_, each in sorted(wishes.items()) if now < each.until]
