"""The app's HTTP API through the real host: what it gives, and what it says to whoever asks wrongly."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from azure.data.tables import TableClient

from tests.host.app_answers import broken_links, kinds, problem
from tests.host.app_kit import NO_HARM, ROOT, App, Stuck, eventually, missed, running, world
from tests.host.functions_host_kit import DEADLINE

pytestmark = [pytest.mark.host, pytest.mark.azurite]

NOBODY = "11111111-2222-4333-8444-555555555555"
DIGEST = "0123456789abcdef" * 2

WORLD = world(
    "http",
    missed("missed", 3)
    + """
  - group: by-hand
    provider: distributor
    product: backup
    changes:
      - {type: create, quantity: 4, created: -2d, status: awaiting_provisioning}
    expect: {cause: manual_provider, outcome: needs_person}

  - group: later
    provider: microsoft
    product: e3
    changes:
      - {type: create, quantity: 10, created: -90d}
      - {type: update, quantity: 3, created: -2h, effective: +20d, status: awaiting_provisioning}
    expect: {cause: future_effective_date, outcome: waiting}

  - group: healthy
    count: 2
    provider: microsoft
    product: e3
    changes:
      - {type: create, quantity: 10, created: -90d}
""",
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app in approve mode; a sweep has found every case."""
    with running(WORLD, tmp_path_factory.mktemp("h"), mode="approve", UNSTUCK_LOOK_AGAIN_SECONDS="3600") as app:
        assert app.sweep().status_code == 200
        stuck = [one for one in app.all() if one.cause is not None]
        eventually(lambda: len(app.cases()) == len(stuck), "every case is there")
        yield app


# ---------------------------------------------------------------------- keys


@pytest.mark.parametrize("headers", [{}, {"x-functions-key": "wrong"}, {"x-functions-key": ""}])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/sweeps"), ("GET", "/cases"), ("POST", "/diagnoses"), ("POST", f"/cases/{NOBODY}-1/remediations")],
)
def test_without_a_right_key_there_is_nothing(app: App, method: str, path: str, headers: dict[str, str]) -> None:
    answer = httpx.request(method, f"{app.host.url}/api{path}", headers=headers, content=b"{}", timeout=DEADLINE)
    assert (answer.status_code, answer.content) == (401, b"")


def test_a_key_may_be_in_the_query_and_the_master_key_opens_everything(app: App) -> None:
    url = f"{app.host.url}/api/cases"
    assert httpx.get(url, params={"code": app.host.host_key}, timeout=DEADLINE).status_code == 200
    assert httpx.get(url, headers={"x-functions-key": app.host.master_key}, timeout=DEADLINE).status_code == 200


def test_health_needs_no_key(app: App) -> None:
    answer = httpx.get(f"{app.host.url}/api/health", timeout=DEADLINE)
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["mode"], answer.json()["problems"]) == ("ok", "approve", [])
    assert answer.json()["last_sweep"]["complete"]


# ---------------------------------------------------------------------- bad bodies


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"   ", b"subscription", b"{", b'{"subscription_id": }', b"\x00"),
        *(b'{"subscription_id": "\xe4"}', b"\xff\xfe\x00\x01"),
        *(b"[" * 50_000, b'{"a":' * 10_000, b'{"subscription_id": ' + b"9" * 5_000 + b"}"),
    ],
)
@pytest.mark.parametrize("path", ["/diagnoses", "/cases/{case}/remediations"])
def test_a_body_that_is_not_json_is_said_to_be_none(app: App, path: str, body: bytes) -> None:
    answer = app.api.post(path.format(case=app.one("by-hand").case), content=body)
    assert "not JSON" in problem(answer, 400, "body")["detail"]
    assert answer.json()["hint"]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"1", b"true", b'[{"subscription_id": "x"}]'])
def test_a_body_must_be_an_object(app: App, body: bytes) -> None:
    assert "not a JSON object" in problem(app.api.post("/diagnoses", content=body), 400, "body")["detail"]


