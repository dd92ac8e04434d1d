"""Drop-downs and shapes that an operation of the same document lists (x-ms-dynamic-*)."""

from collections.abc import Iterator

from connector.document import Document, Json, mapping

_LISTS = {"x-ms-dynamic-values": ("value-path",), "x-ms-dynamic-list": ("itemValuePath",)}
_SHAPES = {"x-ms-dynamic-schema": ("value-path",), "x-ms-dynamic-properties": ("itemValuePath",)}


def lists(document: Document) -> Iterator[str]:
    """The operation is there, takes what it is given, and gives an array with what is to be shown."""
    for where, extension, given in _extensions(document):
        operation = document.by_id.get(str(given.get("operationId")))
        if operation is None:
            yield f"{where}: {extension} names {given.get('operationId')}, which is no operation"
            continue
        for name in mapping(given.get("parameters")):
            if operation.parameter(name) is None:
                yield f"{where}: {extension} gives {name}, which {operation.name} does not take"
        for each in operation.parameters:
            if each.get("required") and each.get("name") not in mapping(given.get("parameters")):
                yield f"{where}: {extension} must give {each.get('name')} to {operation.name}"
        if extension == "x-ms-dynamic-values":
            yield from (f"{where}: {extension}: {wrong}" for wrong in _values(document, operation.name, given))
        else:
            needed = _LISTS.get(extension) or _SHAPES[extension]
            yield from (f"{where}: {extension}: {name} is missing" for name in needed if not given.get(name))


def _values(document: Document, operation: str, given: Json) -> Iterator[str]:
    """Whether the collection is an array whose items have the value and its title."""
    success = next((each for each in document.by_id[operation].successes.values() if "schema" in each), {})
    schema = document.resolved(mapping(success.get("schema")))
    if collection := given.get("value-collection"):
        for part in str(collection).split("/"):
            schema = document.resolved(document.properties_of(schema).get(part, {}))
    if schema.get("type") != "array":
        yield f"{collection or 'the answer'} of {operation} is no array"
        return
    items = document.properties_of(mapping(schema.get("items")))
    for name in ("value-path", "value-title"):
        if name == "value-path" and not given.get(name):
            yield "value-path is missing"
        elif given.get(name) and given[name] not in items:
            yield f"{name}: the items of {operation} have no {given[name]}"


def _extensions(document: Document) -> Iterator[tuple[str, str, Json]]:
    places = [
        *((f"{op.name}.{each.get('name')}", each) for op in document.operations for each in op.parameters),
        *document.schemas(),
    ]
    for where, node in places:
        for extension in (*_LISTS, *_SHAPES):
            if extension in node:
                yield where, extension, mapping(node[extension])


RULES = (lists,)
