"""Tells people: JSON posted to a webhook (Teams, Power Automate, anything), or a log line where none is set.

    {"type": "unstuck.news", "news": [{"key": …, "kind": …, "case_id": …, "text": …, "next_step": …, "who": …,
                                       "details": {…}}]}

Flows that have subscribed (docs/http-api.md) are called one by one, each piece of news flat, details among the rest.
"""

import logging
from collections.abc import Collection, Sequence
from typing import Any

from shared.adapters.web.answers import clean
from shared.adapters.web.posting import LIMITS, check_address, post
from shared.adapters.web.transport import HttpTransport
from shared.domain.webhook import check_callback
from shared.errors import Refused
from shared.ports import News

_SHORT = 400
"""Characters of a name, key or value; texts have up to 2,000. Much of it comes from Dataverse, where anyone types."""

_MOST_DETAILS = 30

_log = logging.getLogger(__name__)


class WebhookNotifier:
    """Posts news to the webhook of the settings."""

    def __init__(self, url: str, transport: HttpTransport | None = None) -> None:
        """`url` must be https, or http on this machine; ValueError otherwise, without naming it."""
        check_address(url)
        self._url = url
        self._transport = transport or HttpTransport(limits=LIMITS)

    async def close(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()

    async def tell(self, news: Sequence[News]) -> None:
        """One request for all. Raises Unreachable, Throttled, Refused, or OutcomeUnknown when it may have arrived."""
        if news:
            body = {"type": "unstuck.news", "news": [_rendered(each) for each in news]}
            await post(self._transport, self._url, body)


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


class WebhookCallbacks:
    """Port Callbacks: calls flows that have subscribed, at the hosts that the settings allow and nowhere else."""

    def __init__(self, hosts: Collection[str], transport: HttpTransport | None = None) -> None:
        self._hosts = hosts
        self._transport = transport or HttpTransport(limits=LIMITS)

    async def close(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()

    def check(self, url: str) -> None:
        """Raises ValueError for an address that is not called."""
        check_callback(url, self._hosts)

    async def call(self, url: str, news: News) -> None:
        """One request. Raises as the notifier does; Refused, too, where the address is not allowed any more."""
        try:
            self.check(url)
        except ValueError as error:
            raise Refused("webhook", f"The callback address {error}.") from None
        said = _rendered(news)
        await post(self._transport, url, {**said.pop("details"), **said})


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
