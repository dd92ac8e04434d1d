"""A provider that is given a rest when it keeps failing: the port Provider behind a circuit breaker.

The breaker is common to all instances, so that they do not each ask a provider that is down. While it is open the
answer is a reading that says so; when its time is over, one read of one customer decides for all.
"""

import logging
from collections.abc import Mapping, Sequence

from shared.domain.breaker import Breaker, Outcome, Position, position
from shared.domain.evidence import ProviderDetails, ProviderReading
from shared.domain.policy import BreakerLimits
from shared.errors import CaseUnreadable, SourceError
from shared.ports import Breakers, Clock, Provider

log = logging.getLogger(__name__)

RESTS = "The provider keeps failing and is given a rest; it is asked again by itself"


class RestingProvider:
    """Port Provider around another one. `name` is that of the breaker: the connector in Work 365's providers."""

    def __init__(
        self, provider: Provider, breakers: Breakers, clock: Clock, limits: BreakerLimits, name: str = "microsoft_csp"
    ) -> None:
        self._provider = provider
        self._breakers = breakers
        self._clock = clock
        self._limits = limits
        self._name = name

    def under(self, limits: BreakerLimits) -> "RestingProvider":
        """The same, under other limits."""
        return RestingProvider(self._provider, self._breakers, self._clock, limits, self._name)

    async def read(self, tenant_ids: Sequence[str]) -> Mapping[str, ProviderReading]:
        """Never raises. A breaker that cannot be read counts as open."""
        if not tenant_ids:
            return {}
        try:
            where, problem = await self._position(), RESTS
        except SourceError as error:
            where, problem = Position.OPEN, f"The provider is not asked, since its breaker cannot be read: {error}"
        except CaseUnreadable as error:
            return self._none(tenant_ids, f"The provider is not asked: {error}", transient=False)
        if where is Position.OPEN:
            return self._none(tenant_ids, problem, transient=True)
        if where is Position.CLOSED:
            return await self._ask(tenant_ids)
        first = await self._ask(tenant_ids[:1])
        if _failure(first) is not None:
            return {**self._none(tenant_ids, RESTS, transient=True), **first}
        return {**first, **(await self._ask(tenant_ids[1:]) if tenant_ids[1:] else {})}

    async def details(self, wanted: Sequence[tuple[str, str]]) -> Mapping[str, ProviderDetails]:
        """Asked right after `read`, for a few: while that gives nothing, these are not asked either. Never raises."""
        try:
            resting = await self._position() is not Position.CLOSED
        except (SourceError, CaseUnreadable):
            resting = True
        if resting:
            return {each: ProviderDetails(self._clock.now(), problem=RESTS) for _, each in wanted}
        return await self._provider.details(wanted)

    async def _position(self) -> Position:
        """Half-open only for the one worker that has the probe."""
        read = await self._breakers.read()
        if self._name in read.broken:
            raise CaseUnreadable(f"breaker / {self._name}", "the row", "makes no sense")
        now = self._clock.now()
        where = position(read.breakers.get(self._name, Breaker()), now)
        if where is not Position.HALF_OPEN or await self._breakers.probe(self._name, self._limits, now):
            return where
        return Position.OPEN

    async def _ask(self, tenant_ids: Sequence[str]) -> Mapping[str, ProviderReading]:
        readings = await self._provider.read(tenant_ids)
        failure = _failure(readings)
        outcome = Outcome(failure is None, failure or "")
        try:
            await self._breakers.count(self._name, outcome, self._limits, self._clock.now())
        except (SourceError, CaseUnreadable) as error:
            log.warning("A read of the provider could not be counted: %s", error)
        return readings

    def _none(self, tenant_ids: Sequence[str], problem: str, *, transient: bool) -> dict[str, ProviderReading]:
        return dict.fromkeys(tenant_ids, ProviderReading(self._clock.now(), problem=problem, transient=transient))


def _failure(readings: Mapping[str, ProviderReading]) -> str | None:
    """What went wrong with most of one call's readings. That one customer is not ours to read is no failure."""
    failed = [r.problem for r in readings.values() if r.problem is not None and r.transient]
    return failed[0] if 2 * len(failed) > len(readings) else None
