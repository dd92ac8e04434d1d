"""A stage on which the real workflow is played, one port call at a time, in an order that the test chooses.

Every call of a port waits at a gate until the test opens it and says how the call ends: well, with an error, done
with its answer lost, done later, or with the death of the worker. So a crash, a second worker, a person or Work 365
can get in between any two effects. Nothing here depends on real time: the same choices give the same play.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextvars import Context as Variables
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum, auto
from typing import Any

from shared.domain.case import Recorded
from shared.domain.evidence import Change, ProviderReading
from shared.errors import OutcomeUnknown, SourceError, Throttled, Unreachable
from shared.ports import Due, EvidenceRead, News, RowWrite, StatusWrite, Stored, Suspects, SweepReceipt, WriteResult
from tests.fakes.case_store import FakeCaseStore
from tests.fakes.clock import ManualClock
from tests.fakes.notifier import FakeNotifier
from tests.fakes.provider import FakeProvider
from tests.fakes.queues import FakeQueues
from tests.fakes.work365 import FakeWork365
from tests.workflow_kit import Crash, Town


class Call(Enum):
    """What a worker is about to do."""

    LOAD = auto()
    READ = auto()
    ASK_PROVIDER = auto()
    SAVE = auto()
    WRITE = auto()
    RUN_JOBS = auto()
    SEND = auto()
    TELL = auto()


class Fate(Enum):
    """How a call ends."""

    WELL = auto()
    FAILS = auto()
    """Nothing is done, and the worker is told so."""
    UNANSWERED = auto()
    """Nothing is done, and no answer comes."""
    DONE_UNANSWERED = auto()
    """It is done, and no answer comes."""
    LATE = auto()
    """No answer comes, and it is done later."""
    REFUSED = auto()
    PUT_OFF = auto()
    """Throttled: not executed for now."""
    DIES = auto()
    """The worker dies before it is done."""
    DIES_AFTER = auto()
    """The worker dies after it is done, before it hears of it."""
    DIES_LATE = auto()
    """The worker dies, and what it had sent is done later."""


DEATHS = frozenset({Fate.DIES, Fate.DIES_AFTER, Fate.DIES_LATE})

FATES: Mapping[Call, Sequence[Fate]] = {
    Call.LOAD: (Fate.WELL, Fate.FAILS, Fate.DIES),
    Call.READ: (Fate.WELL, Fate.FAILS, Fate.DIES),
    Call.ASK_PROVIDER: (Fate.WELL, Fate.FAILS, Fate.DIES),
    Call.SAVE: (Fate.WELL, Fate.FAILS, Fate.UNANSWERED, Fate.DONE_UNANSWERED, Fate.DIES, Fate.DIES_AFTER),
    Call.WRITE: tuple(Fate),
    Call.RUN_JOBS: (Fate.WELL, Fate.FAILS, Fate.DIES, Fate.DIES_AFTER),
    Call.SEND: (Fate.WELL, Fate.FAILS, Fate.DONE_UNANSWERED, Fate.DIES, Fate.DIES_AFTER),
    Call.TELL: (Fate.WELL, Fate.FAILS, Fate.DONE_UNANSWERED, Fate.DIES, Fate.DIES_AFTER),
}


class StageLoop(asyncio.SelectorEventLoop):
    """An event loop that can be run until nothing more can happen without the test."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def call_soon[*Ts](
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Variables | None = None
    ) -> asyncio.Handle:
        self.calls += 1
        return super().call_soon(callback, *args, context=context)

    def run_until_idle(self) -> None:
        """Runs every callback that is ready, and those that they make ready."""
        while True:
            before = self.calls
            self.call_soon(self.stop)
            self.run_forever()
            if self.calls == before + 1:
                return


@dataclass(eq=False)
class Gate:
    """A call that waits to be let through."""

    call: Call
    opening: "asyncio.Future[Fate]"


