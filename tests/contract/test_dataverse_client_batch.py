"""$batch: one value for each part, and none of them says success unless Dataverse did."""

import httpx
import pytest

from shared.adapters.dataverse.client import Limits
from shared.adapters.dataverse.parts import Get, Part, Patch, Post, etag
from shared.errors import (
    Forbidden,
    Garbled,
    NotFound,
    OutcomeUnknown,
    Refused,
    ServiceTrouble,
    SignInRefused,
    SourceError,
    Throttled,
    Unreachable,
    VersionConflict,
)
from tests.contract.web_kit import ID, Rig, Step, batch_answer, fault, html, part, parts_sent, rig

pytestmark = pytest.mark.anyio

OK = part(204, ETag='W/"2"')


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def patches(count: int) -> list[Part]:
    return [Patch(f"accounts({ID[:-4]}{n:04x})", {"n": n}, etag(f'W/"{n}"')) for n in range(count)]


def gets(count: int) -> list[Part]:
    return [Get(f"accounts?$top={n}") for n in range(count)]


def kinds(it: list[SourceError | None]) -> list[type | None]:
    return [None if error is None else type(error) for error in it]


async def errors_of(it: Rig, parts: list[Part]) -> list[type | None]:
    return kinds([result.error for result in await it.dataverse.batch(parts, purpose="remediate")])


async def test_each_write_is_an_operation_of_its_own_with_its_version() -> None:
    it = rig(batch_answer(OK, part(200, {"@odata.etag": 'W/"9"', "n": "é 日本"}), part(201, {"id": 1})))
    one, two, three = await it.dataverse.batch(
        [*patches(2), Post("jobs", {"name": "é"})],
        purpose="remediate",
    )
    assert (one.status, one.error, one.etag, one.body) == (204, None, 'W/"2"', None)
    assert (two.status, two.etag, two.body) == (200, 'W/"9"', {"@odata.etag": 'W/"9"', "n": "é 日本"})
    assert three.body == {"id": 1}
    sent = it.service.requests[0]
    assert sent.headers["prefer"] == "odata.continue-on-error"
    assert sent.headers["user-agent"] == "unstuck/0.1.0 (remediate)"
    text = sent.content.decode()
    assert text.count("Prefer: return=representation") == 3
    assert 'If-Match: W/"0"' in text
    assert 'If-Match: W/"1"' in text
    assert "multipart/mixed" not in text  # no change set
    assert '{"name": "\\u00e9"}' in text
    assert parts_sent(sent)[0] == f"PATCH /api/data/v9.2/accounts({ID[:-4]}0000)?$select=n HTTP/1.1"


async def test_trouble_is_a_value_of_its_part() -> None:
    it = rig(
        batch_answer(
            OK,
            part(412, {"error": {"code": "0x80060882", "message": "version"}}, REQ_ID="r-2"),
            part(404, {"error": {"code": "", "message": "gone"}}),
            part(403, {"error": {"code": "0x80040220", "message": "prvWriteX"}}),
            part(500, {"error": {"code": "0x80040216", "message": "boom"}}),
            part(400, {"error": {"code": "0x8004431a", "message": "option"}}),
            OK,
        )
    )
    results = await it.dataverse.batch(patches(7), purpose="remediate")
    expected = [None, VersionConflict, NotFound, Forbidden, OutcomeUnknown, Refused, None]
    assert kinds([result.error for result in results]) == expected
    assert results[1].error is not None
    assert results[1].error.correlation_id == "r-2"


async def test_reads_in_a_batch_are_reads() -> None:
    it = rig(
        batch_answer(part(200, {"value": [{"n": 1}]}), part(500, {"error": {"code": "", "message": "m"}}), part(204))
    )
    one, two, three = await it.dataverse.batch(gets(3), purpose="diagnose")
    assert one.rows == [{"n": 1}]
    assert isinstance(two.error, ServiceTrouble)
    assert isinstance(three.error, Garbled)
    with pytest.raises(ServiceTrouble):
        _ = two.rows
    text = it.service.requests[0].content.decode()
    assert text.count("If-None-Match: null") == 3
    assert text.count("Prefer: odata.maxpagesize=5000") == 3


