"""HTTP: the stock, which is what was stuck already when the app first looked. A person adopts or dismisses it."""

from datetime import datetime
from typing import Annotated

import azure.functions as func
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, field_validator

from shared.bootstrap import app
from shared.domain.case import subscription_of
from shared.domain.causes import CAUSES
from shared.entrypoints.bodies import Taken
from shared.entrypoints.controls import Text
from shared.entrypoints.exchange import answer, body_of
from shared.entrypoints.problems import answers
from shared.workflow.baseline import AT_ONCE, Counted, Decided, Decision, StockFilter, StockShown, decide_stock, stock

blueprint = func.Blueprint()

CaseId = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=100)]


class FilterRequest(Taken):
    """Which held cases are meant. What is left out means any; without all of them the whole stock is meant."""

    cause: str | None = Field(None, title="Cause", description="Name of a cause.")
    provider: Text | None = Field(None, title="Provider", description="Name of a provider, as cases show it.")
    customer: Text | None = Field(None, title="Customer", description="Name of a customer, as cases show it.")
    created_before: AwareDatetime | None = Field(
        None, title="Created before", description="Their change was created before this, with a time zone."
    )
    case_ids: tuple[CaseId, ...] = Field((), title="Cases", description="Ids of cases.", max_length=AT_ONCE)

    @field_validator("cause")
    @classmethod
    def _known(cls, cause: str | None) -> str | None:
        if cause is not None and cause not in CAUSES:
            raise ValueError(f"should be one of {', '.join(CAUSES)}")
        return cause

    @field_validator("case_ids")
    @classmethod
    def _are_ids(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        for each in ids:
            subscription_of(each)
        return ids


class DecisionRequest(Taken):
    """Adopts or dismisses what is meant, oldest first."""

    decision: Decision = Field(title="Decision", description="adopt or dismiss.")
    filter: FilterRequest = Field(title="Filter", description="Which cases; {} means the whole stock.")
    by: Text = Field(title="By", description="Who decides, for the record.")
    reason: Text = Field(title="Reason", description="Why, for whoever reads it later.")
    limit: int = Field(AT_ONCE, title="Limit", description="Cases that are decided on at most.", ge=1, le=AT_ONCE)

    @property
    def wanted(self) -> StockFilter:
        given = self.filter
        return StockFilter(given.cause, given.provider, given.customer, given.created_before, given.case_ids)


class CountedBody(BaseModel):
    """Cases of one kind."""

    count: int
    by_cause: dict[str, int]
    oldest: datetime | None = Field(description="When the oldest of their changes was created.")
    more: bool = Field(description="There are more than were counted.")

    @classmethod
    def of(cls, counted: Counted) -> "CountedBody":
        by_cause = dict(counted.by_cause.most_common())
        return cls(count=counted.count, by_cause=by_cause, oldest=counted.oldest, more=counted.more)


class BaselineBody(BaseModel):
    """The stock as it is now."""

    taken_on: datetime | None = Field(description="The first complete sweep; null before it: nothing is begun then.")
    told: bool = Field(description="People have been told of it.")
    held: CountedBody
    adopted: CountedBody
    dismissed: CountedBody

    @classmethod
    def of(cls, shown: StockShown) -> "BaselineBody":
        return cls(
            taken_on=shown.taken_on,
            told=shown.told,
            held=CountedBody.of(shown.held),
            adopted=CountedBody.of(shown.adopted),
            dismissed=CountedBody.of(shown.dismissed),
        )


class DecidedBody(BaseModel):
    """What became of one decision."""

    decided: int
    skipped: dict[str, str] = Field(description="Why these were left as they are, by case id.")
    remaining: int = Field(description="Cases that are meant and were not reached: ask again.")
    more: bool = Field(description="There are more remaining than were counted.")

    @classmethod
    def of(cls, made: Decided) -> "DecidedBody":
        return cls(decided=made.decided, skipped=dict(made.skipped), remaining=made.remaining, more=made.more)


@blueprint.function_name("show_baseline")
@blueprint.route("baseline", methods=["GET"])
@answers
async def show_baseline(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """When the stock was taken, and how much of it is held, adopted and dismissed."""
    return answer(BaselineBody.of(await stock(await app().context())))


@blueprint.function_name("decide_baseline")
@blueprint.route("baseline/decisions", methods=["POST"])
@answers
async def decide_baseline(req: func.HttpRequest) -> func.HttpResponse:
    """Adopts or dismisses held cases."""
    example = '{"decision": "adopt", "filter": {"cause": "trigger_missed"}, "by": "...", "reason": "..."}'
    asked = body_of(req, DecisionRequest, example=example)
    ctx = await app().context()
    made = await decide_stock(ctx, asked.decision, asked.wanted, by=asked.by, reason=asked.reason, limit=asked.limit)
    return answer(DecidedBody.of(made))
