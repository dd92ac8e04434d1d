"""Whether the parts of the solution fit together: ids, names, connection references, environment variables."""

import re
from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from flows.definition import mapping
from flows.source import FLOW, VARIABLE, Flow, Solution

_FILE = re.compile(r"[A-Za-z]+-(?P<id>[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})\.json")


def solution(source: Solution) -> Iterator[str]:
    """Between the flows."""
    if not source.unique_name or not source.prefix:
        yield "Solution.xml: UniqueName and CustomizationPrefix must be given"
    for what, ids in (
        ("id", [flow.id for flow in source.flows]),
        ("name", [flow.name for flow in source.flows]),
        ("component", list(source.components)),
    ):
        for each, count in Counter(ids).items():
            if count > 1:
                yield f"the {what} {each} is given {count} times"
    listed = {identity for kind, identity in source.components if kind == FLOW}
    yield from (f"Solution.xml: {flow.id} ({flow.file}) is missing" for flow in source.flows if flow.id not in listed)
    for identity in sorted(listed - {flow.id for flow in source.flows}):
        yield f"Solution.xml: {identity} has no file in Workflows"
    variables = {name.lower() for name in source.variables}
    shipped = {identity for kind, identity in source.components if kind == VARIABLE}
    for name in sorted(variables ^ shipped):
        yield f"{name}: is not both a component in Solution.xml and a folder in environmentvariabledefinitions"
    yield from _names(source)


def _names(source: Solution) -> Iterator[str]:
    """What is declared, is ours by its prefix, and used."""
    references = {name for flow in source.flows for name, _ in _references(flow)}
    for name in source.connection_references:
        if name not in references:
            yield f"Customizations.xml: no flow uses {name}"
    variables = {name for flow in source.flows for name in _variables(flow)}
    for name in sorted(set(source.variables) - variables):
        yield f"environmentvariabledefinitions: no flow uses {name}"
    for name in (*source.connection_references, *source.variables):
        if not name.startswith(f"{source.prefix}_"):
            yield f"{name}: must begin with {source.prefix}_"


def flow(flow: Flow, source: Solution) -> Iterator[str]:
    """One flow beside its data file and what the solution declares."""
    found = _FILE.fullmatch(flow.file)
    if found is None or found["id"].lower() != flow.id:
        yield "the file's name must be the flow's name, a dash, and the id of its data file in capitals"
    if flow.json_file_name != f"/Workflows/{flow.file}":
        yield f"data file: JsonFileName must be /Workflows/{flow.file}"
    if flow.primary_entity != "none":
        yield "data file: PrimaryEntity must be none"
    if not _is_id(flow.id):
        yield f"data file: {flow.id!r} is no id"
    for name, connector in _references(flow):
        if source.connection_references.get(name) is None:
            yield f"Customizations.xml has no connection reference {name}"
        elif source.connection_references[name].rpartition("/")[2] != connector:
            yield f"{name} is of {source.connection_references[name]}, not of {connector}"
    for name in _variables(flow):
        if name not in source.variables:
            yield f"there is no environment variable {name}"


def _references(flow: Flow) -> Iterator[tuple[str, str]]:
    """Logical name of each connection reference, and the connector that the flow takes it for."""
    for each in mapping(mapping(flow.document.get("properties")).get("connectionReferences")).values():
        connection = mapping(mapping(each).get("connection"))
        api = mapping(mapping(each).get("api"))
        yield str(connection.get("connectionReferenceLogicalName")), str(api.get("name"))


def _variables(flow: Flow) -> Iterator[str]:
    definition = mapping(mapping(flow.document.get("properties")).get("definition"))
    for each in mapping(definition.get("parameters")).values():
        if schema_name := mapping(mapping(each).get("metadata")).get("schemaName"):
            yield str(schema_name)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
