"""One case's reasoning as the demo shows it: what was checked, what was ruled out and why, what remains. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.demo.judging import SeenCase

_WORTH_READING = ("awaiting_approval", "needs_person")
"""Cases that people are shown with their reasoning; one of each is an example."""
_RULED_OUT = "Ruled out "


@dataclass(frozen=True)
class Reasoning:
    """Why a case is what it is, in the app's own words."""

    name: str
    cause: str
    state: str
    checked: tuple[str, ...]
    ruled_out: tuple[str, ...]
    remains: tuple[str, ...]
    next_step: str

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Reasoning":
        """From the app's answer about one case."""
        proof = (fact for finding in told["findings"] for fact in (*finding["proof"], *finding["against"]))
        reasons: list[str] = told["reasoning"]
        return cls(
            told["subscription_name"],
            told["cause"] or "",
            told["state"],
            tuple(dict.fromkeys(_one_line(f"{fact['what']}: {fact['value']}") for fact in proof)),
            tuple(reason.removeprefix(_RULED_OUT) for reason in reasons if reason.startswith(_RULED_OUT)),
            tuple(reason for reason in reasons if not reason.startswith(_RULED_OUT)),
            told["next_step"],
        )


def examples(cases: Iterable[SeenCase]) -> list[SeenCase]:
    """One case of each kind that people are asked about: the one about which most is to be said."""
    open_cases = sorted(cases, key=lambda case: (-len(case.summary), case.id))
    found = (next((case for case in open_cases if case.state == state), None) for state in _WORTH_READING)
    return [case for case in found if case is not None]


def shortened(lines: Sequence[str], most: int) -> list[str]:
    """The first of them, and how many more there are."""
    if len(lines) <= most:
        return list(lines)
    return [*lines[: most - 1], f"and {len(lines) - most + 1} more"]


def _one_line(text: str) -> str:
    return " ".join(text.split())
