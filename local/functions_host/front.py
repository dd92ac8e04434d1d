"""HTTP triggers: from a request to the runtime's `http` value and back."""

import base64
import logging
from collections.abc import Iterable, Mapping, Sequence

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from local.functions_host.easy_auth import EasyAuth
from local.functions_host.errors import WorkerUnavailable
from local.functions_host.invoker import Invoker
from local.functions_host.keys import Keys
from local.functions_host.outcome import Datum, Failed, Lost, Outcome
from local.functions_host.routes import Route, find

_log = logging.getLogger("host.http")
_NO_BODY = {204, 304}
_SERVERS_OWN = {"content-length", "transfer-encoding", "connection"}


class HttpFront:
    """An ASGI application that answers for every HTTP function of the app."""

    def __init__(
        self, routes: Sequence[Route], keys: Keys, invoker: Invoker, easy_auth: EasyAuth | None = None
    ) -> None:
        self._routes = routes
        self._keys = keys
        self._invoker = invoker
        self._easy_auth = easy_auth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        headers: dict[str, str] | None = _headers(request.headers)
        if self._easy_auth is not None and headers is not None:
            headers = self._easy_auth.admit(headers)
        if headers is None:
            return Response(status_code=401)
        found = find(self._routes, request.method, request.scope["raw_path"].decode("ascii", "replace"))
        if found is None:
            return Response(status_code=404)
        function, values = found
        if not self._keys.admit(function.auth_level, request.headers, request.query_params):
            return Response(status_code=401)
        datum = request_datum(request, headers, values, await _body(request))
        try:
            outcome = await self._invoker.run(function, datum, trace_parent=request.headers.get("traceparent", ""))
        except WorkerUnavailable as error:
            return problem(503, "No worker", str(error))
        return response_of(outcome)


async def _body(request: Request) -> bytes:
    """A body without Content-Length (a chunked one) never reaches a Python function on Azure, nor here."""
    body = await request.body()
    return body if request.headers.get("content-length") else b""


def request_datum(request: Request, headers: Mapping[str, str], values: Mapping[str, str], body: bytes) -> Datum:
    """The request as the real host hands it over: names of headers in lower case, no empty query values."""
    return {
        "type": "http",
        "value": {
            "method": request.method,
            "url": _url(request),
            "headers": dict(headers),
            "query": _query(request.query_params),
            "params": dict(values),
            "body": {"type": "bytes", "value": base64.b64encode(body).decode()},
        },
    }


def _url(request: Request) -> str:
    """As it was sent: Starlette's own has its path decoded."""
    path, query = request.scope["raw_path"].decode("ascii", "replace"), request.url.query
    return f"{request.url.scheme}://{request.url.netloc}{path}{'?' if query else ''}{query}"


def _headers(headers: Headers) -> dict[str, str]:
    return {name.lower(): ",".join(headers.getlist(name)) for name in headers}


def _query(query: QueryParams) -> dict[str, str]:
    joined = {name: ",".join(query.getlist(name)) for name in query}
    return {name: value for name, value in joined.items() if value}


def response_of(outcome: Outcome) -> Response:
    """The response for an outcome. A failure says nothing, as on Azure; a lost one says that it is lost."""
    match outcome:
        case Failed():
            return Response(status_code=500)
        case Lost(reason):
            return problem(502, "Worker died", reason)
        case _:
            return _success(outcome.returned)


def problem(status: int, title: str, detail: str) -> Response:
    """An answer of the host's own, that no app gives (RFC 9457)."""
    content = {"type": "about:blank", "status": status, "title": title, "detail": detail}
    return JSONResponse(content, status, media_type="application/problem+json")


def _success(returned: Datum | None) -> Response:
    if returned is None:
        return Response(status_code=200)
    if returned["type"] != "http":  # a function that returns plain text
        return Response(returned["value"], media_type="text/plain")
    value = returned["value"]
    body = base64.b64decode(value["body"]["value"]) if value["body"] else b""
    response = Response(b"" if value["status"] in _NO_BODY else body, value["status"])
    response.raw_headers += list(_raw_headers(value["headers"].items()))
    response.raw_headers += list(_raw_headers(("set-cookie", cookie) for cookie in value["cookies"]))
    return response


def _raw_headers(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[bytes, bytes]]:
    for name, value in headers:
        if name.lower() not in _SERVERS_OWN:
            yield name.lower().encode("latin-1"), value.encode("latin-1", "replace")
