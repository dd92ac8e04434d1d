"""Writing to Dataverse: never without a version, and a lost answer is always seen as one."""

import json

import httpx
import pytest

from shared.adapters.dataverse.parts import ETag, Patch, Post, etag
from shared.errors import (
    Forbidden,
    Garbled,
    NotFound,
    OutcomeUnknown,
    Refused,
    SignInRefused,
    SourceError,
    Throttled,
    Unreachable,
    VersionConflict,
)
from tests.contract.web_kit import ID, Rig, Step, answer, fault, html, rig

pytestmark = pytest.mark.anyio

ROW = f"accounts({ID})"
READ = etag('W/"1234"')


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def write(it: Rig) -> tuple[ETag | None, dict[str, object] | None]:
    return await it.dataverse.patch(ROW, {"status": 3}, etag=READ, purpose="remediate")


async def test_a_patch_carries_the_version_read_and_returns_the_new_one() -> None:
    it = rig(answer({"@odata.etag": 'W/"1235"', "status": 3}))
    assert await write(it) == ('W/"1235"', {"@odata.etag": 'W/"1235"', "status": 3})
    sent = it.service.requests[0]
    assert sent.method == "PATCH"
    assert sent.url.raw_path.decode() == f"/api/data/v9.2/{ROW}?$select=status"
    assert sent.headers["if-match"] == 'W/"1234"'
    assert sent.headers["prefer"] == "return=representation"
    assert "if-none-match" not in sent.headers
    assert json.loads(sent.content) == {"status": 3}


async def test_the_new_version_may_come_in_the_header() -> None:
    assert (await write(rig(httpx.Response(204, headers={"ETag": 'W/"1235"'}))))[0] == 'W/"1235"'


@pytest.mark.parametrize("text", ["*", "", "1234", "W/*", 'W/""', 'W/"1"\r\nX: 1', 'W/"1", W/"2"', None, 7])
def test_nothing_but_a_version_passes_for_one(text: object) -> None:
    with pytest.raises(ValueError, match="not the version"):
        etag(text)
    with pytest.raises(ValueError, match="not the version"):
        Patch(ROW, {"status": 3}, ETag(text))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path", ["accounts", "accounts(name='x')", f"accounts({ID})/x", f"accounts({ID})?$x=1", "$batch"]
)
def test_a_patch_goes_to_one_row_by_its_id(path: str) -> None:
    with pytest.raises(ValueError, match="not the path of one row"):
        Patch(path, {"status": 3}, READ)


ANSWERS: list[tuple[str, Step, type[SourceError], int]] = [
    ("401", fault(401), SignInRefused, 2),
    ("403", fault(403, "0x80040220"), Forbidden, 1),
    ("404", fault(404, "0x80040217"), NotFound, 1),
    ("412", fault(412, "0x80060882"), VersionConflict, 1),
    ("412 without a code", fault(412), VersionConflict, 1),
    ("412 for a duplicate", fault(412, "0x80040333"), Refused, 1),
    ("400", fault(400, "0x80040265", "The plug-in says no."), Refused, 1),
    ("400 in HTML", html(400), Refused, 1),
    ("429", fault(429, "0x80072322", retry_after="1"), Throttled, 4),
    ("500", fault(500, "0x80040216"), OutcomeUnknown, 1),
    ("502 in HTML", html(502), OutcomeUnknown, 1),
    ("503", fault(503), OutcomeUnknown, 1),
    ("408", fault(408), OutcomeUnknown, 1),
    ("200 in HTML", html(200), OutcomeUnknown, 1),
    ("200 without a version", answer({"status": 3}), OutcomeUnknown, 1),
    ("200 and nothing", httpx.Response(200), OutcomeUnknown, 1),
    ("201", answer({"@odata.etag": 'W/"1"'}, 201), OutcomeUnknown, 1),
    ("302", httpx.Response(302, headers={"Location": "/"}), OutcomeUnknown, 1),
    ("no connection", httpx.ConnectError("refused"), Unreachable, 4),
    ("no connection in time", httpx.ConnectTimeout("slow"), Unreachable, 4),
    ("no answer in time", httpx.ReadTimeout("slow"), OutcomeUnknown, 1),
    ("not sent to its end", httpx.WriteError("reset"), OutcomeUnknown, 1),
    ("cut off", httpx.ReadError("reset"), OutcomeUnknown, 1),
    ("hung up", httpx.RemoteProtocolError("Server disconnected without sending a response."), OutcomeUnknown, 1),
]


@pytest.mark.parametrize(
    ("step", "kind", "requests"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS]
)
async def test_every_bad_answer_is_an_error_of_its_own_kind(step: Step, kind: type[SourceError], requests: int) -> None:
    it = rig(step, repeat=True)
    with pytest.raises(SourceError) as caught:
        await write(it)
    assert type(caught.value) is kind
    assert len(it.service.requests) == requests


async def test_a_plug_in_that_refuses_is_quoted() -> None:
    with pytest.raises(Refused) as caught:
        await write(rig(fault(400, "0x80040265", "Work 365 says: not now.")))
    assert caught.value.detail == "Work 365 says: not now."


async def test_a_post_is_not_sent_again_once_it_may_have_arrived() -> None:
    it = rig(httpx.ReadTimeout("slow"))
    with pytest.raises(OutcomeUnknown):
        await it.dataverse.post("jobs", {"name": "x"}, purpose="remediate")
    it = rig(httpx.ConnectError("refused"), answer({"jobid": ID}, 201))
    assert await it.dataverse.post("jobs", {"name": "x"}, purpose="remediate") == {"jobid": ID}
    assert await rig(httpx.Response(204)).dataverse.post("Do", {}, purpose="remediate") is None


async def test_values_that_are_not_json_are_not_sent() -> None:
    it = rig()
    for value in (float("nan"), object()):
        with pytest.raises((ValueError, TypeError)):
            await it.dataverse.patch(ROW, {"status": value}, etag=READ, purpose="remediate")
        with pytest.raises((ValueError, TypeError)):
            await it.dataverse.batch([Post("jobs", {"x": value})], purpose="remediate")


async def test_only_what_is_written_comes_back() -> None:
    it = rig(httpx.Response(204))
    bound = {"status": 3, "parent@odata.bind": f"/accounts({ID})"}
    await it.dataverse.patch(ROW, bound, etag=READ, purpose="remediate")
    assert it.service.targets == [f"/api/data/v9.2/{ROW}?$select=status"]


async def test_garbled_is_never_said_of_a_write() -> None:
    """It would mean that nothing was written."""
    for step in (html(200), httpx.Response(304), httpx.DecodingError("x")):
        with pytest.raises(SourceError) as caught:
            await write(rig(step))
        assert not isinstance(caught.value, Garbled)
