"""From an error answer of Partner Center to the error that says what it means: by code first, then by status.

It answers in several shapes: {code, description}, {error: {code, message}}, {statusCode, message} when it
throttles, and Entra's {error, error_description} when the token is at fault.
https://learn.microsoft.com/partner-center/developer/error-codes
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.web.answers import clean, json_of, retry_after, text_of
from shared.adapters.web.sender import PASSING
from shared.adapters.web.transport import Answer
from shared.errors import (
    Forbidden,
    Garbled,
    NotFound,
    Refused,
    ServiceTrouble,
    SignInRefused,
    SourceError,
    Throttled,
)

APP_ONLY = "900329"
"""The code for what is not given to an app that signs in by itself, whatever its rights."""

type _Meaning = tuple[type[SourceError], str]

_BY_CODE: Mapping[str, _Meaning] = {
    "60003": (NotFound, "Partner Center knows no such customer tenant. Check the provider account's tenant id."),
    "20003": (NotFound, "This customer has no such subscription in Partner Center."),
    "20002": (Forbidden, "We have no reseller relationship with this customer in Partner Center."),
    "20000": (NotFound, "Partner Center cannot find this order yet: a new one may take 15 minutes to show."),
    APP_ONLY: (Forbidden, "Partner Center gives this only to an app together with a user (App+User)."),
    "900420": (SignInRefused, "The token is for another API. Ask for it with Partner Center's own address."),
}
_BY_STATUS: Mapping[int, _Meaning] = {
    401: (SignInRefused, "Partner Center does not accept our token. Check the app registration and its consent."),
    403: (Forbidden, "Partner Center does not allow this to our app. Check its API permissions and the consent."),
    404: (NotFound, "Partner Center has no such customer or subscription."),
    429: (Throttled, "Partner Center asks us to send less. It can be tried again later."),
}
_TROUBLE: _Meaning = (ServiceTrouble, "Partner Center failed. It can be tried again later.")
_NO: _Meaning = (Refused, "Partner Center refused the request. Its own words say why.")
_ODD: _Meaning = (Garbled, "The answer is not one that Partner Center gives: check its address, and any proxy between.")
_SECONDS = re.compile(r"\bin (\d{1,5}) seconds?\b")
_ENTRA = re.compile(r"AADSTS\d{4,8}")


@dataclass(frozen=True, slots=True)
class Fault:
    """The code and the text in an error body; both may be None."""

    code: str | None
    text: str | None


def fault(body: bytes) -> Fault:
    """What an error body says, whatever its shape."""
    try:
        found = json_of(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return Fault(None, text_of(body))
    inner = found["error"] if isinstance(found.get("error"), dict) else found
    text = next(
        (t for key in ("description", "message", "error_description") if isinstance(t := inner.get(key), str)), ""
    )
    return Fault(_code(inner, text), clean(text) or None)


def error_from(answer: Answer) -> SourceError | None:
    """The error that `answer` is, or None for a success (2xx)."""
    if 200 <= answer.status < 300:
        return None
    found = fault(answer.body)
    kind, message = _meaning(answer.status, found)
    return kind(
        "partner_center",
        message,
        detail=found.text,
        status=answer.status,
        code=found.code,
        correlation_id=correlation_id(answer),
        retry_after=wait(answer),
    )


def odd(answer: Answer) -> Garbled:
    """The error for a success that cannot be read."""
    return Garbled(
        "partner_center",
        _ODD[1],
        detail=text_of(answer.body[:500]),
        status=answer.status,
        correlation_id=correlation_id(answer),
    )


def wait(answer: Answer) -> float | None:
    """Seconds to wait: the header's, else those in the text of a 429."""
    seconds = retry_after(answer.headers)
    if seconds is None and answer.status == 429 and (named := _SECONDS.search(fault(answer.body).text or "")):
        return float(named[1])
    return seconds


def correlation_id(answer: Answer) -> str | None:
    """What Microsoft's support asks for."""
    value = answer.headers.get("ms-correlationid") or answer.headers.get("ms-requestid")
    return clean(value)[:100] if value else None


def _meaning(status: int, found: Fault) -> _Meaning:
    if found.code and found.code in _BY_CODE:
        return _BY_CODE[found.code]
    if found.code and _ENTRA.fullmatch(found.code):
        return _BY_STATUS[401]
    if status in PASSING or status >= 500:
        return _TROUBLE
    return _BY_STATUS.get(status, _NO if status >= 400 else _ODD)


def _code(inner: dict[str, Any], text: str) -> str | None:
    if named := _ENTRA.search(text):
        return named[0]
    code = inner.get("code", inner.get("statusCode"))
    return clean(str(code))[:60] or None if isinstance(code, str | int) and not isinstance(code, bool) else None
