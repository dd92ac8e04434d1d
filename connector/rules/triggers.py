"""Triggers by webhook: subscribing, what comes, and how it ends."""

from collections.abc import Iterator

from connector.document import Document, Json, Operation, mapping

_BATCHES = frozenset({"single", "batch"})


def triggers(document: Document) -> Iterator[str]:
    """An operation that starts flows is one that subscribes, with an address to notify and something that comes."""
    for operation in document.operations:
        kind = operation.body.get("x-ms-trigger")
        if kind is None:
            continue
        if kind not in _BATCHES:
            yield f"{operation.name}: x-ms-trigger must be single or batch"
        if operation.method == "post":
            yield from _webhook(document, operation)


def _webhook(document: Document, operation: Operation) -> Iterator[str]:
    content = mapping(document.paths[operation.path].get("x-ms-notification-content"))
    if not document.resolved(mapping(content.get("schema"))):
        yield f"{operation.path}: x-ms-notification-content with a schema is missing"
    elif not content.get("description"):
        yield f"{operation.path}: x-ms-notification-content needs a description"
    addresses = list(_addresses(document, operation))
    if len(addresses) != 1:
        yield f"{operation.name}: exactly one field must be marked x-ms-notification-url, not {len(addresses)}"
    for name, field, required in addresses:
        if field.get("x-ms-visibility") != "internal" or not required:
            yield f"{operation.name}.{name}: the address to notify must be internal and required"
    if "201" not in operation.responses:
        yield f"{operation.name}: subscribing is answered by 201 with a Location that ends the subscription"
    elif "Location" not in mapping(operation.responses["201"].get("headers")):
        yield f"{operation.name}.201: name the header Location"


def _addresses(document: Document, operation: Operation) -> Iterator[tuple[str, Json, bool]]:
    for parameter in operation.parameters:
        schema = document.resolved(mapping(parameter.get("schema")))
        for name, each in document.properties_of(schema).items():
            if "x-ms-notification-url" in each:
                yield name, each, name in schema.get("required", ())


def ends(document: Document) -> Iterator[str]:
    """Each subscription can be ended: a DELETE below the path, which people do not see."""
    for operation in document.operations:
        if "x-ms-trigger" not in operation.body or operation.method != "post":
            continue
        below = [o for o in document.operations if o.method == "delete" and o.path.startswith(f"{operation.path}/")]
        if not below:
            yield f"{operation.name}: nothing ends the subscription: declare a DELETE below {operation.path}"
        for each in below:
            if each.body.get("x-ms-visibility") != "internal":
                yield f"{each.name}: ends a subscription, so its x-ms-visibility must be internal"


def strays(document: Document) -> Iterator[str]:
    """What belongs to a trigger stands at one."""
    starting = {each.path for each in document.operations if "x-ms-trigger" in each.body}
    for path, item in document.paths.items():
        if "x-ms-notification-content" in item and path not in starting:
            yield f"{path}: x-ms-notification-content without a trigger"
    for operation in document.operations:
        if "x-ms-trigger" not in operation.body and any(_addresses(document, operation)):
            yield f"{operation.name}: x-ms-notification-url without x-ms-trigger"


RULES = (triggers, ends, strays)
