"""How an invocation ended. Callers match on it; nothing is raised across this boundary."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

type Datum = dict[str, Any]
"""A value on its way to or from the worker: {"type": "string" | "json" | "bytes" | "http" | ..., "value": ...}."""


@dataclass(frozen=True)
class Succeeded:
    """The handler returned, and what it put into its output bindings was written."""

    returned: Datum | None
    outputs: Sequence[tuple[str, Datum]]


@dataclass(frozen=True)
class Failed:
    """The handler raised, ran too long, or one of its outputs could not be written."""

    error: str


@dataclass(frozen=True)
class Lost:
    """Nobody knows what the handler did: its worker died before it answered."""

    reason: str


type Outcome = Succeeded | Failed | Lost
