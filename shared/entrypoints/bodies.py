"""What the HTTP API takes and gives, as models with titles and descriptions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.domain.case import Case, Event, State, first_broken
from shared.domain.diagnosis import explain
from shared.domain.finding import Cost, Fact, Finding
from shared.domain.standing import Stock
from shared.ports import SweepReceipt


class Taken(BaseModel):
    """A body that comes in: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


type Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class DiagnosisRequest(Taken):
    """Which subscription to diagnose now: by its own id, or by one of its License Change Logs."""

    subscription_id: UUID | None = Field(None, title="Subscription", description="Id of a Work 365 subscription.")
    change_id: UUID | None = Field(None, title="License Change Log", description="Id of one of its changes.")
    by: Name | None = Field(None, title="By", description="Who asks, for the record: a key names nobody.")

    @model_validator(mode="after")
    def _one_of_them(self) -> "DiagnosisRequest":
        if (self.subscription_id is None) == (self.change_id is None):
            raise ValueError("give subscription_id or change_id, exactly one of them")
        return self


class RemediationRequest(Taken):
    """A yes to one plan: the digest that the case shows now."""

    plan_digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] = Field(
        title="Plan digest", description="`plan.digest` of the case: the yes is for exactly this plan."
    )
    by: Name | None = Field(None, title="By", description="Who says yes, for the record: a key names nobody.")


class FactBody(BaseModel):
    """One piece of evidence."""

    what: str
    value: str
    where: str
    read_on: datetime

    @classmethod
    def of(cls, fact: Fact) -> "FactBody":
        return cls(what=fact.what, value=fact.value, where=fact.where, read_on=fact.read_on)


class CostBody(BaseModel):
    """What waiting costs; null where it is not known, or costs none of this."""

    deadline: datetime | None
    deadline_is: str = Field(description="What happens at the deadline.")
    seats: Decimal | None
    amount: Decimal | None = Field(description="Of one billing period, in `currency`.")
    currency: str | None = Field(description="ISO 4217 code.")

    @classmethod
    def of(cls, cost: Cost) -> "CostBody":
        return cls(
            deadline=cost.deadline,
            deadline_is=cost.deadline_is,
            seats=cost.seats,
            amount=cost.amount,
            currency=cost.currency,
        )


class FindingBody(BaseModel):
    """A cause that holds, with its proof."""

    cause: str
    disposition: str
    confidence: str
    sentence: str
    next_step: str
    who: str
    cured: bool = Field(description="What was complained about has been mended; only the change is still stuck.")
    advice: bool = Field(description="Worth mending, but it holds nothing back.")
    until: datetime | None
    waits_for: str | None
    cost: CostBody | None
    proof: list[FactBody]
    against: list[FactBody]

    @classmethod
    def of(cls, finding: Finding) -> "FindingBody":
        return cls(
            cause=finding.cause,
            disposition=finding.disposition,
            confidence=finding.confidence,
            sentence=finding.sentence,
            next_step=finding.next_step,
            who=finding.who,
            cured=finding.cured,
            advice=finding.advice,
            until=finding.until,
            waits_for=finding.waits_for,
            cost=CostBody.of(finding.cost) if finding.cost is not None else None,
            proof=[FactBody.of(fact) for fact in finding.proof],
            against=[FactBody.of(fact) for fact in finding.against],
        )


class PlanBody(BaseModel):
    """The exact writes that a yes allows."""

    action: str
    change_id: str
    status_before: str
    steps: list[str]
    digest: str


class EventBody(BaseModel):
    """One thing that happened to the case. `hash` covers it and the event before it."""

    sequence: int
    on: datetime
    by: str
    kind: str
    text: str
    details: Mapping[str, Any]
    hash: str

    @classmethod
    def of(cls, event: Event) -> "EventBody":
        return cls(
            sequence=event.sequence,
            on=event.on,
            by=event.by,
            kind=event.kind,
            text=event.text,
            details=event.details,
            hash=event.hash,
        )


class CaseSummary(BaseModel):
    """A case as lists show it."""

    id: str
    subscription_id: str
    subscription_name: str
    customer_name: str
    provider_name: str
    state: State
    cause: str | None
    first_cause: str | None
    disposition: str | None
    change_id: str | None
    summary: str
    next_step: str
    held_back: str
    opened_on: datetime
    due_on: datetime | None
    resolved_on: datetime | None
    attempts: int
    stock: Stock = Field(description="Whether it was stuck before the app first looked, and what was decided on it.")
    muted: str = Field(description="Who wants it left alone, and why; empty when nobody does.")
    muted_until: datetime | None

    @classmethod
    def of(cls, case: Case) -> "CaseSummary":
        return cls(**_summary(case))


class CaseBody(CaseSummary):
    """A case with its evidence, reasoning, plan and timeline."""

    findings: list[FindingBody]
    reasoning: list[str]
    plan: PlanBody | None
    timeline: list[EventBody]
    first_broken_event: int | None = Field(
        description="Sequence number of the first event that is missing or was altered; null when the record is whole."
    )

    @classmethod
    def whole(cls, case: Case, timeline: Sequence[Event]) -> "CaseBody":
        diagnosis, plan = case.diagnosis, case.plan
        return cls(
            **_summary(case),
            findings=[FindingBody.of(f) for f in diagnosis.findings] if diagnosis else [],
            reasoning=explain(diagnosis) if diagnosis else [],
            plan=PlanBody(
                action=plan.action,
                change_id=plan.change_id,
                status_before=plan.status_before or "",
                steps=[*plan.steps],
                digest=plan.digest,
            )
            if plan
            else None,
            timeline=[EventBody.of(event) for event in timeline],
            # What was added while the two were read is not missing from the case, it is only newer.
            first_broken_event=first_broken(timeline[: case.last_sequence], case),
        )


def _summary(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "subscription_id": case.subscription_id,
        "subscription_name": case.subscription_name,
        "customer_name": case.customer_name,
        "provider_name": case.provider_name,
        "state": case.state,
        "cause": case.cause,
        "first_cause": case.first_cause,
        "disposition": case.disposition,
        "change_id": case.change_id,
        "summary": case.summary,
        "next_step": case.next_step,
        "held_back": case.held_back,
        "opened_on": case.opened_on,
        "due_on": case.due_on,
        "resolved_on": case.resolved_on,
        "attempts": len(case.attempts),
        "stock": case.stock,
        "muted": case.muted,
        "muted_until": case.muted_until,
    }


class CasePage(BaseModel):
    """One page of cases, oldest first."""

    cases: list[CaseSummary]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last one.")


class DiagnosisBody(BaseModel):
    """What a diagnosis found: the subscription's case, or none when nothing is stuck."""

    subscription_id: str
    stuck: bool
    case: CaseBody | None


class SweepBody(BaseModel):
    """What a sweep read."""

    id: str
    started_on: datetime
    finished_on: datetime
    complete: bool
    suspects: int
    queued: int
    left_alone: int
    problem: str

    @classmethod
    def of(cls, receipt: SweepReceipt) -> "SweepBody":
        return cls(
            id=receipt.id,
            started_on=receipt.started_on,
            finished_on=receipt.finished_on,
            complete=receipt.complete,
            suspects=receipt.suspects,
            queued=receipt.queued,
            left_alone=receipt.left_alone,
            problem=receipt.problem,
        )


class HealthBody(BaseModel):
    """Whether the app can do its work, and what is in its way."""

    status: str = Field(description="`ok`, `not_configured` or `degraded`.")
    mode: str | None
    problems: list[str]
    last_sweep: SweepBody | None
