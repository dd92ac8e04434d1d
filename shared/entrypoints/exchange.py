"""What goes over the wire, apart from any Functions runtime: an answer, and how it becomes one of the runtime's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import azure.functions as func
from pydantic import BaseModel

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, before it is sent: what is kept for an idempotency key, too."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler gives: a model, and what stands beside it."""

    body: BaseModel
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)

    def answer(self) -> Answer:
        """As it goes out. Aliases are the names on the wire."""
        return Answer(self.status.value, self.body.model_dump_json(by_alias=True).encode(), JSON, self.headers)


def sent(answer: Answer, correlation_id: str) -> func.HttpResponse:
    """The runtime's answer. Nothing of ours is to be kept by a cache, nor taken for anything but what it is."""
    return func.HttpResponse(
        answer.body,
        status_code=answer.status,
        mimetype=answer.content_type,
        headers={
            **answer.headers,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Correlation-Id": correlation_id,
        },
    )
