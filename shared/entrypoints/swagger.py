"""The swagger document: Swagger 2.0 with the extensions of Power Automate, made from the table of routes.

`python -m shared.entrypoints.swagger > connector/apiDefinition.swagger.json` writes the one that is committed.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.entrypoints.idempotency import HEADER, LONGEST_KEY
from shared.entrypoints.parameters import PARAMETERS, names_in
from shared.entrypoints.route import AnyRoute, Nothing

type Json = dict[str, Any]

VERSION = "1.0.0"

_KEPT = frozenset(
    {"type", "format", "enum", "items", "required", "properties", "description", "default", "pattern", "title"}
    | {"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "maxProperties", "allOf"}
)
"""What JSON Schema and Swagger 2.0 have in common; everything else is translated or left out."""

_OR_NULL = "Optional"
"""Before the name of a definition that may also be null."""

_CONDITIONS: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "Something in the request makes no sense; `field` says what.",
    HTTPStatus.UNAUTHORIZED: "Nobody has signed in, or the key is not accepted.",
    HTTPStatus.FORBIDDEN: "Your role does not allow this, or your tenant is not let in.",
    HTTPStatus.NOT_FOUND: "There is no such thing.",
    HTTPStatus.CONFLICT: "It cannot be done now; `detail` says why and what to do.",
    HTTPStatus.PRECONDITION_FAILED: "The case has changed since it was read.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too long.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The idempotency key was used for another request.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "A stored row cannot be read, or something unexpected went wrong.",
    HTTPStatus.BAD_GATEWAY: "Dataverse, the provider or storage did not give what was asked.",
    HTTPStatus.GATEWAY_TIMEOUT: "The work did not come to an end; ask for it again.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The app is throttled or not configured; see `Retry-After` and the health page.",
}


def document(routes: Iterable[AnyRoute]) -> Json:
    """The whole document. Host and scheme are the example's; the served one names those by which it was asked."""
    table = tuple(routes)
    definitions = _definitions(table)
    paths: dict[str, Json] = {}
    for route in table:
        path = paths.setdefault(f"/{route.path}", {})
        path[route.method.lower()] = _operation(route)
        if route.calls is not None:
            path["x-ms-notification-content"] = _notification(route.calls)
    used = _used(paths, definitions)
    return {
        "swagger": "2.0",
        "info": {
            "title": "Unstuck",
            "description": "Finds License Change Logs that are stuck in Work 365, explains why, and frees those that "
            "can be freed safely. Whatever writes to billing data waits for the yes of somebody who may give it.",
            "version": VERSION,
        },
        "host": "contoso.azurewebsites.net",
        "basePath": "/api",
        "schemes": ["https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": paths,
        "definitions": {name: definitions[name] for name in sorted(used)},
        "securityDefinitions": {
            "oauth2_auth": {
                "type": "oauth2",
                "flow": "accessCode",
                "authorizationUrl": "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
                "tokenUrl": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
                "scopes": {},
            }
        },
        "security": [{"oauth2_auth": []}],
        "tags": [{"name": name} for name in dict.fromkeys(route.tag for route in table)],
        "x-ms-connector-metadata": [
            {"propertyName": "Website", "propertyValue": "https://contoso.com/unstuck"},
            {"propertyName": "Privacy policy", "propertyValue": "https://contoso.com/privacy"},
            {"propertyName": "Categories", "propertyValue": "IT Operations;Finance"},
        ],
    }


def statuses_of(route: AnyRoute) -> list[HTTPStatus]:
    """Every status of trouble that the route may answer."""
    found = {HTTPStatus.INTERNAL_SERVER_ERROR}
    if route.role is not None:
        found |= {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_GATEWAY}
    # Unknown names in a query are refused everywhere.
    found |= {HTTPStatus.BAD_REQUEST}
    if names_in(route.path) or route.operation == "Diagnose":
        found |= {HTTPStatus.NOT_FOUND}
    if route.takes_body:
        found |= {HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
    if route.operation == "GetOperation":
        found |= {HTTPStatus.CONFLICT, HTTPStatus.GATEWAY_TIMEOUT}
    if route.acts:
        found |= {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
    if route.method in ("PUT", "DELETE"):
        found |= {HTTPStatus.CONFLICT}
    if route.if_match:
        found |= {HTTPStatus.PRECONDITION_FAILED}
    return sorted(found - {HTTPStatus(status) for status in route.answers})


def _operation(route: AnyRoute) -> Json:
    operation: Json = {
        "operationId": route.operation,
        "summary": route.summary,
        "description": route.description,
        "tags": [route.tag],
        "parameters": [*_in_path(route), *_in_query(route), *_headers(route), *_body(route)],
        "responses": _responses(route),
    }
    if route.visibility:
        operation["x-ms-visibility"] = route.visibility
    if route.role is None:
        operation["security"] = []
    if route.calls is not None:
        operation["x-ms-trigger"] = "single"
        operation["responses"]["201"]["headers"] = {
            "Location": {"type": "string", "description": "The address that ends the subscription by DELETE."}
        }
    return operation


def _notification(calls: type[BaseModel]) -> Json:
    """What a trigger's flow is called with."""
    description = (calls.__doc__ or "").splitlines()[0]
    return {"description": description, "schema": {"$ref": f"#/definitions/{calls.__name__}"}}


def _in_path(route: AnyRoute) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "type": "string",
            "x-ms-summary": PARAMETERS[name].title,
            "description": PARAMETERS[name].description,
            "x-ms-url-encoding": "single",
        }
        for name in names_in(route.path)
    ]


def _in_query(route: AnyRoute) -> list[Json]:
    """One parameter for each field of the query's model."""
    definitions: dict[str, Json] = {}
    schema = _schema_of(route.query, definitions)
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, **_flat(each, definitions)}
        for name, each in schema.get("properties", {}).items()
    ]


