"""What a webhook receives, and what is made of its answers. Nobody ever sees its address.

Input: news with texts as people type them into Dataverse. Not faked: httpx and its logging, down to the connection.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from shared.adapters.notifier import LogNotifier, WebhookNotifier, notifier_for
from shared.adapters.web.transport import HttpTransport, TransportLimits
from shared.errors import OutcomeUnknown, Refused, SourceError, Throttled, Unreachable
from shared.ports import News

SECRET = "sig-canary-0123456789"
URL = f"https://prod.example/workflows/canary-path/triggers/manual?api-version=2016&sig={SECRET}"
NEWS = News(
    key="needs_person:1",
    kind="needs_person",
    case_id="11111111-0000-4000-8000-000000000001-1",
    text="Somebody must look at Größe 😀.",
    next_step="Look.",
    who="the billing administrator",
    details={"customer": "Contoso"},
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def nobody_sees_the_address(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test does: no log line of any library names the secret."""
    with caplog.at_level(logging.DEBUG):
        yield
    said = "\n".join(f"{record.getMessage()} {record.exc_text}" for record in caplog.get_records("call"))
    assert SECRET not in said
    assert "canary-path" not in said


@dataclass
class Webhook:
    """Answers everything with one response, or fails."""

    answer: httpx.Response | Exception = field(default_factory=lambda: httpx.Response(202))
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def hears(self, *news: News) -> None:
        notifier = WebhookNotifier(URL, HttpTransport(httpx.MockTransport(self)))
        try:
            await notifier.tell(news)
        finally:
            await notifier.close()

    @property
    def heard(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(self.requests[-1].content)
        return heard


@pytest.mark.anyio
async def test_news_arrive_as_one_request() -> None:
    webhook = Webhook()
    await webhook.hears(NEWS, NEWS)
    assert [str(request.url) for request in webhook.requests] == [URL]
    assert webhook.requests[0].method == "POST"
    assert webhook.requests[0].headers["content-type"] == "application/json; charset=utf-8"
    rendered = {
        "key": "needs_person:1",
        "kind": "needs_person",
        "case_id": "11111111-0000-4000-8000-000000000001-1",
        "text": "Somebody must look at Größe 😀.",
        "next_step": "Look.",
        "who": "the billing administrator",
        "details": {"customer": "Contoso"},
    }
    assert webhook.heard == {"type": "unstuck.news", "news": [rendered, rendered]}


@pytest.mark.anyio
async def test_no_news_are_no_request() -> None:
    webhook = Webhook()
    await webhook.hears()
    assert webhook.requests == []


@pytest.mark.anyio
async def test_texts_are_cleaned_and_cut() -> None:
    long = {f"name {n}": "v" * 5_000 for n in range(100)}
    webhook = Webhook()
    await webhook.hears(News("k", "k", "c", "a\x00b\x1b[31m\u202e\r\nc \ud83d", "n" * 50_000, "w" * 5_000, long))
    heard = webhook.heard["news"][0]
    assert heard["text"] == "a b [31m c"
    assert len(heard["next_step"]) == 2_000
    assert len(heard["who"]) == 400
    assert len(heard["details"]) == 30
    assert max(len(value) for value in heard["details"].values()) == 400


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_is_delivered(status: int) -> None:
    await Webhook(httpx.Response(status, content=b"<html>")).hears(NEWS)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, Refused),
        (307, Refused),
        (400, Refused),
        (401, Refused),
        (403, Refused),
        (404, Refused),
        (410, Refused),
        (429, Throttled),
        (503, Throttled),
        (500, OutcomeUnknown),
        (502, OutcomeUnknown),
        (504, OutcomeUnknown),
    ],
)
async def test_any_other_answer_is_an_error(status: int, error: type[SourceError]) -> None:
    answer = httpx.Response(status, headers={"Location": URL, "Retry-After": "30"}, text=f"no such {URL} or {SECRET}")
    with pytest.raises(SourceError) as caught:
        await Webhook(answer).hears(NEWS)
    assert type(caught.value) is error
    assert (caught.value.source, caught.value.status) == ("webhook", status)
    assert caught.value.retry_after == (30 if error is Throttled else None)
    _tells_nothing(caught.value)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ConnectError(f"cannot reach {URL}"), Unreachable),
        (httpx.ConnectTimeout(URL), Unreachable),
        (httpx.UnsupportedProtocol(URL), Unreachable),
        (httpx.ReadTimeout(URL), OutcomeUnknown),
        (httpx.ReadError(URL), OutcomeUnknown),
        (httpx.RemoteProtocolError(URL), OutcomeUnknown),
    ],
)
async def test_no_answer_is_an_error(failure: Exception, error: type[SourceError]) -> None:
    with pytest.raises(SourceError) as caught:
        await Webhook(failure).hears(NEWS)
    assert type(caught.value) is error
    _tells_nothing(caught.value)


