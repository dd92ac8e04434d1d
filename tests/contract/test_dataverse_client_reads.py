"""Reading from Dataverse: all of it, fresh, and from nowhere else, or an error that says what is wrong."""

from typing import Any

import httpx
import pytest

from shared.adapters.dataverse import odata
from shared.adapters.dataverse.client import Limits
from shared.errors import (
    Forbidden,
    Garbled,
    NotFound,
    Refused,
    ServiceTrouble,
    SignInRefused,
    SourceError,
    Throttled,
    Unreachable,
    VersionConflict,
)
from tests.contract.web_kit import API, BASE, ID, Rig, Step, answer, fault, html, page, rig

pytestmark = pytest.mark.anyio

COOKIE = (
    "%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522%253e%253caccountid%2520"
    "last%253d%2522%257bB-2%257d%2522%2520/%253e%253c/cookie%253e%22%20istracking=%22False%22%20/%3E"
)
LINK = f"{API}accounts?$select=name&$skiptoken={COOKIE}"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def read(it: Rig) -> list[dict[str, Any]]:
    return await it.dataverse.get_pages("accounts?$select=name", purpose="sweep")


async def test_a_request_carries_what_dataverse_wants_and_who_asks_for_what() -> None:
    it = rig(page([{"name": "a"}]))
    assert await read(it) == [{"name": "a"}]
    sent = it.service.requests[0].headers
    assert sent["authorization"] == "Bearer token-1"
    assert sent["user-agent"] == "unstuck/0.1.0 (sweep)"
    assert sent["prefer"] == "odata.maxpagesize=5000"
    assert sent["if-none-match"] == "null"
    assert (sent["odata-version"], sent["odata-maxversion"], sent["accept"]) == ("4.0", "4.0", "application/json")


async def test_no_cookie_is_kept() -> None:
    it = rig(httpx.Response(200, json={"value": []}, headers={"Set-Cookie": "ARRAffinity=1; Path=/"}), page([]))
    await read(it)
    await read(it)
    assert "cookie" not in it.service.requests[1].headers


async def test_pages_are_followed_to_the_end_by_their_links_untouched() -> None:
    it = rig(page([{"n": 1}, {"n": 2}], LINK), page([{"n": 3}], LINK + "x"), page([{"n": 4}]))
    assert await read(it) == [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}]
    assert it.service.targets[1] == f"/api/data/v9.2/accounts?$select=name&$skiptoken={COOKIE}"
    assert {request.headers["prefer"] for request in it.service.requests} == {"odata.maxpagesize=5000"}


async def test_an_empty_page_in_between_is_no_end() -> None:
    it = rig(page([{"n": 1}], LINK), page([], LINK + "x"), page([{"n": 2}]))
    assert await read(it) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    "link",
    [
        LINK.replace("contoso", "evil"),
        LINK.replace("https:", "http:"),
        LINK.replace(".com/", ".com:8443/"),
        LINK.replace("https://", "https://contoso.crm4.dynamics.com@evil.example/"),
        LINK.replace("https://", "https://someone:secret@"),
        LINK.replace(".com/", ".com.evil.example/"),
        LINK.replace(".com/", ".com\\@evil.example/"),
        LINK.replace("accounts?", "systemusers?"),
        LINK.replace("accounts?", "../v9.2/../../oauth/accounts?"),
        LINK.replace("/api/data/v9.2/accounts", "/accounts"),
        LINK.replace("accounts?", "x%2f..%2faccounts?"),
        LINK + "\r\nX-Evil: 1",
        LINK + "#accounts",
        "//evil.example/api/data/v9.2/accounts?$skiptoken=1",
        "file:///etc/passwd",
        f"{API}accounts?$select=na",
        f"{API}accounts?$select=name&$skiptoken=",
        "",
        7,
        {"href": LINK},
    ],
)
async def test_a_link_to_elsewhere_is_never_followed(link: object) -> None:
    it = rig(page([{"n": 1}], link), page([{"n": 2}]))
    with pytest.raises(Garbled):
        await read(it)
    assert len(it.service.requests) == 1


async def test_the_same_server_may_be_spelled_differently() -> None:
    it = rig(page([{"n": 1}], LINK.replace("contoso", "Contoso").replace(".com/", ".com:443/")), page([]))
    assert await read(it) == [{"n": 1}]
    assert str(it.service.requests[1].url).startswith(BASE)


def _same_page_with_a_new_cookie(request: httpx.Request) -> httpx.Response:
    return page([{"n": 1}], f"{API}accounts?$skiptoken={len(str(request.url))}{hash(str(request.url))}")


