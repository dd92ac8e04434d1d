"""What the workflow needs from outside: every clock, network, queue and table, as Protocols.

Adapters implement these for Azure; tests/fakes implement them in memory. Errors are those of shared.errors.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from shared.domain.breaker import Breaker, Outcome
from shared.domain.budget import Claim, Grant
from shared.domain.case import FINAL, Case, Event, Recorded, State
from shared.domain.evidence import Evidence, ProviderDetails, ProviderReading, ProvisioningStatus
from shared.domain.grounds import Grounds
from shared.domain.idempotency import KeptAnswer, Turn
from shared.domain.operation import Operation
from shared.domain.pause import Mute, Pause, Wish
from shared.domain.policy import BreakerLimits, Caps
from shared.domain.signals import Attributes, Metric, Step
from shared.domain.standing import Stock
from shared.domain.surge import Watch
from shared.domain.watchdog import Vigil
from shared.domain.webhook import Delivery, Webhook


class Clock(Protocol):
    """The time, always aware and in UTC."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Suspects:
    """Every subscription that may be stuck, as of one sweep. Only a complete read becomes one of these."""

    subscription_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvidenceRead:
    """Evidence of many subscriptions. `missing` are ids that Dataverse does not have."""

    evidence: Mapping[str, Evidence]
    missing: tuple[str, ...] = ()
    organization_id: str | None = None
    """Which organisation answered, as it states itself: compared with the pinned one before every write."""


@dataclass(frozen=True, slots=True)
class StatusWrite:
    """Set the Provisioning Status of one License Change Log, if it still is the version that was read."""

    change_id: str
    etag: str
    status: ProvisioningStatus


@dataclass(frozen=True, slots=True)
class RowWrite:
    """Save columns of one row, by the schema map's names, if it still is the version that was read."""

    table: str
    row_id: str
    etag: str
    values: Mapping[str, str | None]
    """As an amendment writes them (shared.domain.amendment); None empties the column."""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one write. Exactly one of the five flags is true."""

    change_id: str
    """The change, or whichever row it was."""
    done: bool = False
    etag: str = ""
    """The row's version after our write, when done."""
    version_changed: bool = False
    """Someone wrote the row since it was read (412); nothing was written."""
    refused: bool = False
    """Dataverse, or a plug-in of Work 365, said no; nothing was written."""
    deferred: bool = False
    """It was not executed, for now (throttled, no connection, no token); nothing was written."""
    unknown: bool = False
    """The request went out and no answer came: it may or may not have taken effect."""
    reason: str = ""
    retry_after: float = 0.0
    """Seconds after which another try makes sense, when deferred."""


class Work365(Protocol):
    """Work 365 in Dataverse. Raises SourceError when a read as a whole fails; a read is never partial."""

    async def find_suspects(self, created_before: datetime, today: date) -> Suspects: ...

    async def read_evidence(self, subscription_ids: Sequence[str], *, purpose: str) -> EvidenceRead:
        """At most two requests for up to 500 subscriptions. `purpose` is `diagnose` or `remediate`."""
        ...

    async def set_provisioning_status(self, writes: Sequence[StatusWrite]) -> Sequence[WriteResult]:
        """One request per 100 writes; each result stands for itself and is in the writes' order."""
        ...

    async def amend(self, writes: Sequence[RowWrite]) -> Sequence[WriteResult]:
        """The same for columns of any row that an action amends."""
        ...

    async def run_jobs(self, change_ids: Sequence[str]) -> str:
        """Has Work 365 take these changes up, one call for the group; says in words how."""
        ...

    async def subscription_of_change(self, change_id: str) -> str | None:
        """The subscription of a License Change Log, None when there is no such change."""
        ...


class Provider(Protocol):
    """The provider itself (Microsoft Partner Center), read only. Never raises: a failed read is a reading."""

    async def read(self, tenant_ids: Sequence[str]) -> Mapping[str, ProviderReading]: ...

    async def details(self, wanted: Sequence[tuple[str, str]]) -> Mapping[str, ProviderDetails]:
        """Of (tenant, provider subscription id): what became of the last order, by provider subscription id."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """A case as it was read, with the version that a save must still find."""

    case: Case
    version: str


@dataclass(frozen=True, slots=True)
class Due:
    """An open case by the time at which it wants to be looked at."""

    subscription_id: str
    due_on: datetime


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases a list shows; None or empty means any."""

    state: State | None = None
    cause: str | None = None
    provider: str | None = None
    customer: str | None = None
    open_only: bool = False
    """Leave out resolved and dismissed cases, where no state is asked for."""
    assignee: str | None = None
    opened_after: datetime | None = None
    """Found at this time or later."""
    opened_before: datetime | None = None
    stock: Stock | None = None

    @property
    def states(self) -> tuple[State, ...]:
        """The states that the list shows."""
        if self.state is not None:
            return (self.state,)
        return tuple(state for state in State if not (self.open_only and state in FINAL))


