"""What the worker says about the functions of an app, as the host reads it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from local.functions_host.errors import CannotStart

HTTP_TRIGGER, QUEUE_TRIGGER, TIMER_TRIGGER = "httptrigger", "queuetrigger", "timertrigger"
_TRIGGERS = {HTTP_TRIGGER, QUEUE_TRIGGER, TIMER_TRIGGER}
_OUTPUTS = {"http", "queue"}
STORAGE = "AzureWebJobsStorage"


class IndexedFunction(Protocol):
    """A function of the SDK, as `FunctionApp.get_functions()` lists it."""

    def get_function_name(self) -> str | None: ...
    def get_raw_bindings(self) -> list[str]: ...
    def get_settings_dict(self, setting_name: str) -> Any: ...


@dataclass(frozen=True)
class Binding:
    """One binding, from the line of function.json that the SDK makes for it."""

    name: str
    kind: str
    """Its type in lower case: httptrigger, queuetrigger, timertrigger, queue, http."""
    properties: Mapping[str, Any]

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        return cls(raw["name"], raw["type"].lower(), raw)

    def text(self, key: str, default: str = "") -> str:
        return str(self.properties.get(key) or default)

    @property
    def connection(self) -> str:
        return self.text("connection", STORAGE)


@dataclass(frozen=True)
class Function:
    """One function of the app."""

    name: str
    function_id: str
    bindings: tuple[Binding, ...]
    has_retry: bool = False

    @classmethod
    def read(cls, described: Mapping[str, Any]) -> Self:
        bindings = tuple(Binding.read(raw) for raw in described["bindings"])
        return cls(described["name"], described["function_id"], bindings, described["has_retry"])

    @classmethod
    def from_sdk(cls, indexed: IndexedFunction) -> Self:
        """A function that was indexed in this process; it can be looked at, not run."""
        bindings = tuple(Binding.read(json.loads(raw)) for raw in indexed.get_raw_bindings())
        return cls(indexed.get_function_name() or "", "", bindings, bool(indexed.get_settings_dict("retry_policy")))

    @property
    def trigger(self) -> Binding:
        return next(binding for binding in self.bindings if binding.kind.endswith("trigger"))

    @property
    def outputs(self) -> Iterator[Binding]:
        return (binding for binding in self.bindings if not binding.kind.endswith("trigger"))

    @property
    def route(self) -> str:
        """The route of an HTTP function without the prefix; an empty one means its name."""
        return self.trigger.text("route").strip("/") or self.name

    @property
    def methods(self) -> frozenset[str]:
        """The methods an HTTP function answers; empty means all of them."""
        return frozenset(method.upper() for method in self.trigger.properties.get("methods") or ())

    @property
    def auth_level(self) -> str:
        return self.trigger.text("authLevel", "function").lower()


def require_known(functions: list[Function]) -> None:
    """Refuse an app that uses a binding which this host leaves out: half an app would mislead."""
    for function in functions:
        for binding in function.bindings:
            if binding.kind not in _TRIGGERS | _OUTPUTS:
                raise CannotStart(f"{function.name}: the local host has no {binding.properties['type']} binding")
