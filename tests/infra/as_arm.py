"""The resources of the Bicep files as an ARM template, for checkov: it reads no Bicep with types of one's own.

Literals stand as they are and whatever has to be worked out stands as an expression, as in a compiled template. A
loop stands for one of its resources. Nothing here could be deployed.
"""

from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.infra.bicep_source import body, load, text

type Json = dict[str, Any]

_WORDS = {"true": True, "false": False, "null": None}


def template(folder: Path) -> Json:
    """All resources below a folder; those that exist already left out."""
    found = [_resource(each.node) for source in load(folder) for each in source.of("resource").values()]
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [each for each in found if each],
    }


def _resource(node: Node) -> Json:
    kind, _, version = text(next(child for child in node.named_children if child.type == "string")).partition("@")
    inner = body(node.named_children[-1])
    if any(child.type == "existing" or text(child) == "existing" for child in node.children):
        return {}
    said = _value(inner)
    assert isinstance(said, dict), "a resource is an object"
    return {"type": kind, "apiVersion": version, "name": "[name]", **said}


def _value(node: Node) -> Any:
    match node.type:
        case "object":
            pairs = [pair for pair in node.named_children if pair.type == "object_property"]
            return {text(pair.named_children[0]): _value(pair.named_children[-1]) for pair in pairs}
        case "array":
            return [_value(each) for each in node.named_children if each.type != "comment"]
        case "string" if not any(child.type == "interpolation" for child in node.named_children):
            return text(node)
        case "number":
            return int(text(node))
        case "boolean" | "null":
            return _WORDS[text(node)]
        case _:
            return f"[{text(node)}]"
