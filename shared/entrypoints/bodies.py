"""What the HTTP API says of cases: models whose fields say what they are, in words and with examples.

Fields that carry a name of the domain are taken over as they are (`from_attributes`).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from shared.domain.amendment import Done
from shared.domain.case import Case, Event, State, first_broken
from shared.domain.diagnosis import explain
from shared.domain.finding import Confidence, Disposition
from shared.domain.person import LONGEST_NAME
from shared.domain.standing import Stock
from shared.entrypoints.drop_downs import CAUSE, STATE
from shared.entrypoints.route import Taken

EXAMPLE_ID = "11111111-2222-4333-8444-555555555555"


class Given(BaseModel):
    """What goes out, made from what the domain has."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)]

By = Annotated[
    Name | None,
    Field(
        title="By",
        description="Who asks, for the record. Only with a function key, which names nobody: who signed in is known.",
        json_schema_extra={"x-ms-visibility": "advanced"},
    ),
]


def _length(value: object) -> object:
    return len(value) if isinstance(value, tuple) else value


def _asked(value: object) -> object:
    """What a method of the domain says."""
    return value() if callable(value) else value


Count = Annotated[int, BeforeValidator(_length)]
Sentence = Annotated[str, BeforeValidator(_asked)]


class DiagnosisRequest(Taken):
    """Which subscription to diagnose now: by its own id, or by one of its License Change Logs."""

    subscription_id: UUID | None = Field(
        None, title="Subscription", description="Id of a Work 365 subscription.", examples=[EXAMPLE_ID]
    )
    change_id: UUID | None = Field(
        None, title="License Change Log", description="Id of one of its changes.", examples=[EXAMPLE_ID]
    )
    by: By = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "DiagnosisRequest":
        if (self.subscription_id is None) == (self.change_id is None):
            raise ValueError("give subscription_id or change_id, exactly one of them")
        return self


class RemediationRequest(Taken):
    """A yes to one plan: the digest that the case shows now."""

    plan_digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] = Field(
        title="Plan digest",
        description="`plan.digest` of the case: the yes is for exactly this plan.",
        examples=["0123456789abcdef0123456789abcdef"],
    )
    by: By = None


class FactBody(Given):
    """One piece of evidence."""

    what: str = Field(description="What was looked at.", examples=["Provisioning Status"])
    value: str = Field(description="What it showed.", examples=["awaiting_provisioning"])
    where: str = Field(description="Where it was read: kind of row and id.")
    read_on: datetime = Field(description="When it was read.")


class CostBody(Given):
    """What waiting costs; null where it is not known, or costs none of this."""

    deadline: datetime | None = Field(description="The next moment at which waiting costs something.")
    deadline_is: str = Field(description="What happens at the deadline.")
    seats: Decimal | None = Field(description="Seats that the stuck change is about.")
    amount: Decimal | None = Field(description="Of one billing period, in `currency`.")
    currency: str | None = Field(description="ISO 4217 code.", examples=["EUR"])


class FindingBody(Given):
    """A cause that holds, with its proof."""

    cause: str = Field(description="Name of the cause; docs/causes has a page for each.", examples=["trigger_missed"])
    disposition: Disposition = Field(description="Who moves next because of it.")
    confidence: Confidence = Field(description="How sure it is.")
    sentence: str = Field(description="For an administrator, to be shown as it is.")
    next_step: str = Field(description="What is done about it next.")
    who: str = Field(description="Who does that.")
    cured: bool = Field(description="What was complained about has been mended; only the change is still stuck.")
    advice: bool = Field(description="Worth mending, but it holds nothing back.")
    until: datetime | None = Field(description="When waiting ends by itself; null when that is not known.")
    waits_for: str | None = Field(description="Id of the subscription whose case goes first.")
    cost: CostBody | None = Field(description="What waiting costs.")
    proof: list[FactBody] = Field(description="The evidence for it.")
    against: list[FactBody] = Field(description="The evidence that speaks against it.")


class ColumnBody(Given):
    """A column that is set."""

    name: str = Field(description="Which one.", examples=["provisioning_status"])
    before: str | None = Field(description="What stands in it before; null: nothing.")
    after: str | None = Field(description="What it is set to; null: it is emptied.")


