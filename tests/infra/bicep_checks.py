"""The checks: each takes the files and returns what is wrong, as `file:line: what`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from tree_sitter import Node

from tests.infra.azure_models import Shape, shape_of
from tests.infra.bicep_source import Source, body, line, properties, text, walk

# Functions of Bicep that these files use; another one is added here once somebody has looked it up.
FUNCTIONS = frozenset(
    [
        "cidrSubnet",
        "concat",
        "empty",
        "environment",
        "guid",
        "loadTextContent",
        "readEnvironmentVariable",
        "replace",
        "resourceGroup",
        "string",
        "subscriptionResourceId",
        "take",
        "tenant",
        "toLower",
        "union",
        "uniqueString",
    ]
)
DECORATORS = frozenset(["allowed", "description", "export", "maxLength", "maxValue", "minLength", "minValue"])
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
ROLES = {
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "storageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "storageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "keyVaultSecretsUser": "4633458b-17de-408a-b874-0445c86b69e6",
}
GUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
# Of the language, not of the resource's model.
_OF_BICEP = {"name", "parent", "scope", "dependsOn"}
_LITERALS = {"string": "string", "number": "number", "boolean": "boolean", "object": "object", "array": "array"}


@dataclass
class Counts:
    """What a run has looked at."""

    files: int = 0
    resources: int = 0
    properties: int = 0
    parameters: int = 0


def check(sources: Sequence[Source], counts: Counts) -> list[str]:
    """All checks on all files."""
    files = {str(source.path): source for source in sources}
    counts.files = len(files)
    counts.parameters = sum(len(source.of("param")) for source in sources)
    problems: list[str] = []
    for source in sources:
        problems += syntax(source)
        problems += symbols(source, files)
        problems += module_calls(source, files)
        problems += roles(source)
        problems += resources(source, counts)
        problems += descriptions(source)
    return [*problems, *unused_exports(sources)]


def syntax(source: Source) -> Iterator[str]:
    """What the grammar does not understand."""
    for node in walk(source.root):
        if node.is_error or node.is_missing:
            yield _at(source, node, f"cannot be parsed: {text(node)[:60]!r}")


def symbols(source: Source, files: dict[str, Source]) -> Iterator[str]:
    """Names that nobody declares, and declarations that nobody uses."""
    used: set[str] = set()
    declared = [each.name for each in source.declared if each.kind != "output"] + list(source.imported)
    known = set(declared)
    for name in sorted(name for name in known if declared.count(name) > 1):
        yield f"{source.path}: {name} is declared twice"
    for node, local in _uses(source.root, frozenset()):
        name = text(node)
        used.add(name)
        if name not in known | local:
            yield _at(source, node, f"{name} is not declared")
    for call in _calls(source.root):
        if (name := text(call)) not in FUNCTIONS | DECORATORS:
            yield _at(source, call, f"{name} is not a function that is known here")
    if source.path.suffix == ".bicep":
        yield from _unused(source, used)
    for name, node in source.imported.items():
        if name not in _neighbour(source, "types.bicep", files).of("type"):
            yield _at(source, node, f"types.bicep has no {name}")


def module_calls(source: Source, files: dict[str, Source]) -> Iterator[str]:
    """Parameters of modules: each given one is declared, each required one is given. Outputs that are read exist."""
    modules = source.of("module")
    targets = {name: _neighbour(source, text(each.node.named_children[1]), files) for name, each in modules.items()}
    for name, each in modules.items():
        given = properties(properties(body(each.node.named_children[-1]))["params"])
        yield from _matches(source, each.node, given, targets[name])
    for node in walk(source.root):
        if node.type == "member_expression" and (read := re.match(r"^(\w+)!?\.outputs\.(\w+)$", text(node))):
            module, output = read.groups()
            if module in targets and output not in targets[module].of("output"):
                yield _at(source, node, f"{targets[module].path} has no output {output}")
    if source.path.suffix == ".bicepparam":
        main = _neighbour(source, "main.bicep", files)
        yield from _matches(source, source.root, {n: d.node for n, d in source.of("var").items()}, main)


def roles(source: Source) -> Iterator[str]:
    """A variable that holds a role's id bears the role's name, and the id is that role's."""
    for name, each in source.of("var").items():
        value = text(each.node.named_children[-1])
        if (GUID.match(value) or name in ROLES) and ROLES.get(name) != value:
            yield _at(source, each.node, f"{value} is not the id of role {name}")
    for name, each in source.of("resource").items():
        if not text(each.node.named_children[1]).startswith("Microsoft.Authorization/roleAssignments@"):
            continue
        written = text(body(each.node.named_children[-1]))
        named = {role for role in ROLES if re.search(rf"\b{role}\b", written)}
        if len(named) != 1 or "guid(" not in written or "scope:" not in written:
            yield _at(source, each.node, f"{name} must name one role, in its name by guid() and in its properties")


def resources(source: Source, counts: Counts) -> Iterator[str]:
    """Names, kinds and fixed values of properties, against Microsoft's models."""
    for each in source.of("resource").values():
        node = each.node
        kind, _, version = text(node.named_children[1]).partition("@")
        given = properties(body(node.named_children[-1]))
        if kind == "Microsoft.Web/sites/config":
            kind = f"{kind}/{text(given['name'])}"
        shape = shape_of(kind)
        if shape is None or not re.fullmatch(r"20\d\d-\d\d-\d\d", version):
            yield _at(source, node, f"{kind}@{version} is not a resource type that is known here")
            continue
        counts.resources += 1
        if not any(child.type == "existing" or text(child) == "existing" for child in node.children):
            fields = {name: value for name, value in given.items() if name not in _OF_BICEP}
            yield from _fields(source, fields, shape, counts)


