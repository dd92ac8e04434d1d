"""What every answer must be like, whatever was asked; and what a request that was refused must not have done."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from schemathesis import GenerationMode, Response
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import response_schema_conformance

from shared.domain.role import Role
from tests.entrypoint_kit import BY_OPERATION
from tests.host.generated_requests import Case, Offered

REFUSED = frozenset({400, 401, 403, 404, 412, 413, 422})
"""Answers after which nothing may have been written. A 409 may say that a case has moved on, and save that."""

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_HEX = re.compile(r"[0-9a-f-]{32,}")
_FIELD_OF = {404: None, 412: "If-Match", 422: "Idempotency-Key"}
# Whoever reads mends the index and counts what sources say; an answer is kept for its key.
_BESIDE = re.compile(r"Table \w+ (caseindex|breakers|idempotency|Tables), ")


@dataclass(frozen=True)
class Asked:
    """A request with its answer. `done`: what the app changed meanwhile, where nothing else can have."""

    offer: Offered
    role: Role
    mode: GenerationMode
    case: Case
    response: Response
    done: Sequence[str]

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def refused(self) -> bool:
        return self.status in REFUSED

    @property
    def reads(self) -> bool:
        return self.case.method == "GET"

    def header(self, name: str) -> str | None:
        return next(iter(self.response.headers.get(name.lower(), [])), None)

    def json(self) -> Any:
        """The body, or None where it is none."""
        try:
            return json.loads(self.response.content)
        except ValueError:
            return None


def complaints(asked: Asked) -> Iterator[str]:
    """Everything that is wrong with an answer, in words that are the same each time."""
    yield from _status(asked)
    yield from _headers(asked)
    yield from _problem(asked) if asked.status >= 400 and asked.header("x-correlation-id") else _success(asked)
    if asked.done and (asked.refused or asked.reads):
        yield f"{asked.status}, and yet: {', '.join(asked.done)}"


def _status(asked: Asked) -> Iterator[str]:
    if str(asked.status) not in asked.offer.raw["responses"]:
        yield f"answer {asked.status} is not documented"
    if asked.status >= 500:
        detail = str((asked.json() or {}).get("detail"))
        yield f"answer {asked.status}: {_HEX.sub('*', detail)[:80]}"
    needs = BY_OPERATION[asked.offer.name].role
    allowed = needs is None or asked.role.holds(needs)
    if allowed == (asked.status == 403):
        yield f"{asked.role} got {asked.status}"


def _headers(asked: Asked) -> Iterator[str]:
    given = asked.header("x-correlation-id") or ""
    if not _CORRELATION_ID.fullmatch(given):
        yield "no X-Correlation-Id"
    mine = str(asked.case.headers.get("X-Correlation-Id", ""))
    if _CORRELATION_ID.fullmatch(mine) and given != mine:
        yield "another X-Correlation-Id than the request's own"
    if (asked.header("cache-control"), asked.header("x-content-type-options")) != ("no-store", "nosniff"):
        yield "it may be kept by a cache, or taken for something else"


def _success(asked: Asked) -> Iterator[str]:
    if asked.header("content-type") != "application/json":
        yield f"{asked.status} as {asked.header('content-type')}"
    if asked.status == 202 and asked.offer.name != "Remediate" and not asked.header("location"):
        yield "202 without Location"
    try:
        asked.case.validate_response(asked.response, checks=[response_schema_conformance])
    except FailureGroup as group:
        yield from (f"not as its schema says: {str(each).splitlines()[0]}" for each in group.exceptions)


def _problem(asked: Asked) -> Iterator[str]:
    if asked.header("content-type") != "application/problem+json":
        yield f"{asked.status} as {asked.header('content-type')}"
    body = asked.json()
    if not isinstance(body, dict):
        yield f"{asked.status} is no problem document"
        return
    if body.get("status") != asked.status or not body.get("title") or not body.get("detail"):
        yield "a problem without status, title or detail"
    kept = "Idempotency-Key" in asked.case.headers
    if not kept and body.get("correlation_id") != asked.header("x-correlation-id"):
        yield "the problem has another correlation id than the header"
    yield from _field(asked, body.get("field"), body.get("hint"))


def _field(asked: Asked, field: object, hint: object) -> Iterator[str]:
    if asked.status == 400:
        if not isinstance(field, str) or not field:
            yield "400 without a field"
        elif not _sent_or_known(asked, field.partition(".")[0]):
            yield f"400 about {field}, which is no field of it"
        elif not hint:
            yield f"400 about {field} without a hint"
    elif (wanted := _FIELD_OF.get(asked.status, field)) is not None and field != wanted:
        yield f"{asked.status} about {field}, not {wanted}"
    elif asked.status == 404 and not field:
        yield "404 without a field"


def _sent_or_known(asked: Asked, field: str) -> bool:
    """Whether a field is one of the document's, or one that this very request has sent."""
    sent = {*asked.case.query, *(asked.case.body if isinstance(asked.case.body, dict) else ())}
    known = {each["name"] for each in asked.offer.raw.get("parameters", [])}
    return field in known | {"body"} or any(str(name)[:100].startswith(field) for name in sent) or field in _body(asked)


def _body(asked: Asked) -> set[str]:
    return set(BY_OPERATION[asked.offer.name].body.model_fields)


def of_requests(effects: Iterable[str]) -> list[str]:
    """Of what the app changed that which a request that is refused, or only reads, may not."""
    return sorted(each for each in effects if not _BESIDE.match(each))
