"""One service of a storage account, passed on as it comes: what a client has signed stays as it was signed.

A shared key signs the path, some headers and the date, but neither host nor port, so a client may come by this way.
"""

from collections.abc import Callable, Iterable

import aiohttp
from multidict import CIMultiDict
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from yarl import URL

from local.dataverse.server import cut
from local.storage.faults import Fault

type Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers, body."""

_PATIENCE_SECONDS = 60
_IDLE_SECONDS = 2
# They concern one connection and not what travels on it (RFC 9110, 7.6.1); a body is passed on in one piece.
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
# What the client would add by itself: some of it is part of what was signed.
_NOT_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class StorageFront:
    """An ASGI app. `find` gives the address of the service behind it, such as http://127.0.0.1:10002, and `faults`
    what goes wrong now."""

    def __init__(self, find: Callable[[], str], faults: Callable[[], Iterable[Fault]] = tuple) -> None:
        self._find = find
        self._faults = faults
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on, or has a fault answer it. 502 when there is no answer from behind."""
        body = await Request(scope, receive).body()
        fault = next((each for each in self._faults() if each.strikes(scope["method"], scope["path"])), None)
        kind = fault.kind if fault is not None else None
        if fault is not None and kind in ("throttled", "server_error"):
            await _say(send, fault.answer())
            return
        answer = await self._passed_on(scope, body) if kind != "cut_before" else None
        if answer is None or kind == "cut_after":
            await cut(scope, receive)
        else:
            await _say(send, answer)

    async def aclose(self) -> None:
        """Closes the connections behind it."""
        if self._session is not None:
            await self._session.close()

    async def _passed_on(self, scope: Scope, body: bytes) -> Answer:
        try:
            return await self._answered(scope, body)
        except aiohttp.ClientError:
            return 502, [], b""

    async def _answered(self, scope: Scope, body: bytes) -> Answer:
        if self._session is None:  # made where it is used: it belongs to the event loop that it began in
            patience = aiohttp.ClientTimeout(_PATIENCE_SECONDS)
            # The emulator ends connections that were idle for five seconds: they must not be used up to the last one.
            ways = aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS)
            self._session = aiohttp.ClientSession(
                connector=ways, timeout=patience, auto_decompress=False, skip_auto_headers=_NOT_ADDED
            )
        query: bytes = scope["query_string"]
        target: bytes = scope["raw_path"] + (b"?" + query if query else b"")
        url = URL(self._find().rstrip("/") + target.decode("latin-1"), encoded=True)  # to the letter, as it was signed
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        kept = CIMultiDict((name, value) for name, value in headers if name not in _HOP)
        data = body or None
        async with self._session.request(
            scope["method"], url, headers=kept, data=data, allow_redirects=False
        ) as answer:
            content = await answer.read()
        return answer.status, [each for each in answer.raw_headers if each[0].lower().decode() not in _HOP], content


async def _say(send: Send, answer: Answer) -> None:
    status, headers, content = answer
    headers = [*headers, (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