def _always_one_more(request: httpx.Request) -> httpx.Response:
    turn = int(request.url.params.get("$skiptoken", "0"))
    return page([{"n": turn}], f"{API}accounts?$skiptoken={turn + 1}")


def _always_nothing_and_more(request: httpx.Request) -> httpx.Response:
    turn = int(request.url.params.get("$skiptoken", "0"))
    return page([], f"{API}accounts?$skiptoken={turn + 1}")


def _in_a_circle(request: httpx.Request) -> httpx.Response:
    turn = int(request.url.params.get("$skiptoken", "0"))
    return page([{"n": turn}], f"{API}accounts?$skiptoken={(turn + 1) % 3}")


@pytest.mark.parametrize(
    ("endless", "requests"),
    [
        (_same_page_with_a_new_cookie, 2),
        (_always_one_more, 10),
        (_always_nothing_and_more, 2),
        (_in_a_circle, 4),
    ],
)
async def test_pages_that_never_end_are_an_error(endless: Step, requests: int) -> None:
    it = rig(endless, repeat=True, limits=Limits(pages=10))
    with pytest.raises(Garbled, match="do not come to an end"):
        await read(it)
    assert len(it.service.requests) == requests


ANSWERS: list[tuple[str, Step, type[SourceError]]] = [
    ("401", fault(401, "0x80040204"), SignInRefused),
    ("403", fault(403, "0x80040220"), Forbidden),
    ("404", fault(404), NotFound),
    ("412", fault(412), VersionConflict),
    ("429", fault(429, "0x80072322", retry_after="1"), Throttled),
    ("400", fault(400, "0x80060888"), Refused),
    ("500", fault(500, "0x80040216"), ServiceTrouble),
    ("501", fault(501, "0x8006088a"), Refused),
    ("503 in HTML", html(503), ServiceTrouble),
    ("403 in HTML", html(403), Forbidden),
    ("200 in HTML", html(200), Garbled),
    ("302", httpx.Response(302, headers={"Location": "https://login.microsoftonline.com/"}), Garbled),
    ("304", httpx.Response(304), Garbled),
    ("nothing", httpx.Response(200), Garbled),
    ("204", httpx.Response(204), Garbled),
    ("half", httpx.Response(200, content=b'{"value": [{"n": 1}'), Garbled),
    ("a list", answer([{"n": 1}]), Garbled),
    ("no list", answer({"value": {"n": 1}}), Garbled),
    ("no value", answer({"error": None}), Garbled),
    ("rows that are none", answer({"value": [1, 2]}), Garbled),
    ("not a number", httpx.Response(200, content=b'{"value": [{"n": NaN}]}'), Garbled),
    ("deep", httpx.Response(200, content=b"[" * 200_000), Garbled),
    ("not UTF-8", httpx.Response(200, content=b'{"value": [{"n": "\xff"}]}'), Garbled),
    (
        "broken compression",
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"no")),
        Garbled,
    ),
    ("no connection", httpx.ConnectError("refused"), Unreachable),
    ("timeout", httpx.ReadTimeout("slow"), Unreachable),
    ("cut off", httpx.RemoteProtocolError("peer closed"), Unreachable),
]