def _answer_all(request: httpx.Request) -> httpx.Response:
    answers = {"PATCH": OK, "GET": part(200, {"value": []}), "POST": part(204)}
    return batch_answer(*(answers[line.split()[0]] for line in parts_sent(request)))


async def test_writes_go_in_groups_of_a_hundred_and_reads_in_one() -> None:
    it = rig(_answer_all, repeat=True)
    assert await errors_of(it, patches(250)) == [None] * 250
    assert [len(parts_sent(request)) for request in it.service.requests] == [100, 100, 50]
    assert [line.split()[1] for request in it.service.requests for line in parts_sent(request)] == [
        f"/api/data/v9.2/{each.path}?$select=n" for each in patches(250)
    ]
    it = rig(_answer_all, repeat=True)
    assert await errors_of(it, gets(900)) == [None] * 900
    assert len(it.service.requests) == 1
    assert await rig().dataverse.batch([], purpose="sweep") == []


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize(("allowed", "sizes"), [(250, [600, 250, 250, 100]), (9_999, [600, 300, 300])])
async def test_an_environment_that_allows_fewer_parts_gets_fewer(wrapped: bool, allowed: int, sizes: list[int]) -> None:
    said = {"error": {"code": "0x0", "message": f"The maximum number of '{allowed}' query operations was exceeded."}}

    def service(request: httpx.Request) -> httpx.Response:
        if len(parts_sent(request)) <= min(allowed, 300):
            return _answer_all(request)
        return batch_answer(part(400, said), status=400) if wrapped else httpx.Response(400, json=said)

    it = rig(service, repeat=True)
    assert await errors_of(it, gets(600)) == [None] * 600
    assert [len(parts_sent(request)) for request in it.service.requests] == sizes
    await errors_of(it, gets(600))  # remembered
    assert len(parts_sent(it.service.requests[len(sizes)])) == sizes[1]


async def test_a_batch_with_a_create_is_not_sent_again_in_halves() -> None:
    said = {"error": {"code": "", "message": "maximum number of '2' operations"}}
    it = rig(httpx.Response(400, json=said))
    assert await errors_of(it, [*patches(2), Post("jobs", {})]) == [OutcomeUnknown] * 3


async def test_an_answer_with_too_few_parts_leaves_the_rest_unknown() -> None:
    assert await errors_of(rig(batch_answer(OK)), patches(3)) == [None, OutcomeUnknown, OutcomeUnknown]
    assert await errors_of(rig(batch_answer(part(200, {"value": []}))), gets(2)) == [None, Garbled]


async def test_a_batch_that_stopped_at_its_first_failure_is_no_success_beyond_it() -> None:
    failed = part(412, {"error": {"code": "0x80060882", "message": "m"}})
    it = rig(batch_answer(OK, failed, status=400))
    assert await errors_of(it, patches(4)) == [None, VersionConflict, OutcomeUnknown, OutcomeUnknown]


async def test_an_answer_with_too_many_parts_says_nothing() -> None:
    assert await errors_of(rig(batch_answer(OK, OK, OK)), patches(2)) == [OutcomeUnknown] * 2


async def test_an_answer_that_is_cut_off_says_nothing_of_its_last_part() -> None:
    assert await errors_of(rig(batch_answer(OK, OK, closed=False)), patches(2)) == [None, OutcomeUnknown]


async def test_a_part_within_a_change_set_is_not_understood_as_ours() -> None:
    inner = b"HTTP/1.1 204 No Content\r\n\r\n"
    nested = httpx.Response(
        200,
        headers={"Content-Type": "multipart/mixed; boundary=b"},
        content=b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: application/http\r\n\r\n"
        + inner
        + b"\r\n--c--\r\n--b--\r\n",
    )
    assert await errors_of(rig(nested), patches(1)) == [OutcomeUnknown]