def test_a_body_of_a_megabyte_is_too_long(app: App) -> None:
    body = json.dumps({"subscription_id": "a" * 1_000_000})
    assert "longer" in problem(app.api.post("/diagnoses", content=body), 413)["detail"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_other_encodings_of_unicode_are_json_too(app: App, encoding: str) -> None:
    body = json.dumps({"subscription_id": NOBODY}).encode(encoding)
    problem(app.api.post("/diagnoses", content=body), 404, "subscription_id")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"subscription_id": NOBODY, "colour": "red"}, "colour"),
        ({"Subscription_Id": NOBODY}, "Subscription_Id"),
        ({"subscription_id": NOBODY, "\ud800": 1}, "body"),
        ({"subscription_id": "nonsense"}, "subscription_id"),
        ({"subscription_id": NOBODY[:-1]}, "subscription_id"),
        ({"subscription_id": f"{NOBODY}-1"}, "subscription_id"),
        ({"subscription_id": "\ud800"}, "subscription_id"),
        ({"subscription_id": 7}, "subscription_id"),
        ({"subscription_id": [NOBODY]}, "subscription_id"),
        ({"subscription_id": {"id": NOBODY}}, "subscription_id"),
        ({"change_id": "' or 1 eq 1"}, "change_id"),
        ({}, "body"),
        ({"subscription_id": None}, "body"),
        ({"subscription_id": NOBODY, "change_id": NOBODY}, "body"),
    ],
)
def test_a_wrong_field_of_a_diagnosis_is_named(app: App, body: dict[str, Any], field: str) -> None:
    problem(app.api.post("/diagnoses", content=json.dumps(body)), 400, field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "plan_digest"),
        ({"plan_digest": None}, "plan_digest"),
        ({"plan_digest": "yes"}, "plan_digest"),
        ({"plan_digest": DIGEST.upper()}, "plan_digest"),
        ({"plan_digest": DIGEST, "by": ""}, "by"),
        ({"plan_digest": DIGEST, "approved": True}, "approved"),
    ],
)
def test_a_wrong_field_of_a_remediation_is_named(app: App, body: dict[str, Any], field: str) -> None:
    problem(app.api.post(f"/cases/{app.all('missed')[0].case}/remediations", json=body), 400, field)


# ---------------------------------------------------------------------- ids


def test_what_dataverse_does_not_have_is_not_found(app: App) -> None:
    for field in ("subscription_id", "change_id"):
        answer = app.api.post("/diagnoses", json={field: NOBODY})
        assert NOBODY in problem(answer, 404, field)["detail"]
    assert app.case(f"{NOBODY}-1") is None


@pytest.mark.parametrize("case_id", [f"{NOBODY}-1", f"{NOBODY}-999999999", f"{NOBODY.upper()}-2"])
def test_an_unknown_case_is_not_found(app: App, case_id: str) -> None:
    problem(app.api.get(f"/cases/{case_id}"), 404, "case_id")
    problem(app.api.post(f"/cases/{case_id}/remediations", json={"plan_digest": DIGEST}), 404, "case_id")


@pytest.mark.parametrize(
    "case_id", ["nonsense", "-1", NOBODY, *(f"{NOBODY}-{number}" for number in ("", "x", "0", "\u00b2", "9" * 5_000))]
)
def test_a_malformed_case_id_is_named(app: App, case_id: str) -> None:
    problem(app.api.get(f"/cases/{case_id}"), 400, "case_id")
    problem(app.api.post(f"/cases/{case_id}/remediations", json={"plan_digest": DIGEST}), 400, "case_id")


@pytest.mark.parametrize("odd", ["z", "%23", "%2F", "%5C", "%3F", "%7C", "'", "%00", "%C3%A9"])
def test_what_only_has_the_length_of_a_case_id_is_malformed(app: App, odd: str) -> None:
    case_id = NOBODY[:-1] + odd + "-1"
    problem(app.api.get(f"/cases/{case_id}"), 400, "case_id")


# ---------------------------------------------------------------------- lists


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("limit", value) for value in ("0", "-1", "201", "1.5", "1e1", "many", "\uff15", "99999999999999")),
        *(("limit", value) for value in ("000000001999999", "000000001" + "0" * 5_000)),
        *(("state", value) for value in ("nonsense", "OPEN", "open,waiting", "[" * 20_000)),
        *(("cause", value) for value in ("nonsense", "Trigger_Missed")),
        *(("cursor", value) for value in ("nonsense", "bm9uc2Vuc2U", "e30", "W10", "MQ", "\u00e9", "==", "bnVsbA")),
        ("cursor", base64.b64encode(b"[" * 30_000).decode()),
    ],
)
def test_a_query_value_that_makes_no_sense_is_named(app: App, field: str, value: str) -> None:
    answer = app.api.get("/cases", params={field: value})
    assert problem(answer, 400, field)["hint"]


