"""What has changed between two looks at the cases, told in a sentence each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.demo.judging import SeenCase

# The states that are told of, with a mark and a word; the others are steps on the way.
TOLD: Mapping[str, tuple[str, str]] = {
    "ready": ("•", "found"),
    "resolved": ("✔", "freed"),
    "waiting": ("◷", "waits"),
    "awaiting_approval": ("?", "asks for a yes"),
    "needs_person": ("☞", "needs a person"),
    "escalated": ("▲", "gave up"),
}


@dataclass(frozen=True)
class News:
    """One thing that happened to one case."""

    state: str
    name: str
    cause: str
    sentence: str

    @property
    def mark(self) -> str:
        return TOLD[self.state][0]

    @property
    def word(self) -> str:
        return TOLD[self.state][1]


def whats_new(before: Mapping[str, SeenCase], now: Mapping[str, SeenCase]) -> list[News]:
    """News of cases by id that have come to a state that is told of, in the order of `now`."""
    found = []
    for id, case in now.items():
        earlier = before.get(id)
        if case.state in TOLD and (earlier is None or earlier.state != case.state):
            found.append(News(case.state, case.name, case.first_cause or case.cause or "", _sentence(case)))
    return found


def _sentence(case: SeenCase) -> str:
    if case.state in ("needs_person", "awaiting_approval") and case.next_step:
        return f"{case.summary} {case.next_step}"
    return case.summary


def by_kind(news: list[News]) -> list[tuple[News, int]]:
    """One of each state and cause, with how many there are: for where every one would be too many."""
    counted: dict[tuple[str, str], tuple[News, int]] = {}
    for one in news:
        first, count = counted.get((one.state, one.cause), (one, 0))
        counted[one.state, one.cause] = (first, count + 1)
    return list(counted.values())
