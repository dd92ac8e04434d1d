"""What comes in over HTTP: a wrong part is named with what to do, and nothing is read or written before all is right.

Input: requests as the Functions host hands them on. Not faked: the table, the models, the handlers, the workflow.
"""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from shared.domain.case import Case, record
from shared.entrypoints.route import AnyRoute
from shared.entrypoints.routes import ROUTES
from shared.errors import Throttled, Unreachable
from tests.builders import DAY, NOW, SUBSCRIPTION
from tests.entrypoint_kit import BY_OPERATION, SIGNING_IN, Front, principal

CASE = f"{SUBSCRIPTION}-1"
PATHS = {
    "case_id": CASE,
    "sweep_id": "0" * 32,
    "operation_id": "0" * 32,
    "pause_id": "none",
    "mute_id": "none",
    "hold_id": "none",
    "webhook_id": "0" * 32,
}
WITH_BODY = [route.operation for route in ROUTES if route.takes_body]
ACTING = [route.operation for route in ROUTES if route.acts]


def paths(operation: str) -> dict[str, str]:
    path = BY_OPERATION[operation].path
    return {name: value for name, value in PATHS.items() if f"{{{name}}}" in path}


@pytest.fixture
def front() -> Front:
    """A town with one stuck subscription that nobody has looked at."""
    front = Front()
    front.town.stuck()
    return front


