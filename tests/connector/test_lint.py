"""Each rule of the linter: one fault planted, and named."""

import json
from functools import cache

import pytest

from connector.document import Document
from connector.lint import COMMITTED, main, problems
from connector.rules import RULES, Rule
from tests.connector.planting import Fault, drop, put, sound

GET = ("paths", "/parcels/{parcel_id}", "get")
LIST = ("paths", "/parcels", "get")
ADD = ("paths", "/parcels", "post")
HOOKS = ("paths", "/hooks")
PARAMETER = (*GET, "parameters", 0)
NAME = ("definitions", "Parcel", "properties", "name")
VALUES = (*PARAMETER, "x-ms-dynamic-values")

FAULTS: dict[str, tuple[Fault, str]] = {
    "version 3": (put("swagger", value="3.0.0"), 'swagger: must be "2.0"'),
    "no title": (drop("info", "title"), "info.title: give 1 to 30"),
    "title with a reserved word": (put("info", "title", value="Parcel API"), 'info.title: leave out "API"'),
    "title ends oddly": (put("info", "title", value="Parcels!"), "info.title: give"),
    "short description": (put("info", "description", value="Parcels."), "info.description: give 30"),
    "no version": (drop("info", "version"), "info.version: missing"),
    "host with a scheme": (put("host", value="https://parcels.example.com"), "host: give a host name alone"),
    "base path ends with a slash": (put("basePath", value="/api/"), "basePath: begin"),
    "plain http": (put("schemes", value=["http", "https"]), "schemes: only"),
    "takes no JSON": (put("consumes", value=["text/xml"]), "consumes: name application/json"),
    "gives no JSON": (drop("produces"), "produces: name application/json"),
    "no way to sign in": (drop("securityDefinitions"), "securityDefinitions: missing"),
    "unknown way to sign in": (put("security", value=[{"oauth": []}]), "security: oauth is not among"),
    "no website": (put("x-ms-connector-metadata", value=[]), "x-ms-connector-metadata: Website is missing"),
    "unused definition": (
        put("definitions", "Left", value={"type": "object", "properties": {}}),
        "definitions.Left: nothing refers to it",
    ),
    "dangling reference": (drop("definitions", "Parcels"), "definitions.Parcels: referred to and not there"),
    "id in snake case": (put(*GET, "operationId", value="get_parcel"), "get_parcel: operationId must be in PascalCase"),
    "id twice": (put(*ADD, "operationId", value="GetParcel"), "GetParcel: operationId is not unique"),
    "no id": (drop(*GET, "operationId"), "GET /parcels/{parcel_id}: operationId must be"),
    "no summary": (drop(*GET, "summary"), "GetParcel: summary is missing"),
    "long summary": (put(*GET, "summary", value="Get " + 9 * "a parcel, "), "GetParcel: summary is longer than 80"),
    "summary with a stop": (put(*GET, "summary", value="Get a parcel."), "GetParcel: summary must end with"),
    "summary with a slash": (put(*GET, "summary", value="Get a box/parcel"), "GetParcel: summary must have none of"),
    "title case": (put(*GET, "summary", value="Get The Lost Parcel"), "GetParcel: summary must be in sentence case"),
    "lower case": (put(*GET, "summary", value="get a parcel"), "GetParcel: summary must be in sentence case"),
    "no description": (drop(*GET, "description"), "GetParcel: description is missing"),
    "description says nothing": (put(*GET, "description", value="Gets one."), "GetParcel: description must say more"),
    "description without a stop": (
        put(*GET, "description", value="Gives one parcel of all that there are"),
        "GetParcel: description must end with",
    ),
    "unknown visibility": (put(*GET, "x-ms-visibility", value="loud"), "GetParcel: x-ms-visibility must be one of"),
    "parameter's visibility": (put(*PARAMETER, "x-ms-visibility", value="x"), "GetParcel.parcel_id: x-ms-visibility"),
    "field's visibility": (put(*NAME, "x-ms-visibility", value="x"), "Parcel.name: x-ms-visibility"),
    "same shape of path": (
        put("paths", "/Parcels/{id}", value={"get": sound()["paths"]["/parcels"]["get"]}),
        "/Parcels/{id}: another path has the same shape",
    ),
    "path with a query": (put("paths", "/x?y=1", value={}), "/x?y=1: a path begins"),
    "parameter without title": (drop(*PARAMETER, "x-ms-summary"), "GetParcel.parcel_id: x-ms-summary is missing"),
    "parameter without description": (drop(*PARAMETER, "description"), "GetParcel.parcel_id: description is missing"),
    "parameter's title twice": (
        put(*PARAMETER, "description", value="Parcel"),
        "description must not repeat the title",
    ),
    "optional in the path": (put(*PARAMETER, "required", value=False), "a parameter of the path must be required"),
    "no encoding": (drop(*PARAMETER, "x-ms-url-encoding"), "GetParcel.parcel_id: x-ms-url-encoding must be"),
    "undeclared in the path": (
        put(*GET, "parameters", value=[]),
        "GetParcel.parcel_id: is in the path and not declared",
    ),
    "not in the path": (put(*PARAMETER, "name", value="id"), "GetParcel.id: is declared and not in the path"),
    "parameter of no type": (drop(*PARAMETER, "type"), "GetParcel.parcel_id: type must be one of"),
    "array of nothing": (put(*PARAMETER, "type", value="array"), "GetParcel.parcel_id: an array must say of what"),
    "example on a parameter": (put(*PARAMETER, "example", value="1"), "GetParcel.parcel_id: example is for schemas"),
    "body without schema": (drop(*ADD, "parameters", 0, "schema"), "AddParcel.body: a body needs a schema"),
    "hidden and required": (
        put(*PARAMETER, "x-ms-visibility", value="internal"),
        "GetParcel.parcel_id: is internal and required",
    ),
    "body of a GET": (
        lambda document: document["paths"]["/parcels"]["get"]["parameters"].extend(
            sound()["paths"]["/parcels"]["post"]["parameters"]
        ),
        "ListParcels: GET has no body",
    ),
    "two bodies": (
        lambda document: document["paths"]["/parcels"]["post"]["parameters"].append(
            {"name": "more", "in": "body", "schema": {"$ref": "#/definitions/Parcel"}}
        ),
        "AddParcel: has more than one body",
    ),
    "declared twice": (
        lambda document: document["paths"]["/parcels/{parcel_id}"]["get"]["parameters"].extend(
            sound()["paths"]["/parcels/{parcel_id}"]["get"]["parameters"]
        ),
        "GetParcel.parcel_id: is declared twice",
    ),
    "the platform's name": (put(*PARAMETER, "name", value="connectionId"), "this name is the platform's own"),
    "no success": (put(*GET, "responses", value={"404": {"description": "None."}}), "GetParcel: names no answer of"),
    "two shapes": (
        put(*ADD, "responses", "200", value={"description": "Was there.", "schema": {"$ref": "#/definitions/Parcel"}}),
        "AddParcel: only one answer of success may have a schema",
    ),
    "shaped default": (
        put(*GET, "responses", "default", value={"description": "Else.", "schema": {"$ref": "#/definitions/Parcel"}}),
        "GetParcel: the default answer must have no schema",
    ),
    "answer without shape": (
        drop(*GET, "responses", "200", "schema"),
        "GetParcel: its answer of success has no schema",
    ),
    "empty shape": (put(*GET, "responses", "200", "schema", value={}), "GetParcel.200: its schema is empty"),
    "answer without description": (
        drop(*GET, "responses", "200", "description"),
        "GetParcel.200: description is missing",
    ),
    "field without title": (drop(*NAME, "x-ms-summary"), "definitions.Parcel.name: x-ms-summary is missing"),
    "field without description": (drop(*NAME, "description"), "definitions.Parcel.name: description is missing"),
    "plain definition": (
        lambda document: [
            put("definitions", "Word", value={"type": "string"})(document),
            put(*NAME, value={"$ref": "#/definitions/Word"})(document),
        ],
        "definitions.Parcel.name: refers to a plain value",
    ),
    "type or null": (put(*NAME, "type", value=["string", "null"]), "definitions.Parcel.name: type must be one name"),
    "no type": (drop(*NAME, "type"), "definitions.Parcel.name: type is missing"),
    "unknown type": (put(*NAME, "type", value="text"), "definitions.Parcel.name: text is not a type"),
    "field of nothing": (
        drop("definitions", "Parcels", "properties", "parcels", "items"),
        "definitions.Parcels.parcels: an array must say of what",
    ),
    "anyOf": (put(*NAME, "anyOf", value=[{"type": "string"}]), "definitions.Parcel.name: anyOf is not part"),
    "oneOf": (put(*NAME, "oneOf", value=[{"type": "string"}]), "definitions.Parcel.name: oneOf is not part"),
    "nullable": (put(*NAME, "nullable", value=True), "definitions.Parcel.name: nullable is not part"),
    "beside a reference": (
        put(*GET, "responses", "200", "schema", "description", value="A parcel."),
        "GetParcel.200: description beside a $ref is ignored",
    ),
    "empty required": (put("definitions", "Parcel", "required", value=[]), "definitions.Parcel: required must name"),
    "required and not there": (
        put("definitions", "Parcel", "required", value=["weight"]),
        "definitions.Parcel.weight: is required and not a property",
    ),
    "hidden field": (put(*NAME, "x-ms-visibility", value="internal"), "Parcel.name: is internal and required"),
    "list of no operation": (put(*VALUES, "operationId", value="ListBoxes"), "names ListBoxes, which is no operation"),
    "list with a parameter too many": (
        put(*VALUES, "parameters", value={"size": 1}),
        "gives size, which ListParcels does not take",
    ),
    "list without what it needs": (
        put(*VALUES, "operationId", value="GetParcel"),
        "must give parcel_id to GetParcel",
    ),
    "list of no array": (put(*VALUES, "value-collection", value="boxes"), "boxes of ListParcels is no array"),
    "list without a value": (drop(*VALUES, "value-path"), "value-path is missing"),
    "list of another value": (
        put(*VALUES, "value-path", value="id"),
        "value-path: the items of ListParcels have no id",
    ),
    "list of another title": (put(*VALUES, "value-title", value="id"), "value-title: the items of ListParcels have no"),
    "unknown trigger": (put(*HOOKS, "post", "x-ms-trigger", value="often"), "x-ms-trigger must be single or batch"),
    "nothing comes": (drop(*HOOKS, "x-ms-notification-content"), "/hooks: x-ms-notification-content with a schema"),
    "what comes is not described": (
        drop(*HOOKS, "x-ms-notification-content", "description"),
        "/hooks: x-ms-notification-content needs a description",
    ),
    "nobody to notify": (
        drop("definitions", "Hook", "properties", "url", "x-ms-notification-url"),
        "WhenAParcelIsLost: exactly one field must be marked x-ms-notification-url, not 0",
    ),
    "address that people see": (
        drop("definitions", "Hook", "properties", "url", "x-ms-visibility"),
        "WhenAParcelIsLost.url: the address to notify must be internal and required",
    ),
    "subscribing gives nothing": (
        put(*HOOKS, "post", "responses", value={"200": {"description": "Subscribed."}}),
        "WhenAParcelIsLost: subscribing is answered by 201",
    ),
    "no Location": (drop(*HOOKS, "post", "responses", "201", "headers"), "WhenAParcelIsLost.201: name the header"),
    "never ends": (drop("paths", "/hooks/{hook_id}"), "WhenAParcelIsLost: nothing ends the subscription"),
    "ending is seen": (
        drop("paths", "/hooks/{hook_id}", "delete", "x-ms-visibility"),
        "EndHook: ends a subscription, so its x-ms-visibility",
    ),
    "no trigger": (drop(*HOOKS, "post", "x-ms-trigger"), "/hooks: x-ms-notification-content without a trigger"),
    "address without trigger": (
        drop(*HOOKS, "post", "x-ms-trigger"),
        "WhenAParcelIsLost: x-ms-notification-url without x-ms-trigger",
    ),
}


