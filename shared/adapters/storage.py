"""What an error of Azure's storage clients means, for tables and queues alike.

| what came back                          | a read                | a write                                     |
|-----------------------------------------|-----------------------|---------------------------------------------|
| no connection was made                  | Unreachable           | Unreachable: it was not received            |
| connection cut, no answer in time       | Unreachable           | OutcomeUnknown                              |
| 429, 503                                | Throttled             | Throttled (after the client's own retries)  |
| other 5xx                               | ServiceTrouble        | OutcomeUnknown                              |
| 401, no token, a wrong key              | SignInRefused         | SignInRefused                               |
| 403                                     | Forbidden             | Forbidden                                   |
| 404 / 409, 412 / any other 4xx          | NotFound / VersionConflict / Refused | the same                     |
"""

import asyncio
import enum
import http.client
from collections.abc import Coroutine, Iterable
from typing import Any

import aiohttp
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    DeserializationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
)

from shared.adapters.web.answers import clean, retry_after
from shared.errors import (
    Forbidden,
    Garbled,
    NotFound,
    OutcomeUnknown,
    Refused,
    ServiceTrouble,
    SignInRefused,
    SourceError,
    Throttled,
    Unreachable,
    VersionConflict,
)

HASTE = {"connection_timeout": 5, "read_timeout": 20}
"""Seconds. Behind every step stands a queue that brings it back, so no request may hold one for minutes."""

_GARBLED = (
    http.client.HTTPException,
    DecodeError,
    DeserializationError,
    *(AttributeError, KeyError, TypeError),  # an answer of another shape makes the clients stumble over it
)
TROUBLE = (AzureError, *_GARBLED)
"""What the clients raise: their own family, and others for an answer that makes no sense."""


def storage_error(error: Exception, doing: str, *, writes: bool) -> SourceError:
    """The error of ours for one that a storage client raised while `doing` something ("reading table cases")."""
    status = getattr(error, "status_code", None) or 0
    if isinstance(error, HttpResponseError) and status >= 400:
        return _answered(error, status, doing, writes=writes)
    if isinstance(error, ClientAuthenticationError):
        return _no_sign_in(doing, detail=clean(str(error.message)))
    if _never_sent(error):
        return Unreachable("storage", f"Storage cannot be reached while {doing}. Check its address and the network.")
    detail = clean(type(error).__name__)
    if writes:
        return OutcomeUnknown("storage", f"No clear answer came while {doing}: it may have been done.", detail=detail)
    if isinstance(error, (*_GARBLED, HttpResponseError)):
        return Garbled("storage", f"The answer while {doing} makes no sense.", detail=detail)
    return Unreachable("storage", f"Storage gave no answer while {doing}.", detail=detail)


async def all_of[T](requests: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Runs all at once and gives their results in order. The first error ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(request) for request in requests]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


def code_of(error: Exception) -> str:
    """The service's own code (`TableNotFound`), empty when there is none. The clients give text or an enum."""
    code = getattr(error, "error_code", None)
    return str(code.value if isinstance(code, enum.Enum) else code or "")


def _answered(error: HttpResponseError, status: int, doing: str, *, writes: bool) -> SourceError:
    code = code_of(error)
    detail = clean(str(error.message))
    if status == 401 or isinstance(error, ClientAuthenticationError):
        return _no_sign_in(doing, detail=detail, status=status, code=code)
    if status in (429, 503):
        after = retry_after(getattr(error.response, "headers", {}))
        message = f"Storage asked us to come back later while {doing}."
        return Throttled("storage", message, detail=detail, status=status, code=code, retry_after=after)
    kind, message = _meaning(status, doing, writes=writes)
    return kind("storage", message, detail=detail, status=status, code=code)


def _meaning(status: int, doing: str, *, writes: bool) -> tuple[type[SourceError], str]:
    match status:
        case 403:
            return Forbidden, (
                f"The app's identity is not allowed to go on {doing}. It needs the roles Storage Table Data "
                "Contributor and Storage Queue Data Contributor, and the storage firewall must let it in."
            )
        case 404:
            return NotFound, f"Something is not there while {doing}."
        case 409 | 412:
            return VersionConflict, f"Somebody was faster while {doing}."
        case _ if status >= 500 and writes:
            return OutcomeUnknown, f"Storage failed while {doing}: it may have been done."
        case _ if status >= 500:
            return ServiceTrouble, f"Storage failed while {doing}."
        case _:
            return Refused, f"Storage refused while {doing}."


def _no_sign_in(doing: str, *, detail: str, status: int | None = None, code: str | None = None) -> SignInRefused:
    message = f"Storage does not accept the app's identity or key while {doing}. Check the storage settings."
    return SignInRefused("storage", message, detail=detail, status=status, code=code)


def _never_sent(error: Exception) -> bool:
    """Only what failed while connecting: the client's "request error" covers connections cut later as well."""
    if isinstance(error, ServiceRequestTimeoutError):
        return True
    return isinstance(error, ServiceRequestError) and isinstance(error.inner_exception, aiohttp.ClientConnectorError)