@dataclass(eq=False)
class Worker:
    """One invocation of a function: a process of its own, as far as the others can see."""

    number: int
    doing: str
    gates: list[Gate] = field(default_factory=list)
    dead: bool = False
    task: "asyncio.Task[Any] | None" = None

    @property
    def done(self) -> bool:
        return self.task is not None and self.task.done()

    @property
    def next_call(self) -> Call:
        return self.gates[0].call


_current: "ContextVar[Worker]" = ContextVar("worker")


class Stage:
    """The workers, and the gates that they wait at."""

    def __init__(self) -> None:
        self.loop = StageLoop()
        self.workers: list[Worker] = []
        self._count = 0

    def close(self) -> None:
        """Ends what still waits, so that nothing is left behind."""
        for worker in self.workers:
            if not worker.done:
                self.open(worker, Fate.DIES)
        self.loop.close()

    def start(self, doing: str, work: Coroutine[Any, Any, Any]) -> Worker:
        """A worker at its first gate."""
        self._count += 1
        worker = Worker(self._count, doing)
        variables = copy_context()
        variables.run(_current.set, worker)
        worker.task = self.loop.create_task(work, context=variables)
        self.workers.append(worker)
        self.loop.run_until_idle()
        return worker

    def open(self, worker: Worker, fate: Fate) -> None:
        """Lets the worker's next call end so. A worker that dies, dies at all of its gates."""
        worker.dead = fate in DEATHS
        gate = worker.gates.pop(0)
        gate.opening.set_result(fate)
        self.loop.run_until_idle()
        while worker.dead and worker.gates:
            worker.gates.pop(0).opening.set_result(Fate.DIES)
            self.loop.run_until_idle()

    def run(self, work: Coroutine[Any, Any, Any], doing: str) -> None:
        """Does something from beginning to end without anybody in between. Raises what it raises."""
        worker = self.start(doing, work)
        while not worker.done:
            self.open(worker, Fate.WELL)
        self.workers.remove(worker)
        assert worker.task is not None
        worker.task.result()

    async def turn(self, call: Call) -> Fate:
        """Waits to be let through. Raises Crash when the worker dies before anything is done."""
        worker = _current.get()
        if worker.dead:
            raise Crash
        gate = Gate(call, self.loop.create_future())
        worker.gates.append(gate)
        fate = await gate.opening
        if fate is Fate.DIES:
            raise Crash
        return fate

    @staticmethod
    def worker() -> Worker:
        """Whoever is calling."""
        return _current.get()

    async def play[T](self, call: Call, effect: Callable[[], Awaitable[T]], failure: SourceError) -> T:
        """One call that raises when it goes wrong."""
        fate = await self.turn(call)
        if fate in (Fate.FAILS, Fate.PUT_OFF, Fate.REFUSED):
            raise failure
        unanswered = OutcomeUnknown(failure.source, "No answer came.")
        if fate in (Fate.UNANSWERED, Fate.LATE):
            raise unanswered
        result = await effect()
        if fate is Fate.DIES_AFTER:
            raise Crash
        if fate is Fate.DONE_UNANSWERED:
            raise unanswered
        return result


class Witness:
    """Told of everything that workers read, save and write, at the moment at which it counts. Does nothing."""

    def has_read(self, worker: Worker, read: EvidenceRead) -> None: ...

    def has_asked(self, worker: Worker, readings: Mapping[str, ProviderReading]) -> None: ...

    def has_saved(self, worker: Worker, recorded: Recorded) -> None: ...

    def sends(self, worker: Worker, write: StatusWrite) -> None: ...

    def runs_jobs(self, worker: Worker) -> None: ...

    def took_effect(self, write: StatusWrite, before: Change) -> None: ...

    def amends(self, worker: Worker, write: RowWrite) -> None: ...

    def amended(self, write: RowWrite, etag_before: str) -> None: ...


