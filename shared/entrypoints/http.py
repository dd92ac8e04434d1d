"""HTTP: the same workflow steps, asked for by a person or a flow."""

from http import HTTPStatus
from urllib.parse import unquote

import azure.functions as func

from shared.bootstrap import app
from shared.domain.case import Case, State, subscription_of
from shared.domain.causes import CAUSES
from shared.domain.pause import WHOLE
from shared.domain.standing import Stock
from shared.entrypoints.bodies import (
    CaseBody,
    CasePage,
    CaseSummary,
    DiagnosisBody,
    DiagnosisRequest,
    HealthBody,
    RemediationRequest,
    SweepBody,
)
from shared.entrypoints.exchange import answer, body_of
from shared.entrypoints.problems import Problem, answers
from shared.errors import SettingsError, UnstuckError
from shared.ports import CaseFilter, Stored, SweepReceipt
from shared.workflow.approve import remediate_case
from shared.workflow.context import Context
from shared.workflow.diagnose import diagnose_subscriptions
from shared.workflow.sweep import sweep
from shared.workflow.watch import problems as problems_now

blueprint = func.Blueprint()

CALLER = "API key"
"""Who a request with a function key is on the record: a key names nobody."""


@blueprint.function_name("start_sweep")
@blueprint.route("sweeps", methods=["POST"])
@answers
async def start_sweep(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """Sweeps now. Answers with the receipt; the suspects are diagnosed by the queue."""
    receipt = await sweep(await app().context())
    status = HTTPStatus.OK if receipt.complete else HTTPStatus.BAD_GATEWAY
    if not receipt.complete:
        raise Problem(status, f"The sweep is incomplete and concludes nothing: {receipt.problem}")
    return answer(SweepBody.of(receipt))


@blueprint.function_name("list_cases")
@blueprint.route("cases", methods=["GET"])
@answers
async def list_cases(req: func.HttpRequest) -> func.HttpResponse:
    """Cases, oldest first: open ones, or those of one state."""
    ctx = await app().context()
    wanted = CaseFilter(
        state=_one_of(req, "state", State),
        cause=_cause(req),
        provider=req.params.get("provider"),
        customer=req.params.get("customer"),
        open_only=True,
        stock=_stock(req),
    )
    try:
        page = await ctx.store.list_cases(wanted, _limit(req), req.params.get("cursor"))
    except ValueError as error:
        hint = "Begin without a cursor, and keep the filter while you page."
        raise Problem(HTTPStatus.BAD_REQUEST, f"cursor: {error}", field="cursor", hint=hint) from None
    return answer(CasePage(cases=[CaseSummary.of(case) for case in page.cases], next_cursor=page.cursor))


@blueprint.function_name("show_case")
@blueprint.route("cases/{case_id}", methods=["GET"])
@answers
async def show_case(req: func.HttpRequest) -> func.HttpResponse:
    """One case with its evidence, reasoning, plan and timeline."""
    ctx = await app().context()
    return answer(await _whole(ctx, await _case(ctx, req)))


@blueprint.function_name("diagnose_now")
@blueprint.route("diagnoses", methods=["POST"])
@answers
async def diagnose_now(req: func.HttpRequest) -> func.HttpResponse:
    """Diagnoses one subscription now, by its id or by that of one of its License Change Logs."""
    wanted = body_of(req, DiagnosisRequest)
    ctx = await app().context()
    subscription_id = await _subscription(ctx, wanted)
    case = (await diagnose_subscriptions(ctx, [subscription_id], by=_who(wanted.by))).get(subscription_id)
    if case is None and not await _exists(ctx, subscription_id):
        raise Problem(
            HTTPStatus.NOT_FOUND, f"Dataverse has no subscription {subscription_id}.", field="subscription_id"
        )
    body = await _whole(ctx, case) if case is not None and case.open else None
    return answer(DiagnosisBody(subscription_id=subscription_id, stuck=body is not None, case=body))


@blueprint.function_name("remediate_now")
@blueprint.route("cases/{case_id}/remediations", methods=["POST"])
@answers
async def remediate_now(req: func.HttpRequest) -> func.HttpResponse:
    """Says yes to a case's plan and has it carried out; the case shows how it goes."""
    wanted = body_of(req, RemediationRequest)
    ctx = await app().context()
    stored = await _stored(ctx, req)
    case = await remediate_case(ctx, stored, wanted.plan_digest, _who(wanted.by))
    return answer(CaseSummary.of(case), HTTPStatus.ACCEPTED)


@blueprint.function_name("health")
@blueprint.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answers
async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """Whether the app can do its work. Names settings, never their values; needs no key."""
    try:
        ctx = await app().context()
    except SettingsError as error:
        body = HealthBody(status="not_configured", mode=None, problems=error.problems, last_sweep=None)
        return answer(body, HTTPStatus.SERVICE_UNAVAILABLE)
    mode = ctx.policy.mode.value
    try:
        receipt = await ctx.store.last_receipt()
    except UnstuckError as error:
        problems = [*ctx.policy.problems, f"Case store: {error}"]
        body = HealthBody(status="degraded", mode=mode, problems=problems, last_sweep=None)
        return answer(body, HTTPStatus.SERVICE_UNAVAILABLE)
    problems = [*ctx.policy.problems, *_sweeping(receipt), *await _standing(ctx), *await _holding(ctx)]
    last_sweep = SweepBody.of(receipt) if receipt is not None else None
    return answer(
        HealthBody(status="degraded" if problems else "ok", mode=mode, problems=problems, last_sweep=last_sweep)
    )


def _sweeping(receipt: SweepReceipt | None) -> list[str]:
    if receipt is None:
        return []
    if not receipt.complete:
        return [f"The last sweep is incomplete: {receipt.problem}"]
    return [receipt.problem] if receipt.problem else []


async def _standing(ctx: Context) -> list[str]:
    """What the watch over the app finds, in words."""
    try:
        return await problems_now(ctx)
    except UnstuckError as error:
        return [f"Whether the app does its work cannot be seen: {error}"]


async def _holding(ctx: Context) -> list[str]:
    """What holds everything back, in words."""
    now = ctx.clock.now()
    try:
        pauses, watch = await ctx.pauses.read(), await ctx.holds.read()
    except UnstuckError as error:
        return [f"Nothing is written, since what holds it back cannot be read: {error}"]
    said = [each.sentence() for each in pauses.values() if each.scope in WHOLE and now < each.until]
    return [*said, *([watch.hold.sentence()] if watch.hold is not None else [])]


def _who(name: str | None) -> str:
    """The name that a caller gives, marked as what it is: nobody has checked it."""
    return f"{name} (with an {CALLER})" if name else CALLER


def _one_of(req: func.HttpRequest, name: str, kind: type[State]) -> State | None:
    value = req.params.get(name)
    if value is None:
        return None
    if value not in kind:
        raise Problem(HTTPStatus.BAD_REQUEST, f"{name}: unknown value", field=name, hint=f"One of {', '.join(kind)}.")
    return kind(value)


def _stock(req: func.HttpRequest) -> Stock | None:
    value, known = req.params.get("stock"), [each for each in Stock if each is not Stock.NONE]
    if value is not None and value not in known:
        hint = f"One of {', '.join(known)}."
        raise Problem(HTTPStatus.BAD_REQUEST, "stock: unknown value", field="stock", hint=hint)
    return Stock(value) if value is not None else None


def _cause(req: func.HttpRequest) -> str | None:
    value: str | None = req.params.get("cause")
    if value is not None and value not in CAUSES:
        hint = f"One of {', '.join(CAUSES)}."
        raise Problem(HTTPStatus.BAD_REQUEST, "cause: unknown value", field="cause", hint=hint)
    return value


def _limit(req: func.HttpRequest) -> int:
    value = req.params.get("limit", "50")
    if not (value.isascii() and value.isdigit() and len(value) <= 3) or not 1 <= int(value) <= 200:
        hint = "Give a number from 1 to 200."
        raise Problem(HTTPStatus.BAD_REQUEST, "limit: not a number from 1 to 200", field="limit", hint=hint)
    return int(value)


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


def _case_id(req: func.HttpRequest) -> tuple[str, int]:
    case_id = unquote(str(req.route_params.get("case_id", ""))).casefold()
    try:
        return subscription_of(case_id), int(case_id.rpartition("-")[2])
    except ValueError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, str(error), field="case_id") from None


async def _case(ctx: Context, req: func.HttpRequest) -> Case:
    subscription_id, number = _case_id(req)
    case = await ctx.store.load_case(subscription_id, number)
    if case is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"There is no case {subscription_id}-{number}.", field="case_id")
    return case


async def _stored(ctx: Context, req: func.HttpRequest) -> Stored:
    subscription_id, number = _case_id(req)
    stored = await ctx.store.load(subscription_id)
    if stored is None or stored.case.number != number:
        raise Problem(HTTPStatus.NOT_FOUND, f"There is no open case {subscription_id}-{number}.", field="case_id")
    return stored


async def _whole(ctx: Context, case: Case) -> CaseBody:
    return CaseBody.whole(case, await ctx.store.timeline(case.subscription_id, case.number))
