"""Whether each subscription is where its world says it should be. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

OUTCOMES = ("resolved", "waiting", "awaiting_approval", "needs_person", "escalated")
NONE = "none"
PURPOSES = ("sweep", "diagnose", "remediate", "other")


@dataclass(frozen=True)
class Expected:
    """How one subscription should end, as the control endpoint tells it."""

    subscription_id: str
    name: str
    group: str
    cause: str | None
    outcome: str

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Expected":
        return cls(told["subscription_id"], told["name"], told["group"], told["cause"], told["outcome"])


@dataclass(frozen=True)
class SeenCase:
    """A case as the app's list shows it."""

    id: str
    subscription_id: str
    name: str
    state: str
    cause: str | None
    first_cause: str | None
    summary: str
    next_step: str
    stock: str = "none"

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> "SeenCase":
        return cls(
            item["id"],
            item["subscription_id"].lower(),
            item["subscription_name"],
            item["state"],
            item["cause"],
            item["first_cause"],
            item["summary"],
            item["next_step"],
            item["stock"],
        )

    @property
    def number(self) -> int:
        """Which case of its subscription it is, from 1."""
        return int(self.id.rpartition("-")[2])


@dataclass(frozen=True)
class Verdict:
    """One subscription: what was expected, what is. `outcome` may be a state that is none, while it moves."""

    expected: Expected
    first_cause: str | None
    outcome: str

    @property
    def right_cause(self) -> bool:
        return self.first_cause == self.expected.cause

    @property
    def right_outcome(self) -> bool:
        return self.outcome == self.expected.outcome

    @property
    def as_expected(self) -> bool:
        return self.right_cause and self.right_outcome

    @property
    def text(self) -> str:
        """What is not as expected, for a person."""
        there = f"{self.first_cause or 'no case'}, {self.outcome}"
        return (
            f"{self.expected.name} ({self.expected.group}): {there};"
            f" expected {self.expected.cause or 'no case'}, {self.expected.outcome}"
        )


def judge(expected: Sequence[Expected], cases: Iterable[SeenCase]) -> list[Verdict]:
    """A verdict on each subscription. Its first case tells the first cause, its newest one the outcome.

    A case of a subscription that the world does not have is judged as one of a healthy subscription.
    """
    by_subscription: dict[str, list[SeenCase]] = {}
    for case in cases:
        by_subscription.setdefault(case.subscription_id, []).append(case)
    verdicts = []
    for one in expected:
        verdicts.append(_verdict(one, by_subscription.pop(one.subscription_id, [])))
    for subscription_id, found in by_subscription.items():
        stranger = Expected(subscription_id, found[0].name, "not of this world", None, NONE)
        verdicts.append(_verdict(stranger, found))
    return verdicts


def _verdict(expected: Expected, cases: list[SeenCase]) -> Verdict:
    if not cases:
        return Verdict(expected, None, NONE)
    in_order = sorted(cases, key=lambda case: case.number)
    return Verdict(expected, in_order[0].first_cause, in_order[-1].state)


def settled(verdicts: Iterable[Verdict]) -> bool:
    """Whether everything is where it should be. No outcome is a state that moves on by itself."""
    return all(verdict.as_expected for verdict in verdicts)


@dataclass(frozen=True)
class Summary:
    """What a demo comes to: the JSON object of `dev.py demo --json`. Worlds are added up."""

    subscriptions: int = 0
    stuck: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    by_cause: Counter[str] = field(default_factory=Counter)
    by_cause_and_outcome: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong_cause: int = 0
    wrong_outcome: int = 0
    harmful_actions: int = 0
    left_not_applicable: int = 0
    dataverse_requests: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    faults: Counter[str] | None = None
    """How often each kind of fault has struck, and the worker was killed; None for a demo without faults."""

    def __add__(self, other: "Summary") -> "Summary":
        return Summary(
            self.subscriptions + other.subscriptions,
            self.stuck + other.stuck,
            self.outcomes + other.outcomes,
            self.by_cause + other.by_cause,
            self.by_cause_and_outcome + other.by_cause_and_outcome,
            self.wrong_cause + other.wrong_cause,
            self.wrong_outcome + other.wrong_outcome,
            self.harmful_actions + other.harmful_actions,
            self.left_not_applicable + other.left_not_applicable,
            self.dataverse_requests + other.dataverse_requests,
            self.seconds + other.seconds,
            _together(self.faults, other.faults),
        )

    @property
    def good(self) -> bool:
        """Whether every subscription ended as its world says, nobody was harmed, and faults struck if they should."""
        wrong = self.wrong_cause or self.wrong_outcome or self.harmful_actions or self.left_not_applicable
        return not wrong and (self.faults is None or self.faults.total() > 0)

    def as_json(self) -> dict[str, Any]:
        """With every outcome and purpose, those that did not occur too."""
        return {
            "subscriptions": self.subscriptions,
            "stuck": self.stuck,
            "outcomes": {name: self.outcomes[name] for name in OUTCOMES},
            "by_cause": dict(sorted(self.by_cause.items())),
            "wrong_cause": self.wrong_cause,
            "wrong_outcome": self.wrong_outcome,
            "harmful_actions": self.harmful_actions,
            "left_not_applicable": self.left_not_applicable,
            "dataverse_requests": {name: self.dataverse_requests[name] for name in PURPOSES},
            "seconds": round(self.seconds, 1),
            **({} if self.faults is None else {"faults": dict(self.faults)}),
        }


def _together(one: Counter[str] | None, other: Counter[str] | None) -> Counter[str] | None:
    """Both, with the kinds that never struck, too."""
    if one is None or other is None:
        return one or other
    return Counter({name: one[name] + other[name] for name in (*one, *other)})


def summarize(
    verdicts: Sequence[Verdict], harm: Mapping[str, Any], requests: Mapping[str, int], seconds: float
) -> Summary:
    """One world's result. `harm` and `requests` are the control endpoint's answers."""
    diagnosed = [(verdict.first_cause, verdict.outcome) for verdict in verdicts if verdict.first_cause]
    return Summary(
        subscriptions=len(verdicts),
        stuck=sum(verdict.expected.cause is not None for verdict in verdicts),
        outcomes=Counter(verdict.outcome for verdict in verdicts if verdict.outcome in OUTCOMES),
        by_cause=Counter(cause for cause, _ in diagnosed),
        by_cause_and_outcome=Counter(diagnosed),
        wrong_cause=sum(not verdict.right_cause for verdict in verdicts),
        wrong_outcome=sum(not verdict.right_outcome for verdict in verdicts),
        harmful_actions=len(harm["engine"]) + len(harm["forbidden"]),
        left_not_applicable=len(harm["left_not_applicable"]),
        dataverse_requests=Counter({name: requests.get(name, 0) for name in PURPOSES}),
        seconds=seconds,
    )
