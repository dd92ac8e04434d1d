"""What a run of generated requests has sent, what came back, and what was wrong with it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.domain.role import Role


@dataclass
class Wrong:
    """Something that is wrong with answers: the first request that had one, and how many had."""

    curl: str
    answer: str
    times: int


@dataclass
class Report:
    """What was sent and what came back."""

    seed: int
    answers: Counter[tuple[str, Role, int]] = field(default_factory=Counter)
    wrong: dict[str, Wrong] = field(default_factory=dict)
    told: int = 0
    """Refused requests of which it could be told that they wrote nothing."""

    @property
    def sent(self) -> int:
        return self.answers.total()

    @property
    def pairs(self) -> int:
        """Operations times roles that were asked."""
        return len({(operation, role) for operation, role, _ in self.answers})

    @property
    def done(self) -> set[str]:
        """Operations that were carried out."""
        return {operation for operation, _, status in self.answers if status < 300}

    def note(self, what: str, curl: str, answer: str) -> None:
        """Something is wrong, once more; the first request that shows it is kept."""
        wrong = self.wrong.setdefault(what, Wrong(curl, answer, 0))
        wrong.times += 1

    def lines(self) -> Iterator[str]:
        """For people, at the end of a run."""
        operations = sorted({operation for operation, _, _ in self.answers})
        roles = len({role for _, role, _ in self.answers})
        yield f"{self.sent:,} requests, seed {self.seed}: {self._statuses(self.answers)}"
        yield f"{len(operations)} routes x {roles} roles: {self.pairs} pairs asked"
        yield f"{self.told:,} refused requests were watched, of which none may have written anything"
        for name in operations:
            mine = Counter({each: count for each, count in self.answers.items() if each[0] == name})
            yield f"  {name:<18}{mine.total():>6}  {self._statuses(mine)}"

    def complaints(self) -> Iterator[str]:
        """What is wrong, each with the first request that showed it."""
        for what, wrong in self.wrong.items():
            yield f"{wrong.times}x {what}\n  {wrong.curl}\n  {wrong.answer}"

    @staticmethod
    def _statuses(answers: Counter[tuple[str, Role, int]]) -> str:
        classes = Counter[str]()
        for (_, _, status), count in answers.items():
            classes[f"{status // 100}xx"] += count
        return ", ".join(f"{name} {count:,}" for name, count in sorted(classes.items()))
