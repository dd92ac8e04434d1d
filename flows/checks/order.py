"""Whether the order of actions makes sense: what they run after is beside them, and nothing waits for itself."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from flows.definition import Definition, Json, branches, mapping


def order(flow: Definition) -> Iterator[str]:
    """runAfter, branch by branch."""
    for step in flow.steps:
        for name in step.run_after:
            if name not in step.siblings:
                where = "stands in another branch" if name in flow.by_name else "is no action"
                yield f"{step.name}: runs after {name}, which {where}"
    yield from _branch("the flow", mapping(flow.raw.get("actions")))
    for step in flow.steps:
        for where, actions in branches(step.body):
            yield from _branch(f"{step.name} ({where})", actions)


def _branch(where: str, actions: Json) -> Iterator[str]:
    after: Mapping[str, list[str]] = {name: [*mapping(mapping(each).get("runAfter"))] for name, each in actions.items()}
    try:
        TopologicalSorter(after).prepare()
    except CycleError as error:
        yield f"{where}: these actions wait for each other: {', '.join(sorted(set(error.args[1])))}"
    if actions and not any(not earlier for earlier in after.values()):
        yield f"{where}: no action is the first"
