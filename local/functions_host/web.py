"""The HTTP server, in the host's own loop."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from local.functions_host.errors import CannotStart

_PATIENCE_SECONDS = 60
"""With clients that do not read their answer. Handlers get less: the host ends them."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the host, which has more to stop than HTTP."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set_result(None)


class Web:
    """An ASGI application on a port of 127.0.0.1."""

    def __init__(self, port: int) -> None:
        # With its protocol named asyncio sets TCP_NODELAY: else each body waits 40 ms for its headers' acknowledgement.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        try:
            self._socket.bind(("127.0.0.1", port))
        except OSError as error:
            self._socket.close()
            raise CannotStart(f"port {port} is taken: {error}") from error

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    async def start(self, app: ASGIApp) -> None:
        """Answer requests from now on."""
        self._server = _Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_PATIENCE_SECONDS,
            )
        )
        self._task = asyncio.create_task(self._server.serve([self._socket]))
        await asyncio.wait({self._server.up, self._task}, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self, grace_seconds: float) -> None:
        """Take no more requests, and give those under way this much time."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await asyncio.wait([self._task], timeout=grace_seconds)

    async def close(self) -> None:
        """Wait for the last answers: by now every invocation has an outcome, if only `Lost`."""
        if self._task is not None:
            await asyncio.wait([self._task])
        self._socket.close()
