"""What goes wrong while the demo runs with --faults, at moments and in an order that a seed decides."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

_SHORTEST, _LONGEST = 0.05, 1.0
_OURS = r"/(cases|caseindex|\$batch|budgets|breakers|pauses|holds)"
_READS, _WRITES = {"purpose": "sweep|diagnose"}, {"method": "PATCH", "part": True}
# Only of sweeps: evidence of which a page makes no sense has another cause (unknown) until it was read once more.
_SWEEP, _PAGE_TWO = {"purpose": "sweep"}, {"purpose": "sweep", "target": "skiptoken"}


class Where(Enum):
    """In which worlds a fault is thrown.

    A change of which our first write got no answer, and which a plug-in has saved after it, looks as if a person had
    edited it, and is left to one. So in one world plug-ins save in between, and in another answers get lost.
    """

    ANYWHERE = auto()
    PLUG_INS = auto()
    LOST_ANSWERS = auto()


@dataclass(frozen=True)
class Kind:
    """One kind of fault: what it is called, what the control endpoint is told, and how often it is thrown.

    Each write that fails makes the app wait longer before it tries again, so those come once.
    """

    name: str
    told: Mapping[str, Any]
    often: int = 3
    where: Where = Where.ANYWHERE


def _dataverse(name: str, answer: Mapping[str, Any], match: Mapping[str, Any], *more: Any) -> Kind:
    return Kind(name, {"target": "dataverse", "answer": answer, "match": match}, *more)


def _storage(name: str, kind: str, method: str = ".*") -> Kind:
    return Kind(name, {"target": "storage", "kind": kind, "method": method, "path": _OURS})


def _partner_center(name: str, kind: str) -> Kind:
    return Kind(name, {"target": "partner_center", "kind": kind, "retry_after": 1, "times": 1})


_BUSY = {"kind": "status", "status": 429, "retry_after": 1}

KINDS: Sequence[Kind] = (
    _dataverse("429 to a read", _BUSY, _READS),
    _dataverse("429 to a write", _BUSY, _WRITES, 1),
    _dataverse("5xx to a read", {"kind": "status", "status": 500}, _READS),
    _dataverse("a gateway's web page", {"kind": "html", "status": 502}, _READS),
    _dataverse("page that fails", {"kind": "status", "status": 503}, _PAGE_TWO),
    _dataverse("page with a broken link", {"kind": "truncated_next_link"}, _SWEEP),
    _dataverse("page that comes twice", {"kind": "repeated_page"}, _PAGE_TWO),
    _dataverse("write lost before its effect", {"kind": "cut_before"}, _WRITES, 1, Where.LOST_ANSWERS),
    _dataverse("write lost after its effect", {"kind": "cut_after"}, _WRITES, 1, Where.LOST_ANSWERS),
    Kind("change saved by a plug-in (412)", {"target": "plug_in"}, 3, Where.PLUG_INS),
    _storage("storage busy", "throttled"),
    _storage("storage failing", "server_error"),
    _storage("storage: not done, no answer", "cut_before", "POST|PUT"),
    _storage("storage: done, no answer", "cut_after", "POST|PUT"),
    _partner_center("Partner Center busy", "throttled"),
    _partner_center("Partner Center failing", "server_error"),
    _partner_center("Partner Center hanging up", "hang_up"),
)
NAMES = tuple(kind.name for kind in KINDS)


class Faults:
    """Throws each kind a few times. `throw` arms one; a fault that finds nothing to strike strikes nothing.

    `stuck` is how many subscriptions are, so that there are some pages of them.
    """

    def __init__(
        self, seed: int, where: Where, stuck: int, throw: Callable[[Mapping[str, Any]], None], now: float
    ) -> None:
        self._random = random.Random(seed)  # noqa: S311  for a rehearsal, not for secrets
        self._throw = throw
        kinds = [kind for kind in KINDS if kind.where in (Where.ANYWHERE, where)]
        # Each once in the beginning, when there is most to go wrong, and then in any order.
        first, rest = list(kinds), [kind for kind in kinds for _ in range(kind.often - 1)]
        self._random.shuffle(first)
        self._random.shuffle(rest)
        self._to_come = [*first, *rest]
        self._next = now
        # No trouble in itself, and all the time: else there would be no second page that can fail.
        short = {"kind": "short_pages", "rows": max(1, stuck // 3)}
        throw({"target": "dataverse", "answer": short, "match": _SWEEP, "times": None})

    @property
    def is_over(self) -> bool:
        """Whether all were thrown."""
        return not self._to_come

    def play(self, now: float) -> None:
        """To be called often: throws what is due."""
        while self._to_come and now >= self._next:
            kind = self._to_come.pop(0)
            self._throw({**kind.told, "name": kind.name})
            self._next += self._random.uniform(_SHORTEST, _LONGEST)
