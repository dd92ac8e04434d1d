"""Operations: their names, and what people read in a flow's picker."""

import re
from collections import Counter
from collections.abc import Iterator

from connector.document import Document

LONGEST_SUMMARY = 80

_PASCAL = re.compile(r"[A-Z][A-Za-z0-9]*")
_PARAMETER = re.compile(r"\{[^}]*\}")
VISIBILITY = frozenset({"none", "important", "advanced", "internal"})


def operation_ids(document: Document) -> Iterator[str]:
    """PascalCase, and each only once: flows know an operation by nothing else."""
    counted = Counter(str(each.body.get("operationId")) for each in document.operations)
    for operation in document.operations:
        name = operation.body.get("operationId")
        if not isinstance(name, str) or not _PASCAL.fullmatch(name):
            yield f"{operation.name}: operationId must be in PascalCase, letters and digits only"
    yield from (f"{name}: operationId is not unique" for name, count in counted.items() if count > 1)


def summaries(document: Document) -> Iterator[str]:
    """In sentence case, short, without what the picker cannot show."""
    for operation in document.operations:
        summary = operation.body.get("summary")
        if not isinstance(summary, str) or not summary.strip():
            yield f"{operation.name}: summary is missing"
            continue
        if len(summary) > LONGEST_SUMMARY:
            yield f"{operation.name}: summary is longer than {LONGEST_SUMMARY} characters"
        if not summary[-1].isalnum() and summary[-1] != ")":
            yield f"{operation.name}: summary must end with a letter or digit"
        if set(summary) & set("/\\<>"):
            yield f"{operation.name}: summary must have none of / \\ < >"
        if not _sentence_case(summary):
            yield f"{operation.name}: summary must be in sentence case"


def _sentence_case(text: str) -> bool:
    """A capital at the beginning, and not at every further word. Names keep theirs, so one more is let through."""
    first, *others = text.split()
    capitals = sum(word[0].isupper() and not word.isupper() for word in others)
    return not first[0].islower() and (capitals <= 1 or capitals < len(others) / 2)


def descriptions(document: Document) -> Iterator[str]:
    """A sentence that says more than the summary."""
    for operation in document.operations:
        description, summary = operation.body.get("description"), str(operation.body.get("summary") or "")
        if not isinstance(description, str) or not description.strip():
            yield f"{operation.name}: description is missing"
        elif len(description) <= len(summary):
            yield f"{operation.name}: description must say more than the summary"
        elif not description.endswith("."):
            yield f"{operation.name}: description must end with a full stop"


def visibilities(document: Document) -> Iterator[str]:
    """One of the words that flows know."""
    for operation in document.operations:
        if operation.body.get("x-ms-visibility", "none") not in VISIBILITY:
            yield f"{operation.name}: x-ms-visibility must be one of {', '.join(sorted(VISIBILITY))}"
        for each in operation.parameters:
            if each.get("x-ms-visibility", "none") not in VISIBILITY:
                yield f"{operation.name}.{each.get('name')}: x-ms-visibility is none of those there are"
    for where, schema in document.schemas():
        if schema.get("x-ms-visibility", "none") not in VISIBILITY:
            yield f"{where}: x-ms-visibility is none of those there are"


def paths(document: Document) -> Iterator[str]:
    """No two that differ in nothing but the names of their parameters, nor in their case."""
    shapes = Counter(_PARAMETER.sub("{}", path).casefold().rstrip("/") for path in document.paths)
    for path in document.paths:
        if not path.startswith("/") or "?" in path:
            yield f'{path}: a path begins with "/" and has no query'
        if shapes[_PARAMETER.sub("{}", path).casefold().rstrip("/")] > 1:
            yield f"{path}: another path has the same shape"


RULES = (operation_ids, summaries, descriptions, visibilities, paths)
