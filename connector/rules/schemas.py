"""Schemas: bodies as flows show them, field by field."""

from collections.abc import Iterator

from connector.document import Document, mapping, sequence

_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object"})
_NOT_IN_SWAGGER = ("anyOf", "oneOf", "not", "const", "nullable", "examples", "$defs", "if", "patternProperties")


def titles(document: Document) -> Iterator[str]:
    """A title and a description on every field. Where a field refers to a definition, that one must be an object."""
    for where, schema in document.schemas():
        for name, each in mapping(schema.get("properties")).items():
            if "$ref" in each:
                if document.resolved(each).get("type") not in ("object", "array"):
                    yield f"{where}.{name}: refers to a plain value, so flows have no title for it; put it in place"
                continue
            if not each.get("x-ms-summary"):
                yield f"{where}.{name}: x-ms-summary is missing"
            if not each.get("description"):
                yield f"{where}.{name}: description is missing"


def types(document: Document) -> Iterator[str]:
    """One type, of those that Swagger 2.0 has: null is said by x-nullable."""
    for where, schema in document.schemas():
        kind = schema.get("type")
        if isinstance(kind, list) or kind == "null":
            yield f"{where}: type must be one name; say x-nullable for null"
        elif kind is None and not {"$ref", "allOf"} & set(schema):
            yield f"{where}: type is missing"
        elif kind is not None and kind not in _TYPES:
            yield f"{where}: {kind} is not a type"
        if kind == "array" and not mapping(schema.get("items")):
            yield f"{where}: an array must say of what"


def words(document: Document) -> Iterator[str]:
    """Nothing that only later versions know."""
    for where, schema in document.schemas():
        for word in _NOT_IN_SWAGGER:
            if word in schema:
                yield f"{where}: {word} is not part of Swagger 2.0"


def references(document: Document) -> Iterator[str]:
    """A reference stands alone: whatever is beside it is ignored, so nobody would miss it."""
    for where, schema in document.schemas():
        beside = sorted(set(schema) - {"$ref"}) if "$ref" in schema else []
        if beside:
            yield f"{where}: {', '.join(beside)} beside a $ref is ignored"


def required(document: Document) -> Iterator[str]:
    """What is required is there, and the list is not an empty one."""
    for where, schema in document.schemas():
        if "required" not in schema:
            continue
        names = sequence(schema["required"])
        if not names:
            yield f"{where}: required must name a property or be left out"
        for name in names:
            if name not in document.properties_of(schema):
                yield f"{where}.{name}: is required and not a property"


def hidden(document: Document) -> Iterator[str]:
    """What nobody sees and must be there needs a default; a webhook's address is filled in by the platform."""
    for where, schema in document.schemas():
        for name in sequence(schema.get("required")):
            each = mapping(mapping(schema.get("properties")).get(name))
            filled_in = "default" in each or each.get("x-ms-notification-url") is True
            if each.get("x-ms-visibility") == "internal" and not filled_in:
                yield f"{where}.{name}: is internal and required, so it needs a default"


RULES = (titles, types, words, references, required, hidden)