@dataclass(frozen=True, slots=True)
class Page:
    """One page of cases, oldest first, and where the next one begins."""

    cases: tuple[Case, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Aging:
    """An open case as the index has it: what it is counted by, and since when it is stuck."""

    subscription_id: str
    number: int
    state: State
    opened_on: datetime
    cause: str = ""
    provider: str = ""
    customer: str = ""
    assignee: str = ""


@dataclass(frozen=True, slots=True)
class SweepReceipt:
    """What one sweep read: the proof that it looked at everything, or why it did not."""

    id: str
    started_on: datetime
    finished_on: datetime
    complete: bool
    suspects: int = 0
    queued: int = 0
    left_alone: int = 0
    """Suspects whose case is not due yet."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one open case stands, as its row in the index says."""

    state: State
    cause: str
    """Empty when it has none."""
    opened_on: datetime
    since: datetime
    """Since when it has stood there, with this cause."""


class CaseStore(Protocol):
    """Cases and their events. A case is saved together with its events in one transaction, or not at all."""

    async def load(self, subscription_id: str) -> Stored | None:
        """The newest case of a subscription, open or not."""
        ...

    async def load_many(self, subscription_ids: Sequence[str]) -> Mapping[str, Stored]: ...

    async def save(self, recorded: Recorded, version: str | None) -> Stored:
        """Saves a case with its new events. `version` is None for a case that replaces none or a closed one.

        Raises CaseConflict when someone saved it since: nothing is saved then, and whoever comes second reads again.
        """
        ...

    async def timeline(self, subscription_id: str, number: int) -> Sequence[Event]:
        """All events of one case, oldest first."""
        ...

    async def load_grounds(self, subscription_id: str, number: int) -> Grounds | None:
        """What the case's last decision to show a plan rested on; None when it showed none, or is too large to keep.

        Raises CaseUnreadable.
        """
        ...

    async def load_case(self, subscription_id: str, number: int) -> Case | None:
        """One case by its number, a former one too."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        """Open cases whose time has come, longest due first."""
        ...

    async def open_cases(self) -> Mapping[str, datetime]:
        """Every open case's subscription with the time it is due."""
        ...

    async def list_cases(self, wanted: CaseFilter, limit: int, cursor: str | None) -> Page:
        """One page of a list, oldest first; `cursor` is that of the page before. Raises ValueError for a bad one.

        What the filter wants the whole time that the pages are read is shown exactly once, everything else at most
        once, and each as it is when its page is read.
        """
        ...

    async def aging(self) -> Sequence[Aging]:
        """Every open case, oldest first: one request per thousand of each state, one per thousand of all, few more.

        A copy: a case that is being saved may show as it was.
        """
        ...

    async def purge(self, closed_before: datetime, limit: int) -> Sequence[str]:
        """Deletes cases that were closed before then, with their events; oldest first, at most `limit`.

        Returns their ids; fewer than `limit` when nothing is left to do for now. A subscription's next case goes on
        counting and knows of fixes that were needed too often. A case that cannot be read stays.
        """
        ...

    async def purge_receipts(self, started_before: datetime, limit: int) -> int:
        """Deletes receipts of sweeps that started before then, newest of them first. Returns how many."""
        ...

    async def standings(self, most: int) -> Sequence[Standing]:
        """Open cases, at most `most` of each state, the oldest: a request for each thousand of a state, and few more.

        The case that has stood longest in its state is for sure there; others may be a moment old.
        """
        ...

    async def save_receipt(self, receipt: SweepReceipt) -> None: ...

    async def receipts(self, limit: int, cursor: str | None) -> tuple[Sequence[SweepReceipt], str | None]:
        """Receipts, newest first, and where the next page begins. Raises ValueError for a bad cursor."""
        ...

    async def receipt(self, id_: str) -> SweepReceipt | None:
        """One receipt by its id."""
        ...

    async def last_receipt(self, *, complete: bool = False) -> SweepReceipt | None:
        """The receipt of the sweep that started last; with `complete`, of the last that read everything."""
        ...


class Limits(Protocol):
    """The hour's budget, common to all instances. Raises SourceError, and CaseUnreadable when it makes no sense."""

    async def reserve(self, wanted: Sequence[Claim], caps: Caps, now: datetime) -> Grant:
        """Takes what fits from the budget, before the intent is saved: a crash wastes it and never exceeds the caps."""
        ...

    async def release(self, keys: Sequence[str], now: datetime) -> None:
        """Gives back what for sure was not used."""
        ...


@dataclass(frozen=True, slots=True)
class BreakersRead:
    """Breakers by name. `broken` are those whose row makes no sense, with what is wrong."""

    breakers: Mapping[str, Breaker]
    broken: Mapping[str, str] = field(default_factory=dict)


class Breakers(Protocol):
    """Circuit breakers, common to all instances. Raises SourceError; changing one raises CaseUnreadable, too."""

    async def read(self) -> BreakersRead:
        """All of them; one request."""
        ...

    async def count(self, name: str, outcome: Outcome, limits: BreakerLimits, now: datetime) -> Breaker:
        """Counts one call of ours. Returns the breaker afterwards."""
        ...

    async def probe(self, name: str, limits: BreakerLimits, now: datetime) -> bool:
        """Whether this worker may make the one call that a half-open breaker lets through."""
        ...


class Wishes[W: Wish](Protocol):
    """Wishes of one kind. Raises SourceError, and CaseUnreadable: what cannot be read may be in force."""

    async def read(self) -> Mapping[str, W]:
        """All wishes by id, those that are over, too; one request."""
        ...

    async def put(self, wish: W) -> str:
        """Adds a wish, or replaces the one that the same party has about the same thing. Returns its id."""
        ...

    async def remove(self, id_: str) -> None:
        """Takes a wish back; one that is not there, too."""
        ...


type Pauses = Wishes[Pause]
"""Wishes that nothing be written."""

type Mutes = Wishes[Mute]
"""Wishes that nothing be begun and nobody told."""


class Holds(Protocol):
    """What is remembered from sweep to sweep, and the hold of a surge. Raises SourceError and CaseUnreadable."""

    async def read(self) -> Watch:
        """What is remembered; nothing before the first sweep."""
        ...

    async def change[R](self, change: Callable[[Watch], tuple[Watch, R]]) -> R:
        """Puts what `change` makes of it in its place, and gives what `change` says besides. It may be asked twice."""
        ...


class Alarms(Protocol):
    """What the app has noticed about itself. Raises SourceError and CaseUnreadable."""

    async def read(self) -> Vigil:
        """What is remembered; nothing before the first look."""
        ...

    async def change[R](self, change: Callable[[Vigil], tuple[Vigil, R]]) -> R:
        """Puts what `change` makes of it in its place, and gives what `change` says besides. It may be asked twice."""
        ...


class IdempotencyKeys(Protocol):
    """Answers by the keys that callers give. Raises SourceError, and CaseUnreadable for a row that makes no sense."""

    async def begin(self, key: str, request: str, now: datetime) -> Turn:
        """What a request with this key is to do; `request` is a digest of what it asks."""
        ...

    async def finish(self, key: str, token: str, answer: KeptAnswer) -> None:
        """Keeps the answer of whoever has the turn. Raises Refused for one that is too long to be kept."""
        ...

    async def give_up(self, key: str, token: str, now: datetime) -> None:
        """Nothing was done: the next request with the key may try."""
        ...

    async def purge(self, now: datetime) -> int:
        """Takes away some entries that have expired; how many."""
        ...


class Operations(Protocol):
    """Work that takes longer than a request may. Raises SourceError, and CaseUnreadable."""

    async def begin(self, operation: Operation) -> None:
        """Writes down what is to be done."""
        ...

    async def load(self, id_: str) -> Operation | None: ...

    async def finish(self, id_: str, answer: KeptAnswer) -> None:
        """Keeps its answer; the first one stays. Raises NotFound, and Refused for one that is too long."""
        ...

    async def purge(self, now: datetime) -> int:
        """Takes away some that have expired; how many."""
        ...


class Queues(Protocol):
    """Wake-ups. They carry ids, never decisions; a lost one costs time, never correctness."""

    async def diagnose(self, subscription_ids: Sequence[str]) -> None:
        """Any number of ids, at most 500 in a message."""
        ...

    async def remediate(self, case_ids: Sequence[str]) -> None:
        """Any number of ids, at most 100 in a message."""
        ...

    async def notify(self, subscription_ids: Sequence[str]) -> None: ...

    async def diagnoses_waiting(self) -> int:
        """About how many messages are queued for diagnosis, those that are being worked on included."""
        ...

    async def operate(self, operation_id: str) -> None:
        """One operation of the HTTP API."""
        ...

    async def deliver(self, deliveries: Sequence[Delivery], after: timedelta = timedelta()) -> None:
        """One message for each, which nobody sees before `after` is over; at most seven days."""
        ...


@dataclass(frozen=True, slots=True)
class News:
    """What a person is told about one case."""

    key: str
    kind: str
    case_id: str
    text: str
    next_step: str
    who: str
    details: Mapping[str, str] = field(default_factory=dict)


class Notifier(Protocol):
    """Tells people, through a webhook of Teams, Power Automate or anything else that takes JSON."""

    async def tell(self, news: Sequence[News]) -> None:
        """Raises SourceError when it was not delivered."""
        ...


@dataclass(frozen=True, slots=True)
class WebhooksRead:
    """Webhooks by id. `broken` are those whose row makes no sense, with what is wrong."""

    webhooks: Mapping[str, Webhook]
    broken: Mapping[str, str] = field(default_factory=dict)


class Webhooks(Protocol):
    """Flows that have subscribed. Raises SourceError."""

    async def read(self) -> WebhooksRead:
        """All of them; one request."""
        ...

    async def load(self, id_: str) -> Webhook | None:
        """One of them, None when there is none. Raises CaseUnreadable."""
        ...

    async def put(self, webhook: Webhook) -> None:
        """Adds one, or replaces the one with the same id."""
        ...

    async def ended(self, id_: str, failure: str, on: datetime) -> None:
        """Notes how the newest delivery ended, with `failure` empty where it arrived. Raises CaseUnreadable."""
        ...

    async def remove(self, id_: str) -> None:
        """Takes one away; one that is not there, too."""
        ...


class Callbacks(Protocol):
    """Calls flows at the addresses that they have given."""

    def check(self, url: str) -> None:
        """Raises ValueError for an address that is not called; the text goes on after the field's name."""
        ...

    async def call(self, url: str, news: News) -> None:
        """Raises SourceError when it was not delivered, or may not have been."""
        ...


class Telemetry(Protocol):
    """What is seen of the app from outside. Nothing here raises, or waits for anybody; a lost signal is just lost."""

    def span(self, step: Step, attributes: Attributes | None = None) -> AbstractContextManager["Noting"]:
        """One run of a step, child of the span it is opened in. What is raised in it is named by its type only."""
        ...

    def following(self, traceparent: str) -> AbstractContextManager[None]:
        """Spans opened in it go on with the trace of a message. One that makes no sense is ignored."""
        ...

    def traceparent(self) -> str:
        """The present span, for a message that is sent in it; empty where there is none."""
        ...

    def count(self, metric: Metric, attributes: Attributes | None = None, by: int = 1) -> None:
        """Adds to a counter."""
        ...

    def gauge(self, metric: Metric, value: float, attributes: Attributes | None = None) -> None:
        """How it stands now."""
        ...


class Noting(Protocol):
    """A span that is open."""

    def note(self, attributes: Attributes) -> None:
        """Attributes that were not known when it was opened."""
        ...


class NoTelemetry:
    """Port Telemetry where nobody watches."""

    def span(self, step: Step, attributes: Attributes | None = None) -> AbstractContextManager["Noting"]:  # noqa: ARG002
        return nullcontext(self)

    def following(self, traceparent: str) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def traceparent(self) -> str:
        return ""

    def count(self, metric: Metric, attributes: Attributes | None = None, by: int = 1) -> None:
        """Nobody counts."""

    def gauge(self, metric: Metric, value: float, attributes: Attributes | None = None) -> None:
        """Nobody looks."""

    def note(self, attributes: Attributes) -> None:
        """Nobody reads it."""
