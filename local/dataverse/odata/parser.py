"""Recursive descent over a $filter: text -> tree. No library speaks Dataverse's dialect (its query
functions with arrays, parameter aliases, unquoted GUIDs), so this one does, and nothing more.
"""

import json
from collections.abc import Mapping

from local.dataverse.errors import ODataError, bad_query, syntax_error
from local.dataverse.odata.ast import (
    Compare,
    CrmFunction,
    Lambda,
    Literal,
    Logical,
    Node,
    Not,
    Path,
    TextTest,
)
from local.dataverse.odata.tokens import Token, tokens

OPERATORS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
TEXT_FUNCTIONS = frozenset({"contains", "startswith", "endswith"})
_CONSTANTS: Mapping[str, Literal] = {
    "null": Literal("null", None),
    "true": Literal("boolean", True),
    "false": Literal("boolean", False),
}
_NAMESPACE = "Microsoft.Dynamics.CRM."
# Deeper nesting than anyone writes; below it Python's own stack is safe.
MAX_DEPTH = 100


def parse_filter(text: str, aliases: Mapping[str, str] | None = None) -> Node:
    """The tree of a $filter expression. `aliases` holds the texts of @parameters; one that is missing is null.

    Raises ODataError with Dataverse's text when the expression is not valid.
    """
    stripped = text.strip()
    parser = _Parser(stripped, tokens(stripped), aliases or {})
    node = parser.either()
    parser.expect("end")
    return node


def parse_literal(text: str) -> Literal:
    """The constant of a parameter alias."""
    parser = _Parser(text, tokens(text), {})
    literal = parser.literal()
    parser.expect("end")
    return literal


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError as error:
        raise bad_query(f"Invalid JSON. The string {text} is not valid.") from error


class _Parser:
    def __init__(self, text: str, found: list[Token], aliases: Mapping[str, str]) -> None:
        self.text = text
        self.tokens = found
        self.aliases = aliases
        self.at = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.next
        self.at += 1
        return token

    def accept(self, kind: str, text: str) -> bool:
        if self.next.kind == kind and self.next.text == text:
            self.at += 1
            return True
        return False

    def expect(self, kind: str, text: str | None = None) -> Token:
        if self.next.kind != kind or (text is not None and self.next.text != text):
            raise self.error()
        return self.take() if kind != "end" else self.next

    def error(self) -> ODataError:
        return syntax_error(self.next.position, self.text)

    def either(self) -> Node:
        parts = [self.both()]
        while self.accept("name", "or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Logical("or", tuple(parts))

    def both(self) -> Node:
        parts = [self.negation()]
        while self.accept("name", "and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else Logical("and", tuple(parts))

    def negation(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise bad_query("Recursion depth exceeded allowed limit.")
        try:
            if self.accept("name", "not"):
                return Not(self.negation())
            if self.accept("mark", "("):
                node = self.either()
                self.expect("mark", ")")
                return node
            return self.condition()
        finally:
            self.depth -= 1

    def condition(self) -> Node:
        if self.next.kind != "name" or self.next.text in _CONSTANTS:
            return self.comparison(self.literal())
        path = self.path()
        if self.next.text != "(":
            return self.comparison(path)
        *prefix, name = path.segments
        if name.startswith(_NAMESPACE):
            return self.crm_function(tuple(prefix), name.removeprefix(_NAMESPACE))
        if prefix and name in ("any", "all"):
            return self.collection_test(tuple(prefix), name)
        if not prefix and name in TEXT_FUNCTIONS:
            return self.text_test(name)
        raise bad_query(
            f"An unknown function with name '{name}' was found. "
            "This may also be a function import or a key lookup on a navigation property, which is not allowed."
        )

    def comparison(self, left: Path | Literal) -> Node:
        operator = self.next.text
        if self.next.kind != "name" or operator not in OPERATORS:
            if self.next.kind == "end" or self.next.text in ("and", "or", ")"):
                raise bad_query("The $filter expression must evaluate to a single boolean value.")
            raise self.error()
        self.take()
        if self.next.kind == "name" and self.next.text not in _CONSTANTS:
            return Compare(operator, left, self.path())
        return Compare(operator, left, self.literal())

    def path(self) -> Path:
        segments = [self.expect("name").text]
        while self.accept("mark", "/"):
            segments.append(self.expect("name").text)
        return Path(tuple(segments))

    def literal(self) -> Literal:
        token = self.take()
        match token.kind:
            case "string":
                return Literal("string", token.text[1:-1].replace("''", "'"))
            case "quoted":
                return Literal("string", _unquoted(token.text))
            case "guid":
                return Literal("guid", token.text.lower())
            case "datetime":
                return Literal("datetime", token.text)
            case "date":
                return Literal("date", token.text)
            case "number" if token.text.lstrip("-").isdecimal():
                return Literal("int", int(token.text))
            case "number":
                return Literal("decimal", float(token.text))
            case "alias":
                value = self.aliases.get(token.text)
                return parse_literal(value) if value is not None else _CONSTANTS["null"]
            case "name" if token.text in _CONSTANTS:
                return _CONSTANTS[token.text]
        self.at -= 1
        raise self.error()

    def text_test(self, function: str) -> Node:
        self.expect("mark", "(")
        path = self.path()
        self.expect("mark", ",")
        value = self.literal()
        self.expect("mark", ")")
        if value.kind != "string":
            raise bad_query(f"No function signature for the function with name '{function}' matches.")
        return TextTest(function, path, str(value.value))

    def collection_test(self, prefix: tuple[str, ...], kind: str) -> Node:
        self.expect("mark", "(")
        if kind == "any" and self.accept("mark", ")"):
            return Lambda("any", Path(prefix), "", None)
        variable = self.expect("name").text
        self.expect("mark", ":")
        body = self.either()
        self.expect("mark", ")")
        return Lambda("any" if kind == "any" else "all", Path(prefix), variable, body)

    def crm_function(self, prefix: tuple[str, ...], name: str) -> Node:
        self.expect("mark", "(")
        arguments: dict[str, Literal | tuple[Literal, ...]] = {}
        while not self.accept("mark", ")"):
            key = self.expect("name").text
            self.expect("mark", "=")
            arguments[key] = self.array() if self.accept("mark", "[") else self.literal()
            if self.next.text != ")":
                self.expect("mark", ",")
        return CrmFunction(prefix, name, arguments)

    def array(self) -> tuple[Literal, ...]:
        values: list[Literal] = []
        while not self.accept("mark", "]"):
            values.append(self.literal())
            if self.next.text != "]" and not self.accept("mark", ","):
                raise bad_query("Invalid JSON. A comma character ',' was expected in scope 'Array'.")
        return tuple(values)