def _flat(schema: Json, definitions: Mapping[str, Json]) -> Json:
    """A schema as a parameter: everything in place, its title as Power Automate wants it."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    return {name: value for name, value in schema.items() if name not in ("title", "x-nullable", "example")}


def _headers(route: AnyRoute) -> list[Json]:
    found: list[Json] = []
    if route.if_match:
        found.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": False,
                "type": "string",
                "x-ms-summary": "Version",
                "description": "The ETag of the case as it was read: nothing is written when it has changed since.",
                "x-ms-visibility": "advanced",
            }
        )
    if route.acts:
        found.append(
            {
                "name": HEADER,
                "in": "header",
                "required": False,
                "type": "string",
                "maxLength": LONGEST_KEY,
                "x-ms-summary": "Idempotency Key",
                "description": "The same key gets the same answer for 48 hours, such as a flow's run id.",
                "x-ms-visibility": "advanced",
            }
        )
    return found


def _body(route: AnyRoute) -> list[Json]:
    if not route.takes_body or route.body is Nothing:
        return []
    schema = {"$ref": f"#/definitions/{route.body.__name__}"}
    return [{"name": "body", "in": "body", "required": not route.bare, "schema": schema}]


def _responses(route: AnyRoute) -> Json:
    """Only the usual answer has a schema: flows know one shape for an action."""
    usual = next(iter(route.answers))
    responses: dict[str, Json] = {}
    for status, model in route.answers.items():
        responses[str(status)] = {"description": (model.__doc__ or "").splitlines()[0]}
        if status == usual:
            responses[str(status)]["schema"] = {"$ref": f"#/definitions/{model.__name__}"}
    for trouble in statuses_of(route):
        responses[str(trouble.value)] = {"description": _CONDITIONS[trouble]}
    return responses


def _definitions(routes: Iterable[AnyRoute]) -> dict[str, Json]:
    """Every model, by its name. What comes in and what goes out never share one.

    Nothing may stand beside a reference: what may be null somewhere has a second definition that says so.
    """
    definitions: dict[str, Json] = {}
    optional: set[str] = set()
    for route in routes:
        if route.body is not Nothing:
            definitions[route.body.__name__] = _schema_of(route.body, definitions, "validation", optional)
        for model in (*route.answers.values(), *([route.calls] if route.calls else [])):
            definitions[model.__name__] = _schema_of(model, definitions, "serialization", optional)
    for name in optional & definitions.keys():
        own = f"{_OR_NULL}{name}"
        definitions[own] = {**definitions[name], "title": own, "x-nullable": True}
    return definitions


def _schema_of(
    model: type[BaseModel], definitions: dict[str, Json], mode: Any = "validation", optional: set[str] | None = None
) -> Json:
    """The model's schema; those it refers to go into `definitions`, names of those that may be null into `optional`."""
    _, whole = models_json_schema([(model, mode)], ref_template="#/definitions/{model}")
    parts: dict[str, Json] = whole["$defs"]
    if optional is not None:
        optional |= _or_null(parts)
    translated = {name: _translated(part, parts) for name, part in parts.items() if "enum" not in part}
    definitions.update(translated)
    return translated[model.__name__]


