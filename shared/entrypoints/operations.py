"""Long work: what is not done in time is handed to the queue, and the caller told where to ask for it.

request ──► handler ──in time──► its answer
               │ too slow: stopped, as if the worker had died there; every step may be begun anew
               ▼
          written down ──► queue `operate` ──► handler ──► answer kept
               │                                              ▲
               └──► 202 with Location ──► GET operations/{id} ─┘
"""

import asyncio
import logging
import uuid
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import ConfigDict, Field

from shared.domain.idempotency import KeptAnswer
from shared.domain.operation import LOST_AFTER, Operation
from shared.entrypoints.bodies import Given
from shared.entrypoints.callers import Caller
from shared.entrypoints.exchange import Answer, Reply
from shared.entrypoints.problems import Problem, problem_of
from shared.entrypoints.route import AnyRoute, Ask, Nothing, Services
from shared.errors import NotFound, Refused

RETRY_AFTER_SECONDS = 5

log = logging.getLogger(__name__)


class OperationBody(Given):
    """Work that is still being done."""

    id: str = Field(description="Id of the operation.")
    status: str = Field(description="`running`; once it is done, its address gives its own answer instead.")


class ResultBody(Given):
    """What was asked for: the answer that the request itself would have had."""

    model_config = ConfigDict(extra="allow")


async def in_time(route: AnyRoute, ask: Ask[Any, Any]) -> Reply | Answer:
    """The handler's answer, or a 202 that says where to ask for it once the queue has done it."""
    try:
        async with asyncio.timeout(ask.services.patience_seconds) as limit:
            return await route.handler(ask)
    except TimeoutError:
        if not limit.expired():
            raise
    ctx = await ask.context()
    id_ = uuid.uuid4().hex
    by = ask.caller.on_record(getattr(ask.body, "by", None))
    wanted = Operation(id_, route.operation, ask.body.model_dump_json(exclude={"by"}), by, ctx.clock.now())
    await ask.services.operations().begin(wanted)
    await ctx.queues.operate(id_)
    return _running(ask.base, id_)


async def carry_out(services: Services, routes: Iterable[AnyRoute], id_: str) -> None:
    """Does what was asked for, once, and keeps the answer, whatever it is. Raises what a queue should bring back."""
    operations = services.operations()
    wanted = await operations.load(id_)
    if wanted is None or wanted.answer is not None:
        return
    route = {each.operation: each for each in routes}.get(wanted.route)
    if route is None:
        log.error("Operation %s asks for %s, which this version does not know", id_, wanted.route[:100])
        await _finish(services, id_, problem_of(_lost(id_), id_))
        return
    body = route.body.model_validate_json(wanted.body)
    caller = Caller(wanted.caller, route.role, checked=True)
    ask: Ask[Any, Any] = Ask(caller=caller, body=body, query=Nothing(), path={}, services=services)
    try:
        reply = await route.handler(ask)
    except Exception as error:  # noqa: BLE001  the caller is told, as if they had waited
        answer = problem_of(error, id_)
    else:
        answer = reply.answer() if isinstance(reply, Reply) else reply
    await _finish(services, id_, answer)


async def give_up(services: Services, id_: str) -> None:
    """What could not be done again and again: its caller is told."""
    await _finish(services, id_, problem_of(_lost(id_), id_))


async def get_operation(ask: Ask[Nothing, Nothing]) -> Reply | Answer:
    """The answer of an operation once it is done; until then, that it is running."""
    id_, ctx = ask.path["operation_id"], await ask.context()
    found = await ask.services.operations().load(id_)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"There is no operation {id_}.", field="operation_id")
    if found.answer is not None:
        kept = found.answer
        return Answer(kept.status, kept.body, kept.content_type, kept.headers)
    if ctx.clock.now() >= found.asked_on + LOST_AFTER:
        raise _lost(id_)
    return _running(ask.base, id_)


def _running(base: str, id_: str) -> Reply:
    headers = {"Location": f"{base}/operations/{id_}", "Retry-After": str(RETRY_AFTER_SECONDS)}
    return Reply(OperationBody(id=id_, status="running"), HTTPStatus.ACCEPTED, headers)


def _lost(id_: str) -> Problem:
    hint = "Ask for the same again: every step reads before it writes."
    return Problem(HTTPStatus.GATEWAY_TIMEOUT, f"The operation {id_} did not come to an end.", hint=hint)


async def _finish(services: Services, id_: str, answer: Answer) -> None:
    kept = KeptAnswer(answer.status, answer.body, answer.content_type, dict(answer.headers))
    try:
        await services.operations().finish(id_, kept)
    except NotFound:
        log.warning("Operation %s is gone; its answer is not kept", id_)
    except Refused:
        detail = "It was done; its answer is too long to be kept. Read what it was about."
        said = problem_of(Problem(HTTPStatus.CONFLICT, detail), id_)
        await services.operations().finish(id_, KeptAnswer(said.status, said.body, said.content_type))
