"""What every route does with a request's body and an answer's."""

import json
from http import HTTPStatus

import azure.functions as func
from pydantic import BaseModel

from shared.entrypoints.problems import Problem

LONGEST_BODY = 64 * 1024
"""Bytes of a request, where a route does not say otherwise."""


def answer(body: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> func.HttpResponse:
    """The body as JSON. Nothing of ours is to be kept by a cache."""
    return func.HttpResponse(
        body.model_dump_json(),
        status_code=status.value,
        mimetype="application/json",
        headers={"Cache-Control": "no-store"},
    )


def body_of[M: BaseModel](
    req: func.HttpRequest, kind: type[M], *, longest: int = LONGEST_BODY, example: str = "{...}"
) -> M:
    """The request's body. Raises Problem for what is no JSON object, ValidationError naming the field otherwise."""
    raw = req.get_body()
    if len(raw) > longest:
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is longer than {longest:,} bytes.")
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        detail, hint = "The body is not JSON.", f"Send {example}, a JSON object."
        raise Problem(HTTPStatus.BAD_REQUEST, detail, field="body", hint=hint) from None
    if not isinstance(parsed, dict):
        detail, hint = "The body is not a JSON object.", f"Send {example}."
        raise Problem(HTTPStatus.BAD_REQUEST, detail, field="body", hint=hint)
    return kind.model_validate(parsed)
