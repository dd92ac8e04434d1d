"""What a request gets that is struck by a fault: an answer that is none, or no answer."""

import json
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Send

from local.partner_center.error_bodies import partner_center_body, throttling_body
from local.partner_center.errors import known_errors
from local.partner_center.traffic import Fault

# JSON of the right outline with nothing in it that could be believed; it passes for any resource.
_NONSENSE_RESOURCE: dict[str, Any] = {
    "id": 7,
    "quantity": 1e300,
    "status": ["active"],
    "relationshipToPartner": {"reseller": True},
    "parentSubscriptionId": [],
    "orderId": 12,
    "creationDate": "0001-01-01T00:00:00",
    "commitmentEndDate": "9999-12-31T23:59:59.9999999Z",
    "cancellationAllowedUntilDate": "soon",
    "autoRenewEnabled": "yes",
    "suspensionReasons": "none",
    "actions": ["edit", 5],
    "refundableQuantity": {"totalQuantity": -3, "details": [None, {"quantity": "2"}]},
    "scheduledNextTermInstructions": [],
}
_NONSENSE = {**_NONSENSE_RESOURCE, "totalCount": "one", "items": [_NONSENSE_RESOURCE]}


def faulty_answer(fault: Fault) -> Response:
    """The answer that a fault gives; `hang_up` and `silence` give none."""
    match fault.kind:
        case "throttled":
            return throttled(fault.retry_after)
        case "server_error":
            return _refusal("800003")
        case "forbidden":
            return _refusal("900308")
        case "not_json":
            return Response('{"totalCount": 3, "items": [', media_type="application/json")
        case "empty":
            return JSONResponse({})
        case "nonsense":
            return JSONResponse(_NONSENSE)
    status = 503 if fault.kind == "unavailable" else 200
    return Response("<html><body><h1>Service Unavailable</h1></body></html>", status, media_type="text/html")


def throttled(seconds: int) -> Response:
    """A 429 as Partner Center words it."""
    message = known_errors()["429"].message(seconds)
    return JSONResponse(throttling_body(message), 429, {"Retry-After": str(seconds)})


async def silence(receive: Receive) -> None:
    """Says nothing until the reader goes."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def hang_up(send: Send) -> None:
    """Announce more than is sent: the server then closes the connection under the reader."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    body = json.dumps({"totalCount": 1, "items": []})[:-3].encode()
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _refusal(code: str) -> Response:
    error = known_errors()[code]
    return JSONResponse(partner_center_body(error.code, error.text), error.status)
