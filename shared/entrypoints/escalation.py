"""HTTP: everything that whoever a case is escalated to asks for first, in one document."""

from datetime import date, datetime
from decimal import Decimal

from pydantic import Field

from shared.domain.case import Case
from shared.domain.evidence import Evidence
from shared.entrypoints.bodies import FactBody, Given, RuledOutBody
from shared.entrypoints.exchange import Reply
from shared.entrypoints.found import case_asked_for, etag_of
from shared.entrypoints.route import Ask, Nothing


class ChangeState(Given):
    """A License Change Log as it stands now."""

    id: str = Field(description="Its id.")
    name: str = Field(description="Its name.")
    change_type: str | None = Field(description="Create, update, and so on.")
    quantity: Decimal | None = Field(description="Seats, as a difference.")
    status: str | None = Field(description="Its Provisioning Status.")
    effective_date: date | None = Field(description="When it takes effect.")
    created_on: datetime | None = Field(description="When it was made.")
    archived: bool = Field(description="Whether it has been invoiced.")
    message: str = Field(description="Its whole Provisioning Message.")


class ScheduledState(Given):
    """A Scheduled License Change Log as it stands now."""

    id: str = Field(description="Its id.")
    name: str = Field(description="Its name.")
    status: str = Field(description="pending or merge_failed.")
    effective_date: date | None = Field(description="When it is merged.")


class JobState(Given):
    """A Work 365 Job."""

    id: str = Field(description="Its id.")
    change_id: str = Field(description="The License Change Log it is for; empty for a scheduled one.")
    status: str | None = Field(description="Its status.")
    modified_on: datetime | None = Field(description="When it last moved.")
    results: str = Field(description="What it says, whole.")


class AttemptBody(Given):
    """One retrigger of ours."""

    change_id: str = Field(description="The License Change Log.")
    on: datetime = Field(description="When.")
    by: str = Field(description="Who had it done.")
    message_before: str = Field(description="What the change said before.")
    refused: str = Field(description="Why Dataverse refused it; empty when it did not.")


class EscalationBody(Given):
    """The article's list of what to include, and what we know besides."""

    case_id: str = Field(description="Id of the case.")
    subscription_id: str = Field(description="Id of the subscription.")
    subscription_name: str = Field(description="Its name.")
    change_id: str | None = Field(description="The License Change Log that is stuck.")
    customer: str = Field(description="Name of the customer account.")
    customer_id: str | None = Field(description="Its id.")
    provider: str = Field(description="Name of the provider.")
    provider_id: str | None = Field(description="Id of its row.")
    provider_account_id: str | None = Field(description="Id of the customer's provider account.")
    tenant_id: str | None = Field(description="Tenant of that account.")
    provisioning_message: str = Field(description="The whole message of the stuck change.")
    jobs: list[JobState] = Field(description="The subscription's jobs, with their whole results.")
    attempts: list[AttemptBody] = Field(description="Every retrigger of ours, with its time.")
    connectivity: str | None = Field(description="Result of the last Verify Connectivity: verified or failed.")
    connectivity_on: datetime | None = Field(description="When connectivity was last verified.")
    consent_on: datetime | None = Field(description="When consent was last given.")
    add_on_of: str | None = Field(description="Id of the parent subscription; null when it is no add-on.")
    changes: list[ChangeState] = Field(description="All its changes, oldest first.")
    scheduled_changes: list[ScheduledState] = Field(description="All its scheduled changes.")
    cause: str | None = Field(description="What we take for the cause.")
    proof: list[FactBody] = Field(description="Why.")
    ruled_out: list[RuledOutBody] = Field(description="What we looked for besides, and why it is not that.")
    why_nothing_further: str = Field(description="Why the app does nothing more by itself.")
    for_the_customer: str = Field(description="One sentence that can be sent to the customer.")
    correlation_id: str = Field(description="Hash of the case's last event: names this very state of it.")
    read_on: datetime | None = Field(description="When Dataverse was read for this; null where it shows nothing.")
    unread: list[str] = Field(description="What could not be read.")


async def get_escalation(ask: Ask[Nothing, Nothing]) -> Reply:
    """The package, with the evidence read afresh."""
    ctx = await ask.context()
    case = await case_asked_for(ctx, ask.path["case_id"])
    read = await ctx.work365.read_evidence([case.subscription_id], purpose="diagnose")
    evidence = read.evidence.get(case.subscription_id)
    body = package(case, evidence)
    return Reply(body, headers=etag_of(case))


def package(case: Case, evidence: Evidence | None) -> EscalationBody:
    """What is known of a case, put together. `evidence` is None where Dataverse shows the subscription no more."""
    subscription = evidence.subscription if evidence else None
    provider = subscription.provider if subscription else None
    account = subscription.account if subscription else None
    changes = sorted(evidence.changes, key=lambda c: (c.created_on is None, c.created_on, c.id)) if evidence else []
    diagnosis = case.diagnosis
    first = diagnosis.first if diagnosis else None
    return EscalationBody(
        case_id=case.id,
        subscription_id=case.subscription_id,
        subscription_name=case.subscription_name,
        change_id=case.change_id,
        customer=case.customer_name,
        customer_id=subscription.customer_id if subscription else None,
        provider=case.provider_name,
        provider_id=provider.id if provider else None,
        provider_account_id=account.id if account else None,
        tenant_id=account.tenant_id if account else None,
        provisioning_message=next((c.message for c in changes if c.id == case.change_id), ""),
        jobs=[JobState.model_validate(each) for each in evidence.jobs] if evidence else [],
        attempts=[AttemptBody.model_validate(each) for each in case.attempts],
        connectivity=provider.connectivity if provider else None,
        connectivity_on=provider.last_verified_on if provider else None,
        consent_on=provider.consent_on if provider else None,
        add_on_of=subscription.parent_id if subscription else None,
        changes=[ChangeState.model_validate(each) for each in changes],
        scheduled_changes=[ScheduledState.model_validate(each) for each in evidence.scheduled] if evidence else [],
        cause=case.cause,
        proof=[FactBody.model_validate(fact) for fact in first.proof] if first else [],
        ruled_out=[RuledOutBody.model_validate(each) for each in diagnosis.ruled_out] if diagnosis else [],
        why_nothing_further=case.held_back or case.next_step,
        for_the_customer=for_the_customer(case),
        correlation_id=case.last_hash,
        read_on=evidence.read_on if evidence else None,
        unread=[*evidence.unread, *evidence.environment.unread] if evidence else [],
    )


def for_the_customer(case: Case) -> str:
    """One sentence without anything that is only ours: no ids, no causes, no promise of a time."""
    what = f"your subscription {case.subscription_name}" if case.subscription_name else "your subscription"
    if not case.open:
        return f"The change to {what} has been carried out."
    return f"The change to {what} has not been carried out yet; we are working on it and will tell you when it is done."
