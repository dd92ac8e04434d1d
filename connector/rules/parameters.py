"""Parameters: what people fill in."""

import re
from collections.abc import Iterator

from connector.document import Document, Json, Operation, mapping

_IN_PATH = re.compile(r"\{([^}]*)\}")
_TYPES = frozenset({"string", "integer", "number", "boolean", "array"})
_RESERVED = frozenset({"connectionid"})
"""Names that the platform uses itself."""


def titles(document: Document) -> Iterator[str]:
    """A title and a description on each, other than the body, whose fields have theirs."""
    for where, each in _each(document):
        if each.get("in") == "body":
            continue
        if not each.get("x-ms-summary"):
            yield f"{where}: x-ms-summary is missing"
        if not each.get("description"):
            yield f"{where}: description is missing"
        if each.get("x-ms-summary") and each.get("x-ms-summary") == each.get("description"):
            yield f"{where}: description must not repeat the title"


def in_paths(document: Document) -> Iterator[str]:
    """Required, encoded, and just those that the path names."""
    for operation in document.operations:
        named = set(_IN_PATH.findall(operation.path))
        declared = {str(each.get("name")) for each in operation.parameters if each.get("in") == "path"}
        yield from (f"{operation.name}.{name}: is in the path and not declared" for name in sorted(named - declared))
        yield from (f"{operation.name}.{name}: is declared and not in the path" for name in sorted(declared - named))
    for where, each in _each(document):
        if each.get("in") == "path":
            if each.get("required") is not True:
                yield f"{where}: a parameter of the path must be required"
            if each.get("x-ms-url-encoding") not in ("single", "double"):
                yield f'{where}: x-ms-url-encoding must be "single" or "double"'


def kinds(document: Document) -> Iterator[str]:
    """A type that Swagger 2.0 has; arrays say of what; nothing nullable, which only schemas may be."""
    for where, each in _each(document):
        if each.get("in") == "body":
            if not mapping(each.get("schema")):
                yield f"{where}: a body needs a schema"
            continue
        if each.get("type") not in _TYPES:
            yield f"{where}: type must be one of {', '.join(sorted(_TYPES))}"
        if each.get("type") == "array" and not mapping(each.get("items")):
            yield f"{where}: an array must say of what"
        for word in sorted({"schema", "example", "x-nullable"} & set(each)):
            yield f"{where}: {word} is for schemas, not for a parameter"


def hidden(document: Document) -> Iterator[str]:
    """What nobody sees and must be there needs a default, or nobody could give it."""
    for where, each in _each(document):
        if each.get("x-ms-visibility") == "internal" and each.get("required") and "default" not in each:
            yield f"{where}: is internal and required, so it needs a default"


def bodies(document: Document) -> Iterator[str]:
    """At most one body, and none where a request has none; no two parameters of one name."""
    for operation in document.operations:
        bodies = [each for each in operation.parameters if each.get("in") == "body"]
        if len(bodies) > 1:
            yield f"{operation.name}: has more than one body"
        if bodies and operation.method in ("get", "delete", "head"):
            yield f"{operation.name}: {operation.method.upper()} has no body"
        yield from _names(operation)


def _names(operation: Operation) -> Iterator[str]:
    seen: set[object] = set()
    for each in operation.parameters:
        key = (each.get("name"), each.get("in"))
        if key in seen:
            yield f"{operation.name}.{each.get('name')}: is declared twice"
        seen.add(key)
        if str(each.get("name")).casefold() in _RESERVED:
            yield f"{operation.name}.{each.get('name')}: this name is the platform's own"


def _each(document: Document) -> Iterator[tuple[str, Json]]:
    for operation in document.operations:
        for each in operation.parameters:
            yield f"{operation.name}.{each.get('name')}", each


RULES = (titles, in_paths, kinds, hidden, bodies)
