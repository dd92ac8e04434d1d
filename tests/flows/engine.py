"""Runs a flow's definition in memory: the order of actions, their outcomes, and what connectors are asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from flows.definition import mapping
from tests.flows.evaluation import evaluated

RUN = "08584412345678901234567890"
"""Id of the run."""

type Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a connector answers; without a status, nothing came in time."""

    status: int | None = 200
    body: Any = None


type Connector = Callable[[str, dict[str, Any]], Answer]

SILENCE = Answer(None)


@dataclass
class Run:
    """One run of a flow, and what came of it."""

    definition: Json
    trigger: Any
    parameters: Mapping[str, str]
    connector: Connector
    statuses: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    _item: Any = None

    def begin(self) -> "Run":
        """Runs it to its end."""
        self._branch(mapping(self.definition["actions"]))
        return self

    def asked(self, name: str, argument: str) -> Any:
        match name:
            case "triggerbody":
                return self.trigger
            case "parameters":
                return self.parameters[argument]
            case "workflow":
                return {"run": {"name": RUN}}
            case "body":
                return mapping(self.outputs.get(argument)).get("body")
            case "outputs":
                return self.outputs.get(argument)
            case "actions":
                return {"status": self.statuses[argument]}
            case "item":
                return self._item
            case _:
                raise NotImplementedError(name)

    def _branch(self, actions: Json) -> str:
        """Runs actions beside each other; how they ended, together."""
        after = {name: list(body["runAfter"]) for name, body in actions.items()}
        for name in TopologicalSorter(after).static_order():
            wanted = actions[name]["runAfter"]
            runs = all(self.statuses[each] in outcomes for each, outcomes in wanted.items())
            self.statuses[name] = self._action(name, actions[name]) if runs else "Skipped"
        leaves = set(actions) - {earlier for each in after.values() for earlier in each}
        failed = [name for name in leaves if self._ended(name, actions) in ("Failed", "TimedOut")]
        return "Failed" if failed else "Succeeded"

    def _ended(self, name: str, actions: Json) -> str:
        """How an action ended; one that was skipped, as what it waited for."""
        if self.statuses[name] != "Skipped":
            return self.statuses[name]
        earlier = {self._ended(each, actions) for each in actions[name]["runAfter"]}
        return next((each for each in ("Failed", "TimedOut") if each in earlier), "Succeeded")

    def _action(self, name: str, body: Json) -> str:
        match body["type"]:
            case "OpenApiConnection" | "OpenApiConnectionWebhook":
                return self._call(name, body["inputs"])
            case "Compose":
                self.outputs[name] = evaluated(body["inputs"], self)
            case "Response":
                self.outputs[name] = evaluated(body["inputs"], self)
            case "Select":
                self.outputs[name] = {"body": self._selected(body["inputs"])}
            case "If":
                chosen = body if self._holds(body["expression"]) else body["else"]
                return self._branch(chosen["actions"])
            case "Scope":
                return self._branch(body["actions"])
            case "Until":
                return self._until(body)
            case "Wait":
                pass
            case kind:
                raise NotImplementedError(kind)
        return "Succeeded"

    def _call(self, name: str, inputs: Json) -> str:
        answer = self.connector(inputs["host"]["operationId"], evaluated(inputs["parameters"], self))
        if answer.status is None:
            return "TimedOut"
        self.outputs[name] = {"statusCode": answer.status, "body": answer.body}
        return "Succeeded" if answer.status < 400 else "Failed"

    def _selected(self, inputs: Json) -> list[Any]:
        found = []
        for each in evaluated(inputs["from"], self):
            self._item = each
            found.append(evaluated(inputs["select"], self))
        return found

    def _until(self, body: Json) -> str:
        for _ in range(body["limit"]["count"]):
            if self._branch(body["actions"]) == "Failed":
                return "Failed"
            if evaluated(body["expression"], self):
                return "Succeeded"
        return "Succeeded"

    def _holds(self, condition: Any) -> bool:
        operator, operands = next(iter(condition.items()))
        match operator:
            case "and":
                return all(self._holds(each) for each in operands)
            case "not":
                return not self._holds(operands)
            case "equals":
                one, other = evaluated(operands, self)
                return bool(one == other)
            case "greater":
                one, other = evaluated(operands, self)
                return bool(one > other)
            case _:
                raise NotImplementedError(operator)
