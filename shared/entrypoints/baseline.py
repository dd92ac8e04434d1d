"""HTTP: the stock, which is what was stuck already when the app first looked. A person adopts or dismisses it."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from shared.domain.case import subscription_of
from shared.entrypoints.bodies import By, Given
from shared.entrypoints.controls import Text
from shared.entrypoints.drop_downs import CAUSE, PROVIDER
from shared.entrypoints.exchange import Reply
from shared.entrypoints.queries import CauseName, Moment
from shared.entrypoints.route import Ask, Nothing, Taken
from shared.workflow.baseline import AT_ONCE, Decision, StockFilter, decide_stock, stock


def _case_id(text: str) -> str:
    subscription_of(text)
    return text


CaseId = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=100), AfterValidator(_case_id)
]


class FilterRequest(Taken):
    """Which held cases are meant. What is left out means any; without all of them the whole stock is meant."""

    cause: CauseName | None = Field(None, title="Cause", description="Name of a cause.", json_schema_extra=CAUSE)
    provider: Text | None = Field(
        None, title="Provider", description="Name of a provider, as cases show it.", json_schema_extra=PROVIDER
    )
    customer: Text | None = Field(None, title="Customer", description="Name of a customer, as cases show it.")
    created_before: Moment | None = Field(
        None,
        title="Created before",
        description="Their change was created before this, with a time zone.",
        examples=["2026-01-01T00:00:00Z"],
    )
    case_ids: tuple[CaseId, ...] = Field((), title="Cases", description="Ids of cases.", max_length=AT_ONCE)


class DecisionRequest(Taken):
    """Adopts or dismisses what is meant, oldest first."""

    decision: Decision = Field(title="Decision", description="adopt or dismiss.")
    filter: FilterRequest = Field(title="Filter", description="Which cases; {} means the whole stock.")
    reason: Text = Field(title="Reason", description="Why, for whoever reads it later.", examples=["Old tests."])
    limit: int = Field(AT_ONCE, title="Limit", description="Cases that are decided on at most.", ge=1, le=AT_ONCE)
    by: By = None

    @property
    def wanted(self) -> StockFilter:
        given = self.filter
        return StockFilter(given.cause, given.provider, given.customer, given.created_before, given.case_ids)


def _most_common(counted: Counter[str]) -> dict[str, int]:
    return dict(counted.most_common())


class CountedBody(Given):
    """Cases of one kind."""

    count: int = Field(description="How many.")
    by_cause: Annotated[Mapping[str, int], BeforeValidator(_most_common)] = Field(description="How many of each cause.")
    oldest: datetime | None = Field(description="When the oldest of their changes was created.")
    more: bool = Field(description="There are more than were counted.")


class BaselineBody(Given):
    """The stock as it is now."""

    taken_on: datetime | None = Field(description="The first complete sweep; null before it: nothing is begun then.")
    told: bool = Field(description="People have been told of it.")
    held: CountedBody = Field(description="Those that nobody has decided on: nothing is begun on them.")
    adopted: CountedBody = Field(description="Those that are worked on like any other.")
    dismissed: CountedBody = Field(description="Those that are left as they are, for good.")


class DecidedBody(Given):
    """What became of one decision."""

    decided: int = Field(description="How many were adopted or dismissed.")
    skipped: Mapping[str, str] = Field(description="Why these were left as they are, by case id.")
    remaining: int = Field(description="Cases that are meant and were not reached: ask again.")
    more: bool = Field(description="There are more remaining than were counted.")


async def get_baseline(ask: Ask[Nothing, Nothing]) -> Reply:
    """When the stock was taken, and how much of it is held, adopted and dismissed."""
    return Reply(BaselineBody.model_validate(await stock(await ask.context())))


async def decide(ask: Ask[DecisionRequest, Nothing]) -> Reply:
    """Adopts or dismisses held cases."""
    wanted, by = ask.body, ask.caller.on_record(ask.body.by)
    ctx = await ask.context()
    made = await decide_stock(ctx, wanted.decision, wanted.wanted, by=by, reason=wanted.reason, limit=wanted.limit)
    return Reply(DecidedBody.model_validate(made))
