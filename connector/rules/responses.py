"""Answers: a flow knows one shape for an operation."""

from collections.abc import Iterator

from connector.document import Document


def successes(document: Document) -> Iterator[str]:
    """At least one answer of success, and one of them alone has a schema."""
    for operation in document.operations:
        if not operation.successes:
            yield f"{operation.name}: names no answer of success"
        shaped = [status for status, each in operation.successes.items() if "schema" in each]
        if len(shaped) > 1:
            yield f"{operation.name}: only one answer of success may have a schema, not {', '.join(shaped)}"
        if "default" in operation.responses and "schema" in operation.responses["default"]:
            yield f"{operation.name}: the default answer must have no schema"


def shapes(document: Document) -> Iterator[str]:
    """Something comes back, except where nothing is: 204, and a webhook's 201, whose Location is all."""
    for operation in document.operations:
        bare = operation.method == "delete" or "x-ms-trigger" in operation.body or "204" in operation.successes
        if operation.successes and not bare and not any("schema" in each for each in operation.successes.values()):
            yield f"{operation.name}: its answer of success has no schema"
        for status, each in operation.successes.items():
            if "schema" in each and not document.resolved(each["schema"]):
                yield f"{operation.name}.{status}: its schema is empty"


def descriptions(document: Document) -> Iterator[str]:
    """What each answer means."""
    for operation in document.operations:
        for status, each in operation.responses.items():
            if not each.get("description"):
                yield f"{operation.name}.{status}: description is missing"


RULES = (successes, shapes, descriptions)
