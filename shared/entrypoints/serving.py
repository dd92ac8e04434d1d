"""From the table of routes to Azure functions: who may ask, what they say, done once, answered.

    let in?  →  path, query, If-Match, body make sense?  →  Idempotency-Key: done before?  →  handler  →  answer
    401 403     400 413                                     409 422

Nothing is read or written before all of a request makes sense.
"""

import json
import re
import uuid
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func
from pydantic import BaseModel, ValidationError

from shared.entrypoints import idempotency
from shared.entrypoints.callers import Caller, Gate, check_own_site
from shared.entrypoints.exchange import Answer, Reply, sent
from shared.entrypoints.operations import in_time
from shared.entrypoints.parameters import parameters_of
from shared.entrypoints.problems import LONGEST_NAME, Problem, bad_field, invalid, problem_of
from shared.entrypoints.route import AnyRoute, Ask, Services

CORRELATION = "x-correlation-id"

type Endpoint = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ETAG = re.compile(r'(?:W/)?"([0-9a-f]{32})"')
_KEY_IN_QUERY = "code"
"""The Functions host's own parameter: a key that it has checked. It is nobody else's business."""


def blueprint_of(routes: Iterable[AnyRoute], gate: Gate, services: Callable[[], Services]) -> func.Blueprint:
    """Every route as a function of its own. `services` is asked at each request, not before."""
    blueprint = func.Blueprint()
    level = func.AuthLevel.FUNCTION if gate.key_level else func.AuthLevel.ANONYMOUS
    for route in routes:
        needs = level if route.role is not None else func.AuthLevel.ANONYMOUS
        serves = blueprint.route(route.path, methods=[route.method], auth_level=needs)
        blueprint.function_name(route.function)(serves(endpoint_of(route, gate, services)))
    return blueprint


def endpoint_of(route: AnyRoute, gate: Gate, services: Callable[[], Services]) -> Endpoint:
    """The function of one route. It raises nothing."""

    async def endpoint(req: func.HttpRequest) -> func.HttpResponse:
        correlation_id = _correlation_id(req)
        try:
            answer = await _answered(route, gate, services, req, correlation_id)
        except Exception as error:  # noqa: BLE001  every error has its answer, and the unexpected is logged there
            answer = problem_of(error, correlation_id)
        return sent(answer, correlation_id)

    endpoint.__doc__ = f"{route.summary}. {route.description}"
    return endpoint


async def _answered(
    route: AnyRoute, gate: Gate, services: Callable[[], Services], req: func.HttpRequest, correlation_id: str
) -> Answer:
    caller = gate.admit(req.headers, route.role)
    if route.method != "GET":
        check_own_site(req.headers)
    ask = _ask(route, caller, req, services())

    async def act() -> Answer:
        try:
            reply = await (in_time(route, ask) if route.long else route.handler(ask))
        except Exception as error:  # noqa: BLE001  as above; an answer of this kind may be kept for a key, too
            return problem_of(error, correlation_id)
        return reply.answer() if isinstance(reply, Reply) else reply

    key = idempotency.key_of(req.headers.get(idempotency.HEADER.lower())) if route.acts else None
    if key is None:
        return await act()
    ctx = await ask.context()
    scope = idempotency.scope_of(caller.identity, route.operation, json.dumps(dict(ask.path)), key)
    request = idempotency.digest_of(req.get_body())
    return await idempotency.once(ask.services.idempotency_keys(), ctx.clock, scope, request, act)


def _ask(route: AnyRoute, caller: Caller, req: func.HttpRequest, services: Services) -> Ask[Any, Any]:
    return Ask(
        caller=caller,
        path=parameters_of(route.path, req.route_params),
        query=_query(route, req),
        if_match=_if_match(req.headers.get("if-match")) if route.if_match else None,
        body=_body(route, req) if route.takes_body else route.body(),
        services=services,
        base=_base(req.url),
    )


def _query(route: AnyRoute, req: func.HttpRequest) -> Any:
    given = {name: value for name, value in req.params.items() if name != _KEY_IN_QUERY}
    return _made(route.query, given)


def _body(route: AnyRoute, req: func.HttpRequest) -> Any:
    """The request's body. Raises Problem, naming the field where one is wrong."""
    raw = req.get_body()
    if len(raw) > route.longest:
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is longer than {route.longest:,} bytes.")
    if route.bare and not raw:
        return _made(route.body, {})
    hint = f"Send a JSON object such as {route.example}"
    try:
        parsed = json.loads(raw, object_pairs_hook=_each_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise bad_field("body", "The body is not JSON.", hint) from None
    if not isinstance(parsed, dict):
        raise bad_field("body", "The body is not a JSON object.", hint)
    return _made(route.body, parsed)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Readers disagree on which of two equal names counts: a log would show what was not done."""
    made = dict(pairs)
    if len(made) < len(pairs):
        name = next(name for at, (name, _) in enumerate(pairs) if name in dict(pairs[:at]))[:LONGEST_NAME]
        raise bad_field(name, f"{name}: stands there twice.", "Give each field once.")
    return made


def _no_number(name: str) -> None:
    """Python reads NaN and Infinity, which are no JSON."""
    raise ValueError(name)


def _made[M: BaseModel](kind: type[M], given: object) -> M:
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise invalid(error, kind) from None


def _if_match(given: str | None) -> str | None:
    if given is None or given.strip() == "*":
        return None
    found = _ETAG.fullmatch(given.strip())
    if found is None:
        raise bad_field("If-Match", "If-Match: not a version of a case.", "Give the ETag of the case as it was read.")
    return found[1]


def _base(url: str) -> str:
    """Where the API is, as the caller reaches it: everything up to the route prefix, and never a query."""
    parts = urlsplit(url)
    prefix = "/api" if parts.path.startswith("/api/") else ""
    return f"{parts.scheme}://{parts.netloc}{prefix}"


def _correlation_id(req: func.HttpRequest) -> str:
    """The caller's own where it is a harmless one, so that their log and ours can be laid side by side."""
    given = req.headers.get(CORRELATION, "")
    return given if _CORRELATION_ID.fullmatch(given) else uuid.uuid4().hex