_STORAGE = Unreachable("storage", "Storage gave no answer.")
_DATAVERSE = Throttled("dataverse", "Dataverse asks us to come back later.", retry_after=30)
_WEBHOOK = Unreachable("webhook", "The webhook gave no answer.")


class StagedStore(FakeCaseStore):
    """The case store behind gates."""

    stage: Stage
    witness: Witness
    _read: dict[str, Stored]
    """Cases as they were read last: reading a row takes a millisecond, and a play does it a hundred times."""

    def _stored(self, partition: str) -> Stored | None:
        known = self._read.get(partition)
        if known is None or known.version != self.versions.get(partition):
            found = super()._stored(partition)
            if found is None:
                return None
            self._read[partition] = known = found
        return known

    async def load(self, subscription_id: str) -> Stored | None:
        effect = super().load
        return await self.stage.play(Call.LOAD, lambda: effect(subscription_id), _STORAGE)

    async def load_many(self, subscription_ids: Sequence[str]) -> Mapping[str, Stored]:
        effect = super().load_many
        return await self.stage.play(Call.LOAD, lambda: effect(subscription_ids), _STORAGE)

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        effect = super().due
        return await self.stage.play(Call.LOAD, lambda: effect(now, limit), _STORAGE)

    async def open_cases(self) -> Mapping[str, datetime]:
        effect = super().open_cases
        return await self.stage.play(Call.LOAD, lambda: effect(), _STORAGE)

    async def save(self, recorded: Recorded, version: str | None) -> Stored:
        effect = super().save

        async def saved() -> Stored:
            stored = await effect(recorded, version)
            self.witness.has_saved(self.stage.worker(), recorded)
            return stored

        return await self.stage.play(Call.SAVE, saved, _STORAGE)

    async def save_receipt(self, receipt: SweepReceipt) -> None:
        effect = super().save_receipt
        await self.stage.play(Call.SAVE, lambda: effect(receipt), _STORAGE)


class StagedWork365(FakeWork365):
    """Work 365 behind gates. A write may get there late."""

    stage: Stage
    witness: Witness
    late: list[StatusWrite | RowWrite]
    checks_versions: bool = True
    """If-Match. Without it, a write goes over whatever stands there."""

    async def find_suspects(self, created_before: datetime, today: date) -> Suspects:
        effect = super().find_suspects
        return await self.stage.play(Call.READ, lambda: effect(created_before, today), _DATAVERSE)

    async def read_evidence(self, subscription_ids: Sequence[str], *, purpose: str) -> EvidenceRead:
        effect = super().read_evidence
        read = await self.stage.play(Call.READ, lambda: effect(subscription_ids, purpose=purpose), _DATAVERSE)
        self.witness.has_read(self.stage.worker(), read)
        return read

    async def set_provisioning_status(self, writes: Sequence[StatusWrite]) -> Sequence[WriteResult]:
        for write in writes:
            self.witness.sends(self.stage.worker(), write)
        return await self._sent({w.change_id: w for w in writes}, self._write)

    async def amend(self, writes: Sequence[RowWrite]) -> Sequence[WriteResult]:
        for write in writes:
            self.witness.amends(self.stage.worker(), write)
        return await self._sent({w.row_id: w for w in writes}, self._amend)

    async def _sent[W: (StatusWrite, RowWrite)](
        self, writes: Mapping[str, W], effect: Callable[[W], WriteResult]
    ) -> Sequence[WriteResult]:
        fate = await self.stage.turn(Call.WRITE)
        match fate:
            case Fate.FAILS | Fate.PUT_OFF:
                return [WriteResult(row_id, deferred=True, reason="429", retry_after=30) for row_id in writes]
            case Fate.REFUSED:
                return [WriteResult(row_id, refused=True, reason="a plug-in said no") for row_id in writes]
            case Fate.LATE | Fate.DIES_LATE:
                self.late += writes.values()
        if fate is Fate.DIES_LATE:
            raise Crash
        unanswered = [WriteResult(row_id, unknown=True, reason="no answer came") for row_id in writes]
        if fate in (Fate.UNANSWERED, Fate.LATE):
            return unanswered
        results = [effect(write) for write in writes.values()]
        if fate is Fate.DIES_AFTER:
            raise Crash
        return unanswered if fate is Fate.DONE_UNANSWERED else results

    async def run_jobs(self, change_ids: Sequence[str]) -> str:
        effect = super().run_jobs
        if change_ids:
            self.witness.runs_jobs(self.stage.worker())
        return await self.stage.play(Call.RUN_JOBS, lambda: effect(change_ids), _DATAVERSE)

    def deliver_late(self) -> None:
        """What was on its way gets there."""
        late, self.late = self.late, []
        for write in late:
            _ = self._write(write) if isinstance(write, StatusWrite) else self._amend(write)

    def _write(self, write: StatusWrite) -> WriteResult:
        before = self.change(write.change_id)
        result = super()._write(write if self.checks_versions else replace(write, etag=before.etag))
        if result.done:
            self.witness.took_effect(write, before)
        return result

    def _amend(self, write: RowWrite) -> WriteResult:
        before = self._etag(write)
        result = super()._amend(write if self.checks_versions else replace(write, etag=before))
        if result.done:
            self.witness.amended(write, before)
        return result


