"""Answers that say what is wrong: application/problem+json (RFC 9457), with the field and what to do."""

import functools
import json
import logging
import math
import uuid
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import azure.functions as func
from pydantic import ValidationError

from shared.errors import CaseConflict, CaseUnreadable, NotPossible, SettingsError, SourceError, Throttled

log = logging.getLogger(__name__)

type Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


class Problem(Exception):
    """An answer that is not the one hoped for. Raised by handlers, answered by `answers`."""

    def __init__(self, status: HTTPStatus, detail: str, *, field: str | None = None, hint: str | None = None) -> None:
        self.status = status
        self.detail = detail
        self.field = field
        self.hint = hint
        super().__init__(detail)


def answers(handler: Handler) -> Handler:
    """Turns every error of a handler into a problem; an unexpected one is logged under the id that is answered."""

    @functools.wraps(handler)
    async def wrapped(req: func.HttpRequest) -> func.HttpResponse:
        try:
            return await handler(req)
        except Problem as problem:
            return _answer(problem.status, problem.detail, field=problem.field, hint=problem.hint)
        except ValidationError as error:
            return _invalid(error)
        except NotPossible as error:
            return _answer(HTTPStatus.CONFLICT, str(error))
        except CaseConflict:
            detail = "The case was changed by someone else at the same moment. Read it again."
            return _answer(HTTPStatus.CONFLICT, detail)
        except CaseUnreadable as error:
            return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        except SettingsError as error:
            hint = "Mend the app settings; GET /api/health lists them."
            return _answer(HTTPStatus.SERVICE_UNAVAILABLE, str(error), hint=hint)
        except SourceError as error:
            return _source(error)
        except Exception:
            correlation_id = uuid.uuid4().hex
            log.exception("Unexpected error, correlation id %s", correlation_id)
            detail = f"Something unexpected went wrong; the log has it under correlation id {correlation_id}."
            return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, detail)

    return wrapped


def _invalid(error: ValidationError) -> func.HttpResponse:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    hint = None
    if first["type"] == "extra_forbidden":
        hint = "Remove it: this field is not known here."
    message = first["msg"].removeprefix("Value error, ")
    return _answer(HTTPStatus.BAD_REQUEST, f"{field}: {message}", field=field, hint=hint)


def _source(error: SourceError) -> func.HttpResponse:
    log.warning("A source failed: %s", error)
    status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, Throttled) else HTTPStatus.BAD_GATEWAY
    headers = {"Retry-After": str(math.ceil(error.retry_after))} if error.retry_after is not None else {}
    return _answer(status, str(error), hint=f"It is {error.source} that did not give what was asked.", headers=headers)


def _answer(
    status: HTTPStatus,
    detail: str,
    *,
    field: str | None = None,
    hint: str | None = None,
    headers: dict[str, str] | None = None,
) -> func.HttpResponse:
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    body |= {name: value for name, value in (("field", field), ("hint", hint)) if value is not None}
    return func.HttpResponse(
        json.dumps(body),
        status_code=status.value,
        mimetype="application/problem+json",
        headers=headers,
    )