class AmendmentBody(Given):
    """One save of one row."""

    table: str = Field(description="`license_change_log` or `subscription`.")
    row_id: str = Field(description="Id of the row.")
    columns: list[ColumnBody] = Field(description="What is set, all of it in one request.")


class PlanBody(Given):
    """The exact writes that a yes allows."""

    action: str = Field(description="What is done: a name that ListActions gives.", examples=["retrigger"])
    sentence: Sentence = Field(description="The writes in words.")
    change_id: str = Field(description="The License Change Log that it is about; empty where it is about none.")
    status_before: str | None = Field(description="Its Provisioning Status now.")
    steps: list[str] = Field(description="The Provisioning Statuses that it is given by a retrigger, in order.")
    amendment: AmendmentBody | None = Field(description="What any other action saves; null where it saves no row.")
    then: str = Field(description="Digest of the retrigger that the same yes covers afterwards; empty without one.")
    reason: str = Field(description="Why whoever asked for it wants it; empty where nobody asked.")
    digest: str = Field(description="Stands for exactly this plan: a yes names it.")


class AskedBody(Given):
    """An action that somebody wants, beyond what the diagnosis offers."""

    action: str = Field(description="Its name.")
    by: str = Field(description="Who asked for it.")
    reason: str = Field(description="Why.")
    on: datetime = Field(description="When.")
    values: Annotated[Mapping[str, str], BeforeValidator(dict)] = Field(description="What was told with it, by name.")


class DoneBody(Given):
    """An action that was done. Retriggers are in the timeline alone."""

    number: int = Field(description="Its number within the case, from 1 on: the action `undo` wants it.")
    action: str = Field(description="Its name.")
    change_id: str = Field(description="The License Change Log that it was about; empty where it was about none.")
    on: datetime = Field(description="When.")
    by: str = Field(description="Who asked for it, or said yes to it.")
    reason: str = Field(description="Why; empty where nobody said.")
    amendment: AmendmentBody | None = Field(description="What was saved, with what stood there before.")
    undone_on: datetime | None = Field(description="When it was taken back; null while it stands.")

    @classmethod
    def of(cls, number: int, done: Done) -> "DoneBody":
        return cls(number=number, **{name: getattr(done, name) for name in cls.model_fields if name != "number"})


class EventBody(Given):
    """One thing that happened to the case. `hash` covers it and the event before it."""

    sequence: int = Field(description="Its number, from 1 on.")
    on: datetime = Field(description="When.")
    by: str = Field(description="Who: `unstuck` for the app, a person with their object id, or an API key.")
    kind: str = Field(description="What kind of thing, as one word.", examples=["diagnosed_waiting"])
    text: str = Field(description="What happened, in words.")
    details: Mapping[str, Any] = Field(description="What belongs to it, by kind.")
    hash: str = Field(description="SHA-256 over this event and the hash of the one before.")


class CaseSummary(Given):
    """A case as lists show it."""

    id: str = Field(description="`<subscription id>-<number>`.", examples=[f"{EXAMPLE_ID}-1"])
    subscription_id: str = Field(description="Id of the Work 365 subscription.")
    subscription_name: str = Field(description="Its name.")
    customer_name: str = Field(description="Name of the customer account.")
    provider_name: str = Field(description="Name of the provider.")
    state: State = Field(description="Where the case stands.", json_schema_extra=STATE)
    cause: str | None = Field(description="The cause that is to be solved first.", json_schema_extra=CAUSE)
    first_cause: str | None = Field(description="The cause that was found when the case was opened.")
    disposition: str | None = Field(description="Who moves next: wait, auto, approve or person.")
    change_id: str | None = Field(description="The License Change Log it is about.")
    summary: str = Field(description="One sentence for a billing administrator.")
    next_step: str = Field(description="What is done next.")
    held_back: str = Field(description="Why a case that is ready is not acted on; empty otherwise.")
    opened_on: datetime = Field(description="When it was found.")
    due_on: datetime | None = Field(description="When it is looked at again; null once resolved.")
    resolved_on: datetime | None = Field(description="When it was resolved.")
    attempts: Count = Field(description="How often it was retriggered.")
    stock: Stock = Field(
        description="What was decided on it if it was stuck before the app first looked; `none` if not."
    )
    muted: str = Field(description="Who wants it left alone, and why; empty when nobody does.")
    muted_until: datetime | None = Field(description="Until when.")
    assignee: str = Field(description="Who looks after it; empty while nobody does.")
    ticket: str = Field(description="The support ticket it is handled in; empty without one.")
    ticket_url: str = Field(description="Address of that ticket.")


