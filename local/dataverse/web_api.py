"""The local Dataverse as an ASGI app. Serve it with `local.dataverse.server`, or call it in process."""

import uuid

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from local.dataverse.access import Access, TokenCheck
from local.dataverse.exchange import ROOT, Request
from local.dataverse.faults import Faults
from local.dataverse.front import Front, Options
from local.dataverse.limits import Limits
from local.dataverse.records import Records
from local.dataverse.server import cut
from local.dataverse.service import Service
from local.dataverse.striking import ConnectionCut
from local.dataverse.traffic import Traffic, purpose_of

__all__ = ["Options", "create_app"]


def create_app(
    records: Records,
    options: Options | None = None,
    *,
    access: Access | None = None,
    token_check: TokenCheck | None = None,
    faults: Faults | None = None,
    traffic: Traffic | None = None,
    limits: Limits | None = None,
) -> Starlette:
    """The Web API over `records`, below /api/data/v9.2/.

    What is not given is made here and can be found on `app.state` (access, faults, traffic). `token_check`
    defaults to the tokens that `access` was told; `limits` None switches service protection off.
    """
    access = access or Access(records)
    faults = faults if faults is not None else Faults()
    traffic = traffic or Traffic(records.clock)
    records.subscribe(traffic.on_change)
    options = options or Options()
    service = Service(records, access, options.language)
    front = Front(service, options, token_check or access.user_of, faults, traffic, limits)
    app = Starlette(routes=[Route(f"{ROOT}{{path:path}}", endpoint=_Endpoint(front))])
    app.state.records, app.state.access = records, access
    app.state.faults, app.state.traffic, app.state.limits = faults, traffic, limits
    return app


class _Endpoint:
    """HTTP in, HTTP out."""

    def __init__(self, front: Front) -> None:
        self.front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        http = HttpRequest(scope, receive)
        request = Request(
            method=http.method,
            path=scope["path"][len(ROOT) :],
            query=scope["query_string"].decode("latin-1"),
            headers=dict(http.headers),
            body=await http.body(),
            origin=f"{http.url.scheme}://{http.headers.get('host', http.url.netloc)}",
        )
        try:
            answer = await self.front.respond(request, _token(http), purpose_of(http.headers.get("user-agent")))
        except ConnectionCut:
            await cut(scope, receive)
            return
        headers = {**answer.headers, "x-ms-service-request-id": str(uuid.uuid4())}
        await HttpResponse(answer.body, answer.status, headers)(scope, receive, send)


def _token(http: HttpRequest) -> str | None:
    scheme, _, token = http.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" and token else None
