"""The swagger document: it is what the app generates, is Swagger 2.0, and says what the app does.

The lint rules are those of Microsoft's connector certification that need no service to be checked.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from openapi_spec_validator import OpenAPIV2SpecValidator
from pydantic import BaseModel

from shared.domain.pause import Scope
from shared.domain.policy import Mode
from shared.entrypoints.parameters import PARAMETERS, names_in
from shared.entrypoints.route import AnyRoute
from shared.entrypoints.routes import ROUTES
from shared.entrypoints.swagger import document, statuses_of, text
from tests.builders import SUBSCRIPTION, TENANT
from tests.entrypoint_kit import Asked, Front
from tests.workflow_kit import ORGANIZATION, Town

ROOT = Path(__file__).parents[2]
FILE = ROOT / "connector" / "apiDefinition.swagger.json"
DOCUMENT = document(ROUTES)
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation
    for path in DOCUMENT["paths"].values()
    for name, operation in path.items()
    if name != "x-ms-notification-content"
}


def schemas(tree: object) -> Iterator[dict[str, Any]]:
    """Every object in a tree of JSON."""
    if isinstance(tree, dict):
        yield tree
        for each in tree.values():
            yield from schemas(each)
    elif isinstance(tree, list):
        for each in tree:
            yield from schemas(each)


def test_the_committed_file_is_what_the_app_generates() -> None:
    wanted = "python -m shared.entrypoints.swagger > connector/apiDefinition.swagger.json"
    assert FILE.read_text("utf-8") == text(ROUTES), f"write it anew: {wanted}"
    assert FILE.stat().st_size < 1_000_000


def test_it_is_swagger_2() -> None:
    OpenAPIV2SpecValidator(json.loads(text(ROUTES))).validate()


def test_every_route_is_in_it_once() -> None:
    found = {(path[1:], method) for path, methods in DOCUMENT["paths"].items() for method in methods}
    found = {(path, method) for path, method in found if method != "x-ms-notification-content"}
    assert found == {(route.path, route.method.lower()) for route in ROUTES}
    assert set(OPERATIONS) == {route.operation for route in ROUTES}
    assert len(OPERATIONS) == len(ROUTES)


def test_the_served_document_names_the_host_by_which_it_was_asked() -> None:
    served = Front().asks("GetSwagger").json
    assert (served["host"], served["schemes"], served["basePath"]) == ("app.example", ["https"], "/api")
    assert {**served, "host": "", "schemes": []} == {**json.loads(text(ROUTES)), "host": "", "schemes": []}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
class TestEveryOperation:
    def test_has_a_name_a_summary_and_a_description(self, operation: dict[str, Any]) -> None:
        assert re.fullmatch(r"[A-Z][A-Za-z]+", operation["operationId"])
        summary, description = operation["summary"], operation["description"]
        assert re.fullmatch(r"[A-Z][a-z ]+[a-z]", summary)
        assert len(summary) <= 80
        assert description.endswith(".")
        assert description.rstrip(".") != summary

    def test_shows_one_shape_of_success(self, operation: dict[str, Any]) -> None:
        good = [status for status, response in operation["responses"].items() if "schema" in response]
        assert len(good) == 1
        assert good[0].startswith("2")
        assert "default" not in operation["responses"]

    def test_describes_its_parameters(self, operation: dict[str, Any]) -> None:
        for parameter in operation["parameters"]:
            if parameter["in"] == "body":
                assert set(parameter["schema"]) == {"$ref"}
                continue
            assert parameter["description"].endswith(".")
            assert parameter["x-ms-summary"]
            if parameter["in"] == "path":
                assert (parameter["required"], parameter["x-ms-url-encoding"]) == (True, "single")


@pytest.mark.parametrize("name", DOCUMENT["definitions"])
def test_every_field_is_described_with_a_title(name: str) -> None:
    definition = DOCUMENT["definitions"][name]
    assert definition["description"]
    for field, schema in definition.get("properties", {}).items():
        if "$ref" in schema:
            assert set(schema) == {"$ref"}, "nothing may stand beside a reference: what may be null says so itself"
            continue
        assert schema["description"].endswith("."), field
        assert re.fullmatch(r"[A-Z0-9].*", schema["x-ms-summary"]), field
    assert set(definition.get("required", [])) <= set(definition.get("properties", {}))
    assert definition.get("required") != []


def test_every_array_says_what_is_in_it() -> None:
    for schema in schemas(DOCUMENT):
        if schema.get("type") == "array":
            assert schema["items"]


def test_drop_downs_ask_operations_that_are_there() -> None:
    asked = [schema["x-ms-dynamic-values"] for schema in schemas(DOCUMENT) if "x-ms-dynamic-values" in schema]
    assert {each["operationId"] for each in asked} >= {"ListStates", "ListCauses", "ListProviders", "ListTargets"}
    for each in asked:
        ref = OPERATIONS[each["operationId"]]["responses"]["200"]["schema"]["$ref"].rpartition("/")[2]
        values = DOCUMENT["definitions"][ref]["properties"][each["value-collection"]]
        item = DOCUMENT["definitions"][values["items"]["$ref"].rpartition("/")[2]]["properties"]
        assert {each["value-path"], each["value-title"]} <= set(item)


def test_every_parameter_of_a_path_is_known() -> None:
    assert {name for route in ROUTES for name in names_in(route.path)} == set(PARAMETERS)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_the_example_of_a_body_works(route: AnyRoute) -> None:
    if route.takes_body:
        assert isinstance(route.body.model_validate_json(route.example), BaseModel)


# ---------------------------------------------------------------------- what the app really answers


def _checked(schema: Any) -> Any:
    """A schema of ours for a validator that calls x-nullable by another name."""
    if isinstance(schema, list):
        return [_checked(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {"nullable" if name == "x-nullable" else name: _checked(value) for name, value in schema.items()}


DEFINITIONS = {name: _checked(each) for name, each in DOCUMENT["definitions"].items()}


def conforms(operation: str, asked: Asked) -> None:
    responses = OPERATIONS[operation]["responses"]
    assert str(asked.status) in responses, (operation, asked.status)
    if (schema := responses[str(asked.status)].get("schema")) is not None:
        whole = {**schema, "definitions": DEFINITIONS}
        errors = [*OAS30Validator(whole, format_checker=oas30_format_checker).iter_errors(asked.json)]
        assert errors == [], operation


def test_what_the_app_answers_is_what_the_document_says() -> None:
    """Every operation once, on a town with cases, sweeps, a pause and a plan."""
    front = Front(Town(mode=Mode.APPROVE))
    front.town.stuck()
    asyncio.run(front.town.sweep())
    case = {"case_id": f"{SUBSCRIPTION}-1"}
    sweep = front.asks("ListSweeps").json["sweeps"][0]["id"]
    digest = front.asks("GetCase", path=case).json["plan"]["digest"]
    pause = {"scope": "everything", "reason": "r", "until": "2026-12-01T06:00:00Z"}
    story: list[tuple[str, object, dict[str, str]]] = [
        *((name, None, {}) for name in ("GetHealth", "GetSwagger", "StartSweep", "ListSweeps", "ListCases")),
        *((name, None, {}) for name in ("ListApprovals", "GetControls", "GetPolicy", "GetSummary", "ListCauses")),
        *((name, None, {}) for name in ("ListStates", "ListProviders")),
        *((name, None, case) for name in ("GetCase", "GetTimeline", "GetEvidence", "GetEscalation", "GetPlan")),
        ("GetSweep", None, {"sweep_id": sweep}),
        ("Diagnose", {"subscription_id": SUBSCRIPTION}, {}),
        ("ClaimCase", None, case),
        ("AssignCase", {"assignee": "Cleo"}, case),
        ("ReleaseCase", None, case),
        ("AddNote", {"text": "n"}, case),
        ("LinkTicket", {"ticket": "1", "url": "https://x.example/1"}, case),
        ("UnlinkTicket", None, case),
        ("Remediate", {"plan_digest": digest}, case),
        ("ListActions", None, {}),
        ("AskForAction", {"action": "close_not_applicable", "reason": "Not wanted."}, case),
        ("GetCase", None, case),
        ("WithdrawRequest", None, case),
        ("AddPause", pause, {}),
        ("AddMute", {**pause, "scope": "cause", "target": "unknown"}, {}),
        ("EndMute", None, {"mute_id": "none"}),
        ("WhenACaseNeedsAPerson", {"callback_url": "https://a.logic.azure.com/x"}, {}),
        ("ListWebhooks", None, {}),
        ("EndWebhook", None, {"webhook_id": "0" * 32}),
        ("GetBaseline", None, {}),
        ("DecideStock", {"decision": "adopt", "filter": {}, "reason": "r"}, {}),
        ("EndPause", None, {"pause_id": "none"}),
        ("GetOperation", None, {"operation_id": "0" * 32}),
        ("ConfirmHold", None, {"hold_id": "none"}),
        ("ValidatePolicy", {"policy": {"surge": 0}}, {}),
        ("CheckProvider", {"tenant_id": TENANT}, {}),
        ("ExplainMessages", {"messages": [{"text": "AADSTS700082"}]}, {}),
    ]
    for operation, body, path in story:
        conforms(operation, front.asks(operation, body, path=path))
    for scope in Scope:
        conforms("ListTargets", front.asks("ListTargets", query={"scope": scope}))
    assert {operation for operation, _, _ in story} | {"ListTargets"} == set(OPERATIONS)


def test_what_can_be_paused_is_listed_by_what_was_chosen_before() -> None:
    front = Front(Town(mode=Mode.APPROVE))
    front.town.stuck()
    asyncio.run(front.town.sweep())
    listed = {scope: front.asks("ListTargets", query={"scope": scope}).json["values"] for scope in Scope}
    assert [each["value"] for each in listed[Scope.ENVIRONMENT]] == [ORGANIZATION]
    assert "trigger_missed" in {each["value"] for each in listed[Scope.CAUSE]}
    assert [each["value"] for each in listed[Scope.SUBSCRIPTION]] == [SUBSCRIPTION]
    assert (listed[Scope.PROVIDER], listed[Scope.EVERYTHING]) == ([], [])
    front.asks("ListTargets").problem(400, "scope")
    front.asks("ListTargets", query={"scope": "all"}).problem(400, "scope")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_troubles_are_documented_with_what_they_mean(route: AnyRoute) -> None:
    responses = OPERATIONS[route.operation]["responses"]
    assert all(responses[str(status.value)]["description"] for status in statuses_of(route))
