"""The stock and mutes, over HTTP: the first sweep acts on nothing until a person decides; what is muted stays alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.host.app_answers import problem
from tests.host.app_kit import NO_HARM, App, eventually, missed, running, running_first, world

pytestmark = [pytest.mark.host, pytest.mark.azurite]

BY_ANN = {"by": "Ann", "reason": "history"}


def decide(app: App, decision: str, **wanted: Any) -> dict[str, Any]:
    asked = {"decision": decision, "filter": wanted, **BY_ANN}
    answer: dict[str, Any] = app.api.post("/baseline/decisions", json=asked).raise_for_status().json()
    return answer


def test_the_first_sweep_takes_stock_and_a_person_decides_what_becomes_of_it(tmp_path: Path) -> None:
    with running_first(world("old", missed("freed") + missed("left")), tmp_path) as app:
        assert app.api.get("/baseline").json()["taken_on"] is None
        no_stock = {"decision": "adopt", "filter": {}, **BY_ANN}
        assert "sweep first" in problem(app.api.post("/baseline/decisions", json=no_stock), 409)["detail"]
        freed, left = app.one("freed"), app.one("left")
        app.sweep()
        eventually(lambda: len(app.cases(stock="held")) == 2, "both are held")
        assert app.api.get("/baseline").json()["held"]["by_cause"] == {"trigger_missed": 2}
        assert {case["id"] for case in app.cases(stock="held")} == {freed.case, left.case}
        assert app.written() == []
        assert decide(app, "dismiss", case_ids=[left.case])["decided"] == 1
        assert decide(app, "adopt", cause="trigger_missed") == {
            "decided": 1,
            "skipped": {},
            "remaining": 0,
            "more": False,
        }
        app.until(freed.case, "resolved")
        app.sweep()
        left_alone = app.case(left.case)
        assert left_alone is not None
        assert (left_alone["state"], left_alone["first_broken_event"]) == ("dismissed", None)
        assert app.case(f"{left.id}-2") is None
        assert {write.id for write in app.written()} == {freed.change}
        assert app.harm() == NO_HARM


def test_what_is_muted_is_left_alone_until_it_is_taken_back(tmp_path: Path) -> None:
    with running(world("mute", missed("missed")), tmp_path) as app:
        until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        wish = {"scope": "cause", "target": "trigger_missed", "by": "Ann", "reason": "known", "until": until}
        made = app.api.post("/mutes", json=wish)
        assert (made.status_code, made.json()["pauses"]) == (201, [])
        [mute] = made.json()["mutes"]
        stuck = app.one("missed")
        app.sweep()
        eventually(lambda: (app.case(stuck.case) or {}).get("muted"), "the case says so")
        case = app.case(stuck.case)
        assert case is not None
        assert (case["state"], "Ann" in case["held_back"], app.written()) == ("ready", True, [])
        assert app.api.delete(f"/mutes/{mute['id']}").json()["mutes"] == []
        assert "there is no mute" in problem(app.api.delete(f"/mutes/{mute['id']}"), 409)["detail"]
        app.until(stuck.case, "resolved")
        for field, wrong in (("scope", "everything"), ("target", ""), ("until", "soon"), ("by", " ")):
            problem(app.api.post("/mutes", json={**wish, field: wrong}), 400, field)
        for field, values in (
            ("decision", {"decision": "forget"}),
            ("filter.cause", {"filter": {"cause": "x"}}),
            ("filter.case_ids.0", {"filter": {"case_ids": ["x"]}}),
            ("filter.created_before", {"filter": {"created_before": "2020-01-01"}}),
            ("limit", {"limit": 501}),
            ("filter.x", {"filter": {"x": 1}}),
        ):
            asked = {"decision": "adopt", "filter": {}, **BY_ANN, **values}
            problem(app.api.post("/baseline/decisions", json=asked), 400, field)
        problem(app.api.get("/cases", params={"stock": "none"}), 400, "stock")
