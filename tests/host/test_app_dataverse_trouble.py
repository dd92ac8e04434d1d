"""A Dataverse that misbehaves: everyone hears what is wrong, nothing is written by half, and it passes."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.dataverse.faults import Answer, CutAfter, CutBefore, Empty, EndlessPages, Html, Status
from local.worlds.identities import ADMIN_USER_ID
from tests.host.app_answers import kinds, problem
from tests.host.app_kit import NO_HARM, App, Stuck, eventually, missed, running, world

pytestmark = [pytest.mark.host, pytest.mark.azurite]

WORLD = world(
    "trouble",
    "".join(
        missed(group)
        for group in (
            "read",
            "queued",
            "first-stale",
            "first-throttled",
            "first-cut-after",
            "second-stale",
            "second-cut-before",
            "second-cut-after",
            "second-failed",
            "second-page",
            "second-empty",
            "edited-before-the-first",
            "edited-before-the-second",
        )
    ),
)

# What Dataverse answers, and words that an answer of ours must have to be of use.
BAD_DAYS: dict[str, tuple[Answer, str]] = {
    "401": (Status(401), "does not accept our token"),
    "403": (Status(403, message="Principal user is missing prvReadwork365_subscription privilege."), "prvReadwork365"),
    "404": (Status(404), "no such row, table or function"),
    "web page": (Html(200), "not one that Dataverse gives"),
    "nothing": (Empty(), "not one that Dataverse gives"),
}
SWEEPS = {
    **BAD_DAYS,
    "500": (Status(500), "Dataverse failed"),
    "endless pages": (EndlessPages(), "do not come to an end"),
}
DIAGNOSES = {**BAD_DAYS, "connection cut": (CutBefore(), "cannot be reached")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with running(WORLD, tmp_path_factory.mktemp("trouble")) as app:
        yield app


@pytest.fixture
def app(whole: App) -> Iterator[App]:
    """The app in auto mode, on a good day before and after each test."""
    yield whole
    whole.no_faults()


@pytest.mark.parametrize(("answer", "words"), SWEEPS.values(), ids=SWEEPS.keys())
def test_a_sweep_that_cannot_read_says_why_and_concludes_nothing(app: App, answer: Answer, words: str) -> None:
    before = _known(app)
    app.fault(answer, times=None, purpose="sweep")
    swept = app.sweep()
    assert words in problem(swept, 502)["detail"]
    health = app.api.get("/health")
    assert health.json()["status"] == "degraded"
    assert words in health.json()["problems"][0]
    last = health.json()["last_sweep"]
    assert (last["complete"], last["suspects"], last["queued"]) == (False, 0, 0)
    assert _known(app) == before
    assert app.all_queues_empty()


@pytest.mark.parametrize(("answer", "words"), DIAGNOSES.values(), ids=DIAGNOSES.keys())
def test_a_diagnosis_that_cannot_read_says_why_and_concludes_nothing(app: App, answer: Answer, words: str) -> None:
    before = _known(app)
    app.fault(answer, times=None, purpose="diagnose", part=False)
    asked = app.diagnose(app.one("read"))
    said = problem(asked, 502)
    assert words in said["detail"]
    assert "dataverse" in said["hint"]
    assert _known(app) == before


def _known(app: App) -> tuple[list[Any], list[Any]]:
    """Rows of cases and their events (not those of sweeps and of the host's own), and writes to Dataverse."""
    ids = {one.id for one in app.all()}
    return [row for row in app.rows() if row["PartitionKey"] in ids], app.written()


def test_throttling_holds_everything_back_and_tells_the_caller_when_to_come_back(app: App) -> None:
    app.fault(Status(429, retry_after=600), purpose="sweep")
    assert "asks us to send less" in problem(app.sweep(), 502)["detail"]
    held_back = app.diagnose(app.one("read"))
    assert "asked us to send less, so this was not sent" in problem(held_back, 503)["detail"]
    assert 1 <= int(held_back.headers["retry-after"]) <= 600
    # This worker goes on holding back for its ten minutes, as it should; the next one knows nothing of it.
    app.control("POST", "/worker/kill")


def test_a_message_that_fails_comes_back_and_succeeds(app: App) -> None:
    stuck = app.one("queued")
    app.fault(Html(200), times=3, purpose="diagnose", part=False)
    app.queue("diagnose").send(f'{{"version": 1, "subscription_ids": ["{stuck.id}"]}}')
    case = app.until(stuck.case, "resolved")
    assert "parked" not in kinds(case)
    _freed_once(app, stuck)


WRITES: dict[str, tuple[Answer, int, str]] = {
    "first-stale": (Status(412), 0, "nothing was written (412)"),
    "first-throttled": (Status(429, retry_after=1), 0, "The write was not executed"),
    "first-cut-after": (CutAfter(), 0, "No answer to our write"),
    "second-stale": (Status(412), 1, "nothing was written (412)"),
    "second-cut-before": (CutBefore(), 1, "No answer to our write"),
    "second-cut-after": (CutAfter(), 1, "No answer to our write"),
    "second-failed": (Status(500), 1, "No answer to our write"),
    "second-page": (Html(), 1, "No answer to our write"),
    "second-empty": (Empty(), 1, "No answer to our write"),
}
"""By group: what happens to a write, how many writes go well before, and what the timeline says of it."""


def test_whatever_happens_to_a_write_it_is_settled_by_reading_and_ordered_once(app: App) -> None:
    for group, (answer, after, _) in WRITES.items():
        app.fault(answer, after=after, row_id=app.one(group).change, method="PATCH")
    for group in WRITES:
        assert app.diagnose(app.one(group)).status_code == 200
    for group, (_, _, words) in WRITES.items():
        stuck = app.one(group)
        case = app.until(stuck.case, "resolved")
        assert words in str([event["text"] for event in case["timeline"]]), group
        _freed_once(app, stuck)
    assert app.harm() == NO_HARM


def _saved_by_a_person(app: App, stuck: Stuck, values: dict[str, object]) -> None:
    app.cloud.ask(
        lambda cloud: cloud.environment.records.update("license_change_log", stuck.change, values, by=ADMIN_USER_ID)
    )


def test_what_somebody_saves_right_before_the_first_write_is_not_written_over(app: App) -> None:
    stuck = app.one("edited-before-the-first")
    app.at(lambda: _saved_by_a_person(app, stuck, {"name": "Mine"}), purpose="remediate", method="POST", part=False)
    assert app.diagnose(stuck).status_code == 200
    case = app.until(stuck.case, "resolved")
    assert "nothing was written (412)" in str([event["text"] for event in case["timeline"]])
    assert app.change(stuck.change)["name"] == "Mine"
    _freed_once(app, stuck)


def test_what_somebody_saves_between_the_writes_is_theirs_to_go_on_with(app: App) -> None:
    stuck = app.one("edited-before-the-second")

    def first_write() -> None:
        app.at(lambda: _saved_by_a_person(app, stuck, {"name": "Mine"}), purpose="remediate", method="POST", part=False)

    app.at(first_write, row_id=stuck.change, method="PATCH")
    assert app.diagnose(stuck).status_code == 200
    case = app.until(stuck.case, "needs_person")
    assert "someone has edited it since" in case["summary"]
    assert "Awaiting Provisioning" in case["next_step"]
    assert "nothing was written (412)" in str([event["text"] for event in case["timeline"]])
    assert app.statuses_written(stuck.change) == ["not_applicable"]
    assert app.harm() == {**NO_HARM, "left_not_applicable": [stuck.change]}, "which is why a person is asked"
    _saved_by_a_person(app, stuck, {"provisioning_status": "awaiting_provisioning"})
    app.until(stuck.case, "resolved")
    _freed_once(app, stuck)


def _freed_once(app: App, stuck: Stuck) -> None:
    assert app.status(stuck) == "provisioned"
    [order] = app.orders(stuck.change)
    assert order.delta == 2


def test_when_everything_is_well_again_a_sweep_is_complete_and_the_rest_is_freed(app: App) -> None:
    assert app.sweep().json()["complete"]
    assert app.api.get("/health").json()["status"] == "ok"
    for stuck in app.all():
        app.until(stuck.case, "resolved")
        _freed_once(app, stuck)
    assert app.harm() == NO_HARM
    eventually(app.all_queues_empty, "nothing is left in any queue")