def descriptions(source: Source) -> Iterator[str]:
    """Each parameter, output and exported type says what it is."""
    for each in source.declared if source.path.suffix == ".bicep" else []:
        if each.kind in ("param", "output", "type") and "description" not in each.decorators:
            yield _at(source, each.node, f"{each.name} has no @description")


def unused_exports(sources: Sequence[Source]) -> Iterator[str]:
    """Types that no file imports, outputs of modules that nobody reads."""
    imported = {name for source in sources for name in source.imported}
    written = "\n".join(source.text for source in sources)
    for source in sources:
        for name, each in source.of("type").items():
            if name not in imported:
                yield _at(source, each.node, f"type {name} is not used")
        for name, each in source.of("output").items() if len(source.path.parts) > 1 else []:
            if f".outputs.{name}" not in written:
                yield _at(source, each.node, f"output {name} is not used")


def _unused(source: Source, used: set[str]) -> Iterator[str]:
    for each in source.declared:
        if each.kind in ("param", "var") and each.name not in used:
            yield _at(source, each.node, f"{each.kind} {each.name} is not used")
    for name, node in source.imported.items():
        if name not in used:
            yield _at(source, node, f"import {name} is not used")


def _uses(node: Node, local: frozenset[str]) -> Iterator[tuple[Node, frozenset[str]]]:
    """Every identifier that stands for a value or a type, with the loop variables that hold there."""
    children = node.named_children
    if node.type == "identifier":
        yield node, local
        return
    if node.type == "for_statement":
        head = children[0]
        names = [text(child) for child in head.named_children] if head.type == "for_loop_parameters" else [text(head)]
        yield from _uses(children[1], local)
        local, children = local | set(names), children[2:]
    elif node.type in ("import_functionality", "decorators", "using_statement"):
        return
    elif node.type in ("object_property", "call_expression") or node.type.endswith("_declaration"):
        first = children[0].type == "identifier"  # the name of a property, a function or a declaration
        children = children[1:] if first else children
    for child in children:
        if not _called_in_array(child):
            yield from _uses(child, local)


def _calls(root: Node) -> Iterator[Node]:
    for node in walk(root):
        if node.type == "call_expression" and node.named_children[0].type == "identifier":
            yield node.named_children[0]
        elif _called_in_array(node):
            yield node


def _called_in_array(node: Node) -> bool:
    """The grammar takes `[f('x')]` inside an object for two items; these are the first of such a pair."""
    behind = node.next_named_sibling
    touching = behind is not None and behind.start_byte == node.end_byte and behind.type == "parenthesized_expression"
    return node.type == "identifier" and touching


def _neighbour(source: Source, reference: str, files: dict[str, Source]) -> Source:
    """The file that a reference leads to. KeyError when it is not there."""
    if reference == "types.bicep":
        return files["types.bicep"]
    return files[str(PurePosixPath(source.path.parent) / reference)]


def _matches(source: Source, where: Node, given: dict[str, Node], target: Source) -> Iterator[str]:
    wanted = target.of("param")
    for name, node in given.items():
        if name not in wanted:
            yield _at(source, node, f"{target.path} has no parameter {name}")
    for name, each in wanted.items():
        if each.value is None and name not in given:
            yield _at(source, where, f"parameter {name} of {target.path} is not given")


def _fields(source: Source, given: dict[str, Node], shape: Shape, counts: Counts) -> Iterator[str]:
    for name, node in given.items():
        counts.properties += 1
        if name not in shape.fields:
            yield _at(source, node, f"{name} is not a property here; there are {', '.join(sorted(shape.fields))[:300]}")
        else:
            yield from _value(source, node, shape.fields[name], counts)


def _value(source: Source, node: Node, shape: Shape, counts: Counts) -> Iterator[str]:
    node = body(node)
    if shape.kind == "any" or node.type == "null":
        return
    if node.type == "identifier" and text(node) in source.of("var"):
        yield from _value(source, source.of("var")[text(node)].node.named_children[-1], shape, counts)
    elif node.type == "ternary_expression":
        for branch in node.named_children[1:]:
            yield from _value(source, branch, shape, counts)
    elif node.type in _LITERALS:
        yield from _literal(source, node, shape, counts)


def _literal(source: Source, node: Node, shape: Shape, counts: Counts) -> Iterator[str]:
    kind = "map" if node.type == "object" and shape.kind == "map" else _LITERALS[node.type]
    looped = kind == "object" and shape.kind == "array"  # the body of a loop that stands for an array
    if kind != shape.kind and not looped:
        yield _at(source, node, f"{text(node)[:60]} should be of type {shape.kind}")
    elif shape.allowed and "${" not in text(node) and text(node) not in shape.allowed:
        yield _at(source, node, f"{text(node)} is none of {', '.join(shape.allowed)}")
    elif looped and shape.item is not None:
        yield from _value(source, node, shape.item, counts)
    elif kind == "object":
        yield from _fields(source, properties(node), shape, counts)
    elif kind in ("array", "map") and shape.item is not None:
        for each in node.named_children if kind == "array" else properties(node).values():
            yield from _value(source, each, shape.item, counts)


def _at(source: Source, node: Node, what: str) -> str:
    return f"{source.path}:{line(node)}: {what}"
