"""The cloud of the local stack, in a thread of the test's own process."""

import asyncio
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self

import httpx
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from local.control.cloud import Cloud
from local.control.web_api import create_app as control_app
from local.dataverse.server import server_config
from local.sign_in import create_app as sign_in_app
from local.worlds.model import World
from tests.host.functions_host_kit import DEADLINE


class CloudThread:
    """Dataverse, Partner Center, sign-in and control on ports of their own, with Work 365 running behind them.

    `Queue` and `Table` lead on to storage, once the cloud was told of it. Every request goes through what `wrap` makes
    of its app.
    """

    def __init__(
        self,
        world: World,
        cycle_seconds: float,
        wrap: Callable[[str, ASGIApp], ASGIApp] = lambda _, app: app,
    ) -> None:
        self._world = world
        self._cycle_seconds = cycle_seconds
        self._wrap = wrap
        names = ("dataverse", "partner_center", "sign_in", "control", "Queue", "Table")
        self._sockets = {name: _listening() for name in names}
        self.urls = {name: f"http://127.0.0.1:{sock.getsockname()[1]}" for name, sock in self._sockets.items()}
        self.tokens: list[str] = []
        """Every token that was given out."""
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(DEADLINE), "the cloud does not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), "the cloud does not stop"

    @property
    def identity_header(self) -> str:
        return self._cloud.sign_in.identity_header

    def ask[T](self, look: Callable[[Cloud], T]) -> T:
        """What `look` finds, or does, in the cloud's own thread: nothing else happens there meanwhile."""
        if threading.current_thread() is self._thread:  # asked by something that a fault has called
            return look(self._cloud)

        async def now() -> T:
            return look(self._cloud)

        return asyncio.run_coroutine_threadsafe(now(), self._loop).result(DEADLINE)

    def tell(self, what: dict[str, Any]) -> None:
        """Tells the control endpoint where another part of the stack is."""
        httpx.put(f"{self.urls['control']}/stack", json=what, timeout=DEADLINE).raise_for_status()

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        cloud = Cloud(self._world, lambda: datetime.now(UTC), self._cycle_seconds, self.urls["dataverse"])
        self._cloud = cloud
        self._note_tokens(cloud)
        apps: dict[str, ASGIApp] = {
            "dataverse": _current(lambda: cloud.environment.dataverse),
            "partner_center": _current(lambda: cloud.environment.partner_center),
            "sign_in": sign_in_app(cloud.sign_in),
            "control": control_app(cloud),
            **cloud.storage_fronts,
        }
        servers = {name: _server(self._wrap(name, app)) for name, app in apps.items()}
        serving = [asyncio.create_task(server.serve([self._sockets[name]])) for name, server in servers.items()]
        living = asyncio.create_task(cloud.run())
        self._ready.set()
        await self._over.wait()
        living.cancel()
        for server in servers.values():
            server.should_exit = True
        await asyncio.gather(living, *serving, return_exceptions=True)
        if cloud.host is not None:
            await cloud.host.aclose()
        for front in cloud.storage_fronts.values():
            await front.aclose()
        cloud.environment.close()

    def _note_tokens(self, cloud: Cloud) -> None:
        admit = cloud.sign_in.on_issue

        def note(token: str, audience: str, client_id: str) -> None:
            self.tokens.append(token)
            if admit is not None:
                admit(token, audience, client_id)

        cloud.sign_in.on_issue = note


def _server(app: ASGIApp) -> uvicorn.Server:
    config = server_config(app)
    config.timeout_graceful_shutdown = 1  # an answer that is held back must not hold back the end
    return uvicorn.Server(config)


def _current(find: Callable[[], ASGIApp]) -> ASGIApp:
    """The ASGI app of whatever world is loaded."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await find()(scope, receive, send)

    return app


def _listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))
