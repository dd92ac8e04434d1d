"""HTTP: what holds the app back. A person pauses it or mutes a part, lets it go on, or confirms a surge."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from shared.domain.pause import MUTABLE, PAUSABLE, Scope, Wish
from shared.entrypoints.bodies import By, Given, Sentence, one_of
from shared.entrypoints.drop_downs import TARGET
from shared.entrypoints.exchange import Reply
from shared.entrypoints.queries import Moment
from shared.entrypoints.route import Ask, Nothing, Taken
from shared.workflow.context import Context
from shared.workflow.pauses import LONGEST_TEXT, confirm_surge, mute, pause, resume, unmute

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT)]


def _one_of(scopes: Sequence[Scope], what: str) -> tuple[AfterValidator, WithJsonSchema]:
    return AfterValidator(one_of(scopes, what)), WithJsonSchema({"type": "string", "enum": [*scopes]})


class WishRequest(Taken):
    """What pauses and mutes have in common: why, until when, and who wants it."""

    reason: Text = Field(title="Reason", description="Why, for whoever finds nothing happening.")
    until: Moment = Field(
        title="Until", description="When it ends by itself, with a time zone.", examples=["2026-12-01T06:00:00Z"]
    )
    by: By = None


class PauseRequest(WishRequest):
    """Nothing is to be written to this until then. The very next effect is stopped."""

    scope: Annotated[Scope, *_one_of(PAUSABLE, "what can be paused")] = Field(
        title="Scope", description=f"One of {', '.join(PAUSABLE)}.", examples=["everything"]
    )
    target: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)] = Field(
        "", title="Target", description="Id of what is paused; empty for everything.", json_schema_extra=TARGET
    )


class MuteRequest(WishRequest):
    """Nothing is to be begun on this until then, and nobody told of it. It is diagnosed and listed as ever."""

    scope: Annotated[Scope, *_one_of(MUTABLE, "what can be muted")] = Field(
        title="Scope", description=f"One of {', '.join(MUTABLE)}.", examples=["customer"]
    )
    target: Text = Field(
        title="Target", description="Id of what is muted, or the name of a cause.", json_schema_extra=TARGET
    )


class ConfirmationRequest(Taken):
    """A person has looked at the surge: what is ready may be begun."""

    by: By = None


class WishBody(Given):
    """One pause or mute."""

    id: str = Field(description="Its id, for taking it back.")
    scope: Scope = Field(description="What kind of thing it is about.")
    target: str = Field(description="The id of that; empty for everything.")
    by: str = Field(description="Who wants it.")
    reason: str = Field(description="Why.")
    since: datetime = Field(description="When it was set.")
    until: datetime = Field(description="When it ends by itself.")

    @classmethod
    def of(cls, id_: str, wish: Wish) -> "WishBody":
        return cls(id=id_, **{name: getattr(wish, name) for name in cls.model_fields if name != "id"})


class HoldBody(Given):
    """Too many new suspects at once: nothing new is begun until a person confirms."""

    id: str = Field(description="Id of the hold, for confirming it.")
    raised_on: datetime = Field(description="When it was raised.")
    suspects: int = Field(description="New suspects since it was raised.")
    limit: int = Field(description="How many would have been let through.")
    after_silence: bool = Field(description="Less was enough, since the app had not looked for a while.")
    sentence: Sentence = Field(description="All of this in one sentence.")


class ControlsBody(Given):
    """What holds the app back."""

    pauses: list[WishBody] = Field(description="Pauses in force.")
    mutes: list[WishBody] = Field(description="Mutes in force.")
    hold: HoldBody | None = Field(description="The hold of a surge; null while there is none.")


async def get_controls(ask: Ask[Nothing, Nothing]) -> Reply:
    """Pauses and mutes in force, and the hold of a surge."""
    return Reply(await _controls(await ask.context()))


async def add_pause(ask: Ask[PauseRequest, Nothing]) -> Reply:
    """Pauses everything, an environment, a provider, a customer or a subscription."""
    wanted, by = ask.body, ask.caller.on_record(ask.body.by)
    ctx = await ask.context()
    await pause(ctx, wanted.scope, wanted.target, by=by, reason=wanted.reason, until=wanted.until)
    return Reply(await _controls(ctx), HTTPStatus.CREATED)


async def end_pause(ask: Ask[Nothing, Nothing]) -> Reply:
    """Takes one pause back; what is ready is asked again."""
    ctx = await ask.context()
    await resume(ctx, ask.path["pause_id"], by=ask.caller.identity)
    return Reply(await _controls(ctx))


async def add_mute(ask: Ask[MuteRequest, Nothing]) -> Reply:
    """Leaves a subscription, customer, provider or cause be, for a while."""
    wanted, by = ask.body, ask.caller.on_record(ask.body.by)
    ctx = await ask.context()
    await mute(ctx, wanted.scope, wanted.target, by=by, reason=wanted.reason, until=wanted.until)
    return Reply(await _controls(ctx), HTTPStatus.CREATED)


async def end_mute(ask: Ask[Nothing, Nothing]) -> Reply:
    """Takes one mute back."""
    ctx = await ask.context()
    await unmute(ctx, ask.path["mute_id"], by=ask.caller.identity)
    return Reply(await _controls(ctx))


async def confirm_hold(ask: Ask[ConfirmationRequest, Nothing]) -> Reply:
    """Confirms the surge that was looked at; the next one raises a hold of its own."""
    by = ask.caller.on_record(ask.body.by)
    ctx = await ask.context()
    await confirm_surge(ctx, ask.path["hold_id"], by=by)
    return Reply(await _controls(ctx))


async def _controls(ctx: Context) -> ControlsBody:
    now = ctx.clock.now()
    hold = (await ctx.holds.read()).hold
    return ControlsBody(
        pauses=_in_force(await ctx.pauses.read(), now),
        mutes=_in_force(await ctx.mutes.read(), now),
        hold=HoldBody.model_validate(hold) if hold is not None else None,
    )


def _in_force(wishes: Mapping[str, Wish], now: datetime) -> list[WishBody]:
    return [WishBody.of(id_, each) for id_, each in sorted(wishes.items()) if now < each.until]
