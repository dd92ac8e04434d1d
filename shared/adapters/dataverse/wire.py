"""How one part goes over the wire, alone or inside a batch, and how its answer is read."""

import json
from collections.abc import Mapping

from shared.adapters.dataverse import faults
from shared.adapters.dataverse.batch import HttpPart
from shared.adapters.dataverse.parts import ETag, Get, Part, PartResult, Patch, Row, etag
from shared.adapters.web.answers import json_of
from shared.adapters.web.links import Site
from shared.adapters.web.transport import Answer

ODATA = {"Accept": "application/json", "OData-Version": "4.0", "OData-MaxVersion": "4.0"}
# Without it, a query that expands collections may be answered from a cache that missed recent changes. On reads
# only: beside If-Match it would be a second, contradicting condition.
_FRESH = {"If-None-Match": "null"}
_JSON = {"Content-Type": "application/json; charset=utf-8"}
LONGEST_URL = 32_768
LONGEST_URL_IN_BATCH = 65_536


def http_part(part: Part, site: Site) -> HttpPart:
    """The request that `part` is. Raises ValueError for a path that is not safe, or values that are not JSON."""
    match part:
        case Get():
            return get(site.target(part.path), part.page_size)
        case Patch():
            headers = {**ODATA, **_JSON, "If-Match": part.etag, "Prefer": "return=representation"}
            target = site.target(part.path + _only(part.values))
            return HttpPart("PATCH", target, headers, _body(part.values))
        case _:
            headers = {**ODATA, **_JSON, "Prefer": "return=representation"}
            return HttpPart("POST", site.target(part.path), headers, _body(part.values))


def get(target: str, page_size: int | None) -> HttpPart:
    """The request for one page, or for one thing when `page_size` is None."""
    paging = {} if page_size is None else {"Prefer": f"odata.maxpagesize={page_size}"}
    return HttpPart("GET", target, {**ODATA, **_FRESH, **paging})


def result(part: Part, answer: Answer) -> PartResult:
    """What `answer` says became of `part`."""
    writes = not isinstance(part, Get)
    if error := faults.error_from(answer, writes=writes):
        return PartResult(answer.status, error=error)
    body = _row(answer)
    version = _version(answer, body)
    believable = {Get: body is not None, Patch: version is not None or answer.status == 204}
    if not believable.get(type(part), body is not None or answer.status == 204) or _created(part, answer):
        return PartResult(answer.status, error=faults.strange(answer, writes=writes))
    return PartResult(answer.status, body, version)


def _created(part: Part, answer: Answer) -> bool:
    return isinstance(part, Patch) and answer.status == 201


def _row(answer: Answer) -> Row | None:
    try:
        body = json_of(answer.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _version(answer: Answer, body: Row | None) -> ETag | None:
    for text in ((body or {}).get("@odata.etag"), answer.headers.get("etag")):
        try:
            return etag(text)
        except ValueError:
            continue
    return None


def _only(values: Mapping[str, object]) -> str:
    # A changed row is answered with all its columns unless told which; `x@odata.bind` is not a column.
    columns = [column for column in values if "@" not in column]
    return f"?$select={','.join(columns)}" if columns else ""


def _body(values: Mapping[str, object]) -> bytes:
    return json.dumps(dict(values), allow_nan=False).encode("ascii")