def test_a_cursor_of_another_filter_is_refused(app: App) -> None:
    first = app.api.get("/cases", params={"limit": "1", "cause": "trigger_missed"}).json()
    cursor = first["next_cursor"]
    assert cursor is not None
    answer = app.api.get("/cases", params={"limit": "1", "cursor": cursor})
    assert "another filter" in problem(answer, 400, "cursor")["detail"]
    assert app.api.get("/cases", params={"cause": "trigger_missed", "cursor": cursor}).status_code == 200


@pytest.mark.parametrize("name", ["provider", "customer"])
@pytest.mark.parametrize("value", ["unknown", "'", "a|b#c/d?e\\f", "\x00", "x" * 5_000])
def test_a_filter_that_nothing_matches_gives_an_empty_page(app: App, name: str, value: str) -> None:
    answer = app.api.get("/cases", params={name: value})
    assert (answer.status_code, answer.json()) == (200, {"cases": [], "next_cursor": None})


def test_pages_of_one_hold_every_case_once(app: App) -> None:
    whole = app.api.get("/cases").json()
    assert whole["next_cursor"] is None
    assert [case["id"] for case in app.cases(limit="1")] == [case["id"] for case in whole["cases"]]
    assert {case["subscription_id"] for case in whole["cases"]} == {s.id for s in app.all() if s.cause is not None}
    assert (opened := [case["opened_on"] for case in whole["cases"]]) == sorted(opened)


def test_lists_are_filtered(app: App) -> None:
    by_hand = app.one("by-hand")
    for query in ({"cause": "manual_provider"}, {"state": "needs_person"}, {"provider": "Distributor"}):
        assert [case["id"] for case in app.cases(**query)] == [by_hand.case]
    assert app.cases(cause="manual_provider", state="waiting") == []
    customer = app.case(by_hand.case) or {}
    assert [case["id"] for case in app.cases(customer=customer["customer_name"])] == [by_hand.case]


# ---------------------------------------------------------------------- what it gives


def test_a_sweep_answers_with_its_receipt(app: App) -> None:
    receipt = app.sweep()
    assert (receipt.status_code, receipt.headers["content-type"]) == (200, "application/json")
    body = receipt.json()
    stuck = sum(one.cause is not None for one in app.all())
    assert (body["complete"], body["problem"], body["suspects"]) == (True, "", stuck)
    assert body["queued"] + body["left_alone"] == stuck
    assert datetime.fromisoformat(body["started_on"]) <= datetime.fromisoformat(body["finished_on"])


def test_a_case_shows_findings_reasoning_plan_and_a_whole_chain_of_events(app: App) -> None:
    stuck = app.all("missed")[1]
    case = app.until(stuck.case, "awaiting_approval")
    assert (case["subscription_id"], case["cause"], case["change_id"]) == (stuck.id, "trigger_missed", stuck.change)
    [finding] = [found for found in case["findings"] if found["cause"] == "trigger_missed"]
    assert finding["proof"]
    assert all(fact["what"] and fact["where"] and fact["read_on"] for fact in finding["proof"])
    assert case["reasoning"]
    assert case["plan"]["steps"]
    assert len(case["plan"]["digest"]) == 32
    assert kinds(case)[:2] == ["opened", "diagnosed_awaiting_approval"]
    assert (broken_links(case["timeline"]), case["first_broken_event"]) == ([], None)


def test_an_event_that_was_altered_shows(app: App) -> None:
    later = app.one("later")
    with TableClient.from_connection_string(app.storage.connection_string, "cases") as cases:
        event = cases.get_entity(later.id, "event|000001|00000002")
        cases.update_entity({**event, "text": "Nothing is wrong."})
        case = app.case(later.case) or {}
        assert (broken_links(case["timeline"]), case["first_broken_event"]) == ([2], 2)
        cases.update_entity(event)
    case = app.case(later.case) or {}
    assert (broken_links(case["timeline"]), case["first_broken_event"]) == ([], None)


