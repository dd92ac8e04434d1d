"""Cuts a $filter expression into tokens. Keywords and operators are lower case only, as in Dataverse."""

import re
from dataclasses import dataclass

from local.dataverse.errors import bad_query, syntax_error

_GUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)"
_RULES = (
    ("space", r"\s+"),
    ("string", r"'(?:[^']|'')*'"),
    ("quoted", r'"(?:[^"\\]|\\.)*"'),
    ("guid", _GUID + r"(?![\w-])"),
    ("datetime", _TIME),
    ("date", r"\d{4}-\d\d-\d\d(?![\w-])"),
    # Longer ones are no number of any type here.
    ("number", r"-?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,3})?(?![\w-])"),
    ("alias", r"@[A-Za-z_]\w*"),
    ("name", r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"),
    ("mark", r"[()\[\],/:=]"),
)
_TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _RULES))


@dataclass(frozen=True)
class Token:
    """`kind` is one of the rules' names, or `end`; `position` counts characters from 0."""

    kind: str
    text: str
    position: int


def tokens(text: str) -> list[Token]:
    """The tokens of an expression, spaces left out, with one `end` token. ODataError when it has none."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            if text[position] == "'":
                raise bad_query(f"There is an unterminated literal at position {len(text)} in '{text}'.")
            raise syntax_error(position, text)
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), position))
        position = match.end()
    found.append(Token("end", "", position))
    return found
