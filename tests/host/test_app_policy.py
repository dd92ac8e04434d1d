"""The policy file of the app that runs: an edit counts without a restart, and an invalid file stops every write."""

import json
from pathlib import Path

import pytest

from tests.host.app_answers import kinds, problem
from tests.host.app_kit import NO_HARM, App, eventually, missed, running, world

pytestmark = [pytest.mark.host, pytest.mark.azurite]

WORLD = world("policy", missed("missed"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.json"


def put(file: Path, **document: object) -> None:
    """Replaces the file in one go, as docs/policy.md says."""
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(document))
    beside.replace(file)


def say_yes(app: App) -> int:
    case = app.case(app.one("missed").case)
    assert case is not None
    digest = case["plan"]["digest"]
    return app.api.post(f"/cases/{case['id']}/remediations", json={"plan_digest": digest}).status_code


def test_an_invalid_policy_stops_everything_until_it_is_mended(tmp_path: Path, file: Path) -> None:
    put(file, causes={"trigger_mised": "auto"})
    with running(WORLD, tmp_path, UNSTUCK_POLICY=str(file), UNSTUCK_LOOK_AGAIN_SECONDS="1") as app:
        stuck = app.one("missed")
        assert app.sweep().status_code == 200
        case = eventually(lambda: app.case(stuck.case), "it is diagnosed all the same")
        assert "causes.trigger_mised is not a cause" in case["held_back"]
        health = app.api.get("/health")
        assert (health.status_code, health.json()["status"], health.json()["mode"]) == (200, "degraded", "observe")
        assert "UNSTUCK_POLICY: causes.trigger_mised is not a cause" in health.json()["problems"][0]
        answer = app.api.post(f"/cases/{stuck.case}/remediations", json={"plan_digest": case["plan"]["digest"]})
        assert "trigger_mised" in problem(answer, 503)["detail"]
        assert app.written() == []
        put(file, causes={"trigger_missed": "auto"})
        app.until(stuck.case, "resolved")
        assert app.api.get("/health").json()["problems"] == []
        assert app.harm() == NO_HARM


def test_an_edit_counts_without_a_restart(tmp_path: Path, file: Path) -> None:
    put(file, causes={"trigger_missed": "suggest"})
    with running(WORLD, tmp_path, UNSTUCK_POLICY=str(file), UNSTUCK_LOOK_AGAIN_SECONDS="1") as app:
        stuck = app.one("missed")
        app.sweep()
        case = app.until(stuck.case, "needs_person")
        assert case["plan"]["steps"] == ["not_applicable", "awaiting_provisioning"]
        assert say_yes(app) == 409
        put(file, causes={"trigger_missed": "approve"})
        app.until(stuck.case, "awaiting_approval")
        assert app.written() == []
        assert say_yes(app) == 202
        case = app.until(stuck.case, "resolved")
        assert kinds(case).count("approved") == 1
        assert app.statuses_written(stuck.change) == ["not_applicable", "awaiting_provisioning"]
        assert app.harm() == NO_HARM
