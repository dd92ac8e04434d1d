"""The demo's judgement, on made-up cases; and what it makes of the app's writes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from local.control.harm import forbidden_writes, left_not_applicable
from local.dataverse.traffic import Write
from local.demo.judging import Expected, SeenCase, Summary, judge, settled, summarize
from local.demo.news import by_kind, whats_new
from local.worlds.built import Expectation

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NO_HARM: dict[str, list[Any]] = {"engine": [], "forbidden": [], "left_not_applicable": []}
APP = "app-user"


def expected(id: str, cause: str | None = "trigger_missed", outcome: str = "resolved") -> Expected:
    return Expected(id, f"Subscription {id}", "group", cause, outcome)


def case(id: str, state: str, first_cause: str | None = "trigger_missed", number: int = 1) -> SeenCase:
    return SeenCase(
        f"{id}-{number}", id, f"Subscription {id}", state, first_cause, first_cause, "A sentence.", "Do it."
    )


def test_a_subscription_at_its_outcome_is_as_expected() -> None:
    [verdict] = judge([expected("a")], [case("a", "resolved")])
    assert verdict.as_expected


@pytest.mark.parametrize("state", ["open", "ready", "remediating", "unsettled", "verifying"])
def test_one_that_still_moves_is_not_settled(state: str) -> None:
    assert not settled(judge([expected("a")], [case("a", state)]))


def test_a_stuck_one_without_a_case_is_wrong_in_both() -> None:
    [verdict] = judge([expected("a")], [])
    assert (verdict.right_cause, verdict.right_outcome) == (False, False)


def test_a_healthy_one_without_a_case_is_right_and_with_one_is_wrong() -> None:
    assert settled(judge([expected("a", None, "none")], []))
    [verdict] = judge([expected("a", None, "none")], [case("a", "resolved")])
    assert (verdict.right_cause, verdict.right_outcome) == (False, False)


def test_the_first_case_tells_the_cause_and_the_newest_the_outcome() -> None:
    cases = [case("a", "needs_person", "unknown", 2), case("a", "resolved", "trigger_missed", 1)]
    [verdict] = judge([expected("a", "trigger_missed", "needs_person")], cases)
    assert verdict.as_expected


def test_a_case_of_a_subscription_that_the_world_does_not_have_is_wrong() -> None:
    verdicts = judge([], [case("z", "resolved")])
    assert not settled(verdicts)
    assert "not of this world" in verdicts[0].text


def test_a_summary_counts_what_is_there_and_what_is_wrong() -> None:
    verdicts = judge(
        [expected("a"), expected("b", "unknown", "needs_person"), expected("c"), expected("d", None, "none")],
        [case("a", "resolved"), case("b", "needs_person", "trigger_missed"), case("c", "verifying")],
    )
    harm = {**NO_HARM, "engine": [{}], "forbidden": [{}, {}], "left_not_applicable": ["x"]}
    summary = summarize(verdicts, harm, {"sweep": 3, "oddity": 9}, 2.04)
    assert summary.as_json() == {
        "subscriptions": 4,
        "stuck": 3,
        "outcomes": {"resolved": 1, "waiting": 0, "awaiting_approval": 0, "needs_person": 1, "escalated": 0},
        "by_cause": {"trigger_missed": 3},
        "wrong_cause": 1,
        "wrong_outcome": 1,
        "harmful_actions": 3,
        "left_not_applicable": 1,
        "dataverse_requests": {"sweep": 3, "diagnose": 0, "remediate": 0, "other": 0},
        "seconds": 2.0,
    }
    assert not summary.good


def test_worlds_are_added_up() -> None:
    one = summarize(judge([expected("a")], [case("a", "resolved")]), NO_HARM, {"sweep": 2}, 1)
    both = sum([one, one], Summary())
    assert both.good
    assert both.subscriptions == 2
    assert both.by_cause_and_outcome["trigger_missed", "resolved"] == 2
    assert both.dataverse_requests["sweep"] == 4


def test_news_is_what_has_come_to_a_state_that_is_told_of() -> None:
    before = {"a-1": case("a", "verifying"), "b-1": case("b", "waiting")}
    now = {"a-1": case("a", "resolved"), "b-1": case("b", "waiting"), "c-1": case("c", "remediating")}
    assert [(one.word, one.name) for one in whats_new(before, now)] == [("freed", "Subscription a")]


def test_many_of_a_kind_are_told_together() -> None:
    news = whats_new({}, {f"{n}-1": case(str(n), "resolved") for n in range(5)})
    assert [count for _, count in by_kind(news)] == [5]


EXPECTATIONS = [Expectation("s", "S", "g", "trigger_missed", "resolved", may_write=("mine",), set_by_app=("old",))]


def write(id: str = "mine", table: str = "license_change_log", user: str = APP, **changes: Any) -> Write:
    values = changes or {"provisioning_status": ("awaiting_provisioning", "not_applicable")}
    return Write(NOW, user, table, id, "updated", values, "remediate")


def why(*writes: Write) -> list[str]:
    found = forbidden_writes(writes, EXPECTATIONS, APP, lambda job: "mine" if job == "my-job" else None)
    return [one.why for one in found]


def test_the_two_writes_of_a_retrigger_are_allowed() -> None:
    assert why(write(), write(provisioning_status=("not_applicable", "awaiting_provisioning"))) == []


def test_what_others_write_is_not_the_apps_doing() -> None:
    assert why(write("other", user="somebody")) == []


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (write("other"), "this change must not be written"),
        (write(provisioning_status=("awaiting_provisioning", "provisioned")), "set Provisioning Status to provisioned"),
        (write(quantity=(1, 2)), "wrote quantity"),
        (write(table="subscription"), "updated a row of subscription"),
        (write("their-job", table="work365_job"), "a job of a change that must not be written"),
    ],
)
def test_every_other_write_is_forbidden(one: Write, expected: str) -> None:
    assert why(one) == [expected]


def test_a_job_of_a_change_that_may_be_written_may_be_made() -> None:
    assert why(write("my-job", table="work365_job")) == []


def test_what_the_app_set_to_not_applicable_must_not_stay_there() -> None:
    status = {"mine": "not_applicable", "old": "not_applicable", "theirs": "not_applicable"}
    writes = [write(), write("theirs", user="somebody")]
    assert left_not_applicable(writes, EXPECTATIONS, APP, status.get) == ["mine", "old"]
    status |= {"mine": "provisioned", "old": "awaiting_provisioning"}
    assert left_not_applicable(writes, EXPECTATIONS, APP, status.get) == []
