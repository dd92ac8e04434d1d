"""HTTP: what is stuck and for how long, the values of a flow's drop-downs, and whether a provider answers."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import Field

from shared.domain.case import State
from shared.domain.causes import CAUSES
from shared.domain.pause import Scope
from shared.entrypoints.bodies import EXAMPLE_ID, Given
from shared.entrypoints.exchange import Reply
from shared.entrypoints.route import Ask, Nothing, Taken
from shared.ports import Aging

OLDEST = 20
"""Cases that a summary names."""

MOST_TARGETS = 500
"""Subscriptions in a drop-down, those that have waited longest first."""

DAY = timedelta(days=1)


class AgeBody(Given):
    """How long cases of one kind have been stuck."""

    name: str = Field(description="The cause, provider or assignee; empty where there is none.")
    cases: int = Field(description="How many are open.")
    oldest_opened_on: datetime = Field(description="When the oldest was found.")
    over_a_day: int = Field(description="Those found more than a day ago.")
    over_a_week: int = Field(description="Those found more than seven days ago.")
    over_a_month: int = Field(description="Those found more than thirty days ago.")


class OldBody(Given):
    """One of the oldest cases."""

    id: str = Field(description="Id of the case.")
    state: State = Field(description="Where it stands.")
    cause: str = Field(description="Its cause.")
    provider: str = Field(description="Name of its provider.")
    customer: str = Field(description="Name of its customer.")
    assignee: str = Field(description="Who looks after it; empty while nobody does.")
    opened_on: datetime = Field(description="When it was found.")
    days: float = Field(description="How long ago that is, in days.")


class TargetsQuery(Taken):
    """Which kind of thing."""

    scope: Scope = Field(title="Scope", description="What is to be paused or muted.", examples=["environment"])


class SummaryBody(Given):
    """What is open, by age: the oldest first."""

    as_of: datetime = Field(description="When it was counted.")
    cases: int = Field(description="How many cases are open.")
    by_cause: list[AgeBody] = Field(description="By cause.")
    by_provider: list[AgeBody] = Field(description="By provider.")
    by_assignee: list[AgeBody] = Field(description="By whoever looks after them.")
    by_state: list[AgeBody] = Field(description="By state.")
    oldest: list[OldBody] = Field(description=f"The {OLDEST} oldest.")


class ValueBody(Given):
    """One value of a drop-down."""

    value: str = Field(description="What is sent.")
    title: str = Field(description="What people see.")


class ValuesBody(Given):
    """The values of a drop-down."""

    values: list[ValueBody] = Field(description="The values, in the order in which they are shown.")


class ProviderCheckRequest(Taken):
    """Whose account at the provider to look at."""

    tenant_id: UUID = Field(
        title="Tenant", description="Tenant of a customer, as the provider account has it.", examples=[EXAMPLE_ID]
    )


class ProviderCheckBody(Given):
    """What the provider said, just now. Nothing is written anywhere."""

    tenant_id: str = Field(description="The tenant that was asked for.")
    read_on: datetime = Field(description="When it was asked.")
    readable: bool = Field(description="Whether it answered.")
    problem: str = Field(description="Why not; empty when it did.")
    passes_by_itself: bool = Field(description="Whether that problem passes by itself: ask again later.")
    relationship: bool | None = Field(description="Whether it knows the tenant as our customer; null: not known.")
    subscriptions: int = Field(description="How many subscriptions it shows.")


async def get_summary(ask: Ask[Nothing, Nothing]) -> Reply:
    """Ages of what is open."""
    ctx = await ask.context()
    cases, now = await ctx.store.aging(), ctx.clock.now()
    return Reply(summary(cases, now))


def summary(cases: Sequence[Aging], now: datetime) -> SummaryBody:
    """The ages of cases, which come oldest first. Pure."""
    return SummaryBody(
        as_of=now,
        cases=len(cases),
        by_cause=_ages(cases, lambda case: case.cause, now),
        by_provider=_ages(cases, lambda case: case.provider, now),
        by_assignee=_ages(cases, lambda case: case.assignee, now),
        by_state=_ages(cases, lambda case: case.state, now),
        oldest=[_old(case, now) for case in cases[:OLDEST]],
    )


def _ages(cases: Iterable[Aging], kind: Callable[[Aging], str], now: datetime) -> list[AgeBody]:
    """The kind with the oldest case first."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for case in cases:
        found[kind(case)].append(case.opened_on)
    ages = [
        AgeBody(
            name=name,
            cases=len(opened),
            oldest_opened_on=min(opened),
            over_a_day=_over(opened, now, DAY),
            over_a_week=_over(opened, now, 7 * DAY),
            over_a_month=_over(opened, now, 30 * DAY),
        )
        for name, opened in found.items()
    ]
    return sorted(ages, key=lambda age: (age.oldest_opened_on, age.name))


def _over(opened: Iterable[datetime], now: datetime, age: timedelta) -> int:
    return sum(now - each > age for each in opened)


def _old(case: Aging, now: datetime) -> OldBody:
    return OldBody(
        id=f"{case.subscription_id}-{case.number}",
        state=case.state,
        cause=case.cause,
        provider=case.provider,
        customer=case.customer,
        assignee=case.assignee,
        opened_on=case.opened_on,
        days=round((now - case.opened_on) / DAY, 2),
    )


async def list_causes(ask: Ask[Nothing, Nothing]) -> Reply:  # noqa: ARG001
    """Every cause."""
    return Reply(_values(CAUSES))


async def list_states(ask: Ask[Nothing, Nothing]) -> Reply:  # noqa: ARG001
    """Every state."""
    return Reply(_values(State))


async def list_providers(ask: Ask[Nothing, Nothing]) -> Reply:
    """The providers of open cases."""
    ctx = await ask.context()
    names = sorted({case.provider for case in await ctx.store.aging() if case.provider}, key=str.casefold)
    return Reply(ValuesBody(values=[ValueBody(value=name, title=name) for name in names]))


async def list_targets(ask: Ask[Nothing, TargetsQuery]) -> Reply:
    """What a pause or mute of this scope can be about. Of a provider or customer only Dataverse has the id."""
    settings, found = ask.services.settings, list[ValueBody]()
    match ask.query.scope:
        case Scope.ENVIRONMENT:
            found = [ValueBody(value=settings.DATAVERSE_ORGANIZATION_ID, title=settings.DATAVERSE_URL)]
        case Scope.CAUSE:
            return Reply(_values(CAUSES))
        case Scope.SUBSCRIPTION:
            oldest_first = (await (await ask.context()).store.aging())[:MOST_TARGETS]
            found = [ValueBody(value=c.subscription_id, title=f"{c.customer}: {c.cause}") for c in oldest_first]
    return Reply(ValuesBody(values=found))


def _values(names: Iterable[str]) -> ValuesBody:
    return ValuesBody(values=[ValueBody(value=n, title=n.replace("_", " ").capitalize()) for n in names])


async def check_provider(ask: Ask[ProviderCheckRequest, Nothing]) -> Reply:
    """Asks the provider what it shows for one customer."""
    tenant = str(ask.body.tenant_id)
    reading = (await (await ask.context()).provider.read([tenant]))[tenant]
    body = ProviderCheckBody(
        tenant_id=tenant,
        read_on=reading.read_on,
        readable=reading.readable,
        problem=reading.problem or "",
        passes_by_itself=reading.transient,
        relationship=reading.relationship,
        subscriptions=len(reading.subscriptions),
    )
    return Reply(body)
