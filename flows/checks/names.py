"""Whether expressions can be read, and everything that they name is there by then."""

from collections.abc import Callable, Iterator

from flows.definition import Definition, Step, mapping, own, texts
from flows.expressions import Call, Expression, ExpressionError, Literal, Text, calls, parse

_ACTIONS = frozenset({"actionbody", "actionoutputs", "actions", "body", "outputs", "result"})
_BUILT_IN = frozenset({"$connections", "$authentication"})

type Parsed = Expression | Text


def names(flow: Definition) -> Iterator[str]:
    """Every expression of the definition."""
    for name, trigger in flow.triggers.items():
        unread: list[str] = []
        for parsed in all_parsed(name, trigger, unread):
            yield from (f"{name}: {problem}" for problem in _in_trigger(flow, parsed))
        yield from unread
    for step in flow.steps:
        unread = []
        for parsed in all_parsed(step.name, own(step.body), unread):
            yield from (f"{step.name}: {problem}" for problem in _in_step(flow, step, parsed))
        yield from unread
    yield from _variables(flow)
    yield from _unused(flow)


def all_parsed(where: str, node: object, unread: list[str]) -> Iterator[Parsed]:
    """Every text within, parsed; what cannot be parsed goes to `unread`, with where it stands."""
    for text in texts(node):
        try:
            yield parse(text)
        except ExpressionError as error:
            unread.append(f"{where}: {text[:80]!r} is no expression: {error}")


def _in_trigger(flow: Definition, parsed: Parsed) -> Iterator[str]:
    for call in calls(parsed):
        if call.name in _ACTIONS:
            yield f"{call.name}() in a trigger: no action has run by then"
        yield from _parameter(flow, call)


def _in_step(flow: Definition, step: Step, parsed: Parsed) -> Iterator[str]:
    for call in calls(parsed):
        if call.name in _ACTIONS:
            yield from _named(call, lambda name: _action(flow, step, name))
        if call.name in ("items", "iterationindexes"):
            yield from _named(call, lambda name: _loop(flow, step, name))
        yield from _parameter(flow, call)


def _named(call: Call, check: Callable[[str], str | None]) -> Iterator[str]:
    first = call.arguments[0]
    if not (isinstance(first, Literal) and isinstance(first.value, str)):
        yield f"{call.name}(): name what it is about in quotes"
    elif (problem := check(first.value)) is not None:
        yield f"{call.name}('{first.value}'): {problem}"


def _action(flow: Definition, step: Step, name: str) -> str | None:
    if name not in flow.by_name:
        return "there is no such action"
    # The condition of a loop is looked at after what is within it.
    within = step.kind == "Until" and step.name in flow.by_name[name].parents
    if name not in flow.before[step.name] and not within:
        return "that action has not ended by then"
    return None


def _loop(flow: Definition, step: Step, name: str) -> str | None:
    if name not in step.parents or flow.by_name[name].kind != "Foreach":
        return "this action is in no such loop"
    return None


def _parameter(flow: Definition, call: Call) -> Iterator[str]:
    if call.name == "parameters":
        missing = "there is no such parameter"
        yield from _named(call, lambda name: None if name in flow.parameters else missing)


def _variables(flow: Definition) -> Iterator[str]:
    """Begun at the top, once, before they are used."""
    begun: dict[str, str] = {}
    for step in flow.steps:
        if step.kind == "InitializeVariable":
            if step.parents:
                yield f"{step.name}: variables are initialized outside of other actions"
            for each in mapping(step.inputs).get("variables", []):
                name = str(mapping(each).get("name"))
                if name in begun:
                    yield f"{step.name}: {name} is initialized twice"
                begun[name] = step.name
    for step in flow.steps:
        for name in _used(step):
            if name not in begun:
                yield f"{step.name}: no variable is named {name}"
            elif begun[name] not in flow.before[step.name]:
                yield f"{step.name}: {name} is not initialized by then"


def _used(step: Step) -> Iterator[str]:
    if step.kind in ("SetVariable", "AppendToArrayVariable"):
        yield str(mapping(step.inputs).get("name"))
    for parsed in all_parsed(step.name, own(step.body), []):
        for call in calls(parsed):
            if call.name == "variables" and isinstance(call.arguments[0], Literal):
                yield str(call.arguments[0].value)


def _unused(flow: Definition) -> Iterator[str]:
    """A parameter that nothing reads promises what it does not keep."""
    used = {
        str(call.arguments[0].value)
        for text in texts({name: each for name, each in flow.raw.items() if name != "parameters"})
        for call in _calls_of(text)
        if call.name == "parameters" and isinstance(call.arguments[0], Literal)
    }
    for name in flow.parameters:
        if name not in used | _BUILT_IN:
            yield f"parameters: nothing reads {name}"


def _calls_of(text: str) -> Iterator[Call]:
    try:
        yield from calls(parse(text))
    except ExpressionError:
        return
