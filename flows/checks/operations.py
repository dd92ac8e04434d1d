"""Whether flows call operations that exist, with inputs that fit."""

import re
from collections.abc import Iterator
from typing import Any

from connector.document import Document, Operation
from flows.definition import Definition, Json, mapping
from flows.expressions import ExpressionError, Text, parse
from flows.known import KNOWN, Known

CONNECTOR = "/providers/Microsoft.PowerApps/apis/shared_unstuck"
"""Our connector, by the name that `python -m flows.prepare` replaces."""

_AUTHENTICATION = "@parameters('$authentication')"
_PYTHON: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def operations(flow: Definition, references: Json, swagger: Document) -> Iterator[str]:
    """Every call of a connector."""
    for name, trigger in flow.triggers.items():
        if str(trigger.get("type")).startswith("OpenApi"):
            yield from (f"{name}: {problem}" for problem in _call(trigger, references, swagger, trigger=True))
    for step in flow.steps:
        if step.kind.startswith("OpenApi"):
            yield from (f"{step.name}: {problem}" for problem in _call(step.body, references, swagger, trigger=False))


def _call(body: Json, references: Json, swagger: Document, *, trigger: bool) -> Iterator[str]:
    inputs = mapping(body.get("inputs"))
    host = mapping(inputs.get("host"))
    connector, operation = str(host.get("apiId")), str(host.get("operationId"))
    if host.get("connectionName") not in references:
        yield f"{host.get('connectionName')} is not among the flow's connection references"
    if inputs.get("authentication") != _AUTHENTICATION:
        yield f"inputs.authentication must be {_AUTHENTICATION}"
    given, waits = mapping(inputs.get("parameters")), body.get("type") == "OpenApiConnectionWebhook"
    if connector == CONNECTOR:
        found = swagger.by_id.get(operation)
        if found is None:
            yield f"{operation} is no operation of the connector"
        elif ("x-ms-trigger" in found.body) is not trigger or waits is not trigger:
            yield f"{operation} is {'an action' if trigger else 'a trigger'}, or the type of this does not fit it"
        else:
            yield from _inputs(found, given, swagger)
    elif operation not in KNOWN.get(connector, {}):
        yield f"{connector}: {operation} is not known"
    else:
        yield from _known(KNOWN[connector][operation], given, waits=waits)


def _known(operation: Known, given: Json, *, waits: bool) -> Iterator[str]:
    yield from (f"{name} is missing" for name in sorted(operation.required - set(given)))
    yield from (f"{name} is not known" for name in sorted(set(given) - operation.required - operation.optional))
    if operation.webhook is not waits:
        yield f"its type must be OpenApiConnection{'Webhook' if operation.webhook else ''}"


def _inputs(operation: Operation, given: Json, swagger: Document) -> Iterator[str]:
    """Required and there, known, and of the right type."""
    fields = dict(_fields(operation, swagger))
    for name, (schema, required) in fields.items():
        if required and name not in given and not any(each.startswith(f"{name}/") for each in given):
            yield f"{name} is required by {operation.name} and missing"
        if name in given:
            yield from (f"{name}: {problem}" for problem in _fits(given[name], schema))
    for name in given:
        if name not in fields:
            yield f"{name} is not known to {operation.name}"


def _fields(operation: Operation, swagger: Document) -> Iterator[tuple[str, tuple[Json, bool]]]:
    """What a flow fills in, by the name it has there: bodies are taken apart, field by field."""
    for each in operation.parameters:
        if each.get("in") != "body":
            yield str(each["name"]), (each, each.get("required") is True)
            continue
        schema = swagger.resolved(mapping(each.get("schema")))
        for name, field in swagger.properties_of(schema).items():
            if field.get("x-ms-notification-url") is not True:  # the platform fills it in
                yield f"{each['name']}/{name}", (swagger.resolved(field), name in schema.get("required", ()))


def _fits(value: Any, schema: Json) -> Iterator[str]:
    """Whether a value can be what the schema wants. What an expression gives is only known when it runs."""
    kind = str(schema.get("type"))
    if isinstance(value, str):
        try:
            parsed = parse(value)
        except ExpressionError:
            return
        if not isinstance(parsed, Text):
            return
        value = "".join(part if isinstance(part, str) else "?" for part in parsed.parts)
        if any(not isinstance(part, str) for part in parsed.parts):
            if kind != "string":
                yield f"is a text, and must be of type {kind}"
            return
    wanted = _PYTHON.get(kind)
    if wanted is None or not isinstance(value, wanted) or (isinstance(value, bool) and kind != "boolean"):
        yield f"must be of type {kind}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{value!r} is none of {', '.join(map(str, schema['enum']))}"
    elif isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{value!r} does not match {schema['pattern']}"
