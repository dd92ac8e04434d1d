"""A flow's definition as the checks look at it: triggers, and actions within actions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

type Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One action, with where it stands."""

    name: str
    body: Json
    parents: tuple[str, ...]
    """Names of the actions it is within, the outermost first."""
    siblings: Mapping[str, Json]
    """The actions of its own branch, itself too."""

    @property
    def kind(self) -> str:
        """Its type."""
        return str(self.body.get("type") or "")

    @property
    def run_after(self) -> dict[str, Any]:
        """What it waits for, with the outcomes that let it run."""
        return dict(mapping(self.body.get("runAfter")))

    @property
    def inputs(self) -> Any:
        """What it is given."""
        return self.body.get("inputs")


@dataclass(frozen=True)
class Definition:
    """A definition. What has not the right shape is read as missing; the check of shapes says so."""

    raw: Json

    @property
    def triggers(self) -> dict[str, Json]:
        """Triggers by name."""
        return {str(name): mapping(each) for name, each in mapping(self.raw.get("triggers")).items()}

    @property
    def parameters(self) -> dict[str, Json]:
        """Parameters by name."""
        return {str(name): mapping(each) for name, each in mapping(self.raw.get("parameters")).items()}

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every action, whoever it is within."""
        return tuple(_steps(mapping(self.raw.get("actions")), ()))

    @cached_property
    def by_name(self) -> dict[str, Step]:
        """Actions by name."""
        return {each.name: each for each in self.steps}

    @cached_property
    def before(self) -> dict[str, frozenset[str]]:
        """Which actions have come to an end when one begins: those it runs after, and what its parents run after."""
        return {step.name: frozenset(self._earlier(step)) for step in self.steps}

    def _earlier(self, step: Step) -> set[str]:
        waiting = [*step.run_after, *(name for parent in step.parents for name in self.by_name[parent].run_after)]
        found: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in found or name not in self.by_name:
                continue
            found.add(name)
            waiting += [*self.by_name[name].run_after]
            # What is within an action that has ended has ended, too.
            found |= {each.name for each in self.steps if name in each.parents}
        return found


def branches(body: Json) -> Iterator[tuple[str, Json]]:
    """The branches of an action: where they stand, and their actions."""
    if "actions" in body:
        yield "actions", mapping(body["actions"])
    if "else" in body:
        yield "else", mapping(mapping(body["else"]).get("actions"))
    for name, case in mapping(body.get("cases")).items():
        yield f"case {name}", mapping(mapping(case).get("actions"))
    if "default" in body:
        yield "default", mapping(mapping(body["default"]).get("actions"))


def texts(node: object) -> Iterator[str]:
    """Every text within, names of properties too: expressions may stand in both."""
    match node:
        case str():
            yield node
        case Mapping():
            for name, each in node.items():
                yield str(name)
                yield from texts(each)
        case list():
            for each in node:
                yield from texts(each)
        case _:
            return


def own(body: Json) -> Json:
    """An action without the actions within it."""
    return {name: each for name, each in body.items() if name not in ("actions", "else", "cases", "default")}


def mapping(node: object) -> Json:
    """The node if it is an object, else an empty one."""
    return node if isinstance(node, Mapping) else {}


def _steps(actions: Json, parents: tuple[str, ...]) -> Iterator[Step]:
    siblings = {str(name): mapping(each) for name, each in actions.items()}
    for name, body in siblings.items():
        yield Step(name, body, parents, siblings)
        for _, within in branches(body):
            yield from _steps(within, (*parents, name))
