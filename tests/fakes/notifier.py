"""A notifier that remembers what people were told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.errors import SourceError
from shared.ports import News


@dataclass
class FakeNotifier:
    """Port Notifier."""

    told: list[News] = field(default_factory=list)
    unavailable: SourceError | None = None
    """Raised before anything is delivered."""
    answer_lost: SourceError | None = None
    """Raised after everything was delivered."""

    async def tell(self, news: Sequence[News]) -> None:
        await asyncio.sleep(0)
        if self.unavailable is not None:
            raise self.unavailable
        self.told += news
        if self.answer_lost is not None:
            raise self.answer_lost
