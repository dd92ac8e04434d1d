"""A parser for expressions of the Workflow Definition Language, as flows use them.

text        := "@@" literal | "@" expression | { literal | "@{" expression "}" | "@@{" literal }
expression  := primary { ["?"] "[" expression "]" | ["?"] "." name }
primary     := 'text' | number | true | false | null | name "(" [ expression { "," expression } ] ")"
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from flows.functions import FUNCTIONS, MANY

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STRING = re.compile(r"'((?:[^']|'')*)'")
_SPACE = re.compile(r"\s*")
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}

DEEPEST = 100
"""Expressions within expressions."""


class ExpressionError(ValueError):
    """A text that is no expression; says where, counted in characters from 1 on."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; its name is in lower case."""

    name: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Index:
    """A property or an item of something. `safe` gives null where there is nothing to take it from."""

    target: "Expression"
    key: "Expression"
    safe: bool


type Expression = Literal | Call | Index


@dataclass(frozen=True, slots=True)
class Text:
    """Texts and expressions in turn, put together as one text."""

    parts: tuple[str | Expression, ...]


@lru_cache(maxsize=10_000)  # the same text is looked at by several checks
def parse(text: str) -> Expression | Text:
    """What a text of a definition means: a Text where it is one, else the one expression. Raises ExpressionError."""
    if text.startswith("@@"):
        return Text((text[1:],))
    if text.startswith("@") and not text.startswith("@{"):
        reader = _Reader(text, 1)
        found = reader.expression()
        reader.end()
        return found
    return Text(tuple(_parts(text)))


def _parts(text: str) -> Iterator[str | Expression]:
    at = 0
    while (begin := text.find("@{", at)) >= 0:
        if begin > 0 and text[begin - 1] == "@":
            yield text[at : begin - 1] + "@{"
            at = begin + 2
            continue
        if begin > at:
            yield text[at:begin]
        reader = _Reader(text, begin + 2)
        yield reader.expression()
        reader.take("}")
        at = reader.at
    if at < len(text):
        yield text[at:]


def calls(parsed: Expression | Text) -> Iterator[Call]:
    """Every call within, outermost first."""
    match parsed:
        case Text(parts):
            for part in parts:
                if not isinstance(part, str):
                    yield from calls(part)
        case Call():
            yield parsed
            for argument in parsed.arguments:
                yield from calls(argument)
        case Index():
            yield from calls(parsed.target)
            yield from calls(parsed.key)
        case Literal():
            return


class _Reader:
    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at
        self._depth = 0

    def expression(self) -> Expression:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._wrong("too many expressions within each other")
        found = self._primary()
        while True:
            safe = self._taken("?")
            if self._taken("["):
                found = Index(found, self.expression(), safe)
                self.take("]")
            elif self._taken("."):
                found = Index(found, Literal(self._match(_NAME, "a name")), safe)
            elif safe:
                raise self._wrong('"?" is followed by "[" or "."')
            else:
                self._depth -= 1
                return found

    def take(self, mark: str) -> None:
        """The mark that must come next."""
        if not self._taken(mark):
            raise self._wrong(f'"{mark}" is missing')

    def end(self) -> None:
        """Nothing more may come."""
        self._space()
        if self.at < len(self.text):
            raise self._wrong("nothing more is expected")

    def _primary(self) -> Expression:
        self._space()
        if found := _STRING.match(self.text, self.at):
            self.at = found.end()
            return Literal(found[1].replace("''", "'"))
        if found := _NUMBER.match(self.text, self.at):
            self.at = found.end()
            return Literal(int(found[0]) if re.fullmatch(r"[+-]?\d+", found[0]) else float(found[0]))
        name = self._match(_NAME, "a function, a text in single quotes or a number")
        if name.lower() in _CONSTANTS and not self._ahead("("):
            return Literal(_CONSTANTS[name.lower()])
        return self._call(name)

    def _call(self, name: str) -> Call:
        limits = FUNCTIONS.get(name.lower())
        if limits is None:
            raise self._wrong(f"{name} is not a function")
        self.take("(")
        arguments: list[Expression] = []
        while not self._taken(")"):
            if arguments:
                self.take(",")
            arguments.append(self.expression())
        least, most = limits
        if not least <= len(arguments) <= most:
            wanted = f"{least} or more" if most == MANY else str(least) if least == most else f"{least} to {most}"
            raise self._wrong(f"{name} takes {wanted} arguments, not {len(arguments)}")
        return Call(name.lower(), tuple(arguments))

    def _match(self, pattern: re.Pattern[str], wanted: str) -> str:
        self._space()
        found = pattern.match(self.text, self.at)
        if found is None:
            raise self._wrong(f"{wanted} is expected")
        self.at = found.end()
        return found[0]

    def _ahead(self, mark: str) -> bool:
        self._space()
        return self.text.startswith(mark, self.at)

    def _taken(self, mark: str) -> bool:
        if not self._ahead(mark):
            return False
        self.at += len(mark)
        return True

    def _space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _wrong(self, why: str) -> ExpressionError:
        return ExpressionError(f"at character {self.at + 1}: {why}")
