"""Lets armed faults happen: before a request is answered, and after it was."""

import asyncio
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from local.dataverse import faults as f
from local.dataverse.exchange import Request, Response, json_response
from local.dataverse.paging import Cookie

_ROW_ID = re.compile(r"\(([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\)")
_PAGE_NUMBER = re.compile(r"pagenumber=(?:%22|\")(\d+)")
_PAGE_SIZE = re.compile(r"odata\.maxpagesize=\d+")
_NO_ID = "{00000000-0000-0000-0000-000000000000}"
_HTML = (
    b"<!DOCTYPE html><html><head><title>Service unavailable</title></head>"
    b"<body><h1>We are sorry, something went wrong</h1></body></html>"
)


class ConnectionCut(Exception):
    """The connection must end without an answer."""


class WholeAnswer(Exception):
    """An answer that replaces the whole HTTP answer, even from within one part of a $batch."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def seen(request: Request, purpose: str, *, part: bool) -> f.Seen:
    """What faults may look at."""
    match = _ROW_ID.search(request.path)
    row_id = match.group(1).lower() if match else None
    return f.Seen(request.method, request.target, purpose, row_id, part)


async def strike_before(request: Request, meeting: Iterable[f.Armed]) -> Request:
    """Lets delays pass and answers in the service's place; gives the request as the service shall see it.

    Raises ODataError, WholeAnswer or ConnectionCut where a fault wants no service at all.
    """
    for armed in meeting:
        match armed.fault.answer:
            case f.Delay(seconds):
                armed.fired += 1
                await asyncio.sleep(seconds)
            case f.Held():
                armed.fired += 1
                await armed.over.wait()
            case f.Status() as status:
                armed.fired += 1
                raise status.error()
            case f.Html(status):
                armed.fired += 1
                raise WholeAnswer(Response(status, {"Content-Type": "text/html; charset=utf-8"}, _HTML))
            case f.Empty(status):
                armed.fired += 1
                raise WholeAnswer(Response(status))
            case f.CutBefore():
                armed.fired += 1
                raise ConnectionCut
            case f.EndlessPages():
                request = request.without_skiptoken()
            case f.RepeatedPage() if "skiptoken" in request.query:
                armed.fired += 1
                request = request.without_skiptoken()
            case f.ShortPages(rows):
                request = _with_page_size(request, rows)
    return request


def strike_after(original: Request, response: Response, meeting: Iterable[f.Armed]) -> Response:
    """Runs callbacks, cuts, or spoils links after a request succeeded. Raises ConnectionCut."""
    for armed in meeting:
        match armed.fault.answer:
            case f.Callback(call):
                armed.fired += 1
                call()
            case f.CutAfter():
                armed.fired += 1
                raise ConnectionCut
            case f.EndlessPages() if _page(response) is not None:
                armed.fired += 1
                response = _with_link(response, _one_more_page(original))
            case f.ShortPages() if "@odata.nextLink" in (_page(response) or {}):
                armed.fired += 1
            case f.TruncatedNextLink():
                link = (_page(response) or {}).get("@odata.nextLink")
                if link is not None:
                    armed.fired += 1
                    response = _with_link(response, link[: len(link) * 2 // 3])
    return response


def _with_page_size(request: Request, rows: int) -> Request:
    """The request as if it had asked for so many rows; one that set no limit gets its rows at once, as ever."""
    prefer = _PAGE_SIZE.sub(f"odata.maxpagesize={rows}", request.headers.get("prefer", ""))
    return replace(request, headers={**request.headers, "prefer": prefer}) if "prefer" in request.headers else request


def _page(response: Response) -> dict[str, Any] | None:
    """The JSON of an answer that is a page of rows."""
    if not response.headers.get("Content-Type", "").startswith("application/json"):
        return None
    document = json.loads(response.body)
    return document if isinstance(document, dict) and "value" in document else None


def _one_more_page(request: Request) -> str:
    number = _PAGE_NUMBER.search(request.query)
    page = int(number.group(1)) if number else 1
    token = Cookie(page, ("id",), (_NO_ID,), (_NO_ID,)).skiptoken()
    return request.without_skiptoken().link(token)


def _with_link(response: Response, link: str) -> Response:
    document = json.loads(response.body)
    document["@odata.nextLink"] = link
    return json_response(response.status, document, response.headers)
