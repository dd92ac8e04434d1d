"""HTTP: cases, what they rest on, and the yes to a plan."""

from http import HTTPStatus

from shared.domain.case import State
from shared.entrypoints.bodies import (
    ApprovalBody,
    ApprovalPage,
    CasePage,
    CaseSummary,
    DiagnosisBody,
    DiagnosisRequest,
    EvidenceBody,
    FindingBody,
    PlanBody,
    PlanPreview,
    RemediationRequest,
    RuledOutBody,
    TimelineBody,
)
from shared.entrypoints.exchange import Reply
from shared.entrypoints.found import case_asked_for, changed, etag_of, moved, seen_by, stored_case, whole
from shared.entrypoints.problems import Problem, bad_field
from shared.entrypoints.queries import CasesQuery, PageQuery
from shared.entrypoints.route import Ask, Nothing
from shared.ports import CaseFilter, Page
from shared.workflow.approve import remediate_case, why_not
from shared.workflow.context import Context
from shared.workflow.diagnose import diagnose_subscriptions


async def list_cases(ask: Ask[Nothing, CasesQuery]) -> Reply:
    """Cases, oldest first: open ones, or those of one state."""
    page = await _page(await ask.context(), ask.query.filter(), ask.query)
    cases = [CaseSummary.model_validate(case) for case in page.cases]
    return Reply(CasePage(cases=cases, next_cursor=page.cursor))


async def list_approvals(ask: Ask[Nothing, PageQuery]) -> Reply:
    """Cases that wait for a yes, oldest first, with their plans."""
    page = await _page(await ask.context(), CaseFilter(state=State.AWAITING_APPROVAL), ask.query)
    waiting = [ApprovalBody.model_validate(case) for case in page.cases]
    return Reply(ApprovalPage(approvals=waiting, next_cursor=page.cursor))


async def _page(ctx: Context, wanted: CaseFilter, query: PageQuery) -> Page:
    try:
        return await ctx.store.list_cases(wanted, query.limit, query.cursor)
    except ValueError as error:
        hint = "Begin without a cursor, and keep the filter while you page."
        raise bad_field("cursor", f"cursor: {error}", hint) from None


async def get_case(ask: Ask[Nothing, Nothing]) -> Reply:
    """One case with its evidence, reasoning, plan and timeline."""
    ctx = await ask.context()
    case = await case_asked_for(ctx, ask.path["case_id"])
    return Reply(await whole(ctx, case), headers=etag_of(case))


async def get_timeline(ask: Ask[Nothing, Nothing]) -> Reply:
    """What has happened to a case."""
    ctx = await ask.context()
    case = await case_asked_for(ctx, ask.path["case_id"])
    return Reply(TimelineBody.whole(case, await ctx.store.timeline(case.subscription_id, case.number)))


async def get_evidence(ask: Ask[Nothing, Nothing]) -> Reply:
    """What a case's last diagnosis rests on."""
    case = await case_asked_for(await ask.context(), ask.path["case_id"])
    diagnosis = case.diagnosis
    body = EvidenceBody(
        case_id=case.id,
        rule_version=diagnosis.rule_version if diagnosis else None,
        findings=[FindingBody.model_validate(each) for each in diagnosis.findings] if diagnosis else [],
        ruled_out=[RuledOutBody.model_validate(each) for each in diagnosis.ruled_out] if diagnosis else [],
    )
    return Reply(body, headers=etag_of(case))


async def diagnose_now(ask: Ask[DiagnosisRequest, Nothing]) -> Reply:
    """Diagnoses one subscription now, by its id or by that of one of its License Change Logs."""
    by = ask.caller.on_record(ask.body.by)
    ctx = await ask.context()
    subscription_id = await _subscription(ctx, ask.body)
    case = (await diagnose_subscriptions(ctx, [subscription_id], by=by)).get(subscription_id)
    if case is None and not await _exists(ctx, subscription_id):
        detail = f"Dataverse has no subscription {subscription_id}."
        raise Problem(HTTPStatus.NOT_FOUND, detail, field="subscription_id")
    body = await whole(ctx, case) if case is not None and case.open else None
    return Reply(DiagnosisBody(subscription_id=subscription_id, stuck=body is not None, case=body))


async def get_plan(ask: Ask[Nothing, Nothing]) -> Reply:
    """What a yes would do now."""
    ctx = await ask.context()
    case = await case_asked_for(ctx, ask.path["case_id"])
    digest = case.plan.digest if case.plan else ""
    reason = why_not(ctx, case, digest, ask.caller.identity) or ctx.policy.broken
    body = PlanPreview(
        case_id=case.id,
        plan=PlanBody.model_validate(case.plan) if case.plan else None,
        possible=not reason,
        reason=reason,
        approved_by=case.approved_by if case.approved_digest == digest else "",
    )
    return Reply(body, headers=etag_of(case))


async def remediate_now(ask: Ask[RemediationRequest, Nothing]) -> Reply:
    """Says yes to a case's plan and has it carried out; the case shows how it goes."""
    by = ask.caller.on_record(ask.body.by)
    ctx = await ask.context()
    stored = await stored_case(ctx, ask.path["case_id"])
    if not seen_by(ask, stored.case):
        raise moved(stored.case.id)
    case = await remediate_case(ctx, stored, ask.body.plan_digest, by)
    return changed(case, HTTPStatus.ACCEPTED)


async def _subscription(ctx: Context, wanted: DiagnosisRequest) -> str:
    if wanted.subscription_id is not None:
        return str(wanted.subscription_id)
    found = await ctx.work365.subscription_of_change(str(wanted.change_id))
    if found is None:
        detail = f"Dataverse has no License Change Log {wanted.change_id} with a subscription."
        raise Problem(HTTPStatus.NOT_FOUND, detail, field="change_id")
    return found


async def _exists(ctx: Context, subscription_id: str) -> bool:
    return not (await ctx.work365.read_evidence([subscription_id], purpose="diagnose")).missing
