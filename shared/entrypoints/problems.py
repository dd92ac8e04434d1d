"""Answers that say what is wrong: application/problem+json (RFC 9457), with the field and what to do."""

import json
import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ValidationError

from shared.entrypoints.exchange import Answer
from shared.errors import CaseConflict, CaseUnreadable, NotPossible, SettingsError, SourceError, Throttled

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"

LONGEST_NAME = 100
"""Characters of a field's name that are repeated: callers choose the names of unknown ones."""


class Problem(Exception):
    """An answer that is not the one hoped for. Raised by handlers and by what is in front of them."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        field: str | None = None,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.detail = detail
        self.field = field
        self.hint = hint
        self.headers = headers or {}
        super().__init__(detail)


def bad_field(field: str, detail: str, hint: str | None = None) -> Problem:
    """A 400 about one field of the request."""
    return Problem(HTTPStatus.BAD_REQUEST, detail, field=field, hint=hint)


def invalid(error: ValidationError, kind: type[BaseModel]) -> Problem:
    """The first thing that is wrong with a body or a query of this kind, by its field."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part)[:LONGEST_NAME] for part in first["loc"]) or "body"
    message = first["msg"].removeprefix("Value error, ")
    return bad_field(field, f"{field}: {message}", _hint(dict(first), kind))


def _hint(error: Mapping[str, Any], kind: type[BaseModel]) -> str | None:
    if error["type"] == "extra_forbidden":
        return "Remove it: this field is not known here."
    if not error["loc"]:  # it is about the whole
        return (kind.__doc__ or "").splitlines()[0]
    known = kind.model_fields.get(str(error["loc"][0]))
    return known.description if known is not None else None


def problem_of(error: Exception, correlation_id: str) -> Answer:
    """The answer for anything that a handler raises. What is unexpected is logged under the id that is answered."""
    match error:
        case Problem():
            return _problem(error.status, error.detail, correlation_id, error.field, error.hint, error.headers)
        case NotPossible():
            return _problem(HTTPStatus.CONFLICT, str(error), correlation_id)
        case CaseConflict():
            detail = "The case was changed by someone else at the same moment. Read it again."
            return _problem(HTTPStatus.CONFLICT, detail, correlation_id)
        case CaseUnreadable():
            return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, str(error), correlation_id)
        case SettingsError():
            hint = "Mend the app settings; GET /api/health lists them."
            return _problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), correlation_id, hint=hint)
        case SourceError():
            return _source(error, correlation_id)
        case _:
            log.error("Unexpected error, correlation id %s", correlation_id, exc_info=error)
            detail = f"Something unexpected went wrong; the log has it under correlation id {correlation_id}."
            return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail, correlation_id)


def _source(error: SourceError, correlation_id: str) -> Answer:
    log.warning("A source failed, correlation id %s: %s", correlation_id, error)
    status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, Throttled) else HTTPStatus.BAD_GATEWAY
    headers = {"Retry-After": str(math.ceil(error.retry_after))} if error.retry_after is not None else {}
    hint = f"It is {error.source} that did not give what was asked."
    return _problem(status, str(error), correlation_id, hint=hint, headers=headers)


def _problem(
    status: HTTPStatus,
    detail: str,
    correlation_id: str,
    field: str | None = None,
    hint: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    body: dict[str, object] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "correlation_id": correlation_id,
    }
    body |= {name: value for name, value in (("field", field), ("hint", hint)) if value is not None}
    return Answer(status.value, json.dumps(body).encode(), PROBLEM, headers or {})
