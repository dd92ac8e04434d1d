"""$batch: multipart/mixed both ways, byte for byte with CRLF as Dataverse wants and writes it."""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from local.dataverse.errors import ODataError, bad_query
from local.dataverse.exchange import Request, Response

MAX_URL = 65_536
_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?')
_REFERENCE = re.compile(r"^\$(\w+)")


@dataclass(frozen=True)
class Part:
    """One request of a batch, still without its path: `url` as it stood there may name an earlier part ($1)."""

    request: Request
    url: str
    content_id: str | None

    def addressed(self) -> Request:
        """The request with its address, as far as that does not depend on another part."""
        if _REFERENCE.match(self.url) and self.url != "$batch":
            return replace(self.request, path=self.url)
        return self.request.with_url(self.url)


@dataclass(frozen=True)
class Changeset:
    """Requests that succeed or fail together."""

    parts: tuple[Part, ...]


type Item = Part | Changeset


def parse_batch(request: Request) -> list[Item]:
    """The items of a $batch body, in order. ODataError 400 when it is not in the right form."""
    items: list[Item] = []
    for headers, content in _sections(request.headers.get("content-type", ""), request.body):
        kind = headers.get("content-type", "")
        if kind.startswith("multipart/mixed"):
            parts = tuple(_part(request, h, c) for h, c in _sections(kind, content))
            if any(part.request.method == "GET" for part in parts):
                raise bad_query("GET requests are not allowed in a change set.")
            items.append(Changeset(parts))
        else:
            items.append(_part(request, headers, content))
    return items


def resolved(part: Part, made: Mapping[str, str]) -> Request:
    """A part's request, with its address, and with `$1` and its like replaced by what earlier parts made.

    `made` has URLs by Content-ID. ODataError 400 for a reference to a part that has not run.
    """
    url = part.url
    match = _REFERENCE.match(url)
    if match and url != "$batch":
        url = _lookup(match.group(1), made) + url[match.end() :]
    request = part.request.with_url(url)
    if request.path.startswith("$batch"):
        raise bad_query("A batch request cannot contain another batch request.")
    return _with_references(request, made) if b"@odata.bind" in request.body else request


def _with_references(request: Request, made: Mapping[str, str]) -> Request:
    try:
        document = json.loads(request.body)
    except ValueError:
        return request
    if not isinstance(document, dict):
        return request
    for name, value in document.items():
        reference = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if name.endswith("@odata.bind") and reference:
            document[name] = _lookup(reference.group(1), made)
    return replace(request, body=json.dumps(document).encode())


def format_batch(answers: Sequence[Response | Sequence[tuple[str | None, Response]]]) -> tuple[str, bytes]:
    """Content type and body of a batch's answer; a changeset's answers come as a list with Content-IDs."""
    boundary = f"batchresponse_{uuid.uuid4()}"
    blocks: list[bytes] = []
    for answer in answers:
        if isinstance(answer, Response):
            blocks.append(_block(boundary, None, answer))
        else:
            inner = f"changesetresponse_{uuid.uuid4()}"
            blocks.append(f"--{boundary}\r\nContent-Type: multipart/mixed; boundary={inner}\r\n\r\n".encode())
            blocks.extend(_block(inner, content_id, response) for content_id, response in answer)
            blocks.append(f"--{inner}--\r\n".encode())
    blocks.append(f"--{boundary}--\r\n".encode())
    return f"multipart/mixed; boundary={boundary}", b"".join(blocks)


def _sections(content_type: str, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Headers and content between a multipart body's boundaries."""
    match = _BOUNDARY.search(content_type)
    if not content_type.startswith("multipart/mixed") or match is None:
        raise ODataError(400, "", "The content type of a batch request must be multipart/mixed with a boundary.")
    pieces = (b"\r\n" + body).split(b"\r\n--" + match.group(1).encode())
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise bad_query("The batch request is not terminated by its boundary; lines must end with CRLF.")
    return [_headers_and_rest(piece.removeprefix(b"\r\n")) for piece in pieces[1:-1]]


def _headers_and_rest(piece: bytes) -> tuple[dict[str, str], bytes]:
    head, _, rest = piece.partition(b"\r\n\r\n")
    headers: dict[str, str] = {}
    for line in head.split(b"\r\n"):
        if line == b"":
            continue
        name, colon, value = line.decode(errors="replace").partition(":")
        if not colon or "\n" in name:
            raise bad_query(f"Invalid header in the batch request: {line.decode(errors='replace')!r}.")
        headers[name.strip().lower()] = value.strip()
    return headers, rest


def _part(outer: Request, headers: Mapping[str, str], content: bytes) -> Part:
    if not headers.get("content-type", "").startswith("application/http"):
        raise bad_query("Each part of a batch request must be of the type application/http.")
    line, _, rest = content.partition(b"\r\n")
    words = line.decode(errors="replace").split(" ")
    if len(words) < 3 or not words[-1].startswith("HTTP/"):
        raise bad_query(f"Invalid request line in the batch request: {line.decode(errors='replace')!r}.")
    url = " ".join(words[1:-1])
    if len(url) > MAX_URL:
        raise bad_query(f"The URL of a batch part is longer than {MAX_URL} characters.")
    # After the request line come headers or, at once, the blank line.
    inner, body = ({}, rest[2:]) if rest.startswith(b"\r\n") else _headers_and_rest(rest)
    request = Request(words[0], "", headers=inner, body=body, origin=outer.origin)
    return Part(request, url, headers.get("content-id"))


def _lookup(content_id: str, made: Mapping[str, str]) -> str:
    if content_id not in made:
        raise ODataError(400, "", f"Content-ID Reference: '${content_id}' does not exist in the batch context.")
    return made[content_id]


def _block(boundary: str, content_id: str | None, response: Response) -> bytes:
    identity = f"Content-ID: {content_id}\r\n" if content_id else ""
    headers = {"REQ_ID": str(uuid.uuid4()), **response.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (
        f"--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{identity}\r\n"
        f"HTTP/1.1 {response.status} {response.reason}\r\n{lines}\r\n"
    )
    return head.encode() + response.body + b"\r\n"