def _translated(schema: Json, parts: Mapping[str, Json]) -> Json:
    """One JSON Schema as Swagger 2.0 has it."""
    if "$ref" in schema:
        return _referred(schema, parts)
    if "anyOf" in schema:
        return _optional(schema, parts)
    kept = {name: value for name, value in schema.items() if name in _KEPT or name.startswith("x-")}
    if examples := schema.get("examples"):
        kept["example"] = examples[0]
    if "properties" in kept:
        kept["properties"] = {name: _property(name, each, parts) for name, each in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = _translated(kept["items"], parts)
    if schema.get("type") == "object" and isinstance(more := schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = _translated(more, parts)
    if kept.get("default", 0) is None:
        del kept["default"]
    return kept


def _property(name: str, schema: Json, parts: Mapping[str, Json]) -> Json:
    """A field, with its title as people see it in a flow."""
    translated = _translated(schema, parts)
    title = translated.pop("title", None) or name.replace("_", " ")
    if "$ref" in translated:
        return translated  # nothing may stand beside a reference
    return {**translated, "x-ms-summary": _title_case(str(title))}


def _referred(schema: Json, parts: Mapping[str, Json]) -> Json:
    """A reference alone, as Swagger 2.0 wants it; an enumeration is put in its place, so that it keeps its words."""
    part = parts[schema["$ref"].rpartition("/")[2]]
    if "enum" not in part:
        return {"$ref": schema["$ref"]}
    beside = {name: value for name, value in schema.items() if name != "$ref"}
    return _translated({"type": "string", "enum": part["enum"], **beside}, parts)


def _optional(schema: Json, parts: Mapping[str, Json]) -> Json:
    """One of a kind or null. Of several kinds the first is named."""
    kinds = [each for each in schema["anyOf"] if each.get("type") != "null"]
    beside = {name: value for name, value in schema.items() if name != "anyOf"}
    if "$ref" in kinds[0]:
        referred = _referred({**kinds[0], **beside}, parts)
        or_null = {"$ref": kinds[0]["$ref"].replace("/definitions/", f"/definitions/{_OR_NULL}")}
        return or_null if "$ref" in referred else {**referred, "x-nullable": True}
    nullable = {"x-nullable": True} if len(kinds) < len(schema["anyOf"]) else {}
    return {**_translated({**kinds[0], **beside}, parts), **nullable}


def _or_null(tree: object) -> set[str]:
    """Names of the models in whose place null may stand."""
    match tree:
        case {"anyOf": [{"$ref": str(reference)}, *_]}:
            return {reference.rpartition("/")[2]}
        case dict():
            return set[str]().union(*(_or_null(each) for each in tree.values()))
        case _:
            return set()


def _title_case(title: str) -> str:
    return " ".join(word if word.isupper() else word[:1].upper() + word[1:] for word in title.split())


def _used(paths: Mapping[str, Json], definitions: Mapping[str, Json]) -> set[str]:
    """Names of the definitions that anything refers to."""
    used: set[str] = set()
    waiting = _names(paths)
    while waiting:
        used |= waiting
        waiting = {name for each in waiting for name in _names(definitions[each])} - used
    return used


def _names(tree: object) -> set[str]:
    match tree:
        case dict():
            own = {str(tree["$ref"]).rpartition("/")[2]} if "$ref" in tree else set[str]()
            return own.union(*(_names(each) for each in tree.values()))
        case list():
            return set[str]().union(*(_names(each) for each in tree))
        case _:
            return set()


def text(routes: Iterable[AnyRoute]) -> str:
    """The document as it is committed: four spaces, a line break at the end."""
    return json.dumps(document(routes), indent=4, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    from shared.entrypoints.routes import ROUTES

    sys.stdout.write(text(ROUTES))