@pytest.mark.parametrize(("step", "kind"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
async def test_every_bad_answer_is_an_error_of_its_own_kind(step: Step, kind: type[SourceError]) -> None:
    it = rig(_fresh(step), repeat=True)
    with pytest.raises(SourceError) as caught:
        await read(it)
    assert type(caught.value) is kind
    assert caught.value.source == "dataverse"
    assert len(caught.value.message) > 20


@pytest.mark.parametrize(("step", "kind"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
async def test_a_read_whose_second_page_fails_returns_nothing(step: Step, kind: type[SourceError]) -> None:
    def first_then_bad(request: httpx.Request) -> httpx.Response:
        bad = _fresh(step)
        if "skiptoken" not in str(request.url):
            return page([{"n": 1}], LINK)
        if isinstance(bad, Exception):
            raise bad
        return bad(request) if callable(bad) else bad

    it = rig(first_then_bad, repeat=True)
    with pytest.raises(kind):
        await read(it)


def _fresh(step: Step) -> Step:
    """A response whose body can be read once more."""
    if isinstance(step, httpx.Response) and "content-encoding" in step.headers:
        return lambda _: httpx.Response(200, headers=step.headers, stream=httpx.ByteStream(b"no"))
    return step


async def test_an_error_names_what_support_needs() -> None:
    it = rig(fault(404, "0x80040217", "account With Id = 1 Does Not Exist", x_ms_service_request_id="req-1"))
    with pytest.raises(NotFound) as caught:
        await it.dataverse.get(odata.row("accounts", ID), purpose="diagnose")
    error = caught.value
    assert (error.status, error.code, error.correlation_id) == (404, "0x80040217", "req-1")
    assert error.detail == "account With Id = 1 Does Not Exist"
    assert "req-1" in str(error)
    assert "0x80040217" in str(error)


@pytest.mark.parametrize("status", [401, 403])
async def test_an_identity_that_is_no_application_user_is_told_so(status: int) -> None:
    it = rig(fault(status, "0x80072560", "The user is not a member of the organization."), repeat=True)
    with pytest.raises(Forbidden, match="application user"):
        await read(it)


async def test_a_missing_privilege_is_named() -> None:
    said = "Principal user (Id=1, type=8) is missing prvReadwork365_licensechangelog privilege (Id=2)"
    it = rig(fault(403, "0x80040220", said))
    with pytest.raises(Forbidden, match="prvReadwork365_licensechangelog") as caught:
        await read(it)
    assert caught.value.detail == said


async def test_what_a_service_says_is_cleaned_and_cut() -> None:
    token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJvaWQiOiIxIn0.c2lnbmF0dXJl"
    it = rig(fault(400, "0x80040203", f"a\r\nb\x00\u202e{token} Bearer abc " + "x" * 5_000))
    with pytest.raises(Refused) as caught:
        await read(it)
    said = caught.value.detail or ""
    assert said.startswith("a b [token] Bearer [token] xxx")
    assert len(said) == 2_000


async def test_an_html_page_is_named_by_its_title() -> None:
    it = rig(html(403))
    with pytest.raises(Forbidden) as caught:
        await read(it)
    assert caught.value.detail == "an HTML page titled “Service unavailable”"


@pytest.mark.parametrize(
    "step", [fault(503), html(502), fault(500), fault(408), httpx.ReadTimeout("x"), httpx.ConnectError("x")]
)
async def test_a_read_is_tried_again_with_growing_waits(step: Step) -> None:
    it = rig(step, step, step, page([{"n": 1}]))
    assert await read(it) == [{"n": 1}]
    assert it.time.slept == [0.25, 0.5, 1.0]


async def test_a_read_is_not_tried_for_ever() -> None:
    it = rig(fault(503), repeat=True)
    with pytest.raises(ServiceTrouble):
        await read(it)
    assert len(it.service.requests) == 4


async def test_a_service_that_asks_for_a_longer_pause_gets_it_or_is_left_alone() -> None:
    it = rig(fault(503, retry_after="9"), page([]))
    await read(it)
    assert it.time.slept == [9.0]
    it = rig(fault(503, retry_after="900"))
    with pytest.raises(ServiceTrouble) as caught:
        await read(it)
    assert caught.value.retry_after == 900
    assert it.time.slept == []


async def test_a_refused_token_is_renewed_once() -> None:
    it = rig(fault(401), page([{"n": 1}]))
    assert await read(it) == [{"n": 1}]
    assert [request.headers["authorization"] for request in it.service.requests] == ["Bearer token-1", "Bearer token-2"]
    it = rig(fault(401), repeat=True)
    with pytest.raises(SignInRefused):
        await read(it)
    assert it.tokens.refused == ["token-1"]
    assert len(it.service.requests) == 2


async def test_who_am_i_reads_the_organisation() -> None:
    ids = {"UserId": ID.upper(), "BusinessUnitId": ID, "OrganizationId": ID.replace("0f", "1f")}
    me = await rig(answer(ids)).dataverse.who_am_i(purpose="health")
    assert (me.user_id, me.organization_id) == (ID, ID.replace("0f", "1f"))
    with pytest.raises(Garbled):
        await rig(answer({**ids, "OrganizationId": None})).dataverse.who_am_i(purpose="health")


@pytest.mark.parametrize(
    "path",
    [
        "/accounts",
        "//evil/x",
        "https://evil.example/x",
        "accounts?x=a b",
        "a/../b",
        "accounts\r\n",
        "accounts?a=\n",
        "a%2f",
        "",
    ],
)
async def test_a_path_that_is_not_one_is_never_sent(path: str) -> None:
    it = rig()
    with pytest.raises(ValueError, match=r"path|query"):
        await it.dataverse.get_pages(path, purpose="sweep")


async def test_a_purpose_cannot_smuggle_a_header() -> None:
    with pytest.raises(ValueError, match="header"):
        await rig().dataverse.get_pages("accounts", purpose="sweep)\r\nX-Evil: 1")


async def test_an_address_longer_than_dataverse_takes_is_not_sent() -> None:
    with pytest.raises(ValueError, match="32,768"):
        await rig().dataverse.get_pages("accounts?$filter=" + "x" * 33_000, purpose="sweep")