class TimelineBody(Given):
    """What has happened to a case."""

    timeline: list[EventBody] = Field(description="Everything that has happened, oldest first.")
    first_broken_event: int | None = Field(
        description="Sequence number of the first event that is missing or was altered; null when the record is whole."
    )

    @classmethod
    def whole(cls, case: Case, timeline: Sequence[Event]) -> "TimelineBody":
        return cls(
            timeline=[EventBody.model_validate(event) for event in timeline],
            # What was added while the two were read is not missing from the case, it is only newer.
            first_broken_event=first_broken(timeline[: case.last_sequence], case),
        )


class CaseBody(CaseSummary, TimelineBody):
    """A case with its evidence, reasoning, plan and timeline."""

    findings: list[FindingBody] = Field(description="What holds, in the order in which it must be solved.")
    reasoning: list[str] = Field(description="What was ruled out and why, then what remains.")
    plan: PlanBody | None = Field(
        description="What a yes would allow; null where nothing that the app does would help."
    )
    asked: AskedBody | None = Field(description="What somebody has asked for; null when nobody has.")
    done: list[DoneBody] = Field(description="What was done beyond retriggers, oldest first.")

    @classmethod
    def of(cls, case: Case, timeline: Sequence[Event]) -> "CaseBody":
        diagnosis, plan = case.diagnosis, case.plan
        return cls(
            **CaseSummary.model_validate(case).model_dump(),
            findings=[FindingBody.model_validate(f) for f in diagnosis.findings] if diagnosis else [],
            reasoning=explain(diagnosis) if diagnosis else [],
            plan=PlanBody.model_validate(plan) if plan else None,
            asked=AskedBody.model_validate(case.asked) if case.asked else None,
            done=[DoneBody.of(number, each) for number, each in enumerate(case.done, start=1)],
            **TimelineBody.whole(case, timeline).model_dump(),
        )


class RuledOutBody(Given):
    """A cause that does not hold."""

    cause: str = Field(description="Name of the cause.")
    reason: str = Field(description="Why it does not hold.")


class EvidenceBody(Given):
    """What a case's diagnosis rests on."""

    case_id: str = Field(description="Id of the case.")
    rule_version: str | None = Field(description="Version of the rules that judged; null while not diagnosed.")
    findings: list[FindingBody] = Field(description="What holds, each with the facts for and against it.")
    ruled_out: list[RuledOutBody] = Field(description="What was looked for and does not hold.")


class PlanPreview(Given):
    """What a yes would do now, and whether this caller may give it."""

    case_id: str = Field(description="Id of the case.")
    plan: PlanBody | None = Field(description="The exact writes; null where nothing that the app does would help.")
    possible: bool = Field(description="Whether a yes of yours would be taken now.")
    reason: str = Field(description="Why not; empty when it is possible.")
    approved_by: str = Field(description="Who has said yes to this plan already; empty while nobody has.")


class CasePage(Given):
    """One page of cases, oldest first."""

    cases: list[CaseSummary] = Field(description="The cases of this page.")
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last one.")


class ApprovalBody(CaseSummary):
    """A case that waits for a yes, with the plan that the yes would be for."""

    plan: PlanBody | None = Field(description="What a yes would allow.")


class ApprovalPage(Given):
    """One page of cases that wait for a yes, oldest first."""

    approvals: list[ApprovalBody] = Field(description="What waits for a yes.")
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last one.")


class DiagnosisBody(Given):
    """What a diagnosis found: the subscription's case, or none when nothing is stuck."""

    subscription_id: str = Field(description="Id of the subscription.")
    stuck: bool = Field(description="Whether anything of it is stuck.")
    case: CaseBody | None = Field(description="Its case; null when nothing is stuck.")


def one_of[T](names: Sequence[T], what: str) -> Callable[[T], T]:
    """A validator for texts of a list that is not an enumeration."""

    def check(name: T) -> T:
        if name not in names:
            raise ValueError(f"is not {what}; there are {', '.join(map(str, names))}")
        return name

    return check