def untouched(front: Front) -> bool:
    """Whether nothing was read or written anywhere."""
    return not (front.town.work365.reads or front.town.tables.requests or front.town.store.history)


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe\x00\x01", b"[" * 30_000, b"[]", b"null", b"1", b'"x"'])
@pytest.mark.parametrize("operation", WITH_BODY)
def test_a_body_that_is_no_object_is_refused_by_every_route(front: Front, operation: str, body: bytes) -> None:
    asked = front.asks(operation, body, path=paths(operation))
    assert asked.problem(400, "body")["hint"]
    assert untouched(front)


@pytest.mark.parametrize("operation", WITH_BODY)
def test_an_unknown_field_is_named_by_every_route(front: Front, operation: str) -> None:
    asked = front.asks(operation, {"colour": "red"}, path=paths(operation))
    said = asked.problem(400, asked.json["field"])
    known = BY_OPERATION[operation].body.model_fields
    assert said["field"] == "colour" or known[said["field"]].is_required()
    assert untouched(front)


@pytest.mark.parametrize("operation", WITH_BODY)
def test_a_body_that_is_too_long_is_refused_by_every_route(front: Front, operation: str) -> None:
    longest = BY_OPERATION[operation].longest
    front.asks(operation, b" " * (longest + 1), path=paths(operation)).problem(413)
    assert untouched(front)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_an_unknown_query_is_named_by_every_route_and_a_key_is_none(front: Front, route: AnyRoute) -> None:
    needed = {name: field.examples[0] for name, field in route.query.model_fields.items() if field.is_required()}
    query = {**needed, "colour": "red", "code": "key"}
    said = front.asks(route.operation, {}, path=paths(route.operation), query=query)
    assert said.problem(400, "colour")["hint"] == "Remove it: this field is not known here."
    assert untouched(front)


@pytest.mark.parametrize("route", [r for r in ROUTES if "{case_id}" in r.path], ids=lambda route: route.operation)
@pytest.mark.parametrize("case_id", ["nonsense", SUBSCRIPTION, f"{SUBSCRIPTION}-0", "a%2Fb", "x" * 5_000])
def test_a_malformed_case_id_is_named_by_every_route(front: Front, route: AnyRoute, case_id: str) -> None:
    asked = front.asks(route.operation, json.loads(route.example), path={"case_id": case_id})
    asked.problem(400, "case_id")
    assert untouched(front)


@pytest.mark.parametrize("route", [r for r in ROUTES if "{case_id}" in r.path], ids=lambda route: route.operation)
def test_a_case_of_nobody_is_not_found_by_every_route(front: Front, route: AnyRoute) -> None:
    body = json.loads(route.example)
    asked = front.asks(route.operation, body, path={"case_id": f"{uuid4()}-1"})
    asked.problem(404, "case_id")
    assert front.town.store.history == []


@pytest.mark.parametrize("key", ["k" * 10_240, "", "a\tb", "é", "\u202e"])
@pytest.mark.parametrize("operation", ACTING)
def test_a_key_that_is_none_is_refused_by_every_route_that_acts(front: Front, operation: str, key: str) -> None:
    body = json.loads(BY_OPERATION[operation].example)
    asked = front.asks(operation, body, path=paths(operation), headers={"Idempotency-Key": key})
    asked.problem(400, "Idempotency-Key")
    assert front.town.store.history == []


@pytest.mark.parametrize("version", ["nonsense", "1", '"', f'"{"0" * 31}"', f'"{"0" * 32}", "x"'])
@pytest.mark.parametrize("operation", [route.operation for route in ROUTES if route.if_match])
def test_a_version_that_is_none_is_refused(front: Front, operation: str, version: str) -> None:
    body = json.loads(BY_OPERATION[operation].example)
    asked = front.asks(operation, body, path=paths(operation), headers={"If-Match": version})
    asked.problem(400, "If-Match")
    assert untouched(front)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in ("0", "201", "-1", "1.0", "٣", "many", "")),
        *(("state", value) for value in ("OPEN", "open,waiting")),
        ("cause", "Trigger_Missed"),
        *((name, "2026-11-22T12:00:00") for name in ("opened_before", "opened_after")),
        *(("opened_before", value) for value in ("yesterday", "2026-13-01T00:00:00Z", "1700000000")),
        ("cursor", "nonsense"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named(front: Front, name: str, value: str) -> None:
    assert front.asks("ListCases", query={name: value}).problem(400, name)["hint"]


def test_times_take_any_zone_and_a_plus_that_was_not_encoded(front: Front) -> None:
    for moment in ("2026-11-22T12:00:00Z", "2026-11-22T12:00:00+02:00", "2026-11-22T12:00:00 02:00"):
        assert front.asks("ListCases", query={"opened_before": moment}).status == 200


def test_filters_by_age_and_a_cursor_of_another_one(front: Front) -> None:
    async def story() -> None:
        ids = front.town.many(3)
        for days, each in enumerate(ids):
            case = Case(each, 1, NOW - (3 - days) * DAY, due_on=NOW)
            await front.town.store.save(record(case, NOW, by="t", kind="opened", text=""), None)
        two, one = ((NOW - days * DAY).isoformat() for days in (2, 1))

        async def listed(**query: str) -> list[str]:
            cases = (await front.ask("ListCases", query=query)).json["cases"]
            return [case["subscription_id"] for case in cases]

        assert await listed(opened_before=two) == ids[:1]
        assert await listed(opened_after=two) == ids[1:]
        assert await listed(opened_after=two, opened_before=one) == ids[1:2]
        first = await front.ask("ListCases", query={"limit": "1"})
        other = {"limit": "1", "cursor": first.json["next_cursor"], "opened_before": one}
        assert "another filter" in (await front.ask("ListCases", query=other)).problem(400, "cursor")["detail"]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unreachable("dataverse", "Dataverse cannot be reached."), 502),
        (Throttled("dataverse", "Later.", retry_after=7.2), 503),
    ],
)
def test_a_source_that_fails_is_said_with_when_to_come_back(front: Front, error: Any, status: int) -> None:
    front.town.work365.unavailable = error
    asked = front.asks("Diagnose", {"subscription_id": SUBSCRIPTION})
    asked.problem(status)
    assert asked.headers.get("Retry-After") == ("8" if status == 503 else None)


def test_settings_that_are_wrong_are_named_to_whoever_may_ask(front: Front) -> None:
    front.services.problems = ["DATAVERSE_URL is missing"]
    assert "DATAVERSE_URL" in front.asks("ListCases").problem(503)["detail"]
    health = front.asks("GetHealth")
    assert (health.status, health.json["status"]) == (503, "not_configured")


