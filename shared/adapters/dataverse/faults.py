"""From an answer of Dataverse to the error that says what it means: by HTTP status first, by code second,
since codes may be empty in 404 and 412 answers, and by text never, except to name a missing privilege.

Codes: https://learn.microsoft.com/power-apps/developer/data-platform/reference/web-service-error-codes
"""

import re
from dataclasses import dataclass
from typing import Any

from shared.adapters.web.answers import clean, json_of, retry_after, text_of
from shared.adapters.web.transport import Answer
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
    VersionConflict,
)

_NOT_A_USER = "0x80072560"
_FORBIDDEN = {
    _NOT_A_USER: "Dataverse does not know our identity. Register it as an application user of this environment, "
    "with its client id (for a managed identity too), and give it a security role.",
    "0x80042f09": "Our application user in Dataverse has no security role. Give it one.",
    "0x80040225": "Our application user in Dataverse is disabled. Enable it.",
    "0x8004a110": "Our application user in Dataverse may not act for another user.",
    "0x8004f504": "A column security profile keeps our application user from reading a column.",
    "0x8004f507": "A column security profile keeps our application user from changing a column.",
}
# 412 also stands for "there is one like it already", which no fresh version would mend.
_DUPLICATES = {"0x80060892", "0x80040237", "0x80040333"}
_SWITCHED_OFF = "0x8004a104"
_PRIVILEGE = re.compile(r"\bprv[A-Z]\w{2,100}")
_TOO_MANY = re.compile(r"maximum number of '(\d{1,5})'", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """What an error answer says: Dataverse's code (lower case, may be None) and its text, cleaned."""

    code: str | None
    text: str | None
    from_dataverse: bool
    """False when the body is not an OData error: something in front of Dataverse answered."""


def fault(body: bytes) -> Fault:
    """The fault in an error body, whatever it looks like."""
    try:
        error = json_of(body)["error"]
        code, text = error.get("code"), _innermost(error)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Fault(None, text_of(body), from_dataverse=False)
    known = code.lower() if isinstance(code, str) and re.fullmatch(r"0x[0-9a-fA-F]{8}", code) else None
    return Fault(known, clean(text) if isinstance(text, str) else None, from_dataverse=True)


def error_from(answer: Answer, *, writes: bool) -> SourceError | None:
    """The error that `answer` is, or None for a success (2xx)."""
    if 200 <= answer.status < 300:
        return None
    found = fault(answer.body)
    kind, message = _meaning(answer.status, found, writes)
    return kind(
        "dataverse",
        message,
        detail=found.text,
        status=answer.status,
        code=found.code,
        correlation_id=correlation_id(answer),
        retry_after=retry_after(answer.headers),
    )


def strange(answer: Answer, *, writes: bool) -> SourceError:
    """The error for an answer that cannot be Dataverse's, whatever its status says."""
    kind, message = _strange(writes)
    return kind(
        "dataverse",
        message,
        detail=text_of(answer.body),
        status=answer.status,
        correlation_id=correlation_id(answer),
    )


def correlation_id(answer: Answer) -> str | None:
    """What Microsoft's support asks for."""
    for header in ("x-ms-service-request-id", "req_id", "x-ms-request-id"):
        if value := answer.headers.get(header):
            return clean(value)[:100]
    return None


def most_parts(answer: Answer) -> int | None:
    """How many operations a batch may hold, if that is what this answer complains about."""
    if answer.status != 400:
        return None
    found = _TOO_MANY.search(fault(answer.body).text or "")
    return int(found[1]) if found else None


def _meaning(status: int, found: Fault, writes: bool) -> tuple[type[SourceError], str]:
    match status:
        case 401 | 403 if found.code in _FORBIDDEN:
            return Forbidden, _FORBIDDEN[found.code or ""]
        case 401:
            return SignInRefused, (
                "Dataverse does not accept our token, not even a new one. Check that the token is asked for this "
                "environment's address, and that tenant and client id are right."
            )
        case 403:
            return Forbidden, _not_allowed(found)
        case 404:
            return NotFound, "Dataverse has no such row, table or function."
        case 412 if found.code not in _DUPLICATES:
            return VersionConflict, "The row was changed since it was read. Nothing was written."
        case 429:
            return Throttled, "Dataverse asks us to send less. Nothing was executed; it can be tried again later."
        case 501:
            return Refused, "Dataverse cannot do this."
        case 408:
            return _trouble(writes, "Dataverse took too long")
        case _ if status >= 500:
            return _trouble(writes, _what_failed(found))
        case _ if status >= 400:
            return Refused, "Dataverse refused the request. Its own words say why."
        case _:
            return _strange(writes)


def _trouble(writes: bool, what: str) -> tuple[type[SourceError], str]:
    if writes:
        return OutcomeUnknown, f"{what} at a write, whose outcome is not known. Read before anything is tried again."
    return ServiceTrouble, f"{what}. Nothing was changed; it can be tried again later."


def _what_failed(found: Fault) -> str:
    if found.code == _SWITCHED_OFF:
        return "This environment is disabled or in administration mode"
    return "Dataverse failed" if found.from_dataverse else "Dataverse, or something in front of it, failed"


def _not_allowed(found: Fault) -> str:
    named = _PRIVILEGE.search(found.text or "")
    if named:
        return f"Our application user in Dataverse lacks the privilege {named[0]}. Add it to its security role."
    return "Our application user in Dataverse is not allowed to do this. Its own words say what is missing."


def _strange(writes: bool) -> tuple[type[SourceError], str]:
    if writes:
        return (
            OutcomeUnknown,
            "A write got an answer that Dataverse does not give. Read before anything is tried again.",
        )
    return Garbled, "The answer is not one that Dataverse gives: check its address, and any proxy or firewall between."


def _innermost(error: dict[str, Any]) -> Any:
    # An outer "An error occurred" may hide the real text one level below.
    inner = error.get("innererror") or {}
    return error.get("message") or (inner.get("message") if isinstance(inner, dict) else None)
