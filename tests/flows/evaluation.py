"""Evaluates expressions of flows, as far as the templates use them."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from flows.expressions import Call, Expression, Index, Literal, Text, parse


class Scope(Protocol):
    """What expressions can ask of a run."""

    def asked(self, name: str, argument: str) -> Any:
        """body, outputs, actions, parameters, triggerbody, workflow, item."""
        ...


def evaluated(node: Any, scope: Scope) -> Any:
    """A part of a definition with its expressions replaced by what they give."""
    match node:
        case str():
            return _of_text(parse(node), scope)
        case Mapping():
            return {name: evaluated(each, scope) for name, each in node.items()}
        case list():
            return [evaluated(each, scope) for each in node]
        case _:
            return node


def _of_text(parsed: Expression | Text, scope: Scope) -> Any:
    if isinstance(parsed, Text):
        return "".join(part if isinstance(part, str) else text(_value(part, scope)) for part in parsed.parts)
    return _value(parsed, scope)


def _value(expression: Expression, scope: Scope) -> Any:
    match expression:
        case Literal(value):
            return value
        case Index(target, key, safe):
            return _indexed(_value(target, scope), _value(key, scope), safe=safe)
        case Call(name, arguments):
            given = [_value(each, scope) for each in arguments]  # if() too gets all of them
            if name in _FUNCTIONS:
                return _FUNCTIONS[name](*given)
            return scope.asked(name, str(given[0]) if given else "")


def _indexed(target: Any, key: Any, *, safe: bool) -> Any:
    if target is None and safe:
        return None
    if isinstance(key, int):
        return target[key]
    for part in key.split("/"):
        if target is None:
            return None
        target = target.get(part) if safe else target[part]
    return target


def text(value: Any) -> str:
    """A value as a part of a text."""
    match value:
        case None:
            return ""
        case bool():
            return str(value)
        case str():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False)


def _take(given: Any, count: int) -> Any:
    return given[:count]


def _first(given: Any) -> Any:
    return given[0] if given else None


def _choose(condition: Any, yes: Any, no: Any) -> Any:
    assert isinstance(condition, bool)
    return yes if condition else no


def _replaced(whole: str, old: str, new: str) -> str:
    assert isinstance(whole, str)
    return whole.replace(old, new)


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "coalesce": lambda *given: next((each for each in given if each is not None), None),
    "concat": lambda *given: "".join(text(each) for each in given),
    "contains": lambda whole, part: part in whole,
    "createarray": lambda *given: list(given),
    "empty": lambda given: not given,
    "equals": lambda one, other: one == other,
    "first": _first,
    "if": _choose,
    "join": lambda given, between: between.join(text(each) for each in given),
    "replace": _replaced,
    "string": text,
    "take": _take,
    "tolower": lambda given: given.lower(),
}
