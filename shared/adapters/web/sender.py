"""Sends one request: token, gate, retries. Which retries are safe is decided by effect, not by hope.

|                                   | only reads                | writes                                        |
|-----------------------------------|---------------------------|-----------------------------------------------|
| 429                               | again, through the gate   | again, through the gate: it was not executed  |
| no connection made                | again                     | again: it was not received                    |
| 401                               | once, with a new token    | once, with a new token: it was not executed   |
| 408, 500, 502, 503, 504           | again                     | the answer is returned: an unknown outcome    |
| timeout, connection cut           | again                     | OutcomeUnknown at once                        |

A write with If-Match could safely be sent twice, but its second answer would hide what became of the first:
412 reads like a stranger's change. We settle a lost reply by reading, so it has to be seen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from shared.adapters.web.answers import retry_after
from shared.adapters.web.gate import Gate, Shut
from shared.adapters.web.timing import Patience, Timing
from shared.adapters.web.transport import Answer, Cut, Failure, HttpTransport, NotSent, Outgoing, Unreadable
from shared.domain.signals import REFUSED, THROTTLED
from shared.errors import Garbled, OutcomeUnknown, SignInRefused, Source, SourceError, Throttled, Unreachable
from shared.ports import NoTelemetry, Telemetry

PASSING = frozenset({408, 500, 502, 503, 504})
NAMES: Mapping[Source, str] = {
    "dataverse": "Dataverse",
    "partner_center": "Partner Center",
    "sign_in": "The sign-in service",
    "storage": "Storage",
}


class Tokens(Protocol):
    """Where tokens come from."""

    async def __call__(self) -> str:
        """A token that is good for some minutes at least. Raises SourceError."""

    def invalidate(self, token: str) -> None:
        """The service refused this token: do not hand it out again."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how long to try."""

    attempts: int = 4
    """Times one request is sent at most, the first included; a renewed sign-in is not counted."""

    longest_wait_seconds: float = 20.0
    """How long one call waits in all, for the gate and between tries. Then it fails with what it knows, so that
    a function does not sleep for minutes: the queue brings it back."""

    first_backoff_seconds: float = 0.5
    """Wait after the first failure of a request; doubles each time, with jitter."""

    most_backoff_seconds: float = 8.0
    """Longest wait between two tries that nobody asked for."""


class Sender:
    """Sends requests to one service with one credential."""

    def __init__(
        self,
        source: Source,
        *,
        transport: HttpTransport,
        tokens: Tokens,
        gate: Gate,
        timing: Timing,
        retries: Retries,
        wait: Callable[[Answer], float | None] | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        """`wait` reads out of an answer how many seconds it asks for, where that is not in its headers alone."""
        self._source: Source = source
        self._name = NAMES[source]
        self._transport = transport
        self._tokens = tokens
        self._gate = gate
        self._timing = timing
        self._retries = retries
        self._telemetry = telemetry or NoTelemetry()
        self._wait = wait or (lambda answer: retry_after(answer.headers))

    def patience(self) -> Patience:
        """For one call: hand it to every `send` that belongs to the call."""
        return Patience(self._retries.longest_wait_seconds)

    def throttled(self, after: float | None) -> None:
        """A 429 came to light inside another answer: hold everything back as if it had come alone."""
        self._gate.throttled(self._gate.episode, after)
        self._telemetry.count(THROTTLED, {"source": self._source})

    def refused(self) -> None:
        """Our identity or its rights were not accepted: by a whole answer, or inside another one."""
        self._telemetry.count(REFUSED, {"source": self._source})

    async def send(self, request: Outgoing, *, writes: bool, patience: Patience) -> Answer:
        """The service's final answer, whatever its status.

        Raises Throttled when the gate stays shut for too long, Unreachable, OutcomeUnknown (only if `writes`),
        Garbled for an answer that broke off or is too large, and what the token source raises.
        """
        try:
            answer = await self._final(request, writes, patience)
        except SignInRefused:
            self.refused()
            raise
        if answer.status in (401, 403):
            self.refused()
        return answer

    async def _final(self, request: Outgoing, writes: bool, patience: Patience) -> Answer:
        renewed = False
        attempt = 0
        outcome: Answer | Failure | None = None
        while True:
            attempt += 1
            token = await self._tokens()
            try:
                outcome = await self._once(_signed(request, token), patience)
            except Shut as shut:
                if isinstance(outcome, Answer) and outcome.status == 429:
                    return outcome  # the 429 itself says more than that we may not wait for it
                raise self._held_back(shut) from None
            if isinstance(outcome, Answer):
                if outcome.status == 401 and not renewed:
                    renewed, attempt = True, attempt - 1
                    self._tokens.invalidate(token)
                    continue
                if not _worth_repeating(outcome, writes):
                    return outcome
            elif writes and not isinstance(outcome, NotSent):
                raise self._unknown(outcome)
            if attempt >= self._retries.attempts or not await self._pause(outcome, attempt, patience):
                return self._given_up(outcome)

    async def _once(self, request: Outgoing, patience: Patience) -> Answer | Failure:
        try:
            async with self._gate.turn(patience) as episode:
                answer = await self._transport.send(request)
                if answer.status == 429:
                    self._gate.throttled(episode, self._wait(answer))
                    self._telemetry.count(THROTTLED, {"source": self._source})
                elif answer.status < 500:
                    self._gate.went_well(episode)
                return answer
        except Failure as failure:
            return failure

    async def _pause(self, outcome: Answer | Failure, attempt: int, patience: Patience) -> bool:
        """Wait before the next try; False when that would be longer than this call may wait."""
        if isinstance(outcome, Answer) and outcome.status == 429:
            return True  # the gate holds it back
        asked = self._wait(outcome) if isinstance(outcome, Answer) else None
        seconds = self._timing.backoff(
            attempt, first=self._retries.first_backoff_seconds, most=self._retries.most_backoff_seconds
        )
        seconds = max(seconds, asked or 0.0)
        if not patience.take(seconds):
            return False
        await self._timing.sleep(seconds)
        return True

    def _given_up(self, outcome: Answer | Failure) -> Answer:
        if isinstance(outcome, Answer):
            return outcome
        raise self._failed(outcome)

    def _held_back(self, shut: Shut) -> Throttled:
        return Throttled(
            self._source,
            f"{self._name} asked us to send less, so this was not sent. It can be tried again later.",
            retry_after=shut.seconds,
        )

    def _failed(self, failure: Failure) -> SourceError:
        if isinstance(failure, Unreadable) or (isinstance(failure, Cut) and failure.in_answer):
            return Garbled(
                self._source, f"{self._name}'s answer could not be read to its end: {failure}. Nothing of it is used."
            )
        return Unreachable(
            self._source, f"{self._name} cannot be reached: {failure}. Nothing was changed. Check address and network."
        )

    def _unknown(self, failure: Failure) -> SourceError:
        return OutcomeUnknown(
            self._source,
            f"A write was sent to {self._name} and its outcome is not known: {failure}. "
            "Read before anything is tried again.",
        )


def _signed(request: Outgoing, token: str) -> Outgoing:
    return replace(request, headers={**request.headers, "Authorization": f"Bearer {token}"})


def _worth_repeating(answer: Answer, writes: bool) -> bool:
    return answer.status == 429 or (answer.status in PASSING and not writes)
