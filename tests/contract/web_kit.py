"""What tests of the web clients share: time that passes when someone waits, tokens, and a scripted service.

Input: the answers of the service, one after the other. Output: what the client returns, and the requests it sent.
Not faked: the client, its retries, its gate, and httpx down to the connection.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.adapters.dataverse.client import Dataverse, Limits
from shared.adapters.web.timing import Timing
from shared.adapters.web.transport import HttpTransport

BASE = "https://contoso.crm4.dynamics.com"
API = f"{BASE}/api/data/v9.2/"
ID = "0f3c1d52-8a77-4f4e-9d1c-2b5f6a7e8c90"

type Step = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class VirtualTime:
    """A clock that only moves when someone sleeps."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        until = self.seconds + seconds
        self.slept.append(seconds)
        await asyncio.sleep(0)  # whoever else is ready goes first
        self.seconds = max(self.seconds, until)

    def timing(self, chance: float = 0.0) -> Timing:
        return Timing(now=lambda: self.seconds, sleep=self.sleep, chance=lambda: chance)


class Tokens:
    """Hands out token-1, token-2, ...; the next one whenever one is refused."""

    def __init__(self) -> None:
        self.number = 1
        self.refused: list[str] = []

    async def __call__(self) -> str:
        return f"token-{self.number}"

    def invalidate(self, token: str) -> None:
        self.refused.append(token)
        self.number += 1


@dataclass
class Service:
    """Answers with its steps in order; the last one again and again if `repeat`."""

    steps: list[Step]
    repeat: bool = False
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        assert self.steps, f"an unexpected request: {request.method} {request.url}"
        step = self.steps[0] if self.repeat and len(self.steps) == 1 else self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, httpx.Response):
            return httpx.Response(step.status_code, headers=step.headers, content=step.content)
        return step(request)

    @property
    def targets(self) -> list[str]:
        return [request.url.raw_path.decode() for request in self.requests]


@dataclass
class Rig:
    """A Dataverse client and everything around it."""

    dataverse: Dataverse
    service: Service
    time: VirtualTime
    tokens: Tokens


def rig(*steps: Step, repeat: bool = False, limits: Limits | None = None) -> Rig:
    service, time, tokens = Service(list(steps), repeat), VirtualTime(), Tokens()
    dataverse = Dataverse(
        BASE,
        tokens=tokens,
        transport=HttpTransport(httpx.MockTransport(service)),
        product="unstuck/0.1.0",
        timing=time.timing(),
        limits=limits,
    )
    return Rig(dataverse, service, time, tokens)


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, json=body, headers={"OData-Version": "4.0", **(headers or {})})


def html(status: int) -> httpx.Response:
    page = "<!DOCTYPE html><html><head><title>Service\r\nunavailable</title></head><body>…</body></html>"
    return httpx.Response(status, html=page)


def fault(status: int, code: str = "", message: str = "No.", **headers: str) -> httpx.Response:
    return answer({"error": {"code": code, "message": message}}, status, _named(headers))


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name if name == "REQ_ID" else name.replace("_", "-"): value for name, value in headers.items()}


def page(rows: Iterable[Mapping[str, Any]], link: object = None) -> httpx.Response:
    body: dict[str, Any] = {"@odata.context": f"{API}$metadata#accounts", "value": [dict(row) for row in rows]}
    return answer(body if link is None else {**body, "@odata.nextLink": link})


def part(status: int, body: object = None, **headers: str) -> bytes:
    """One answer inside a batch answer."""
    lines = [f"HTTP/1.1 {status} Whatever", "OData-Version: 4.0"]
    lines += [f"{name}: {value}" for name, value in _named(headers).items()]
    content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    return "\r\n".join([*lines, "", ""]).encode() + content


def batch_answer(*parts: bytes, status: int = 200, closed: bool = True) -> httpx.Response:
    boundary = "batchresponse_3f2a1c5e-0d6a-4d8f-a1c2-7b9e5d4c3b2a"
    head = f"--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n".encode()
    body = b"".join(head + each + b"\r\n" for each in parts) + (f"--{boundary}--\r\n".encode() if closed else b"")
    return httpx.Response(status, headers={"Content-Type": f"multipart/mixed; boundary={boundary}"}, content=body)


def parts_sent(request: httpx.Request) -> list[str]:
    """The request lines of the parts of a batch request."""
    lines = request.content.decode().split("\r\n")
    return [line for line in lines if line.endswith(" HTTP/1.1")]
