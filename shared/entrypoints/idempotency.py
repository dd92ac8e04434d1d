"""The header Idempotency-Key: the same request, sent again, gets the same answer and has no second effect."""

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from shared.domain.idempotency import KEPT_FOR, KeptAnswer
from shared.entrypoints.exchange import Answer
from shared.entrypoints.problems import PROBLEM, Problem, bad_field
from shared.errors import CaseUnreadable, Refused, SourceError
from shared.ports import Clock, IdempotencyKeys

HEADER = "Idempotency-Key"

LONGEST_KEY = 255

RETRY_AFTER_SECONDS = 2
"""How soon to ask again what is still being worked on."""

log = logging.getLogger(__name__)

_HINT = f"Give 1 to {LONGEST_KEY} printable ASCII characters, such as a flow's run id."
_TOO_LONG = {
    "type": "about:blank",
    "title": "Conflict",
    "status": HTTPStatus.CONFLICT.value,
    "detail": "The request with this key was carried out; its answer was too long to be kept. Read what it was about.",
}


def key_of(given: str | None) -> str | None:
    """The key in a request's header, None without one. Raises Problem naming the header."""
    if given is None:
        return None
    if not 0 < len(given) <= LONGEST_KEY or not given.isascii() or not given.isprintable():
        raise bad_field(HEADER, f"{HEADER}: not a key of 1 to {LONGEST_KEY} printable ASCII characters.", _HINT)
    return given


def scope_of(caller: str, operation: str, path: str, key: str) -> str:
    """What a key is good for: this caller, on this route. Nobody gets another's answer."""
    return json.dumps([caller, operation, path, key])


def digest_of(body: bytes) -> str:
    """What was asked, in short."""
    return hashlib.sha256(body).hexdigest()


async def once(
    keys: IdempotencyKeys, clock: Clock, scope: str, request: str, act: Callable[[], Awaitable[Answer]]
) -> Answer:
    """The answer of `act`, done once for this scope; the kept one where it was done before.

    What failed for a reason of ours (5xx) is not kept: asked again, it is tried again. Raises Problem for a key that
    is in flight or was used for something else, SourceError when it cannot be told: then nothing is done.
    """
    turn = await keys.begin(scope, request, clock.now())
    if turn.other_request:
        detail = f"{HEADER}: this key was used for a request with another body."
        hint = f"Take a new key for a new request; a key is remembered for {KEPT_FOR.days * 24} hours."
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, field=HEADER, hint=hint)
    if turn.in_flight:
        after = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        detail = "The request with this key is still being worked on. Ask again with the same key."
        raise Problem(HTTPStatus.CONFLICT, detail, field=HEADER, headers=after)
    if turn.answer is not None:
        kept = turn.answer
        return Answer(kept.status, kept.body, kept.content_type, kept.headers)
    try:
        answer = await act()
    except BaseException:
        await _noted(keys.give_up(scope, turn.token, clock.now()))
        raise
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        await _noted(keys.give_up(scope, turn.token, clock.now()))
    else:
        await _noted(_keep(keys, scope, turn.token, answer))
    return answer


async def _keep(keys: IdempotencyKeys, scope: str, token: str, answer: Answer) -> None:
    kept = KeptAnswer(answer.status, answer.body, answer.content_type, dict(answer.headers))
    try:
        await keys.finish(scope, token, kept)
    except Refused:
        instead = KeptAnswer(HTTPStatus.CONFLICT.value, json.dumps(_TOO_LONG).encode(), PROBLEM)
        await keys.finish(scope, token, instead)


async def _noted(doing: Awaitable[None]) -> None:
    """What was done is done, and its answer goes out. The key stays in flight until it counts as abandoned."""
    try:
        await doing
    except (SourceError, CaseUnreadable) as error:
        log.warning("What became of a request with an idempotency key could not be kept: %s", error)
