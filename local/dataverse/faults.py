"""Faults on demand: what networks, gateways and Dataverse do to a caller on a bad day.

A fault waits for a request (or for one part of a $batch) that it matches, and then answers in
Dataverse's place, cuts the connection, waits, or lets a callback happen right after the commit.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from local.dataverse.errors import ODataError


@dataclass(frozen=True)
class Seen:
    """What can be known of a request before it is answered. `target` is path and decoded query."""

    method: str
    target: str
    purpose: str
    row_id: str | None
    part: bool


@dataclass(frozen=True)
class Match:
    """Which requests a fault waits for: regular expressions that must be found (`method` and `purpose`: match
    all of it), a row id, and whether only whole HTTP requests (False) or only parts of a $batch (True)."""

    method: str = ".*"
    target: str = ""
    purpose: str = ".*"
    row_id: str | None = None
    part: bool | None = None

    def matches(self, seen: Seen) -> bool:
        return (
            re.fullmatch(self.method, seen.method) is not None
            and re.search(self.target, seen.target) is not None
            and re.fullmatch(self.purpose, seen.purpose) is not None
            and (self.row_id is None or self.row_id.lower() == seen.row_id)
            and (self.part is None or self.part == seen.part)
        )


@dataclass(frozen=True)
class Status:
    """An error with Dataverse's body. Code and message default to what Dataverse says with that status."""

    status: int
    code: str | None = None
    message: str | None = None
    retry_after: int | None = None

    def error(self) -> ODataError:
        code, message = _USUAL.get(self.status, ("0x80040216", "An unexpected error occurred."))
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return ODataError(self.status, self.code or code, self.message or message, headers)


@dataclass(frozen=True)
class Html:
    """A web page where JSON should be: a gateway's error page (502) or a maintenance page (200)."""

    status: int = 502


@dataclass(frozen=True)
class Empty:
    """An answer without a body."""

    status: int = 200


@dataclass(frozen=True)
class CutBefore:
    """The connection ends before anything was done."""


@dataclass(frozen=True)
class CutAfter:
    """The connection ends after the commit: the write took effect and the caller does not know."""


@dataclass(frozen=True)
class Delay:
    """The answer comes `seconds` late; nothing else changes."""

    seconds: float


@dataclass(frozen=True)
class Held:
    """Nothing is done and nothing answered until the fault is taken away: late, however fast the machine is."""


@dataclass(frozen=True)
class EndlessPages:
    """Every page has a next one, with the same rows and a higher number."""


@dataclass(frozen=True)
class TruncatedNextLink:
    """A nextLink that stops in the middle."""


@dataclass(frozen=True)
class RepeatedPage:
    """A later page that brings the first page's rows again."""


@dataclass(frozen=True)
class ShortPages:
    """Fewer rows in a page than were asked for at most, as Dataverse may: so there are more pages."""

    rows: int


@dataclass(frozen=True)
class Callback:
    """`call` runs right after the commit of a successful request, before its answer goes out."""

    call: Callable[[], object]


type Answer = (
    Status
    | Html
    | Empty
    | CutBefore
    | CutAfter
    | Delay
    | Held
    | EndlessPages
    | TruncatedNextLink
    | RepeatedPage
    | ShortPages
    | Callback
)


@dataclass(frozen=True)
class Fault:
    """`answer` for what `match` finds: not for the first `after` finds, then `times` times (None: always)."""

    answer: Answer
    match: Match = field(default_factory=Match)
    times: int | None = 1
    after: int = 0


