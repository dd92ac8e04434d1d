"""Tells people: JSON posted to a webhook (Teams, Power Automate, anything), or a log line where none is set.

    {"type": "unstuck.news", "news": [{"key": …, "kind": …, "case_id": …, "text": …, "next_step": …, "who": …,
                                       "details": {…}}]}

Whoever knows the webhook's address may post to it: the address is a secret and is in no error and no log.
"""

import ipaddress
import json
import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shared.adapters.web.answers import clean, retry_after, text_of
from shared.adapters.web.transport import Answer, Failure, HttpTransport, NotSent, Outgoing, TransportLimits
from shared.errors import OutcomeUnknown, Refused, SourceError, Throttled, Unreachable
from shared.ports import News

_LIMITS = TransportLimits(
    connect_seconds=5, silence_seconds=10, total_seconds=10, answer_bytes=1_000_000, connections=4
)
_SHORT = 400
"""Characters of a name, key or value; texts have up to 2,000. Much of it comes from Dataverse, where anyone types."""

_MOST_DETAILS = 30

_log = logging.getLogger(__name__)


class WebhookNotifier:
    """Posts news to a webhook. Delivered means that it answered 2xx within ten seconds."""

    def __init__(self, url: str, transport: HttpTransport | None = None) -> None:
        """`url` must be https, or http on this machine; ValueError otherwise, without naming it."""
        _check(url)
        self._url = url
        self._transport = transport or HttpTransport(limits=_LIMITS)
        self._discretion = _Discretion(url)
        # httpx logs every address it calls, and this one is a secret.
        logging.getLogger("httpx").addFilter(self._discretion)

    async def close(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()
        logging.getLogger("httpx").removeFilter(self._discretion)

    async def tell(self, news: Sequence[News]) -> None:
        """One request for all. Raises Unreachable, Throttled, Refused, or OutcomeUnknown when it may have arrived."""
        if not news:
            return
        body = json.dumps({"type": "unstuck.news", "news": [_rendered(each) for each in news]}, ensure_ascii=False)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        try:
            answer = await self._transport.send(Outgoing("POST", self._url, headers, body.encode()))
        except NotSent as failure:
            raise Unreachable("webhook", f"The webhook cannot be reached: {failure}.") from None
        except Failure as failure:
            raise OutcomeUnknown("webhook", f"The webhook gave no answer: {failure}. It may have heard us.") from None
        if not 200 <= answer.status < 300:
            raise self._error(answer)

    def _error(self, answer: Answer) -> SourceError:
        known: dict[str, Any] = {
            "status": answer.status,
            "detail": self._discretion.without_secrets(text_of(answer.body) or "") or None,
        }
        if answer.status in (429, 503):
            known["retry_after"] = retry_after(answer.headers)
            return Throttled("webhook", "The webhook asked us to come back later.", **known)
        if answer.status >= 500:
            return OutcomeUnknown("webhook", "The webhook failed; it may have passed the news on.", **known)
        if answer.status < 400:
            return Refused("webhook", "The webhook points elsewhere: set its final address in the settings.", **known)
        return Refused("webhook", "The webhook refused the news. Check its address in the settings.", **known)


class LogNotifier:
    """Where no webhook is set: one log line for each piece of news."""

    async def close(self) -> None:
        """There is nothing to close."""

    async def tell(self, news: Sequence[News]) -> None:
        """Never fails."""
        for each in news:
            said = _rendered(each)
            _log.info(
                "News about case %s (%s): %s Next: %s (%s)",
                *(said[name] for name in ("case_id", "kind", "text", "next_step", "who")),
            )


def notifier_for(url: str | None) -> WebhookNotifier | LogNotifier:
    """The notifier for the setting; None or empty means the log. ValueError when it is no address we may post to."""
    return WebhookNotifier(url) if url else LogNotifier()


class _Discretion(logging.Filter):
    """Keeps the webhook's address out of what others say."""

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


def _rendered(news: News) -> dict[str, Any]:
    details = list(news.details.items())[:_MOST_DETAILS]
    return {
        "key": _short(news.key),
        "kind": _short(news.kind),
        "case_id": _short(news.case_id),
        "text": clean(news.text),
        "next_step": clean(news.next_step),
        "who": _short(news.who),
        "details": {_short(name): _short(value) for name, value in details},
    }


def _short(text: str) -> str:
    line = clean(text)
    return line if len(line) <= _SHORT else line[: _SHORT - 1] + "…"


def _check(url: str) -> None:
    """Https, so that nobody on the way reads it; plain http only where there is no way."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise ValueError("the webhook's address is not a URL") from None
    if not host or parts.username is not None:
        raise ValueError("the webhook's address should be https://host/path, without a user name")
    if parts.scheme != "https" and not (parts.scheme == "http" and _loopback(host)):
        raise ValueError("the webhook's address should begin with https://")


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
