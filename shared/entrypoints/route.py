"""What a route is: everything that is known of it, declared once. Registered, described and tested from that."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from shared.domain.role import Role
from shared.entrypoints.callers import Caller
from shared.entrypoints.exchange import Answer, Reply
from shared.ports import IdempotencyKeys, Operations
from shared.settings import Settings
from shared.workflow.context import Context

LONGEST_BODY = 64 * 1024
"""Bytes of a request, where a route does not say otherwise."""


class Taken(BaseModel):
    """A body or query that comes in: unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Taken):
    """No fields."""


class Services(Protocol):
    """What handlers work with: built once per process by shared.bootstrap, and of fakes in tests."""

    @property
    def settings(self) -> Settings:
        """Raises SettingsError."""
        ...

    async def context(self) -> Context:
        """Raises SettingsError."""
        ...

    def idempotency_keys(self) -> IdempotencyKeys:
        """Raises SettingsError."""
        ...

    def operations(self) -> Operations:
        """Raises SettingsError."""
        ...

    @property
    def patience_seconds(self) -> float:
        """How long a request may take before its work is handed to the queue."""
        ...


@dataclass(frozen=True, slots=True)
class Ask[B: BaseModel, Q: BaseModel]:
    """One request that was let in and whose parts make sense."""

    caller: Caller
    body: B
    query: Q
    path: Mapping[str, str]
    services: Services
    if_match: str | None = None
    """The version that the caller has seen, as `ETag` gave it; None: whichever there is."""
    base: str = ""
    """Scheme, host and route prefix that the caller used, without a slash at the end."""

    async def context(self) -> Context:
        """Raises SettingsError."""
        return await self.services.context()


type Handler[B: BaseModel, Q: BaseModel] = Callable[[Ask[B, Q]], Awaitable[Reply | Answer]]


@dataclass(frozen=True, kw_only=True)
class Route[B: BaseModel, Q: BaseModel]:
    """One operation of the HTTP API."""

    operation: str
    """PascalCase; what flows know it by. Never renamed: flows would break."""
    method: str
    path: str
    """Below `/api`, with `{parameters}` of shared/entrypoints/parameters.py."""
    role: Role | None
    """Who may ask; None: anybody, without signing in."""
    summary: str
    """Title of the action in a flow: sentence case, no full stop."""
    description: str
    """One or two sentences that end with a full stop; not the summary again."""
    handler: Handler[B, Q]
    body: type[B] = Nothing  # type: ignore[assignment]
    query: type[Q] = Nothing  # type: ignore[assignment]
    answers: Mapping[int, type[BaseModel]] = field(default_factory=dict)
    """Model by status of success, the usual one first."""
    example: str = "{}"
    """A body that works, as JSON: for people, and for what is said about one that does not."""
    bare: bool = False
    """Whether the body may be left out."""
    acts: bool = False
    """Whether it changes something: then it takes an Idempotency-Key."""
    long: bool = False
    """Whether it may take longer than a request may: then the queue does it, and the answer is a 202."""
    if_match: bool = False
    """Whether it honours If-Match."""
    longest: int = LONGEST_BODY
    """Bytes of a body."""
    calls: type[BaseModel] | None = None
    """What a flow is called with that this lets subscribe: then it is a trigger, and `Location` ends it."""
    tag: str = "Cases"
    visibility: str = ""
    """`important` and `advanced` sort an action in a flow's picker, `internal` hides it."""

    @property
    def takes_body(self) -> bool:
        """Whether it reads a body at all."""
        return self.method in ("POST", "PUT", "PATCH")

    @property
    def function(self) -> str:
        """The name of its Azure function, which no timer or queue has: the operation in snake case."""
        return "http" + "".join(f"_{c.lower()}" if c.isupper() else c for c in self.operation)


type AnyRoute = Route[Any, Any]
