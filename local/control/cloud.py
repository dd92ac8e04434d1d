"""The cloud's state that outlives a world: who has signed in, where the other processes are, what people were told."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import httpx

from local.control.environment import Environment
from local.sign_in import SignIn
from local.storage.front import StorageFront
from local.worlds.identities import APP_CLIENT_ID, TENANT_ID
from local.worlds.ledger import case_row, empty_storage, write_cases
from local.worlds.model import World

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PATIENCE_SECONDS = 90


@dataclass(frozen=True)
class Notification:
    """What people were told, as the app sent it."""

    on: datetime
    body: Any


class Cloud:
    """Everything behind the cloud's four ports. `clock` gives aware UTC times."""

    def __init__(self, world: World, clock: Callable[[], datetime], cycle_seconds: float, dataverse_url: str) -> None:
        self.clock = clock
        self.cycle_seconds = cycle_seconds
        self.paused = False
        self.storage: str | None = None
        """The connection string of the app's storage account, once it is up."""
        self.storage_fronts = {
            name: StorageFront(partial(self._storage_url, name), lambda: self.environment.storage_faults)
            for name in ("Queue", "Table")
        }
        """Another way to that account, on which something may go wrong."""
        self.host: httpx.AsyncClient | None = None
        """The Functions host's own endpoints, once it is up."""
        self.notifications: list[Notification] = []
        self.sign_in = SignIn(clock, TENANT_ID, APP_CLIENT_ID, on_issue=self._issued)
        self._dataverse_url = dataverse_url.rstrip("/")
        self._tokens: dict[str, str] = {}
        self._loading = asyncio.Lock()
        self.environment = self._environment(world)

    async def load(self, world: World) -> None:
        """Replaces the world, and empties the app's storage: nothing of the old one must reach the new one.

        The app's worker is paused meanwhile and killed at the end, so that no step that was under way goes on.
        Messages that it had in hand are gone with the queue's.
        """
        async with self._loading:
            if self.host is not None:
                await self.host.post("/admin/local/worker/pause")  # where that is not possible, killing must do
            if self.storage is not None:
                await asyncio.to_thread(empty_storage, self.storage)
            self.environment.close()
            self.environment = self._environment(world)
            self.notifications.clear()
            await self._write_ledger()
            if self.host is not None:
                (await self.host.post("/admin/local/worker/kill")).raise_for_status()

    async def storage_is_up(self, connection_string: str) -> None:
        """The storage account can be reached: whatever the world has to leave in it is written now."""
        self.storage = connection_string
        await self._write_ledger()

    def host_is_up(self, url: str, key: str) -> None:
        """The Functions host can be reached, with its master key."""
        headers = {"x-functions-key": key}
        self.host = httpx.AsyncClient(base_url=url, headers=headers, timeout=_PATIENCE_SECONDS)

    def told(self, body: Any, text: str) -> None:
        """People were told this; some of them do something about it."""
        self.notifications.append(Notification(self.clock(), body))
        self.environment.told(found.lower() for found in _GUID.findall(text))

    def _storage_url(self, service: str) -> str:
        """Scheme, host and port of a service of the account. KeyError as long as there is none."""
        parts = dict(part.partition("=")[::2] for part in (self.storage or "").split(";"))
        return str(httpx.URL(parts[f"{service}Endpoint"]).copy_with(path="/"))

    async def run(self) -> None:
        """Work 365's cycles and people's deeds, until cancelled."""
        await asyncio.gather(self._cycles(), self._deeds())

    async def _cycles(self) -> None:
        while True:
            if not self.paused:
                self.environment.engine.cycle()
            await asyncio.sleep(self.cycle_seconds)

    async def _deeds(self) -> None:
        while True:
            self.environment.happenings.do_what_is_due()
            await asyncio.sleep(0.1)

    async def _write_ledger(self) -> None:
        if self.storage is None:
            return
        environment, now = self.environment, self.clock()
        rows = [case_row(toggled, environment.records, now) for toggled in environment.built.half_toggled]
        await asyncio.to_thread(write_cases, self.storage, rows)

    def _environment(self, world: World) -> Environment:
        environment = Environment(world, self.clock, self.sign_in.audience_of, self.cycle_seconds)
        for token, client_id in self._tokens.items():
            environment.admit(token, client_id)
        return environment

    def _issued(self, token: str, audience: str, client_id: str) -> None:
        if audience.rstrip("/") == self._dataverse_url:
            self._tokens[token] = client_id
            self.environment.admit(token, client_id)
