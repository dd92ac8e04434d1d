"""How long diagnosing takes, measured against decoding the same evidence from JSON: a ratio means the same anywhere.

The load is the labelled corpus of the tests, over and over: every kind of trouble, hardly any healthy subscription, so
harder than a real environment. Both are timed in one run, in turns, and the best round of each counts.
"""

import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from itertools import cycle, islice

from pydantic import TypeAdapter

from shared.domain.diagnosis import diagnose
from shared.domain.evidence import Evidence
from shared.domain.look import Look
from tests.corpus.all_cases import CASES

SUBSCRIPTIONS = 5_000
TARGET = 10.0
"""Diagnosing may take this many times what decoding takes."""
ROUNDS = 3
_LONGEST = 100_000
"""Bytes of evidence beyond which a case is left out: one text of a megabyte would be all that is measured."""

_EVIDENCE: TypeAdapter[Evidence] = TypeAdapter(Evidence)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run has measured."""

    subscriptions: int
    evidence_bytes: int
    decode_seconds: float
    diagnose_seconds: float
    ratio: float
    target: float

    @property
    def good(self) -> bool:
        return self.ratio <= self.target

    def __str__(self) -> str:
        return (
            f"diagnosing {self.subscriptions:,} subscriptions takes {self.diagnose_seconds:.2f} s, decoding their "
            f"evidence ({self.evidence_bytes / 1e6:.1f} MB) {self.decode_seconds:.2f} s: "
            f"{self.ratio:.2f} times as long (target: at most {self.target:g})"
        )

    def as_json(self) -> dict[str, float]:
        return asdict(self)


def measure(subscriptions: int = SUBSCRIPTIONS, rounds: int = ROUNDS) -> Measured:
    """Times both, `rounds` times in turns."""
    looks = list(islice(cycle(_looks()), subscriptions))
    rows = [_EVIDENCE.dump_json(look.evidence) for look in looks]
    decode, judge = [], []
    for _ in range(rounds):
        decode.append(_timed(lambda: _run(_EVIDENCE.validate_json, rows)))
        # A look keeps what it has worked out, so every round gets new ones.
        fresh = [replace(look) for look in looks]
        judge.append(_timed(lambda fresh=fresh: _run(diagnose, fresh)))  # type: ignore[misc]
    best = min(judge) / min(decode)
    return Measured(subscriptions, sum(map(len, rows)), min(decode), min(judge), round(best, 3), TARGET)


def _looks() -> list[Look]:
    return [case.seen for case in CASES if len(_EVIDENCE.dump_json(case.seen.evidence)) <= _LONGEST]


def _run[Given](work: Callable[[Given], object], rows: Iterable[Given]) -> None:
    for row in rows:
        work(row)


def _timed(work: Callable[[], None]) -> float:
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
