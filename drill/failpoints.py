"""Failpoints: every step at which a worker can die while stuck changes are freed, each died at once.

A step is one call of a port, numbered in the order in which an undisturbed play makes them, from the first sweep to
the case that is resolved. A worker can die before a call is made, after it took effect and before its answer is heard,
or with a write on its way that arrives later. Its queue message comes back, or is lost as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain.case import State
from shared.domain.evidence import ProvisioningStatus
from shared.domain.policy import Mode
from tests.model.play import EVERYTHING, Kind, Play, Story
from tests.model.promises import Promise, Violation
from tests.model.stage import DEATHS, FATES, Call, Fate, Worker


@dataclass(frozen=True, slots=True)
class Failpoint:
    """One death of one worker."""

    kind: Kind
    step: int
    doing: str
    call: Call
    death: Fate
    message_comes_back: bool

    def __str__(self) -> str:
        message = "comes back" if self.message_comes_back else "is lost"
        what = f"{self.doing}, {self.call.name.lower()}, {self.death.name.lower()}"
        return f"{self.kind.name.lower()}, step {self.step} ({what}), its message {message}"


@dataclass(frozen=True, slots=True)
class Step:
    """What a worker was about to do."""

    doing: str
    call: Call


class Journey(Play):
    """Frees what a kind of story begins with, and has a worker die on the way."""

    def __init__(self, kind: Kind, failpoint: Failpoint | None = None) -> None:
        super().__init__(EVERYTHING)
        self.kind = kind
        self.failpoint = failpoint
        self.steps: list[Step] = []

    def travel(self) -> None:
        """Raises Violation when a promise is broken on the way or at the end."""
        self.run(Story((self.kind,), Mode.AUTO, active=False, begun=0, acts=()))

    @property
    def arrived(self) -> bool:
        """Whether each change is provisioned and was ordered once, and its case is resolved."""
        changes = [c for c in self.town.changes() if c.id in self.keeper.ordered or c.id in self.keeper.touched]
        freed = all(c.status is ProvisioningStatus.PROVISIONED for c in changes) and bool(changes)
        once = all(count == 1 for count in self.keeper.ordered.values())
        return freed and once and all(state is State.RESOLVED for state in self._states().values())

    def _open(self, worker: Worker, fate: Fate) -> None:
        here = len(self.steps)
        self.steps.append(Step(worker.doing, worker.next_call))
        planned = self.failpoint
        super()._open(worker, planned.death if planned is not None and planned.step == here else fate)

    def _drain(self) -> None:
        """Every message, where that of a dead worker comes back; or what is lost stays lost until a timer finds it."""
        if self.failpoint is None or not self.failpoint.message_comes_back:
            return super()._drain()
        for _ in range(100):
            if not self.town.queues.waiting:
                return None
            self._advance(self._deliver(self.town.queues.waiting.popleft()), 1_000)
        raise Violation(Promise.ENDS, "the queues never run dry")

    def _on_to_what_is_due(self) -> None:
        """What a dead worker had sent arrives before anybody looks again: Dataverse takes two minutes at most."""
        self.town.work365.deliver_late()
        super()._on_to_what_is_due()


def failpoints(kind: Kind) -> Iterator[Failpoint]:
    """All of them on the way of this kind, the same ones every time."""
    undisturbed = Journey(kind)
    undisturbed.travel()
    if not undisturbed.arrived:
        raise AssertionError(f"{kind} does not end well even when nobody dies")
    for number, step in enumerate(undisturbed.steps):
        for death in (fate for fate in FATES[step.call] if fate in DEATHS):
            for comes_back in (True, False):
                yield Failpoint(kind, number, step.doing, step.call, death, comes_back)


def trouble(failpoint: Failpoint) -> str | None:
    """What does not end well after this death; None when it is survived."""
    journey = Journey(failpoint.kind, failpoint)
    try:
        journey.travel()
    except Violation as violation:
        return f"{failpoint}: {violation}"
    if not journey.arrived:
        states = ", ".join(journey._states().values())
        return f"{failpoint}: it ends {states}"
    return None