@dataclass
class Armed:
    """A fault that waits. `fired` counts how often it struck."""

    fault: Fault
    passed: int = 0
    fired: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the fault is taken away; what it has held goes on."""

    def meets(self, seen: Seen) -> bool:
        """Whether it strikes this request; counts the finds that it lets pass."""
        spent = self.fault.times is not None and self.fired >= self.fault.times
        if spent or not self.fault.match.matches(seen):
            return False
        self.passed += 1
        return self.passed > self.fault.after


class Faults:
    """All faults that wait, in the order in which they were added."""

    def __init__(self) -> None:
        self._armed: list[Armed] = []

    def add(self, fault: Fault) -> Armed:
        """Arms a fault; the result tells how often it has struck."""
        armed = Armed(fault)
        self._armed.append(armed)
        return armed

    def remove(self, armed: Armed) -> None:
        """Disarms one fault."""
        self._armed.remove(armed)
        armed.over.set()

    def clear(self) -> None:
        """Disarms all faults."""
        for armed in self:
            self.remove(armed)

    def meeting(self, seen: Seen) -> list[Armed]:
        """The faults that strike this request. Whoever lets one happen adds to its `fired`."""
        return [armed for armed in self._armed if armed.meets(seen)]

    def __iter__(self) -> Iterator[Armed]:
        return iter(tuple(self._armed))


_KINDS: Mapping[str, type] = {
    "status": Status,
    "html": Html,
    "empty": Empty,
    "cut_before": CutBefore,
    "cut_after": CutAfter,
    "delay": Delay,
    "held": Held,
    "endless_pages": EndlessPages,
    "truncated_next_link": TruncatedNextLink,
    "repeated_page": RepeatedPage,
    "short_pages": ShortPages,
}


def fault_from_json(document: Mapping[str, Any]) -> Fault:
    """A fault from JSON, as the control endpoint takes it (all but callbacks).

    `{"answer": {"kind": "status", "status": 429, "retry_after": 7}, "match": {"purpose": "sweep"}, "times": 1}`.
    Raises ValueError that names what is wrong.
    """
    answer = document.get("answer")
    if not isinstance(answer, dict) or answer.get("kind") not in _KINDS:
        raise ValueError(f"a fault needs an answer with a kind, one of {', '.join(_KINDS)}")
    match = _checked(Match, document.get("match", {}), "match")
    for pattern in (match.method, match.target, match.purpose):
        try:
            re.compile(pattern)
        except re.PatternError as error:
            raise ValueError(f"match: {pattern!r} is no regular expression: {error}") from error
    kind = _KINDS[answer["kind"]]
    values = {key: value for key, value in answer.items() if key != "kind"}
    rest = {key: value for key, value in document.items() if key not in ("answer", "match")}
    return _checked(Fault, {**rest, "answer": _checked(kind, values, "answer"), "match": match}, "fault")


def _checked[T](kind: type[T], values: Any, what: str) -> T:
    """An object of a dataclass, with each value's type looked at. ValueError for what does not fit."""
    if not isinstance(values, dict):
        raise ValueError(f"{what} must be an object")  # noqa: TRY004  (one kind of error for bad JSON)
    hints = get_type_hints(kind)
    for key, value in values.items():
        if key not in hints:
            raise ValueError(f"{what} has no {key!r}; it has {', '.join(hints) or 'nothing'}")
        if what != "fault" or key not in ("answer", "match"):
            wanted = int | float if hints[key] is float else hints[key]
            if not isinstance(value, wanted):
                raise ValueError(f"{what}: {key} cannot be {value!r}")
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{what}: {error}") from error


# What Dataverse usually says with a status (code, message).
_USUAL: Mapping[int, tuple[str, str]] = {
    400: ("0x80040203", "Invalid argument."),
    401: ("0x8005F101", "The access token has expired."),
    403: ("0x80040220", "Principal user is missing a privilege."),
    404: ("0x80040217", "The requested row Does Not Exist"),
    412: (
        "0x80060882",
        "The version of the existing record doesn't match the RowVersion property provided.",
    ),
    429: ("0x80072322", "Number of requests exceeded the limit of 6000 over time window of 300 seconds."),
    500: ("0x80040216", "An unexpected error occurred."),
    503: ("0x8004a104", "The organization is disabled."),
}
