"""What is to be shown at one moment of a demo: plain values that a screen draws."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from local.demo.judging import SeenCase, Verdict
from local.demo.news import News

_LATEST = 200

# The columns of the tables: state of a case -> heading.
COLUMNS: Mapping[str, str] = {
    "moving": "at work",
    "resolved": "freed",
    "waiting": "waits",
    "awaiting_approval": "asks",
    "needs_person": "person",
    "escalated": "gave up",
}


@dataclass
class Board:
    """The state of the show."""

    title: str
    phase: str = ""
    subscriptions: int = 0
    stuck: int = 0
    as_expected: int = 0
    kills: int = 0
    faults: int = 0
    """How often something went wrong that was thrown on purpose."""
    requests: Mapping[str, int] = field(default_factory=dict)
    table: dict[str, Counter[str]] = field(default_factory=dict)
    latest: deque[News] = field(default_factory=lambda: deque(maxlen=_LATEST))

    def update(self, cases: Iterable[SeenCase], verdicts: Iterable[Verdict]) -> None:
        """Takes over how things are now."""
        self.table = {}
        for case in cases:
            cause = case.first_cause or "not diagnosed yet"
            column = case.state if case.state in COLUMNS else "moving"
            self.table.setdefault(cause, Counter())[column] += 1
        self.as_expected = sum(v.as_expected and v.expected.cause is not None for v in verdicts)

    @property
    def totals(self) -> Counter[str]:
        """All causes together."""
        return sum(self.table.values(), Counter())
