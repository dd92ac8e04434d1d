"""The only module that knows the HTTP library (httpx), so that its successor touches one file.

One request in, one whole answer out. What may fail is told apart by one question, whether the service may
have received the request:

Failure
  x NotSent      no connection was made: for sure nothing was received
  x Cut          the request may have been received; no answer, or only a part of one, came back
  x Unreadable   an answer came, but it is too large or cannot be unpacked
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

# Problems that httpx reports before the first byte of the request is on its way.
_BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


class Failure(Exception):
    """No usable answer. The text never holds the address, a header or a body."""


class NotSent(Failure):
    """No connection was made: for sure nothing was received."""


class Cut(Failure):
    """The request may have been received. `in_answer`: the answer had begun when it broke off."""

    def __init__(self, why: str, *, in_answer: bool = False) -> None:
        self.in_answer = in_answer
        super().__init__(why)


class Unreadable(Failure):
    """An answer came, but it is larger than allowed or cannot be unpacked."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request. The headers are kept out of `repr`: they hold the token."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class TransportLimits:
    """How long and how much."""

    connect_seconds: float = 10.0
    """To reach the service, TLS included."""

    silence_seconds: float = 125.0
    """Between two bytes of an answer. Dataverse ends a single operation after two minutes by itself."""

    total_seconds: float = 180.0
    """For one request with its whole answer, so that a trickle of bytes cannot hold a worker for ever."""

    answer_bytes: int = 100_000_000
    """The largest answer taken into memory, unpacked. 5,000 expanded rows are about 8 MB."""

    connections: int = 20
    """Connections at once."""

    idle_seconds: float = 5.0
    """How long an idle connection is kept. Short, so that a write is never put on one that the service is
    just closing: that would leave its outcome unknown."""


class HttpTransport:
    """Sends requests. `inner` is the seam for tests; without it, real connections are made.

    No redirect is followed (a token would travel with it), no proxy is taken from the environment, and no
    cookie is kept: Dataverse's affinity cookie pins a client to one of its web servers, whose limits would
    then be the only ones we may use, and nothing here needs to meet the same server twice.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport | None = None, limits: TransportLimits | None = None) -> None:
        self._limits = limits or TransportLimits()
        self._client = httpx.AsyncClient(
            transport=inner or self._connections(),
            timeout=httpx.Timeout(self._limits.silence_seconds, connect=self._limits.connect_seconds),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
        )

    async def send(self, request: Outgoing) -> Answer:
        """The whole answer to `request`, whatever its status. Raises a Failure."""
        try:
            async with asyncio.timeout(self._limits.total_seconds):
                return await self._exchange(request)
        except TimeoutError:
            raise Cut(f"no complete answer within {self._limits.total_seconds:g} seconds") from None
        except _BEFORE_SENDING as error:
            raise NotSent(_in_words(error)) from None
        except httpx.InvalidURL:
            raise NotSent("the address is not one that can be called") from None
        except httpx.DecodingError:
            raise Unreadable("the answer cannot be unpacked") from None
        except httpx.HTTPError as error:
            raise Cut(_in_words(error)) from None

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _exchange(self, request: Outgoing) -> Answer:
        outgoing = self._client.build_request(
            request.method, request.url, headers=dict(request.headers), content=request.body
        )
        response = await self._client.send(outgoing, stream=True)
        try:
            body = await self._read(response)
        except (httpx.NetworkError, httpx.ProtocolError, httpx.TimeoutException) as error:
            raise Cut(_in_words(error), in_answer=True) from None
        finally:
            await response.aclose()
        return Answer(response.status_code, dict(response.headers), body)

    async def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > self._limits.answer_bytes:
                raise Unreadable(f"the answer is larger than {self._limits.answer_bytes:,} bytes")
        return bytes(body)

    def _connections(self) -> httpx.AsyncHTTPTransport:
        pool = httpx.Limits(max_connections=self._limits.connections, keepalive_expiry=self._limits.idle_seconds)
        return httpx.AsyncHTTPTransport(limits=pool, retries=0)


def _in_words(error: httpx.HTTPError) -> str:
    # Never the library's own text: h11 quotes an illegal header value, and that header may be the token.
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return "no connection within the time allowed"
        case httpx.ConnectError() | httpx.ProxyError():
            return "no connection could be made"
        case httpx.TimeoutException():
            return "no answer within the time allowed"
        case httpx.LocalProtocolError() | httpx.UnsupportedProtocol():
            return "the request is not one that can be sent"
        case _:
            return "the connection broke off"