def test_the_unexpected_is_logged_under_the_id_that_is_answered(front: Front, caplog: pytest.LogCaptureFixture) -> None:
    front.town.work365.unavailable = ZeroDivisionError("secret detail")  # type: ignore[assignment]
    said = front.asks("Diagnose", {"subscription_id": SUBSCRIPTION}).problem(500)
    assert "secret" not in said["detail"]
    assert said["correlation_id"] in caplog.text


@pytest.mark.parametrize(
    ("given", "kept"), [("run-0815.abc_1", True), ("short", False), ("a" * 65, False), ("a b" * 5, False)]
)
def test_a_harmless_correlation_id_of_the_caller_is_kept(front: Front, given: str, kept: bool) -> None:
    asked = front.asks("GetSummary", headers={"X-Correlation-Id": given})
    assert (asked.headers["X-Correlation-Id"] == given) is kept


def test_every_answer_keeps_caches_and_guessing_browsers_away(front: Front) -> None:
    headers = front.asks("ListCauses").headers
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


KEY = {"Idempotency-Key": "run-1"}


class TestTheSameKey:
    def test_gets_the_same_answer_and_has_one_effect(self, front: Front) -> None:
        first = front.asks("Diagnose", {"subscription_id": SUBSCRIPTION}, headers=KEY)
        saves = len(front.town.store.history)
        again = front.asks("Diagnose", {"subscription_id": SUBSCRIPTION}, headers=KEY)
        assert (first.status, first.json) == (again.status, again.json)
        assert len(front.town.store.history) == saves

    def test_with_another_body_is_refused(self, front: Front) -> None:
        front.asks("Diagnose", {"subscription_id": SUBSCRIPTION}, headers=KEY)
        front.asks("Diagnose", {"subscription_id": str(uuid4())}, headers=KEY).problem(422, "Idempotency-Key")

    def test_is_another_one_on_another_route_case_or_caller(self, front: Front) -> None:
        front.asks("Diagnose", {"subscription_id": SUBSCRIPTION}, headers=KEY)
        path = {"case_id": CASE}
        noted = front.asks("AddNote", {"text": "n"}, path=path, headers=KEY)
        claimed = front.asks("ClaimCase", None, path=path, headers=KEY)
        assert (noted.status, claimed.status) == (201, 200)
        signing_in = Front(front.town, SIGNING_IN)
        other = {**KEY, **principal("Operator")}
        assert signing_in.asks("AddNote", {"text": "other"}, path=path, headers=other).status == 201

    def test_keeps_headers_and_refusals_too(self, front: Front) -> None:
        front.asks("Diagnose", {"subscription_id": SUBSCRIPTION})
        path = {"case_id": CASE}
        first = front.asks("AddNote", {"text": "n"}, path=path, headers=KEY)
        again = front.asks("AddNote", {"text": "n"}, path=path, headers=KEY)
        assert first.headers["ETag"] == again.headers["ETag"]
        body = {"plan_digest": "0" * 32}
        refused = front.asks("Remediate", body, path=path, headers=KEY)
        assert refused.status == front.asks("Remediate", body, path=path, headers=KEY).status == 409

    def test_sixteen_at_once_have_one_effect(self, front: Front) -> None:
        async def story() -> set[tuple[int, str]]:
            await front.ask("Diagnose", {"subscription_id": SUBSCRIPTION})

            async def one() -> tuple[int, str]:
                while True:
                    asked = await front.ask("AddNote", {"text": "n"}, path={"case_id": CASE}, headers=KEY)
                    if asked.status != 409:
                        return asked.status, json.dumps(asked.json)
                    assert asked.headers["Retry-After"] == "2"
                    await asyncio.sleep(0)

            return set(await asyncio.gather(*(one() for _ in range(16))))

        answers = asyncio.run(story())
        assert [status for status, _ in answers] == [201]
        assert asyncio.run(front.town.history()).count("note") == 1
