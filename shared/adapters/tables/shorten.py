"""Makes a case's long parts fit their columns. What is cut says so, where it was cut and how much there was.

Texts of Dataverse can be a megabyte long, and a diagnosis holds many of them. Cutting one changes no decision:
a plan's digest is taken before, and the next look reads Dataverse again.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared.adapters.tables.columns import COLUMN_UNITS, as_json, cut, units
from shared.adapters.text import well_formed
from shared.domain.diagnosis import Diagnosis
from shared.domain.finding import Fact
from shared.errors import Refused

_STEPS = ((16_000, 1_000), (2_000, 200), (400, 40), (120, 5), (80, 2))
"""Longest text (UTF-16 units) and most facts for and against a finding; the first that fits is taken."""


def fitting(name: str, columns: int, render: Callable[[int], Any]) -> str:
    """JSON of what `render(most items)` gives, as short as it must be for so many columns.

    Raises Refused when even the shortest does not fit: nothing is saved rather than something lost.
    """
    text = ""
    for longest, most in _STEPS:
        text = as_json(_cut_all(render(most), longest))
        if units(text) <= columns * COLUMN_UNITS:
            return text
    problem = f"its {name} has {units(text):,} characters, {columns * COLUMN_UNITS:,} fit"
    raise Refused("storage", f"The case is too large to be saved: {problem}.")


def with_fewer_facts(diagnosis: Diagnosis, most: int) -> Diagnosis:
    """The diagnosis with at most `most` facts for and against each finding, and a fact that counts the rest."""
    findings = tuple(
        replace(finding, proof=_first(finding.proof, most), against=_first(finding.against, most))
        for finding in diagnosis.findings
    )
    return replace(diagnosis, findings=findings)


def _first(facts: tuple[Fact, ...], most: int) -> tuple[Fact, ...]:
    if len(facts) <= most:
        return facts
    rest = Fact("further facts", f"{len(facts) - most:,} more, not kept for want of space", "", facts[-1].read_on)
    return (*facts[:most], rest)


def _cut_all(value: Any, longest: int) -> Any:
    """Every text in a tree of JSON, cut and made fit to be sent."""
    match value:
        case str():
            return well_formed(cut(value, longest))
        case list() | tuple():
            return [_cut_all(item, longest) for item in value]
        case dict():
            return {key: _cut_all(item, longest) for key, item in value.items()}
        case _:
            return value
