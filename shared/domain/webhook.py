"""Webhooks: flows that are called when a case needs a person. Where they may be, what they want, and when to try again.

A callback address lets whoever knows it start the flow: it is a secret, and is never shown again.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from shared.domain.case import NOT_DONE, Case, Notification, State

MOST = 100
"""Webhooks at once: each piece of news is sent to every one that wants it."""

LONGEST_URL = 4_000
"""Characters of a callback address; those of flows have a few hundred."""

PERSON_STATES = (State.AWAITING_APPROVAL, State.NEEDS_PERSON, State.ESCALATED)
"""States in which a case waits for a person."""

WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 480, 720))
"""Between two tries of one delivery: about a day in all, so that a flow may be mended or turned on again."""

CALLED = "flows:"
"""Before the key of news that flows were called for, while people could not be told otherwise."""

_GONE, _NOT_FOUND = 410, 404
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")
_LOOPBACK = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Webhook:
    """Somebody's wish to be called. What is left out of the filter means any."""

    id: str
    callback_url: str = field(repr=False)
    by: str
    since: datetime
    state: State | None = None
    cause: str | None = None
    provider: str | None = None
    failure: str = ""
    """Why the newest delivery came to nothing; empty when it arrived."""
    failed_on: datetime | None = None

    @property
    def host(self) -> str:
        """All that may be seen of the address."""
        return urlsplit(self.callback_url).hostname or ""

    def wants(self, case: Case) -> bool:
        """Whether this case is one to be called for."""
        provider = self.provider is None or self.provider.casefold() == case.provider_name.casefold()
        return self.state in (None, case.state) and self.cause in (None, case.cause) and provider


@dataclass(frozen=True, slots=True)
class Delivery:
    """One call that is owed to a webhook. It carries ids only: what is said is read when it is made."""

    webhook_id: str
    subscription_id: str
    key: str
    """That of the news."""
    kind: str
    tries: int = 0
    """Calls that came to nothing."""


def id_of(by: str, callback_url: str) -> str:
    """The same party's webhook at the same address has the same id: subscribing twice is subscribing once."""
    return sha256(f"{by}\n{callback_url}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def check_hosts(hosts: Collection[str]) -> None:
    """Whether these can be allowed: names, with `*.` for all below one. Raises ValueError naming one that cannot."""
    for host in hosts:
        if host not in _LOOPBACK and not _HOST.fullmatch(host.removeprefix("*.")):
            raise ValueError(f"{host!r} is no host such as contoso.example or *.logic.azure.com")


def check_callback(url: str, hosts: Collection[str]) -> None:
    """Whether the app may call this address. Raises ValueError, never quoting more of it than its host.

    Only hosts that the settings allow, by name and over https at the usual port: whoever may subscribe could
    otherwise have the app call what only the app can reach (server-side request forgery).
    """
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError(f"should be an https address of at most {LONGEST_URL:,} ASCII characters without blanks")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    local = host in _LOOPBACK and host in hosts
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise ValueError("should begin with https://")
    if parts.username is not None or parts.fragment:
        raise ValueError("should have no user name and no fragment")
    if not local and port not in (None, 443):
        raise ValueError("should be at port 443")
    if not any(_allows(each, host) for each in hosts):
        raise ValueError(
            f"leads to {host[:100]!r}, and UNSTUCK_WEBHOOK_HOSTS allows {', '.join(sorted(hosts)) or 'none'}"
        )


def owed_to_flows(case: Case) -> tuple[Notification, ...]:
    """News that flows are still to be called for."""
    return tuple(news for news in case.outgoing if CALLED + news.key not in case.told)


def overtaken(case: Case, delivery: Delivery) -> bool:
    """Whether the case has newer news, or none any more: then the call would tell what is no longer so."""
    if delivery.kind == NOT_DONE:  # told whatever becomes of the case
        return False
    if delivery.kind in PERSON_STATES and case.state != delivery.kind:
        return True
    newest = [*(key.removeprefix(CALLED) for key in case.told), *(news.key for news in case.outgoing)]
    return not newest or newest[-1] != delivery.key


def next_try(tries: int, retry_after: float | None) -> timedelta | None:
    """After how long a call is made again that came to nothing `tries` times; None when that was the last time."""
    if tries > len(WAITS):
        return None
    asked = timedelta(seconds=min(retry_after or 0.0, WAITS[-1].total_seconds()))
    return max(WAITS[tries - 1], asked)


def is_gone(status: int | None, *, last: bool) -> bool:
    """Whether there is nobody any more: said at once, or not found for as long as calls were tried."""
    return status == _GONE or (last and status == _NOT_FOUND)


def _allows(allowed: str, host: str) -> bool:
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed
