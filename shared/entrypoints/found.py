"""Finding the case that a request is about, and the version of it that answers carry as ETag."""

import hashlib
from http import HTTPStatus
from typing import Any

from shared.domain.case import Case
from shared.entrypoints.bodies import CaseBody, CaseSummary
from shared.entrypoints.exchange import Reply
from shared.entrypoints.problems import Problem
from shared.entrypoints.route import Ask
from shared.ports import Stored
from shared.workflow.context import Context


async def case_asked_for(ctx: Context, path_case_id: str) -> Case:
    """The case, a former one too. Raises Problem when there is none."""
    subscription_id, _, number = path_case_id.rpartition("-")
    case = await ctx.store.load_case(subscription_id, int(number))
    if case is None:
        raise _missing("There is no case", path_case_id)
    return case


async def stored_case(ctx: Context, path_case_id: str) -> Stored:
    """The newest case of its subscription, to be changed. Raises Problem when it is another one, or none."""
    stored = await ctx.store.load(path_case_id.rpartition("-")[0])
    if stored is None or stored.case.id != path_case_id:
        raise _missing("There is no open case", path_case_id)
    return stored


async def whole(ctx: Context, case: Case) -> CaseBody:
    """The case with all that belongs to it."""
    return CaseBody.of(case, await ctx.store.timeline(case.subscription_id, case.number))


def version_of(case: Case) -> str:
    """Stands for what the case says: 32 hexadecimal digits, the ETag without its quotes."""
    said = f"{case.last_hash}\n{CaseSummary.model_validate(case).model_dump_json()}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def etag_of(case: Case) -> dict[str, str]:
    """The header by which a later write can say that it is about this version."""
    return {"ETag": f'"{version_of(case)}"'}


def changed(case: Case, status: HTTPStatus = HTTPStatus.OK) -> Reply:
    """What a write to a case answers: the case as it is now."""
    return Reply(CaseSummary.model_validate(case), status, etag_of(case))


def seen_by(ask: Ask[Any, Any], case: Case) -> bool:
    """Whether this version is the one that the caller decided on, or they do not mind."""
    return ask.if_match is None or ask.if_match == version_of(case)


def moved(case_id: str) -> Problem:
    """The 412 for a case that is another version than the one named by If-Match."""
    detail = f"The case {case_id} has changed since it was read. Nothing was written."
    return Problem(HTTPStatus.PRECONDITION_FAILED, detail, field="If-Match", hint="Read the case and decide again.")


def _missing(what: str, case_id: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, f"{what} {case_id}.", field="case_id")
