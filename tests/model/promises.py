"""What must hold whatever happens: seen from outside, by what the workers read, saved and wrote.

Nothing is asked of the workflow's own words here: who ordered what, and who set which status, is known from the play.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.domain.amendment import SUBSCRIPTION, etag_of
from shared.domain.case import Case, Recorded, State
from shared.domain.chain import UNPROVISIONED, in_order
from shared.domain.evidence import LIVE_JOBS, Change, ChangeType, Evidence, ProviderReading, ProvisioningStatus
from shared.domain.intent import Phase
from shared.domain.look import AT_REST
from shared.domain.policy import Mode
from shared.ports import EvidenceRead, RowWrite, StatusWrite
from tests.model.stage import StagedTown, Witness, Worker


class Promise(StrEnum):
    """What is promised, in the words of the failure."""

    INTENT_FIRST = "no effect without an intent for exactly this change, saved before by the same worker"
    VERSION_READ = "a write carries the version that its worker read last"
    NOT_OVER_NEWER = "nothing is written over a newer version"
    READ_IN_BETWEEN = "no two writes of one change without a reading in between"
    NOT_BESIDE_A_JOB = "nothing is written where a live job was seen"
    HEAD_ONLY = "only the first unprovisioned change is written"
    PROVIDER_ASKED = "Awaiting Provisioning is written only after the provider was asked and did not have it"
    NOT_ORDERED_TWICE = "nothing is ordered twice"
    NOT_AGAINST_A_PERSON = "what a person set to Not Applicable stays so"
    BOUNDED = "a change is retriggered no more often than is allowed"
    OBSERVE = "observe mode writes nothing"
    PAUSED = "nothing is written while somebody has paused it"
    STOCK = "nothing is written that was stuck before the first sweep, unless a person has decided on it"
    A_YES_FIRST = "approve mode writes only after a yes"
    NOT_MARKED_IN_VAIN = "nothing is marked Provisioned that was never ordered"
    VERIFIED = "resolved only after change and subscription were seen provisioned, and stayed so"
    FINAL = "resolved is final"
    RECORD_WHOLE = "the events are whole"
    NOTHING_LEFT = "nothing of ours is left at Not Applicable without a person who was told"
    ACCOUNTED_FOR = "every suspect has a case that came to an end or waits for a person"
    ENDS = "it comes to an end"
    NO_OTHER_ERROR = "no step raises anything but the errors of shared.errors"


class Violation(AssertionError):
    """A promise was broken."""

    def __init__(self, promise: Promise, how: str) -> None:
        self.promise = promise
        super().__init__(f"{promise}: {how}")


@dataclass
class Knowledge:
    """What one worker has read and saved in its run."""

    evidence: dict[str, Evidence] = field(default_factory=dict)
    read_at: dict[str, int] = field(default_factory=dict)
    sent_at: dict[str, int] = field(default_factory=dict)
    """When it last sent a write of this change."""
    asked: bool = False
    had: frozenset[str] = frozenset()
    """Changes that the provider had when this worker asked last."""
    saved: dict[str, Case] = field(default_factory=dict)
    yes: dict[str, bool] = field(default_factory=dict)
    """Whether the intent that it saved had a person's yes."""


