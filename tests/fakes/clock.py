"""Time that passes when the test says so."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass
class ManualClock:
    """Port Clock."""

    time: datetime = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        """Time only goes forward."""
        if by < timedelta(0):
            raise ValueError("time does not run backwards")
        self.time += by
