"""Whether the flow templates hold together: everything that can be told without a tenant.

`python -m flows.lint [FOLDER]` names every problem of the solution source in a folder, by default of the one here.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from connector.document import Document
from connector.lint import COMMITTED
from flows.checks import answers, names, operations, order, packaging, shape
from flows.definition import Definition, mapping
from flows.source import FOLDER, Flow, Solution, SourceError, read


def problems(source: Solution, swagger: Mapping[str, Any]) -> list[str]:
    """What is wrong, a sentence each that begins with where; empty when nothing is."""
    document = Document(swagger)
    found = list(packaging.solution(source))
    for flow in source.flows:
        found += [f"{flow.file}: {problem}" for problem in _flow(flow, source, document)]
    return list(dict.fromkeys(found))


def _flow(flow: Flow, source: Solution, swagger: Document) -> Iterator[str]:
    properties = mapping(flow.document.get("properties"))
    definition = Definition(mapping(properties.get("definition")))
    references = mapping(properties.get("connectionReferences"))
    yield from shape.document(flow.document)
    yield from packaging.flow(flow, source)
    yield from shape.definition(definition)
    yield from order.order(definition)
    yield from names.names(definition)
    yield from operations.operations(definition, references, swagger)
    yield from answers.answers(definition, swagger)
    used = {str(host.get("connectionName")) for host in _hosts(definition)}
    yield from (f"connectionReferences: nothing uses {name}" for name in references if name not in used)


def _hosts(definition: Definition) -> Iterator[Mapping[str, Any]]:
    for body in (*definition.triggers.values(), *(step.body for step in definition.steps)):
        yield mapping(mapping(body.get("inputs")).get("host"))


def main(arguments: Sequence[str]) -> int:
    """Prints what is wrong. The exit code: 0 when nothing is."""
    try:
        source = read(Path(arguments[0]) if arguments else FOLDER)
    except SourceError as error:
        print(error)
        return 1
    found = problems(source, json.loads(COMMITTED.read_text("utf-8")))
    print("\n".join(found) or f"{len(source.flows)} flows: nothing to object to")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
