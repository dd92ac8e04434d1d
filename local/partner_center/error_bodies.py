"""The shapes in which Microsoft's services answer an error. Real ones reach Work 365 in all of them:

- `partner_center`  {"code", "description", "data", "source"}
- `entra`           {"error", "error_description", "error_codes", ...}, the code inside the description
- `throttling`      {"statusCode", "message"}
- `target`          {"error": {"code", "message", "target", "innerError"}}, as the newer APIs answer
- `gateway`         an HTML page of something in between, without any code
"""

import json
import uuid
from datetime import datetime
from typing import Any, Literal

Shape = Literal["partner_center", "entra", "throttling", "target", "gateway"]

# Entra answers these with an `error` of their own; everything else about a grant is invalid_grant.
_ENTRA_ERRORS = {
    "AADSTS50059": "invalid_request",
    "AADSTS70001": "unauthorized_client",
    "AADSTS70003": "unsupported_grant_type",
    "AADSTS70011": "invalid_scope",
    "AADSTS90002": "invalid_request",
    "AADSTS90019": "invalid_request",
    "AADSTS90024": "temporarily_unavailable",
    "AADSTS90033": "temporarily_unavailable",
    "AADSTS500011": "invalid_resource",
    "AADSTS700016": "unauthorized_client",
    "AADSTS900144": "invalid_request",
    "AADSTS7000112": "unauthorized_client",
    "AADSTS7000215": "invalid_client",
    "AADSTS7000222": "invalid_client",
}


def natural_shape(code: str, status: int) -> Shape:
    """The shape in which an error with this code usually comes."""
    if code.startswith("AADSTS"):
        return "entra"
    if code == "429":
        return "throttling"
    # A bare HTTP status as its code: nobody behind the gateway has answered.
    return "gateway" if code == str(status) and status >= 500 else "partner_center"


def error_text(shape: Shape, code: str, status: int, message: str, on: datetime) -> str:
    """The body of an error as text; `on` is when it was answered (UTC)."""
    if shape == "gateway":
        title = f"{status} {message}"
        return f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    if shape == "entra":
        return json.dumps(entra_body(code, message, on))
    if shape == "throttling":
        return json.dumps(throttling_body(message))
    if shape == "target":
        return json.dumps({"error": {"code": code, "message": message, "target": None, "innerError": {}}})
    return json.dumps(partner_center_body(code, message))


def partner_center_body(code: str, description: str, *data: str) -> dict[str, Any]:
    """Partner Center's error body. Its documents call the code text, printed samples show short ones as numbers."""
    number = int(code) if code.isdigit() and len(code) <= 5 else code
    return {"code": number, "description": description, "data": list(data), "source": "PartnerFD"}


def throttling_body(message: str) -> dict[str, Any]:
    """The body of a 429, which has a shape of its own (api-throttling-guidance)."""
    return {"statusCode": 429, "message": message}


def entra_body(code: str, message: str, on: datetime) -> dict[str, Any]:
    """Entra's error body: the number stands in `error_codes` and, as AADSTS..., in the description."""
    # Every answer has new ids, in the description too, so the same error never comes as the same text.
    trace, correlation = uuid.uuid4(), uuid.uuid4()
    number = code.removeprefix("AADSTS")
    stamp = f"{on:%Y-%m-%d %H:%M:%S}Z"
    return {
        "error": _ENTRA_ERRORS.get(code, "invalid_grant"),
        "error_description": f"{code}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
        "error_codes": [int(number)],
        "timestamp": stamp,
        "trace_id": str(trace),
        "correlation_id": str(correlation),
        "error_uri": f"https://login.microsoftonline.com/error?code={number}",
    }
