"""Bicep files as trees: what each declares, and where. Parameter files, too."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_DECLARATIONS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
    "type_declaration": "type",
}


@dataclass(frozen=True)
class Declared:
    """One declaration: its kind, its name, its node and the names of its decorators."""

    kind: str
    name: str
    node: Node
    decorators: frozenset[str] = frozenset()

    @property
    def value(self) -> Node | None:
        """What it is set to: a value, an object or a loop. None for a parameter without default."""
        last = self.node.named_children[-1]
        bare = self.kind == "param" and (last.type == "type" or len(self.node.named_children) < 3)
        return None if bare else last


@dataclass
class Source:
    """One file."""

    path: Path
    text: str
    root: Node = field(init=False, repr=False)

    def __post_init__(self) -> None:
        text = self.text
        if self.path.suffix == ".bicepparam":  # the grammar knows `using`, but not a parameter that is only set
            text = re.sub(r"^param (\w+) =", r"var \1 =", text, flags=re.MULTILINE)
        self.root = _PARSER.parse(text.encode()).root_node

    @cached_property
    def declared(self) -> list[Declared]:
        """Everything that is declared at the top, in order."""
        found, decorators = [], frozenset[str]()
        for node in self.root.named_children:
            if node.type == "decorators":
                decorators = frozenset(text(call) for call in _decorator_names(node))
            elif node.type in _DECLARATIONS:
                name = next(child for child in node.named_children if child.type == "identifier")
                found.append(Declared(_DECLARATIONS[node.type], text(name), node, decorators))
                decorators = frozenset()
        return found

    def of(self, kind: str) -> dict[str, Declared]:
        """All declarations of a kind, by name."""
        return {each.name: each for each in self.declared if each.kind == kind}

    @cached_property
    def imported(self) -> dict[str, Node]:
        """Names taken from other files."""
        nodes = [node for node in self.root.named_children if node.type == "import_functionality"]
        return {text(name): name for node in nodes for name in node.named_children if name.type == "identifier"}


def load(folder: Path) -> list[Source]:
    """All Bicep and parameter files below a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".bicep", ".bicepparam"))
    return [Source(path.relative_to(folder), path.read_text(encoding="utf-8")) for path in paths]


def text(node: Node) -> str:
    """The node's own text; of a string literal without its quotes."""
    if node.text is None:
        return ""
    written = node.text.decode()
    return written[1:-1].replace("\\'", "'") if node.type == "string" and not written.startswith("'''") else written


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def line(node: Node) -> int:
    """Counted from 1."""
    return node.start_point.row + 1


def properties(node: Node) -> dict[str, Node]:
    """An object's properties by name; those whose name is computed are left out."""
    pairs = [pair for pair in node.named_children if pair.type == "object_property" and len(pair.named_children) >= 2]
    return {text(pair.named_children[0]): pair.named_children[-1] for pair in pairs if not _computed(pair)}


def body(node: Node) -> Node:
    """The object inside a loop or a condition."""
    while node.type in ("for_statement", "if_statement"):
        node = node.named_children[-1]
    return node


def _computed(pair: Node) -> bool:
    return any(child.type == "interpolation" for child in pair.named_children[0].named_children)


def _decorator_names(node: Node) -> Iterator[Node]:
    for decorator in node.named_children:
        call = decorator.named_children[0]
        yield call.named_children[0] if call.type == "call_expression" else call
