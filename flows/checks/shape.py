"""Whether a definition has the shape that the designer and the engine expect."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from flows.definition import Definition, Json, Step, branches, mapping

SCHEMA = "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#"
LONGEST_NAME = 80
MOST_TRIES = 90
MOST_AT_ONCE = 50

_DURATION = re.compile(r"P(?!$)(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?")
_STATUSES = frozenset({"Succeeded", "Failed", "Skipped", "TimedOut"})
_TRIGGERS = frozenset({"OpenApiConnectionWebhook", "OpenApiConnection", "Recurrence", "Request"})
_OPERATORS = frozenset(
    {"and", "or", "not", "equals", "greater", "greaterOrEquals", "less", "lessOrEquals", "contains", "startsWith"}
    | {"endsWith"}
)


def _has(*names: str) -> Callable[[Json], Iterator[str]]:
    def check(inputs: Json) -> Iterator[str]:
        yield from (f"inputs.{name} is missing" for name in names if name not in inputs)

    return check


_KINDS: dict[str, Callable[[Json], Iterator[str]]] = {
    "AppendToArrayVariable": _has("name", "value"),
    "Compose": _has(),
    "Foreach": _has(),
    "If": _has(),
    "InitializeVariable": _has("variables"),
    "OpenApiConnection": _has("host", "parameters"),
    "OpenApiConnectionWebhook": _has("host", "parameters"),
    "Response": _has("statusCode"),
    "Scope": _has(),
    "Select": _has("from", "select"),
    "SetVariable": _has("name", "value"),
    "Switch": _has(),
    "Terminate": _has("runStatus"),
    "Until": _has(),
    "Wait": _has("interval"),
}


def document(raw: Json) -> Iterator[str]:
    """Around the definition."""
    if raw.get("schemaVersion") != "1.0.0.0":
        yield 'schemaVersion: must be "1.0.0.0"'
    for name in ("connectionReferences", "definition"):
        if not isinstance(mapping(raw.get("properties")).get(name), dict):
            yield f"properties.{name}: must be an object"


def definition(flow: Definition) -> Iterator[str]:
    """The definition itself, its trigger and every action."""
    if flow.raw.get("$schema") != SCHEMA:
        yield f"$schema: must be {SCHEMA}"
    if not flow.raw.get("contentVersion"):
        yield "contentVersion: is missing"
    if len(flow.triggers) != 1:
        yield f"triggers: there must be exactly one, not {len(flow.triggers)}"
    for name, trigger in flow.triggers.items():
        if trigger.get("type") not in _TRIGGERS:
            yield f"{name}: {trigger.get('type')} is no type of a trigger"
        yield from _runtime(name, trigger)
    if not flow.steps:
        yield "actions: there are none"
    counted = Counter(step.name.casefold() for step in flow.steps)
    for step in flow.steps:
        if counted[step.name.casefold()] > 1:
            yield f"{step.name}: another action has this name"
        yield from (f"{step.name}: {problem}" for problem in _step(step))
        yield from _runtime(step.name, step.body)


def _step(step: Step) -> Iterator[str]:
    if len(step.name) > LONGEST_NAME or not re.fullmatch(r"[\w()\-]+", step.name):
        yield f"the name must be 1 to {LONGEST_NAME} letters, digits and underscores"
    if step.kind not in _KINDS:
        yield f"{step.kind or 'nothing'} is no type of an action"
        return
    yield from _KINDS[step.kind](mapping(step.inputs))
    if "runAfter" not in step.body:
        yield "runAfter is missing; give {} for the first"
    for name, outcomes in step.run_after.items():
        if not isinstance(outcomes, list) or not outcomes or not set(outcomes) <= _STATUSES:
            yield f"runAfter.{name}: give some of {', '.join(sorted(_STATUSES))}"
    yield from _control(step)


def _control(step: Step) -> Iterator[str]:
    """What actions with actions within them need."""
    if step.kind in ("If", "Scope", "Foreach", "Until") and "actions" not in step.body:
        yield "actions is missing"
    if step.kind in ("If", "Switch", "Until") and "expression" not in step.body:
        yield "expression is missing"
    if step.kind == "Foreach" and "foreach" not in step.body:
        yield "foreach is missing"
    if step.kind == "Until" and not {"count", "timeout"} <= set(mapping(step.body.get("limit"))):
        yield "limit needs count and timeout, or it goes on for very long"
    if step.kind == "If":
        yield from _condition(step.body.get("expression"))
    for name, actions in branches(step.body):
        if step.kind != "If" and not actions:
            yield f"{name}: no action is in it"


def _condition(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        return
    if not isinstance(node, dict) or len(node) != 1:
        yield "expression: a condition is one operator with its operands"
        return
    operator, operands = next(iter(node.items()))
    if operator not in _OPERATORS:
        yield f"expression: {operator} is no operator"
    for each in operands if isinstance(operands, list) else [operands]:
        if isinstance(each, dict):
            yield from _condition(each)


def _runtime(name: str, body: Json) -> Iterator[str]:
    """How often, how long and how many at once."""
    policy = mapping(mapping(body.get("inputs")).get("retryPolicy"))
    if policy and policy.get("type") not in ("none", "fixed", "exponential"):
        yield f"{name}: retryPolicy.type must be none, fixed or exponential"
    if policy.get("type") in ("fixed", "exponential"):
        count = policy.get("count")
        if not isinstance(count, int) or not 1 <= count <= MOST_TRIES:
            yield f"{name}: retryPolicy.count must be 1 to {MOST_TRIES}"
        if not _lasts(policy.get("interval")):
            yield f"{name}: retryPolicy.interval must be a duration such as PT10S"
    timeout = mapping(body.get("limit")).get("timeout")
    if timeout is not None and not _lasts(timeout):
        yield f"{name}: limit.timeout must be a duration such as PT1H"
    at_once = mapping(mapping(body.get("runtimeConfiguration")).get("concurrency"))
    for count in [each for each in (at_once.get("runs"), at_once.get("repetitions")) if each is not None]:
        if not isinstance(count, int) or not 1 <= count <= MOST_AT_ONCE:
            yield f"{name}: concurrency must be 1 to {MOST_AT_ONCE}"


def _lasts(text: object) -> bool:
    return isinstance(text, str) and _DURATION.fullmatch(text) is not None