class StagedProvider(FakeProvider):
    """The provider behind gates."""

    stage: Stage
    witness: Witness

    async def read(self, tenant_ids: Sequence[str]) -> Mapping[str, ProviderReading]:
        fate = await self.stage.turn(Call.ASK_PROVIDER)
        if fate is not Fate.WELL:
            now = self.clock.now()
            return {t: ProviderReading(now, problem="429", transient=True) for t in tenant_ids}
        readings = await super().read(tenant_ids)
        self.witness.has_asked(self.stage.worker(), readings)
        return readings


class StagedQueues(FakeQueues):
    """The queues behind gates."""

    stage: Stage

    async def diagnose(self, subscription_ids: Sequence[str]) -> None:
        effect = super().diagnose
        if subscription_ids:
            await self.stage.play(Call.SEND, lambda: effect(subscription_ids), _STORAGE)

    async def remediate(self, case_ids: Sequence[str]) -> None:
        effect = super().remediate
        await self.stage.play(Call.SEND, lambda: effect(case_ids), _STORAGE)

    async def notify(self, subscription_ids: Sequence[str]) -> None:
        effect = super().notify
        await self.stage.play(Call.SEND, lambda: effect(subscription_ids), _STORAGE)


class StagedNotifier(FakeNotifier):
    """The webhook behind gates."""

    stage: Stage

    async def tell(self, news: Sequence[News]) -> None:
        effect = super().tell
        await self.stage.play(Call.TELL, lambda: effect(news), _WEBHOOK)


@dataclass
class StagedTown(Town):
    """The town of the workflow tests with every port behind gates."""

    stage: Stage = field(default_factory=Stage)
    witness: Witness = field(default_factory=Witness)

    def __post_init__(self) -> None:
        self.store = StagedStore()
        self.store._read = {}
        self.queues = StagedQueues()
        self.notifier = StagedNotifier()
        self.work365: StagedWork365 = StagedWork365(self.clock, self.organization_id)
        self.work365.late = []
        self.provider = StagedProvider(self.clock)
        for port in (self.store, self.queues, self.notifier, self.work365, self.provider):
            port.stage = self.stage
        for watched in (self.store, self.work365, self.provider):
            watched.witness = self.witness

    def subscription_of(self, change_id: str) -> str:
        return next(i for i, h in self.work365.held.items() if change_id in h.changes)

    def changes(self) -> list[Change]:
        return [c for held in self.work365.held.values() for c in held.changes.values()]


__all__ = ["DEATHS", "FATES", "Call", "Fate", "ManualClock", "Stage", "StagedTown", "Witness", "Worker"]