@dataclass
class Keeper(Witness):
    """Watches a town, and collects the promises that are broken."""

    broken: list[Violation] = field(default_factory=list)
    ordered: Counter[str] = field(default_factory=Counter)
    """How often each change was ordered at the provider."""
    status_by: dict[str, str] = field(default_factory=dict)
    """Who set the status that a change has now: app, person or work365."""
    triggered: set[str] = field(default_factory=set)
    """Changes that Work 365 takes up: set to Awaiting Provisioning by somebody."""
    modes: dict[int, Mode] = field(default_factory=dict)
    """The mode in which each worker was started."""
    paused: bool = False
    """Whether a person has paused everything."""
    stock: set[str] = field(default_factory=set)
    """Changes that were stuck before the first sweep, and that nobody has decided on."""
    touched: set[str] = field(default_factory=set)
    """Changes that the app has written."""
    hidden: set[str] = field(default_factory=set)
    """Changes that a person set to Not Applicable between our two writes, and a plug-in touched after that: nobody
    who reads the row can tell that from a touch of our own Not Applicable, so it is not promised."""
    _between: set[str] = field(default_factory=set)
    """Changes whose first write took effect, and whose second has not."""
    _phases: dict[str, Phase] = field(default_factory=dict)
    """How far each subscription's retrigger was known to be when its second write was decided on."""
    _now: int = 0
    _known: defaultdict[int, Knowledge] = field(default_factory=lambda: defaultdict(Knowledge))
    _retriggered: Counter[tuple[str, str]] = field(default_factory=Counter)
    _healthy_reads: defaultdict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    _begun_with_yes: set[str] = field(default_factory=set)
    """Subscriptions whose open intent a person said yes to."""
    _latest: dict[str, Case] = field(default_factory=dict)

    def watch(self, town: StagedTown) -> None:
        self.town = town

    def order(self, change_id: str) -> None:
        """Work 365 has ordered it. A second order is our doing if we had it taken up again."""
        self.ordered[change_id] += 1
        if self.ordered[change_id] > 1 and self.status_by.get(change_id) == "app":
            self._break(Promise.NOT_ORDERED_TWICE, change_id)

    def person_decided(self, change_id: str) -> None:
        """A person has set a status; whatever a touch hid before is over."""
        self.hidden.discard(change_id)

    def plug_in_touched(self, change: Change) -> None:
        """A plug-in of Work 365 has saved the row after somebody did."""
        a_persons = change.status is ProvisioningStatus.NOT_APPLICABLE and self.status_by.get(change.id) == "person"
        if a_persons and change.id in self._between:
            self.hidden.add(change.id)

    def has_read(self, worker: Worker, read: EvidenceRead) -> None:
        self._now += 1
        known = self._known[worker.number]
        for subscription_id, evidence in read.evidence.items():
            known.evidence[subscription_id] = evidence
            known.read_at[subscription_id] = self._now
            if _healthy(evidence):
                self._healthy_reads[subscription_id].append(self.town.clock.now())

    def has_asked(self, worker: Worker, readings: Mapping[str, ProviderReading]) -> None:
        known = self._known[worker.number]
        known.asked, known.had = True, frozenset(self.ordered)

    def has_saved(self, worker: Worker, recorded: Recorded) -> None:
        case = recorded.case
        before = self._latest.get(case.subscription_id)
        known = self._known[worker.number]
        if any(event.kind == "intent" for event in recorded.events) and before is not None:
            resumed = before.intent is not None and case.subscription_id in self._begun_with_yes
            self._begun_with_yes.discard(case.subscription_id)
            if resumed or (bool(before.approved_by) and before.plan == case.plan):
                self._begun_with_yes.add(case.subscription_id)
            known.yes[case.subscription_id] = case.subscription_id in self._begun_with_yes
        if case.intent is not None and case.intent.phase is Phase.SECOND_WRITE and before is not None:
            self._phases[case.subscription_id] = before.intent.phase if before.intent else case.intent.phase
        known.saved[case.subscription_id] = case
        self._latest[case.subscription_id] = case
        if before is not None and not before.open and before.number == case.number:
            self._break(Promise.FINAL, case.id)
        if case.state is State.RESOLVED:
            self._check_resolved(known, case)

    def sends(self, worker: Worker, write: StatusWrite) -> None:
        self._now += 1
        known = self._known[worker.number]
        subscription_id = self.town.subscription_of(write.change_id)
        self._check_rights(worker, known, subscription_id, write)
        evidence = known.evidence.get(subscription_id)
        if evidence is None:
            self._break(Promise.VERSION_READ, f"{write} without any reading")
        else:
            self._check_knowledge(known, evidence, write)
        if known.sent_at.get(write.change_id, -1) > known.read_at.get(subscription_id, -1):
            self._break(Promise.READ_IN_BETWEEN, str(write))
        known.sent_at[write.change_id] = self._now

    def runs_jobs(self, worker: Worker) -> None:
        if self.paused:
            self._break(Promise.PAUSED, f"{worker.doing} runs a job")

    def took_effect(self, write: StatusWrite, before: Change) -> None:
        self._now += 1
        if before.etag != write.etag:
            self._break(Promise.NOT_OVER_NEWER, f"{write} over {before.etag}")
        a_persons = before.status is ProvisioningStatus.NOT_APPLICABLE and self.status_by.get(before.id) == "person"
        if a_persons and not self._could_not_be_seen(before.id):
            self._break(Promise.NOT_AGAINST_A_PERSON, str(write))
        if write.status is ProvisioningStatus.AWAITING:
            self._check_retrigger(before)
            self.triggered.add(before.id)
        self.status_by[before.id] = "app"
        self.touched.add(before.id)
        self.hidden.discard(before.id)
        if write.status is ProvisioningStatus.NOT_APPLICABLE:
            self._between.add(before.id)
        else:
            self._between.discard(before.id)

    def amends(self, worker: Worker, write: RowWrite) -> None:
        """An action other than a retrigger always needs a yes, an intent and the version that was read."""
        known, subscription_id = self._known[worker.number], self._owner(write)
        if self.paused:
            self._break(Promise.PAUSED, str(write))
        if self.modes[worker.number] is Mode.OBSERVE:
            self._break(Promise.OBSERVE, str(write))
        if not known.yes.get(subscription_id):
            self._break(Promise.A_YES_FIRST, str(write))
        case = known.saved.get(subscription_id)
        amendment = case.intent.amendment if case is not None and case.intent is not None else None
        if amendment is None or amendment.row_id != write.row_id:
            self._break(Promise.INTENT_FIRST, f"{write} with {case.intent if case else None}")
        evidence = known.evidence.get(subscription_id)
        if evidence is None or amendment is None or etag_of(evidence, amendment) != write.etag:
            self._break(Promise.VERSION_READ, str(write))

    def amended(self, write: RowWrite, etag_before: str) -> None:
        """What a person said yes to stands in Work 365 now."""
        self._now += 1
        if etag_before != write.etag:
            self._break(Promise.NOT_OVER_NEWER, f"{write} over {etag_before}")
        if write.table == SUBSCRIPTION:
            return
        status = write.values.get("provisioning_status")
        if status == ProvisioningStatus.PROVISIONED and not self.ordered[write.row_id]:
            self._break(Promise.NOT_MARKED_IN_VAIN, str(write))
        if status == ProvisioningStatus.AWAITING:
            self.triggered.add(write.row_id)
        # A person decided it: what this change stands at is nobody's riddle.
        self.status_by[write.row_id] = "yes"
        self.hidden.discard(write.row_id)
        self._between.discard(write.row_id)

    def _owner(self, write: RowWrite) -> str:
        return write.row_id if write.table == SUBSCRIPTION else self.town.subscription_of(write.row_id)

    def _could_not_be_seen(self, change_id: str) -> bool:
        """Whether a plug-in's touch hid the decision from a worker that knew its first write to be confirmed."""
        phase = self._phases.get(self.town.subscription_of(change_id))
        return change_id in self.hidden and phase is Phase.NOT_APPLICABLE_SET

    def _check_rights(self, worker: Worker, known: Knowledge, subscription_id: str, write: StatusWrite) -> None:
        mode = self.modes[worker.number]
        if self.paused:
            self._break(Promise.PAUSED, str(write))
        if mode is Mode.OBSERVE:
            self._break(Promise.OBSERVE, str(write))
        if write.change_id in self.stock and not known.yes.get(subscription_id):
            self._break(Promise.STOCK, str(write))
        if mode is Mode.APPROVE and not known.yes.get(subscription_id):
            self._break(Promise.A_YES_FIRST, str(write))
        case = known.saved.get(subscription_id)
        if case is None or case.intent is None or case.intent.change_id != write.change_id:
            self._break(Promise.INTENT_FIRST, f"{write} with {case.intent if case else None}")

    def _check_knowledge(self, known: Knowledge, evidence: Evidence, write: StatusWrite) -> None:
        change = next(c for c in evidence.changes if c.id == write.change_id)
        if change.etag != write.etag:
            self._break(Promise.VERSION_READ, f"{write}, read was {change.etag}")
        if any(job.change_id == change.id and job.status in LIVE_JOBS for job in evidence.jobs):
            self._break(Promise.NOT_BESIDE_A_JOB, str(write))
        unprovisioned = [c for c in in_order(evidence.changes) if c == change or _is_open(c)]
        half_done = change.status is ProvisioningStatus.NOT_APPLICABLE  # finished first, whatever has turned up
        if unprovisioned[0] != change and not half_done:
            self._break(Promise.HEAD_ONLY, f"{write}, while {unprovisioned[0].id} comes first")
        if write.status is ProvisioningStatus.AWAITING and (not known.asked or change.id in known.had):
            self._break(Promise.PROVIDER_ASKED, str(write))

    def _check_retrigger(self, change: Change) -> None:
        case = self._latest[self.town.subscription_of(change.id)]
        self._retriggered[case.id, change.id] += 1
        allowed = 1 if change.change_type is ChangeType.CREATE else self.town.policy.attempts
        if self._retriggered[case.id, change.id] > allowed:
            self._break(Promise.BOUNDED, f"{change.id}, {self._retriggered[case.id, change.id]} times")

    def _check_resolved(self, known: Knowledge, case: Case) -> None:
        evidence = known.evidence.get(case.subscription_id)
        if evidence is None or case.intent is not None or not _healthy(evidence):
            self._break(Promise.VERIFIED, f"{case.id} resolved on {evidence}, intent {case.intent}")
            return
        for change in evidence.changes:
            ours = change.id in self.touched and self.status_by.get(change.id) == "app"
            if ours and change.status is not ProvisioningStatus.PROVISIONED:
                self._break(Promise.VERIFIED, f"{case.id} resolved while {change.id} is {change.status}")
        since = self.town.clock.now() - self.town.policy.stable_for
        if not any(when <= since for when in self._healthy_reads[case.subscription_id]):
            self._break(Promise.VERIFIED, f"{case.id} resolved at once")

    def _break(self, promise: Promise, how: str) -> None:
        self.broken.append(Violation(promise, how))


def _is_open(change: Change) -> bool:
    return change.status in UNPROVISIONED and not change.archived


def _healthy(evidence: Evidence) -> bool:
    return evidence.subscription.status in AT_REST and not any(_is_open(c) for c in evidence.changes)
