"""What no client should send and some do: through the real host and worker, each with the answer that it gets.

What tests/host/test_app_http.py has (texts that are no JSON, other encodings, ids, filters) is not here again; what is
made up from the document is in test_generated_requests.py.
"""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.host.app_answers import broken_links, problem
from tests.host.app_kit import App, eventually, missed, running, world

pytestmark = [pytest.mark.host, pytest.mark.azurite]

WORLD = world("odd", missed("missed"))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app in approve mode, with one case."""
    with running(WORLD, tmp_path_factory.mktemp("h"), mode="approve", UNSTUCK_LOOK_AGAIN_SECONDS="3600") as app:
        assert app.sweep().status_code == 200
        eventually(lambda: len(app.cases()) == 1, "the case is there")
        yield app


def case_path(app: App) -> str:
    return f"/cases/{app.one('missed').case}"


# ---------------------------------------------------------------------- bodies


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"text": "one", "text": "other"}', "text"),
        (b'{"text": "one", "text": "one"}', "text"),
        (b'{"text": "x", "te\\u0078t": "y"}', "text"),
        (b'{"text": {"a": 1, "a": 2}}', "a"),
        (b'{"' + b"n" * 500 + b'": 1, "' + b"n" * 500 + b'": 2}', "n" * 100),
    ],
)
def test_a_field_that_stands_there_twice_is_named(app: App, body: bytes, field: str) -> None:
    answer = app.api.post(f"{case_path(app)}/notes", content=body)
    assert problem(answer, 400, field)["hint"] == "Give each field once."


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_are_no_json(app: App, number: str) -> None:
    answer = app.api.post("/policy/validations", content=f'{{"policy": {{"surge": {number}}}}}')
    assert "not JSON" in problem(answer, 400, "body")["detail"]


@pytest.mark.parametrize("depth", [50, 500, 990, 2_000, 20_000])
@pytest.mark.parametrize(("opens", "closes"), [('{"a":', "}"), ("[", "]")])
def test_what_is_nested_deeply_is_invalid_or_no_json(app: App, depth: int, opens: str, closes: str) -> None:
    nested = f'{{"policy": {{"surge": {opens * depth}1{closes * depth}}}}}'
    answer = app.api.post("/policy/validations", content=nested)
    if answer.status_code != 200:
        problem(answer, 400, "body")
    else:
        assert answer.json()["valid"] is False


@pytest.mark.parametrize(
    "text", ["x\x00y", "\x00", "\ufeff", "\u202ey\u202c", "\U0001f469\u200d\U0001f4bb" * 50, "\x1b[31m"]
)
def test_an_odd_text_is_kept_as_it_came_and_the_record_stays_whole(app: App, text: str) -> None:
    added = app.api.post(f"{case_path(app)}/notes", json={"text": f"[{text}]"})
    assert added.status_code == 201
    case: dict[str, Any] = app.case(app.one("missed").case) or {}
    assert f"[{text}]" in case["timeline"][-1]["text"]
    assert (broken_links(case["timeline"]), case["first_broken_event"]) == ([], None)


def test_half_an_emoji_is_no_text(app: App) -> None:
    answer = app.api.post(f"{case_path(app)}/notes", content=b'{"text": "x\\ud83d"}')
    problem(answer, 400, "text")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "x", ""]
)
def test_a_body_is_json_whatever_its_content_type_says(app: App, kind: str) -> None:
    """`curl -d` says that it sends a form."""
    body = json.dumps({"text": "as a form"})
    answer = app.api.post(f"{case_path(app)}/notes", content=body, headers={"content-type": kind})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"text=hello&by=me", {"content-type": "application/x-www-form-urlencoded"}),
        (
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nhi\r\n--x--',
            {"content-type": "multipart/form-data; boundary=x"},
        ),
        (gzip.compress(b'{"text": "hello"}'), {"content-type": "application/json", "content-encoding": "gzip"}),
    ],
)
def test_a_form_or_a_packed_body_is_no_json(app: App, body: bytes, headers: dict[str, str]) -> None:
    answer = app.api.post(f"{case_path(app)}/notes", content=body, headers=headers)
    assert "not JSON" in problem(answer, 400, "body")["detail"]


@pytest.mark.parametrize("path", ["/sweeps", "/pauses", "/mutes", "/provider-checks", "/cases/{}/claims"])
def test_a_megabyte_is_too_long_for_every_route(app: App, path: str) -> None:
    body = b'{"by": "' + b"a" * 1_000_000 + b'"}'
    assert "longer" in problem(app.api.post(path.format(app.one("missed").case), content=body), 413)["detail"]


# ---------------------------------------------------------------------- ids and times


def test_ids_of_something_else_are_not_found_or_refused(app: App) -> None:
    sweep = app.api.get("/sweeps").json()["sweeps"][0]["id"]
    problem(app.api.get(f"/operations/{sweep}"), 404, "operation_id")
    problem(app.api.get(f"/sweeps/{app.one('missed').case}"), 404, "sweep_id")
    problem(app.api.get(f"/cases/{sweep}"), 400, "case_id")
    in_a_day = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    other = {"scope": "environment", "target": "0f6ce7c8-7a0c-4f0e-9d0b-36500000a0ff", "reason": "x", "until": in_a_day}
    answer = app.api.post("/pauses", json={**other, "by": "Ann"})
    assert "another environment" in problem(answer, 409)["detail"]
    assert app.api.get("/controls").json()["pauses"] == []


@pytest.mark.parametrize(
    "until", ["2026-12-01T06:00:00", "2026-12-01", "tomorrow", 1_796_104_800, None, "", "T", "+010000-01-01T00:00:00Z"]
)
def test_a_time_without_a_zone_is_named(app: App, until: object) -> None:
    wish = {"scope": "everything", "reason": "x", "until": until}
    problem(app.api.post("/pauses", json=wish), 400, "until")
    assert app.api.get("/controls").json()["pauses"] == []


@pytest.mark.parametrize("name", ["opened_before", "opened_after"])
@pytest.mark.parametrize("time", ["2026-11-15T00:00:00", "2026-11-15", "1763164800", "0000-00-00T00:00:00Z"])
def test_a_time_without_a_zone_in_a_query_is_named(app: App, name: str, time: str) -> None:
    problem(app.api.get("/cases", params={name: time}), 400, name)


# ---------------------------------------------------------------------- headers and queries


@pytest.mark.parametrize("key", [b"k" * 10_240, b"k" * 256, "caf\u00e9".encode("latin-1"), b"a\tb"])
def test_a_key_that_is_none_is_named_and_nothing_is_done(app: App, key: bytes) -> None:
    before = app.case(app.one("missed").case) or {}
    answer = app.api.post(f"{case_path(app)}/notes", json={"text": "never"}, headers={b"Idempotency-Key": key})
    problem(answer, 400, "Idempotency-Key")
    assert (app.case(app.one("missed").case) or {})["timeline"] == before["timeline"]


def test_two_keys_are_one_that_nobody_else_has(app: App) -> None:
    """The host joins headers of one name by a comma."""
    headers = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
    path = f"{case_path(app)}/notes"
    first = app.api.post(path, json={"text": "joined"}, headers=headers)
    assert first.status_code == 201
    assert (
        app.api.post(path, json={"text": "joined"}, headers={"Idempotency-Key": "one"}).headers["etag"]
        != first.headers["etag"]
    )
    assert app.api.post(path, json={"text": "joined"}, headers=headers).headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("limit=1&limit=2", "limit"), ("state=open&state=open", "state"), ("limit=1&LIMIT=2", "LIMIT")),
        *(("cause=unknown&cause=unknown", "cause"), ("limit=5&limit", "limit"), ("limit=1;state=open", "limit")),
    ],
)
def test_a_parameter_that_stands_there_twice_is_named(app: App, query: str, field: str) -> None:
    problem(app.api.get(f"/cases?{query}"), 400, field)


@pytest.mark.parametrize("given", ["nonsense", '"' + "0" * 31 + '"', '"x", "y"', "W/*", '""'])
def test_a_version_that_is_none_is_named(app: App, given: str) -> None:
    answer = app.api.post(f"{case_path(app)}/claims", headers={"If-Match": given})
    problem(answer, 400, "If-Match")
