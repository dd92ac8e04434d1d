"""uvicorn, set up so that faults can really cut a connection."""

import asyncio
import socket

import httpx
import uvicorn
from starlette.types import ASGIApp, Receive, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol


class LentTransport(H11Protocol):
    """HTTP/1.1 that lends each request the connection it came on, as `scope["state"]["transport"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # Headers and body are two writes: without this the second waits for the first's acknowledgement.
        connection: socket.socket | None = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, "transport": transport}


def server_config(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> uvicorn.Config:
    """A configuration for `uvicorn.Server`; port 0 takes a free one."""
    return uvicorn.Config(
        app, host=host, port=port, http=LentTransport, ws="none", lifespan="off", log_config=None, log_level="warning"
    )


async def cut(scope: Scope, receive: Receive) -> None:
    """Ends the connection without an answer: the TCP one if the server lent it to us, else as httpx would say."""
    transport = scope.get("state", {}).get("transport")
    if transport is None:
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
    transport.abort()
    # The server calls an app that ends without an answer a mistake, unless it knows that the caller is gone.
    while (await receive())["type"] != "http.disconnect":
        pass
