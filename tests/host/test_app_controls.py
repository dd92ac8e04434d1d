"""What holds the app back as a whole, over HTTP: a pause stops every write, a surge waits until it is confirmed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.host.app_answers import problem
from tests.host.app_kit import NO_HARM, App, eventually, missed, running, world

pytestmark = [pytest.mark.host, pytest.mark.azurite]

WORLD = world("controls", missed("missed"))


def in_a_day() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


def test_a_pause_stops_every_write_until_it_is_taken_back(tmp_path: Path) -> None:
    with running(WORLD, tmp_path, UNSTUCK_LOOK_AGAIN_SECONDS="1") as app:
        wish = {"scope": "everything", "by": "Ann", "reason": "invoice run", "until": in_a_day()}
        made = app.api.post("/pauses", json=wish)
        assert made.status_code == 201
        (pause,) = made.json()["pauses"]
        assert (pause["by"], pause["reason"]) == ("Ann (with an API key)", "invoice run")
        assert made.json()["hold"] is None
        app.sweep()
        stuck = app.one("missed")
        held = eventually(lambda: (app.case(stuck.case) or {}).get("held_back"), "the case says what holds it back")
        assert "Ann (with an API key) has paused everything (invoice run)" in held
        assert app.written() == []
        assert app.api.delete(f"/pauses/{pause['id']}").json()["pauses"] == []
        assert "there is no pause" in problem(app.api.delete(f"/pauses/{pause['id']}"), 409)["detail"]
        # The first sweep after a pause of everything decides whether it goes on; one suspect is few.
        app.sweep()
        app.until(stuck.case, "resolved")
        assert app.harm() == NO_HARM


def test_a_surge_waits_for_a_person(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({"surge": 1}))
    many = world("surge", missed("missed", count=3))
    with running(many, tmp_path, UNSTUCK_POLICY=str(file), UNSTUCK_LOOK_AGAIN_SECONDS="1") as app:
        app.sweep()
        hold = eventually(lambda: app.api.get("/controls").json()["hold"], "the surge is held")
        assert (hold["suspects"], hold["limit"]) == (3, 1)
        cases = [each.case for each in app.all("missed")]
        eventually(lambda: all((app.case(each) or {}).get("held_back") for each in cases), "each says so")
        assert app.written() == []
        by_ann = {"by": "Ann"}
        assert "there is no hold" in problem(app.api.post("/holds/another/confirmations", json=by_ann), 409)["detail"]
        assert app.api.post(f"/holds/{hold['id']}/confirmations", json=by_ann).json()["hold"] is None
        for each in cases:
            app.until(each, "resolved")
        assert app.harm() == NO_HARM


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scope": "all", "by": "Ann", "reason": "r", "until": "2999-01-01T00:00:00Z"}, "scope"),
        ({"scope": "everything", "by": " ", "reason": "r", "until": "2999-01-01T00:00:00Z"}, "by"),
        ({"scope": "everything", "by": "Ann", "reason": "r", "until": "2999-01-01T00:00:00"}, "until"),
        ({"scope": "everything", "by": "Ann", "reason": "r", "until": "soon"}, "until"),
        ({"scope": "everything", "by": "Ann", "reason": "r"}, "until"),
        ({"scope": "everything", "by": "Ann", "reason": "r", "until": "2999-01-01T00:00:00Z", "x": 1}, "x"),
    ],
)
def test_a_pause_that_makes_no_sense_is_refused_by_its_field(app: App, body: dict[str, object], field: str) -> None:
    answer = app.api.post("/pauses", json=body)
    problem(answer, 400, field)


@pytest.mark.parametrize(
    "body",
    [
        {"scope": "everything", "target": "x", "by": "Ann", "reason": "r", "until": "2999-01-01T00:00:00Z"},
        {"scope": "provider", "by": "Ann", "reason": "r", "until": "2999-01-01T00:00:00Z"},
        {"scope": "everything", "by": "Ann", "reason": "r", "until": "2001-01-01T00:00:00Z"},
        {"scope": "everything", "by": "Ann", "reason": "r", "until": "9999-12-31T23:59:59Z"},
    ],
)
def test_a_pause_that_is_none_is_refused_with_the_reason(app: App, body: dict[str, object]) -> None:
    answer = app.api.post("/pauses", json=body)
    assert problem(answer, 409)["detail"].startswith("a pause")


@pytest.mark.parametrize("id_", ["it's", "a%2Fb", "x" * 300, "%00", "%0A", "..", "%F0%9F%98%80"])
def test_an_odd_id_of_a_pause_or_hold_is_answered_clearly(app: App, id_: str) -> None:
    for answer in (
        app.api.delete(f"/pauses/{id_}"),
        app.api.post(f"/holds/{id_}/confirmations", json={"by": "Ann"}),
    ):
        assert answer.status_code in (404, 405, 409), answer.text


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with running(WORLD, tmp_path_factory.mktemp("h")) as running_app:
        yield running_app