def test_diagnosing_now_gives_the_case_by_subscription_and_by_change(app: App) -> None:
    stuck = app.all("missed")[1]
    by_subscription = app.diagnose(stuck)
    by_change = app.api.post("/diagnoses", json={"change_id": stuck.change.upper()})
    for answer in (by_subscription, by_change):
        assert answer.status_code == 200
        assert (answer.json()["subscription_id"], answer.json()["stuck"]) == (stuck.id, True)
        assert answer.json()["case"]["id"] == stuck.case


def test_a_healthy_subscription_is_not_stuck_and_gets_no_case(app: App) -> None:
    healthy = app.all("healthy")[0]
    answer = app.diagnose(healthy)
    assert (answer.status_code, answer.json()) == (
        200,
        {"subscription_id": healthy.id, "stuck": False, "case": None},
    )
    assert app.case(healthy.case) is None


# ---------------------------------------------------------------------- saying yes


def test_a_wrong_digest_is_no_yes(app: App) -> None:
    stuck = app.all("missed")[1]
    answer = app.api.post(f"/cases/{stuck.case}/remediations", json={"plan_digest": DIGEST})
    assert "plan has moved" in problem(answer, 409)["detail"]


@pytest.mark.parametrize(("group", "state"), [("by-hand", "needs_person"), ("later", "waiting")])
def test_there_is_no_yes_where_nothing_is_to_be_retriggered(app: App, group: str, state: str) -> None:
    case = app.until(app.one(group).case, state)
    answer = app.api.post(f"/cases/{case['id']}/remediations", json={"plan_digest": DIGEST})
    detail = problem(answer, 409)["detail"]
    assert state in detail
    assert case["next_step"] in detail


def say_yes(app: App, stuck: Stuck) -> httpx.Response:
    """A yes to the plan as it is shown, once people were told of it: noting that saves the case, too."""
    eventually(lambda: "told" in kinds(app.case(stuck.case) or {"timeline": []}), "people are told")
    plan = app.until(stuck.case, "awaiting_approval")["plan"]
    return app.api.post(f"/cases/{stuck.case}/remediations", json={"plan_digest": plan["digest"]})


def test_a_yes_frees_the_subscription_and_nothing_else_was_ever_written(app: App) -> None:
    stuck = app.all("missed")[0]
    assert app.written() == [], "nothing is written before anybody said yes"
    answer = say_yes(app, stuck)
    assert (answer.status_code, answer.json()["id"]) == (202, stuck.case)
    case = app.until(stuck.case, "resolved")
    wanted = ["approved", "intent", "not_applicable_set", "retriggered", "resolved"]
    assert [kind for kind in kinds(case) if kind in wanted] == wanted
    assert {event["by"] for event in case["timeline"] if event["kind"] in wanted[:4]} == {"API key"}
    assert app.status(stuck) == "provisioned"
    assert app.statuses_written(stuck.change) == ["not_applicable", "awaiting_provisioning"]
    assert len(app.orders(stuck.change)) == 1
    assert app.harm() == NO_HARM
    assert [write.id for write in app.written()] == [stuck.change] * 2
    again = app.api.post(f"/cases/{stuck.case}/remediations", json={"plan_digest": DIGEST})
    assert "resolved" in problem(again, 409)["detail"]
    assert [case["id"] for case in app.cases(state="resolved")] == [stuck.case]


def test_without_a_state_a_list_shows_open_cases(app: App) -> None:
    stuck = app.all("missed")[2]
    assert say_yes(app, stuck).status_code == 202
    app.until(stuck.case, "resolved")
    assert stuck.case not in [listed["id"] for listed in app.cases()]


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="needs curl and bash")
@pytest.mark.parametrize(("page", "after"), [("README.md", "With `up` running"), ("docs/http-api.md", "## Try it")])
def test_the_examples_of_the_docs_work_as_printed(app: App, page: str, after: str) -> None:
    """Each command of the block on that page, in one shell, as a person would type them."""
    text = (ROOT / page).read_text("utf-8")
    commands = text.partition(after)[2].split("```")[1].strip().replace("\\\n", " ").splitlines()
    script = "set -e\n" + "\n".join(f"{command}\necho" for command in commands)
    environment = {**os.environ, "API": f"{app.host.url}/api", "KEY": app.host.host_key}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)  # noqa: S603, S607  our own page
    answers = [json.loads(line) for line in done.stdout.splitlines() if line]
    assert len(answers) == sum(command.startswith("curl") for command in commands) >= 7
    assert [answer for answer in answers if "title" in answer and "detail" in answer] == []
