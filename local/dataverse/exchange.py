"""A request and its answer, free of any web framework: one on its own, or one part of a $batch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from local.dataverse.errors import ODataError

ROOT = "/api/data/v9.2/"
JSON_TYPE = "application/json; odata.metadata=minimal"


@dataclass(frozen=True)
class Request:
    """`path` follows the service root and is decoded; `query` is raw; header names are lower case.

    `origin` is scheme and host that the caller used, so that links lead back the same way.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    origin: str = ""

    @property
    def base(self) -> str:
        """The service root as the caller sees it, without the last slash."""
        return f"{self.origin}{ROOT}".rstrip("/")

    @property
    def target(self) -> str:
        """Path and decoded query, for logs and for matching faults."""
        return f"{self.path}?{unquote(self.query)}" if self.query else self.path

    def header(self, name: str) -> str | None:
        """A header's value; the literal `null` that Microsoft's samples send counts as none."""
        value = self.headers.get(name)
        return None if value is None or value == "null" else value

    def without_skiptoken(self) -> "Request":
        """The request for the first page of the same query."""
        kept = [p for p in self.query.split("&") if not p.startswith(("$skiptoken=", "%24skiptoken="))]
        return replace(self, query="&".join(kept))

    def link(self, skiptoken: str) -> str:
        """The address of another page of this query; the token is already encoded."""
        query = self.without_skiptoken().query
        return f"{self.base}/{self.path}?{query}{'&' if query else ''}$skiptoken={skiptoken}"

    def with_url(self, url: str) -> "Request":
        """This request for another address: absolute, from the host's root, or from the service root."""
        parts = urlsplit(url)
        path = parts.path
        if path.startswith(ROOT):
            path = path[len(ROOT) :]
        elif path.startswith("/"):
            raise ODataError(404, "0x8006088a", f"Resource not found for the segment '{path.strip('/')}'.")
        return replace(self, path=unquote(path), query=parts.query)


@dataclass(frozen=True)
class Response:
    """An answer; `headers` in the order in which they are sent."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def reason(self) -> str:
        return HTTPStatus(self.status).phrase

    def with_headers(self, **headers: str) -> "Response":
        """This answer with more headers; underscores in names stand for hyphens."""
        added = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **added})


def json_response(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, {"Content-Type": JSON_TYPE, "OData-Version": "4.0", **(headers or {})}, body)


def empty_response(headers: Mapping[str, str] | None = None) -> Response:
    """204 without a body."""
    return Response(204, {"OData-Version": "4.0", **(headers or {})})


def error_response(error: ODataError) -> Response:
    """The answer for a refusal, with Dataverse's error body."""
    return json_response(error.status, error.body(), error.headers)
