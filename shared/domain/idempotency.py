"""Idempotency keys: the same request, asked again, gets the same answer and has no second effect. Pure.

nothing ──take──► in flight ──answer──► answered ──48 h──► nothing
                   │     ▲
          give up  │     │ take, once it has been in flight for longer than any request may run
                   ▼     │
                 nothing, or somebody else's turn
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

KEPT_FOR = timedelta(hours=48)
"""How long an answer is kept, from the beginning of its request."""

ABANDONED_AFTER = timedelta(minutes=11)
"""A request in flight for longer is dead: no function may run for longer than ten (host.json)."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer, to be given again as it is."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept for one key of one caller on one route."""

    request: str
    """Digest of what was asked."""
    token: str
    """Whose turn it is, or was: whoever has another one may not answer."""
    begun_on: datetime
    expires_on: datetime
    answer: KeptAnswer | None = None
    """None while it is in flight."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a request with a key is to do: exactly one of the four."""

    token: str = ""
    """It is this request's turn; it answers, or gives up, with this token."""
    answer: KeptAnswer | None = None
    """It was answered before."""
    in_flight: bool = False
    """Another request with the key is at it."""
    other_request: bool = False
    """The key was used for something else."""


def take(before: Entry | None, request: str, token: str, now: datetime) -> tuple[Entry, Turn]:
    """The entry after a request has come in, and what that one is to do."""
    mine = Entry(request, token, now, now + KEPT_FOR), Turn(token=token)
    if before is None or now >= before.expires_on:
        return mine
    if before.request != request:
        return before, Turn(other_request=True)
    if before.answer is not None:
        return before, Turn(answer=before.answer)
    return mine if now >= before.begun_on + ABANDONED_AFTER else (before, Turn(in_flight=True))


def answered(before: Entry | None, token: str, answer: KeptAnswer) -> Entry | None:
    """The entry with its answer; as it was where the turn has passed to somebody else."""
    if before is None or before.token != token or before.answer is not None:
        return before
    return replace(before, answer=answer)


def given_up(before: Entry | None, token: str, now: datetime) -> Entry | None:
    """The entry of a request that has not done anything: over at once, so that the next one may try."""
    if before is None or before.token != token or before.answer is not None:
        return before
    return replace(before, expires_on=now)
