"""$batch: several requests in one, as multipart/mixed both ways.

Each part is an operation of its own, outside any change set, executed in the order given; with
`Prefer: odata.continue-on-error` one failing leaves the others alone. The answers come in the order of the
requests, so that their number is all that tells which part an answer belongs to.
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api
"""

import email.message
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.parser import BytesHeaderParser, BytesParser

from shared.adapters.web.transport import Answer

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?")
_HEADER = re.compile(r"[A-Za-z0-9\-]+: [\x20-\x7e]*")
_TARGET = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class HttpPart:
    """One request inside a batch; `target` is its path and query from the root of the server."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The answers inside a batch answer. `complete`: its closing boundary came, so none was cut off."""

    answers: Sequence[Answer]
    complete: bool


def encode(parts: Sequence[HttpPart], boundary: str) -> bytes:
    """The body of a batch request. Raises ValueError for a part that would break out of its place."""
    opening = f"--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    body = bytearray()
    for part in parts:
        if boundary.encode() in part.body:
            raise ValueError("the boundary stands in a body")
        body += opening.encode() + _head(part) + part.body + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return bytes(body)


def decode(content_type: str, body: bytes) -> Decoded:
    """The answers in a batch answer, without one that was cut off. Raises ValueError if it is not one."""
    # The parser's default policy takes a tenth of the time that the newer ones need for their typed headers.
    head = b"Content-Type: " + content_type.encode("ascii") + b"\r\n\r\n"
    whole = BytesParser().parsebytes(head + body)
    parts = whole.get_payload()
    if whole.get_content_type() != "multipart/mixed" or not isinstance(parts, list):
        raise ValueError("not a multipart answer")
    complete = not any(type(defect).__name__ == "CloseBoundaryNotFoundDefect" for defect in whole.defects)
    if not complete:
        parts = parts[:-1]  # the last one may lack its end
    return Decoded([_answer(part) for part in parts if isinstance(part, email.message.Message)], complete)


def _head(part: HttpPart) -> bytes:
    lines = [f"{key}: {value}" for key, value in part.headers.items()]
    if not _TARGET.fullmatch(part.target) or not all(_HEADER.fullmatch(line) for line in lines):
        raise ValueError("a part's address or header holds characters that it must not")
    return "\r\n".join([f"{part.method} {part.target} HTTP/1.1", *lines, "", ""]).encode("ascii")


def _answer(part: "email.message.Message[str, str]") -> Answer:
    content = part.get_payload(decode=True)
    if part.get_content_type() != "application/http" or not isinstance(content, bytes):
        raise ValueError("a part is not an HTTP answer")
    status_line, _, rest = content.lstrip(b"\r\n").partition(b"\r\n")
    status = _STATUS_LINE.fullmatch(status_line)
    if status is None:
        raise ValueError("a part does not begin with a status line")
    head, _, body = (b"\r\n" + rest).partition(b"\r\n\r\n")
    headers = BytesHeaderParser().parsebytes(head.lstrip(b"\r\n") + b"\r\n\r\n")
    return Answer(int(status[1]), {key.lower(): str(value) for key, value in headers.items()}, body.strip(b"\r\n"))
