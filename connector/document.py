"""A Swagger 2.0 document as the rules look at it: operations, parameters and schemas, each with where it stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

type Json = Mapping[str, Any]

METHODS = ("get", "put", "post", "delete", "patch", "options", "head")

_DEFINITIONS = "#/definitions/"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the document."""

    path: str
    method: str
    body: Json
    parameters: tuple[Json, ...]
    """Its own and those of its path, references followed."""

    @property
    def name(self) -> str:
        """Its operationId; method and path where it has none."""
        return str(self.body.get("operationId") or f"{self.method.upper()} {self.path}")

    def parameter(self, name: str) -> Json | None:
        """The parameter of this name."""
        return next((each for each in self.parameters if each.get("name") == name), None)

    @property
    def responses(self) -> dict[str, Json]:
        """The answers by their status, as text."""
        return {str(status): each for status, each in mapping(self.body.get("responses")).items()}

    @property
    def successes(self) -> dict[str, Json]:
        """The answers of success."""
        return {status: each for status, each in self.responses.items() if status.startswith("2")}


@dataclass(frozen=True)
class Document:
    """The whole document. Whatever is not of the right shape is read as missing: a schema check says so elsewhere."""

    raw: Json

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """Every operation, in the order of the document."""
        return tuple(self._operations())

    @cached_property
    def by_id(self) -> dict[str, Operation]:
        """Operations by operationId."""
        return {each.name: each for each in self.operations}

    @property
    def paths(self) -> dict[str, Json]:
        """The items of `paths`."""
        return {str(path): mapping(item) for path, item in mapping(self.raw.get("paths")).items()}

    @property
    def definitions(self) -> dict[str, Json]:
        """The named schemas."""
        return {str(name): mapping(each) for name, each in mapping(self.raw.get("definitions")).items()}

    def resolved(self, node: Json) -> Json:
        """The schema or parameter itself, where `node` refers to one; empty where it refers to nothing."""
        seen: set[str] = set()
        while "$ref" in node:
            reference = str(node["$ref"])
            if reference in seen:
                return {}
            seen.add(reference)
            node = self._at(reference)
        return node

    def schemas(self) -> Iterator[tuple[str, Json]]:
        """Every schema with the place where it stands, nested ones too; references are not followed."""
        for name, schema in self.definitions.items():
            yield from _nested(f"definitions.{name}", schema)
        for operation in self.operations:
            for parameter in operation.parameters:
                if "schema" in parameter:
                    yield from _nested(f"{operation.name}.{parameter.get('name')}", mapping(parameter["schema"]))
            for status, response in operation.responses.items():
                if "schema" in response:
                    yield from _nested(f"{operation.name}.{status}", mapping(response["schema"]))
        for path, item in self.paths.items():
            content = mapping(item.get("x-ms-notification-content"))
            if "schema" in content:
                yield from _nested(f"{path}.x-ms-notification-content", mapping(content["schema"]))

    def properties_of(self, schema: Json) -> dict[str, Json]:
        """The properties of an object, references followed and `allOf` merged."""
        schema = self.resolved(schema)
        merged: dict[str, Json] = {}
        for part in sequence(schema.get("allOf")):
            merged |= self.properties_of(mapping(part))
        return merged | {str(name): mapping(each) for name, each in mapping(schema.get("properties")).items()}

    def _operations(self) -> Iterator[Operation]:
        for path, item in self.paths.items():
            common = sequence(item.get("parameters"))
            for method in METHODS:
                if method in item:
                    body = mapping(item[method])
                    own = [mapping(each) for each in (*common, *sequence(body.get("parameters")))]
                    yield Operation(path, method, body, tuple(self.resolved(each) for each in own))

    def _at(self, reference: str) -> Json:
        node: Any = self.raw
        for part in reference.removeprefix("#/").split("/"):
            node = mapping(node).get(part)
        return mapping(node)


def referred(tree: object) -> Iterator[str]:
    """Names of the definitions that a part of the document refers to, directly."""
    match tree:
        case Mapping():
            if isinstance(reference := tree.get("$ref"), str) and reference.startswith(_DEFINITIONS):
                yield reference.removeprefix(_DEFINITIONS)
            for each in tree.values():
                yield from referred(each)
        case list():
            for each in tree:
                yield from referred(each)
        case _:
            return


def mapping(node: object) -> Json:
    """The node if it is an object, else an empty one."""
    return node if isinstance(node, Mapping) else {}


def sequence(node: object) -> Sequence[Any]:
    """The node if it is an array, else an empty one."""
    return node if isinstance(node, list | tuple) else ()


def _nested(where: str, schema: Json) -> Iterator[tuple[str, Json]]:
    yield where, schema
    for name, each in mapping(schema.get("properties")).items():
        yield from _nested(f"{where}.{name}", mapping(each))
    for key in ("items", "additionalProperties"):
        if isinstance(each := schema.get(key), Mapping):
            yield from _nested(f"{where}.{key}", each)
    for key in ("allOf", "anyOf", "oneOf"):
        for number, each in enumerate(sequence(schema.get(key))):
            yield from _nested(f"{where}.{key}[{number}]", mapping(each))
