"""HTTP: webhooks. A flow subscribes to cases that need a person, and is called until it unsubscribes."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from shared.domain.case import State
from shared.domain.webhook import LONGEST_URL, MOST, PERSON_STATES, Webhook, id_of
from shared.entrypoints.bodies import By, Given, one_of
from shared.entrypoints.controls import Text
from shared.entrypoints.drop_downs import CAUSE, PROVIDER
from shared.entrypoints.exchange import Reply
from shared.entrypoints.problems import bad_field
from shared.entrypoints.queries import CauseName
from shared.entrypoints.route import Ask, Nothing, Taken
from shared.errors import NotPossible

PersonState = Annotated[
    State,
    AfterValidator(one_of(PERSON_STATES, "a state in which a case waits for a person")),
    WithJsonSchema({"type": "string", "enum": [*PERSON_STATES]}),
]


class SubscriptionRequest(Taken):
    """Where to call, and for which cases. What is left out means any."""

    callback_url: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_URL)] = Field(
        title="Callback URL",
        description="Where the app posts; flows fill it in by themselves. It is a secret and is never shown again.",
        json_schema_extra={"x-ms-notification-url": True, "x-ms-visibility": "internal"},
    )
    state: PersonState | None = Field(None, title="State", description=f"One of {', '.join(PERSON_STATES)}.")
    cause: CauseName | None = Field(None, title="Cause", description="Name of a cause.", json_schema_extra=CAUSE)
    provider: Text | None = Field(
        None, title="Provider", description="Name of a provider, as cases show it.", json_schema_extra=PROVIDER
    )
    by: By = None


class CallBody(Given):
    """What a flow is called with: one case that needs a person, as it is then."""

    key: str = Field(description="The same news has the same key, should it arrive twice.")
    kind: str = Field(
        description="What kind of news: the state of the case, or held_back, not_done, unsettled, parked."
    )
    case_id: str = Field(title="Case", description="Id of the case.")
    text: str = Field(description="What has happened, in one sentence for a billing administrator.")
    next_step: str = Field(description="What is to be done.")
    who: str = Field(description="Who can do it; empty where the diagnosis names nobody.")
    subscription_id: str = Field(description="Id of the Work 365 subscription.")
    subscription: str = Field(description="Name of the subscription.")
    customer: str = Field(description="Name of the customer.")
    provider: str = Field(description="Name of the provider.")
    cause: str = Field(description="Why it is stuck; empty while that is not known.")
    change_id: str = Field(title="License Change Log", description="Id of the change that is stuck; may be empty.")
    plan_digest: str = Field(description="What a yes is given to; empty where there is no plan.")


class WebhookBody(Given):
    """One webhook, without its address."""

    id: str = Field(description="Its id, for ending it.")
    host: str = Field(description="Host that is called.")
    state: str | None = Field(description="Only cases in this state; null for any.")
    cause: str | None = Field(description="Only cases with this cause; null for any.")
    provider: str | None = Field(description="Only cases at this provider; null for any.")
    by: str = Field(description="Who has subscribed.")
    since: datetime = Field(description="Since when.")
    failure: str = Field(description="Why the newest call came to nothing; empty when it arrived.")
    failed_on: datetime | None = Field(description="When that was; null when it arrived.")


class WebhooksBody(Given):
    """Every flow that has subscribed."""

    webhooks: list[WebhookBody] = Field(description="Webhooks, oldest first.")
    broken: list[str] = Field(description="Webhooks whose row makes no sense, with what is wrong: they are not called.")


class EndedBody(Given):
    """A webhook that is called no more."""

    id: str = Field(description="Its id.")


async def subscribe(ask: Ask[SubscriptionRequest, Nothing]) -> Reply:
    """Has an address called when a case needs a person."""
    ctx, wanted = await ask.context(), ask.body
    try:
        ctx.callbacks.check(wanted.callback_url)
    except ValueError as error:
        hint = "Flows give their own address. UNSTUCK_WEBHOOK_HOSTS names the hosts that may be called."
        raise bad_field("callback_url", f"callback_url: {error}.", hint) from None
    by = ask.caller.on_record(wanted.by)
    id_ = id_of(by, wanted.callback_url)
    there = (await ctx.webhooks.read()).webhooks
    if id_ not in there and len(there) >= MOST:
        raise NotPossible(f"there are {MOST} webhooks already: end one that is not needed any more")
    webhook = Webhook(
        id_, wanted.callback_url, by, ctx.clock.now(), state=wanted.state, cause=wanted.cause, provider=wanted.provider
    )
    await ctx.webhooks.put(webhook)
    headers = {"Location": f"{ask.base}/webhooks/{id_}"}
    return Reply(WebhookBody.model_validate(webhook), HTTPStatus.CREATED, headers)


async def list_webhooks(ask: Ask[Nothing, Nothing]) -> Reply:
    """Every flow that has subscribed."""
    read = await (await ask.context()).webhooks.read()
    oldest_first = sorted(read.webhooks.values(), key=lambda webhook: (webhook.since, webhook.id))
    webhooks = [WebhookBody.model_validate(webhook) for webhook in oldest_first]
    return Reply(WebhooksBody(webhooks=webhooks, broken=[*read.broken.values()]))


async def unsubscribe(ask: Ask[Nothing, Nothing]) -> Reply:
    """Ends a subscription, whoever has it. One that is gone already is no trouble: an answer may have been lost."""
    id_ = ask.path["webhook_id"]
    await (await ask.context()).webhooks.remove(id_)
    return Reply(EndedBody(id=id_))