def _tells_nothing(error: BaseException | None) -> None:
    """Nor do its causes, which end up in tracebacks."""
    while error is not None:
        assert SECRET not in f"{error!r} {error} {vars(error)}"
        assert "canary-path" not in f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


async def serve(answer: bytes) -> tuple[asyncio.Server, str]:
    """A webhook on a real socket, on this machine."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer:
            writer.write(answer)
        else:
            await reader.read()  # says nothing until the caller hangs up
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    return server, f"http://127.0.0.1:{port}/workflows/canary-path?sig={SECRET}"


@pytest.mark.anyio
async def test_over_a_real_socket_the_address_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    server, url = await serve(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    async with server:
        notifier = notifier_for(url)
        await notifier.tell([NEWS])
        await notifier.close()
    assert "httpcore" in {record.name.split(".")[0] for record in caplog.records}, "nothing was logged at all"


@pytest.mark.anyio
async def test_a_webhook_that_never_answers_is_given_up() -> None:
    server, url = await serve(b"")
    async with server:
        notifier = WebhookNotifier(url, HttpTransport(limits=TransportLimits(total_seconds=0.2)))
        with pytest.raises(OutcomeUnknown) as caught:
            await notifier.tell([NEWS])
        await notifier.close()
    _tells_nothing(caught.value)


@pytest.mark.anyio
async def test_a_webhook_that_is_not_there_is_unreachable() -> None:
    server, url = await serve(b"")
    server.close()
    await server.wait_closed()
    notifier = WebhookNotifier(url)
    with pytest.raises(Unreachable):
        await notifier.tell([NEWS])
    await notifier.close()


@pytest.mark.anyio
async def test_other_addresses_are_logged_as_ever_also_beside_a_notifier(caplog: pytest.LogCaptureFixture) -> None:
    notifier = WebhookNotifier(URL, HttpTransport(httpx.MockTransport(Webhook())))
    async with httpx.AsyncClient(transport=httpx.MockTransport(Webhook())) as client:
        await client.get("https://contoso.example/other")
    assert "contoso.example/other" in caplog.text
    await notifier.close()
    assert logging.getLogger("httpx").filters == []


@pytest.mark.anyio
async def test_without_a_webhook_each_piece_of_news_is_one_log_line(caplog: pytest.LogCaptureFixture) -> None:
    notifier = notifier_for(None)
    assert isinstance(notifier, LogNotifier)
    with caplog.at_level(logging.INFO, "shared.adapters.notifier"):
        await notifier.tell([NEWS, News("k", "resolved", "c", "line 1\nline 2", "none", "nobody")])
    await notifier.close()
    said = [record.getMessage() for record in caplog.records if record.name == "shared.adapters.notifier"]
    assert len(said) == 2
    assert said[0].startswith(
        f"News about case {NEWS.case_id} (needs_person): Somebody must look at Größe 😀. Next: Look."
    )
    assert "line 1 line 2" in said[1]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:7071/x", "http://localhost/x", "http://[::1]:1/x", "https://a.example"]
)
def test_https_is_accepted_and_http_on_this_machine(url: str) -> None:
    make: Callable[[str], WebhookNotifier] = WebhookNotifier
    notifier = make(url)
    asyncio.run(notifier.close())


@pytest.mark.parametrize(
    "url",
    [
        f"http://prod.example/{SECRET}",
        f"http://10.0.0.1/{SECRET}",
        f"http://localhost.example/{SECRET}",
        f"ftp://prod.example/{SECRET}",
        f"https:///{SECRET}",
        f"https://user:{SECRET}@prod.example/x",
        f"https://prod.example:x/{SECRET}",
        f"https://[bad/{SECRET}",
        SECRET,
        " ",
    ],
)
def test_any_other_address_is_refused_without_being_named(url: str) -> None:
    with pytest.raises(ValueError, match="the webhook's address") as caught:
        notifier_for(url)
    _tells_nothing(caught.value)