WHOLE: list[tuple[str, Step, type[SourceError], type[SourceError]]] = [
    ("401", fault(401), SignInRefused, SignInRefused),
    ("403", fault(403, "0x80072560"), Forbidden, Forbidden),
    ("429", fault(429, retry_after="100"), Throttled, Throttled),
    ("400", fault(400), OutcomeUnknown, Refused),
    ("500", fault(500), OutcomeUnknown, ServiceTrouble),
    ("200 in HTML", html(200), OutcomeUnknown, Garbled),
    ("502 in HTML", html(502), OutcomeUnknown, ServiceTrouble),
    ("nothing", httpx.Response(200), OutcomeUnknown, Garbled),
    ("JSON", httpx.Response(200, json={}), OutcomeUnknown, Garbled),
    (
        "no boundary",
        httpx.Response(200, headers={"Content-Type": "multipart/mixed"}, content=b"x"),
        OutcomeUnknown,
        Garbled,
    ),
    ("no parts", httpx.Response(200, headers={"Content-Type": "multipart/mixed; boundary=b"}), OutcomeUnknown, Garbled),
    ("timeout", httpx.ReadTimeout("x"), OutcomeUnknown, Unreachable),
    ("cut off", httpx.ReadError("x"), OutcomeUnknown, Unreachable),
    ("no connection", httpx.ConnectError("x"), Unreachable, Unreachable),
]


@pytest.mark.parametrize(("step", "written", "read"), [case[1:] for case in WHOLE], ids=[case[0] for case in WHOLE])
async def test_what_befalls_the_whole_befalls_every_part(
    step: Step, written: type[SourceError], read: type[SourceError]
) -> None:
    assert await errors_of(rig(step, repeat=True), patches(2)) == [written] * 2
    assert await errors_of(rig(step, repeat=True), gets(2)) == [read] * 2


@pytest.mark.parametrize(
    ("step", "requests"), [(httpx.ReadTimeout("x"), 1), (fault(500), 1), (httpx.ConnectError("x"), 4), (fault(401), 2)]
)
async def test_a_batch_that_writes_is_sent_again_only_if_it_was_not_executed(step: Step, requests: int) -> None:
    it = rig(step, repeat=True)
    await errors_of(it, [Get("accounts"), *patches(1)])
    assert len(it.service.requests) == requests


async def test_a_batch_that_only_reads_is_sent_again() -> None:
    it = rig(httpx.ReadTimeout("x"), fault(503), batch_answer(part(200, {"value": []})))
    assert await errors_of(it, gets(1)) == [None]


async def test_after_a_lost_answer_nothing_more_is_written() -> None:
    it = rig(_answer_all, httpx.ReadTimeout("x"), limits=Limits(write_parts=2))
    mixed = [*patches(3), Get("accounts"), *patches(2)]
    assert await errors_of(it, mixed) == [None, None, OutcomeUnknown, Unreachable, Unreachable, Unreachable]
    assert len(it.service.requests) == 2


async def test_the_reason_is_kept_for_what_was_not_sent_because_of_it() -> None:
    it = rig(fault(429, retry_after="100"), limits=Limits(write_parts=2))
    assert await errors_of(it, patches(4)) == [Throttled] * 4
    assert len(it.service.requests) == 1


async def test_nothing_is_sent_when_a_later_part_cannot_be() -> None:
    it = rig(limits=Limits(write_parts=1))
    for bad in (Get("accounts?$filter=" + "x" * 66_000), Get("a b"), Post("jobs", {"n": float("inf")})):
        with pytest.raises(ValueError, match=r"characters|path|JSON"):
            await it.dataverse.batch([*patches(1), bad], purpose="remediate")
    assert it.service.requests == []
