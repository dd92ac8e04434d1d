"""Diagnoses the corpus and counts: right, wrong, harmful; and the confusion table that the test run prints."""

import hashlib
import io
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from shared.domain.causes import CAUSES
from shared.domain.diagnosis import Diagnosis, diagnose
from shared.domain.finding import Disposition
from tests.corpus.all_cases import CASES
from tests.corpus.case import Case

_JSON = TypeAdapter(Diagnosis)


@dataclass(frozen=True)
class Result:
    """A case and what the diagnosis of it says."""

    case: Case
    said: Diagnosis

    @property
    def diagnosed(self) -> str:
        return self.said.cause or "healthy"

    @property
    def right(self) -> bool:
        """The cause that comes first is the one that must be solved first."""
        return self.said.cause in self.case.causes if self.case.causes else self.said.healthy

    @property
    def harmful(self) -> bool:
        """It would be retriggered without asking where a person, a yes or a date is needed."""
        return self.said.disposition is Disposition.AUTO and Disposition.AUTO not in self.case.allowed

    @cached_property
    def complaints(self) -> list[str]:
        """Everything about it that is not as labelled, in words."""
        found = {finding.cause for finding in self.said.findings}
        told = []
        if not self.right:
            told.append(f"first is {self.diagnosed}, not {' or '.join(self.case.causes) or 'healthy'}")
        if self.case.causes and self.said.disposition not in self.case.allowed:
            told.append(f"{self.said.disposition} is not {' or '.join(sorted(self.case.allowed))}")
        told += [f"{name} is missing among the findings" for name in sorted(self.case.also - found)]
        told += [f"{name} must not be among the findings" for name in sorted(self.case.never & found)]
        first = self.said.first
        # As instants: a wall clock's time that does not exist, or comes twice, equals none of another zone.
        if self.case.until is not None and _instant(first.until if first else None) != self.case.until.timestamp():
            told.append(f"waits until {first.until if first else None}, not {self.case.until}")
        if self.case.waits_for is not None and (first is None or first.waits_for != self.case.waits_for):
            told.append(f"waits for {first.waits_for if first else None}, not {self.case.waits_for}")
        return told

    def __str__(self) -> str:
        says = [f"{f.cause}/{f.disposition}{'/cured' if f.cured else ''}" for f in self.said.findings]
        return (
            f"{self.case.id}: {'; '.join(self.complaints)}\n    ({self.case.why}; found {', '.join(says) or 'nothing'})"
        )


def _instant(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def diagnose_all(cases: Sequence[Case] = CASES) -> list[Result]:
    """Every case anew: a look keeps what it has worked out, and nothing of an earlier run may help."""
    return [Result(case, diagnose(replace(case.seen))) for case in cases]


def as_bytes(results: Sequence[Result]) -> bytes:
    """All diagnoses as they would be stored."""
    return b"\n".join(_JSON.dump_json(result.said) for result in results)


def summary(results: Sequence[Result]) -> str:
    """The confusion table: each cause with its cases, and each confusion on a line of its own."""
    console = Console(file=io.StringIO(), width=100, color_system=None)
    totals = Table("cause", "cases", "near misses", "right", "wrong", title="Corpus: the cause that comes first")
    for name in [*CAUSES, "healthy"]:
        mine = [result for result in results if result.case.expected == name]
        right = sum(result.right for result in mine)
        near = sum(name in result.case.never for result in results)
        totals.add_row(name, str(len(mine)), str(near), str(right), str(len(mine) - right) if right < len(mine) else "")
    right, harmful = sum(r.right for r in results), sum(r.harmful for r in results)
    totals.add_section()
    totals.add_row("all", str(len(results)), "", str(right), str(len(results) - right))
    console.print(totals)
    confusions = Counter((r.case.expected, r.diagnosed) for r in results if not r.right)
    if confusions:
        wrong = Table("expected", "diagnosed", "cases", title="Confusions")
        for (expected, diagnosed), number in sorted(confusions.items()):
            wrong.add_row(expected, diagnosed, str(number))
        console.print(wrong)
    file = console.file
    assert isinstance(file, io.StringIO)
    percent = 100 * right / len(results)
    return f"{file.getvalue()}{len(results)} cases, {percent:.2f} % right first, {harmful} harmful dispositions"


if __name__ == "__main__":
    everything = diagnose_all()
    if "--digest" in sys.argv:
        print(hashlib.sha256(as_bytes(everything)).hexdigest())
    else:
        print(*(result for result in everything if result.complaints), summary(everything), sep="\n")
