"""Whether flows read fields that answers have, by their schemas: a misspelt one would be empty for ever."""

from collections.abc import Iterator

from connector.document import Document
from flows.checks.names import Parsed, all_parsed
from flows.checks.operations import CONNECTOR
from flows.definition import Definition, Json, Step, mapping, own
from flows.expressions import Call, Expression, ExpressionError, Index, Literal, Text, parse

PROBLEM = ("type", "title", "status", "detail", "field", "hint", "correlation_id")
"""Fields of an answer that says what is wrong, whatever the operation."""

_ANYTHING: Json = {"type": "string"}


def answers(flow: Definition, swagger: Document) -> Iterator[str]:
    """Every field that an action reads of what an operation of ours, or the trigger, has given."""
    for step in flow.steps:
        reader = _Reader(flow, step, swagger)
        for parsed in all_parsed(step.name, own(step.body), []):
            reader.read(parsed)
        yield from (f"{step.name}: {problem}" for problem in dict.fromkeys(reader.problems))


class _Reader:
    """Follows expressions of one action with the schema of what they give; None where that is not known."""

    def __init__(self, flow: Definition, step: Step, swagger: Document) -> None:
        self.problems: list[str] = []
        self._flow = flow
        self._step = step
        self._swagger = swagger

    def read(self, parsed: Parsed) -> Json | None:
        match parsed:
            case Text(parts):
                for part in parts:
                    if not isinstance(part, str):
                        self.read(part)
                return None
            case Call():
                return self._call(parsed)
            case Index():
                return self._index(parsed)
            case _:
                return None

    def _call(self, call: Call) -> Json | None:
        given = [self.read(argument) for argument in call.arguments]
        match call.name:
            case "body" | "outputs":
                return self._of_action(call)
            case "triggerbody" | "triggeroutputs":
                schema = self._of_trigger()
                return _with_body(schema) if schema and call.name == "triggeroutputs" else schema
            case "first" | "last":
                return self._item(given[0])
            case "coalesce":
                return next((schema for schema in given if schema is not None), None)
            case "item" | "items":
                return self._item(self._looped(call))
            case _:
                return None

    def _index(self, index: Index) -> Json | None:
        schema = self.read(index.target)
        self.read(index.key)
        if schema is None:
            return None
        if not isinstance(index.key, Literal):
            return None
        if not isinstance(index.key.value, str):
            return self._item(schema)
        for key in index.key.value.split("/"):
            schema = self._field(schema, key)
            if schema is None:
                return None
        return schema

    def _field(self, schema: Json, key: str) -> Json | None:
        schema = self._swagger.resolved(schema)
        properties = self._swagger.properties_of(schema)
        if key in properties:
            return properties[key]
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            return more
        if properties or schema.get("type") != "object":
            self.problems.append(f"no field is named {key} there; there is {', '.join(properties) or 'none'}")
        return None

    def _item(self, schema: Json | None) -> Json | None:
        items = mapping(self._swagger.resolved(schema).get("items")) if schema is not None else {}
        return items or None

    def _looped(self, call: Call) -> Json | None:
        """What the loop or the selection that this is in goes through."""
        if call.name == "item" and self._step.kind == "Select":
            return self._from_text(mapping(self._step.inputs).get("from"))
        name = call.arguments[0] if call.arguments else None
        loop = self._flow.by_name.get(str(name.value)) if isinstance(name, Literal) else None
        return self._from_text(loop.body.get("foreach")) if loop is not None else None

    def _from_text(self, text: object) -> Json | None:
        try:
            return self.read(parse(text)) if isinstance(text, str) else None
        except ExpressionError:
            return None

    def _of_action(self, call: Call) -> Json | None:
        about: Expression = call.arguments[0]
        step = self._flow.by_name.get(str(about.value)) if isinstance(about, Literal) else None
        host = mapping(mapping(step.inputs).get("host")) if step is not None else {}
        operation = self._swagger.by_id.get(str(host.get("operationId")))
        if operation is None or host.get("apiId") != CONNECTOR:
            return None
        schema = next((mapping(each["schema"]) for each in operation.successes.values() if "schema" in each), {})
        properties = dict.fromkeys(PROBLEM, _ANYTHING) | self._swagger.properties_of(schema)
        body: Json = {"type": "object", "properties": properties}
        return body if call.name == "body" else _with_body(body)

    def _of_trigger(self) -> Json | None:
        trigger = next(iter(self._flow.triggers.values()), {})
        inputs = mapping(trigger.get("inputs"))
        if trigger.get("type") == "Request":
            return mapping(inputs.get("schema"))
        operation = self._swagger.by_id.get(str(mapping(inputs.get("host")).get("operationId")))
        item = self._swagger.paths[operation.path] if operation is not None else {}
        return mapping(mapping(item.get("x-ms-notification-content")).get("schema")) or None


def _with_body(schema: Json) -> Json:
    """What outputs() gives of an answer with such a body."""
    headers = {"type": "object", "additionalProperties": _ANYTHING}
    return {"type": "object", "properties": {"body": schema, "headers": headers, "statusCode": {"type": "integer"}}}