def test_a_sound_document_has_no_problem() -> None:
    assert problems(sound()) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named(name: str) -> None:
    plant, expected = FAULTS[name]
    document = sound()
    plant(document)
    assert [each for each in problems(document) if expected in each], problems(document)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.__module__}.{rule.__name__}")
def test_each_rule_finds_one_of_the_faults(rule: Rule) -> None:
    assert any(list(rule(document)) for document in _faulty())


@cache
def _faulty() -> list[Document]:
    documents = [sound() for _ in FAULTS]
    for document, (plant, _) in zip(documents, FAULTS.values(), strict=True):
        plant(document)
    return [Document(document) for document in documents]


def test_a_document_that_is_too_large_is_named() -> None:
    document = sound()
    document["definitions"]["Parcel"]["description"] = "x" * 1_000_000
    assert problems(document) == ["the document is larger than 1,000,000 bytes"]


@pytest.mark.parametrize("document", [{}, {"paths": []}, {"paths": {"/x": None}}, {"paths": {"/x": {"get": 1}}}])
def test_what_is_no_document_at_all_is_named_and_does_not_raise(document: dict[str, object]) -> None:
    assert 'swagger: must be "2.0"; documents of OpenAPI 3 are refused' in problems(document)


def test_what_the_app_offers_has_no_problem() -> None:
    assert problems(json.loads(COMMITTED.read_text("utf-8"))) == []


def test_the_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "nothing to object to" in capsys.readouterr().out
