"""The unpacked source of a solution: flows, connection references and environment variables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

FOLDER = Path(__file__).parent / "solution"

FLOW, VARIABLE = "29", "380"
"""Kinds of a flow and of an environment variable among a solution's components."""


class SourceError(ValueError):
    """A file that is missing or cannot be read; names it."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow: its definition, and what the solution says of it beside that."""

    file: str
    """Name of the JSON file."""
    id: str
    """What the data file says, lower case, without braces."""
    name: str
    json_file_name: str
    primary_entity: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Solution:
    """Everything that the folder says."""

    unique_name: str
    prefix: str
    """Of the publisher: every name of ours begins with it."""
    components: tuple[tuple[str, str], ...]
    """Kind, and id or schema name."""
    connection_references: Mapping[str, str]
    """Which connector each refers to, by logical name."""
    variables: Mapping[str, str]
    """Kinds of the environment variables, by schema name."""
    flows: tuple[Flow, ...]


def read(folder: Path = FOLDER) -> Solution:
    """The solution in a folder. Raises SourceError."""
    manifest = _xml(folder / "Other" / "Solution.xml").find("SolutionManifest")
    customizations = _xml(folder / "Other" / "Customizations.xml")
    if manifest is None:
        raise SourceError("Solution.xml: SolutionManifest is missing")
    return Solution(
        unique_name=manifest.findtext("UniqueName", ""),
        prefix=manifest.findtext("Publisher/CustomizationPrefix", ""),
        components=tuple(
            (each.get("type", ""), (each.get("id") or each.get("schemaName") or "").strip("{}").lower())
            for each in manifest.iterfind("RootComponents/RootComponent")
        ),
        connection_references={
            each.get("connectionreferencelogicalname", ""): each.findtext("connectorid", "")
            for each in customizations.iterfind("connectionreferences/connectionreference")
        },
        variables=dict(
            _variable(path) for path in sorted(folder.glob("environmentvariabledefinitions/*/*definition.xml"))
        ),
        flows=tuple(_flow(path) for path in sorted(folder.glob("Workflows/*.json"))),
    )


def _variable(path: Path) -> tuple[str, str]:
    root = _xml(path)
    return root.get("schemaname", ""), root.findtext("type", "")


def _flow(path: Path) -> Flow:
    data = _xml(path.with_name(f"{path.name}.data.xml"))
    try:
        document = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise SourceError(f"{path.name}: is not JSON ({error})") from None
    if not isinstance(document, dict):
        raise SourceError(f"{path.name}: is not a JSON object")
    return Flow(
        file=path.name,
        id=data.get("WorkflowId", "").strip("{}").lower(),
        name=data.get("Name", ""),
        json_file_name=data.findtext("JsonFileName", ""),
        primary_entity=data.findtext("PrimaryEntity", ""),
        document=document,
    )


def _xml(path: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(path).getroot()  # noqa: S314  our own files
    except FileNotFoundError:
        raise SourceError(f"{path.name}: is missing") from None
    except ElementTree.ParseError as error:
        raise SourceError(f"{path.name}: is not XML ({error})") from None
