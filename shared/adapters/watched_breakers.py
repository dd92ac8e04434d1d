"""Breakers that are seen to open: the port Breakers around another one."""

from datetime import datetime

from shared.domain.breaker import Breaker, Outcome
from shared.domain.policy import BreakerLimits
from shared.domain.signals import BREAKER_OPENINGS
from shared.ports import Breakers, BreakersRead, Telemetry


class WatchedBreakers:
    """Port Breakers. Counts each opening once, whoever's call it was that opened it."""

    def __init__(self, breakers: Breakers, telemetry: Telemetry) -> None:
        self._breakers = breakers
        self._telemetry = telemetry

    async def read(self) -> BreakersRead:
        return await self._breakers.read()

    async def count(self, name: str, outcome: Outcome, limits: BreakerLimits, now: datetime) -> Breaker:
        """Counts one call. That call has opened the breaker if it is open from this very moment on."""
        after = await self._breakers.count(name, outcome, limits, now)
        if not outcome.ok and after.open_until == now + limits.open_for:
            self._telemetry.count(BREAKER_OPENINGS, {"breaker": name})
        return after

    async def probe(self, name: str, limits: BreakerLimits, now: datetime) -> bool:
        return await self._breakers.probe(name, limits, now)
