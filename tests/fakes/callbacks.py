"""Flows that are called, in memory."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

from shared.domain.webhook import check_callback
from shared.errors import SourceError
from shared.ports import News


@dataclass
class FakeCallbacks:
    """Port Callbacks."""

    hosts: Collection[str] = ("*.logic.azure.com",)
    called: list[tuple[str, News]] = field(default_factory=list)
    """Address and news of each call that arrived."""
    failing: SourceError | None = None
    """Raised instead of calling."""

    def check(self, url: str) -> None:
        check_callback(url, self.hosts)

    async def call(self, url: str, news: News) -> None:
        await asyncio.sleep(0)
        if self.failing is not None:
            raise self.failing
        self.called.append((url, news))
