"""Posting JSON to an address that is a secret: whoever knows it may post there. It is in no error and no log."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shared.adapters.web.answers import retry_after, text_of
from shared.adapters.web.links import is_loopback
from shared.adapters.web.transport import Answer, Failure, HttpTransport, NotSent, Outgoing, TransportLimits
from shared.errors import OutcomeUnknown, Refused, SourceError, Throttled, Unreachable

LIMITS = TransportLimits(connect_seconds=5, silence_seconds=10, total_seconds=10, answer_bytes=1_000_000, connections=4)

_HTTPX = logging.getLogger("httpx")


async def post(transport: HttpTransport, url: str, body: Mapping[str, Any]) -> None:
    """Posts once. Delivered means that it answered 2xx within ten seconds.

    Raises Unreachable, Throttled, Refused, or OutcomeUnknown when it may have arrived.
    """
    headers = {"Content-Type": "application/json; charset=utf-8"}
    sent = json.dumps(body, ensure_ascii=False).encode()
    with _discretion(url) as discretion:
        try:
            answer = await transport.send(Outgoing("POST", url, headers, sent))
        except NotSent as failure:
            raise Unreachable("webhook", f"The webhook cannot be reached: {failure}.") from None
        except Failure as failure:
            raise OutcomeUnknown("webhook", f"The webhook gave no answer: {failure}. It may have heard us.") from None
    if not 200 <= answer.status < 300:
        raise _error(answer, discretion)


def check_address(url: str) -> None:
    """Https, so that nobody on the way reads it; plain http only where there is no way. Raises ValueError."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise ValueError("the webhook's address is not a URL") from None
    if not host or parts.username is not None:
        raise ValueError("the webhook's address should be https://host/path, without a user name")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("the webhook's address should begin with https://")


def _error(answer: Answer, discretion: "_Discretion") -> SourceError:
    known: dict[str, Any] = {
        "status": answer.status,
        "detail": discretion.without_secrets(text_of(answer.body) or "") or None,
    }
    if answer.status in (429, 503):
        known["retry_after"] = retry_after(answer.headers)
        return Throttled("webhook", "The webhook asked us to come back later.", **known)
    if answer.status >= 500:
        return OutcomeUnknown("webhook", "The webhook failed; it may have passed the news on.", **known)
    if answer.status < 400:
        return Refused("webhook", "The webhook points elsewhere: it should be given with its final address.", **known)
    return Refused("webhook", "The webhook refused the news. Check its address.", **known)


@contextmanager
def _discretion(url: str) -> Iterator["_Discretion"]:
    """While it lasts, httpx logs nothing of this address; by itself it logs every one that it calls."""
    discretion = _Discretion(url)
    _HTTPX.addFilter(discretion)
    try:
        yield discretion
    finally:
        _HTTPX.removeFilter(discretion)


class _Discretion(logging.Filter):
    """Keeps an address out of what others say."""

    def __init__(self, url: str) -> None:
        super().__init__()
        parts = urlsplit(url)
        values = [value for _, value in parse_qsl(parts.query) if len(value) >= 8]
        self._secrets = [part for part in (url, parts.query, parts.path, *values) if len(part) > 1]

    def filter(self, record: logging.LogRecord) -> bool:
        """Drops the record if it names the address."""
        said = record.getMessage()
        return not any(secret in said for secret in self._secrets)

    def without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[webhook]")
        return text
