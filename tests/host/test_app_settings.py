"""Settings that are missing or wrong, and a Dataverse that is another organisation: nothing is written."""

from pathlib import Path

import pytest

from tests.host.app_answers import kinds, problem
from tests.host.app_kit import NO_HARM, App, eventually, missed, running, world

pytestmark = [pytest.mark.host, pytest.mark.azurite]

WORLD = world("settings", missed("missed"))
OTHER_ORGANIZATION = "99999999-8888-4777-8666-555555555555"


def names_it_everywhere(app: App, *names: str) -> None:
    """Health, every other route and every queue say which settings are wrong, and nothing is read or written."""
    health = app.api.get("/health")
    assert health.status_code == 503
    assert (health.json()["status"], health.json()["mode"]) == ("not_configured", None)
    assert len(health.json()["problems"]) == len(names)
    stuck = app.one("missed")
    for answer in (
        app.sweep(),
        app.diagnose(stuck),
        app.api.get("/cases"),
        app.api.get(f"/cases/{stuck.case}"),
        app.api.post(f"/cases/{stuck.case}/remediations", json={"plan_digest": "0" * 32}),
    ):
        said = problem(answer, 503)
        assert "health" in said["hint"]
        assert all(name in said["detail"] for name in names)
    assert all(any(name in problem for problem in health.json()["problems"]) for name in names)
    for queue in ("diagnose", "remediate", "notify"):
        field = "case_ids" if queue == "remediate" else "subscription_ids"
        id = stuck.case if queue == "remediate" else stuck.id
        app.queue(queue).send(f'{{"version": 1, "{field}": ["{id}"]}}')
    eventually(app.all_queues_empty, "every message was given up")
    log = app.log()
    assert "Could not park 1 subscriptions after diagnose failed" in log
    assert "Could not park 1 subscriptions after remediate failed" in log
    assert "People could not be told" in log
    assert all(name in log for name in names)
    assert [row for row in app.rows() if row["PartitionKey"] == stuck.id] == []
    assert app.written() == []
    assert app.cloud.ask(lambda cloud: sum(cloud.environment.traffic.requests.values())) == 0
    assert app.cloud.tokens == []


def test_without_a_mode_the_app_starts_and_says_that_it_has_none(tmp_path: Path) -> None:
    with running(WORLD, tmp_path, mode=None, SWEEP_SCHEDULE="* * * * * *") as app:
        names_it_everywhere(app, "UNSTUCK_MODE")
        eventually(
            lambda: "Not configured, nothing is read or written: UNSTUCK_MODE is missing" in app.log(), "a sweep"
        )


def test_every_setting_of_a_wrong_type_is_named_and_no_value_is(tmp_path: Path) -> None:
    wrong = {
        "UNSTUCK_MODE": "yolo",
        "DATAVERSE_ORGANIZATION_ID": "wrong-guid",
        "DATAVERSE_URL": "http://wrong-host.example",
        "UNSTUCK_ATTEMPTS": "wrong-number",
        "WORK365_JOB_CYCLE_SECONDS": "wrong-seconds",
        "WORK365_TIME_ZONE": "Wrong/Zone",
        "NOTIFY_WEBHOOK_URL": "wrong-address",
    }
    with running(WORLD, tmp_path, **wrong) as app:
        names_it_everywhere(app, *wrong)
        said = "\n".join(app.answers) + app.log()
        assert [value for value in wrong.values() if value in said] == []


def test_another_organisation_is_never_written_to(tmp_path: Path) -> None:
    with running(WORLD, tmp_path, UNSTUCK_LOOK_AGAIN_SECONDS="1") as app:
        home = app.settings["DATAVERSE_ORGANIZATION_ID"]
        stuck = app.one("missed")
        app.control("PUT", "/organization", json={"id": OTHER_ORGANIZATION})
        assert app.sweep().status_code == 200
        case = eventually(lambda: (found := app.case(stuck.case)) and found["held_back"] and found, "it is held back")
        assert case["state"] == "ready"
        assert OTHER_ORGANIZATION in case["held_back"]
        assert home in case["held_back"]
        assert "held_back_by_organization" in kinds(case)
        # Asked again and again, it stays so.
        looks = app.log().count("Woke 1 cases")
        eventually(lambda: app.log().count("Woke 1 cases") >= looks + 1, "it is looked at again")
        assert app.written() == []
        assert app.status(stuck) == "awaiting_provisioning"
        app.control("PUT", "/organization", json={"id": home})
        app.until(stuck.case, "resolved")
        assert app.statuses_written(stuck.change) == ["not_applicable", "awaiting_provisioning"]
        assert app.harm() == NO_HARM
