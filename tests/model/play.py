"""A play: several workers at the real workflow, with everything that may get in between, in the order of a story.

A story is a list of acts. An act that is not possible when its turn comes is skipped, so that a story stays one
when acts are taken out of it: that is how the shortest one that breaks a promise is found.
"""

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from shared.adapters.messages import DiagnoseMessage, Message, RemediateMessage
from shared.domain.case import State, first_broken, subscription_of
from shared.domain.chain import in_order
from shared.domain.decision import TELLS
from shared.domain.evidence import (
    Change,
    ChangeType,
    Job,
    JobStatus,
    ProviderAccount,
    ProviderSubscription,
    ProvisioningStatus,
    SubscriptionStatus,
)
from shared.domain.pause import Pause, Scope
from shared.domain.policy import Mode
from shared.domain.standing import Stock
from shared.errors import UnstuckError
from shared.ports import News, StatusWrite
from shared.workflow.approve import remediate_case
from shared.workflow.ask import ask
from shared.workflow.baseline import Decision, StockFilter, decide_stock
from shared.workflow.park import park
from shared.workflow.sweep import sweep
from shared.workflow.wake import wake
from tests.builders import DAY, HOUR, NOW, SOMEONE, WORK365_USER, change, provisioned, subscription
from tests.fakes.work365 import Held
from tests.model.promises import Keeper, Promise, Violation
from tests.model.stage import DEATHS, FATES, Call, Fate, StagedTown, Worker
from tests.workflow_kit import Crash

AWAITING, NOT_APPLICABLE = ProvisioningStatus.AWAITING, ProvisioningStatus.NOT_APPLICABLE
FAILED, PROVISIONED = ProvisioningStatus.FAILED, ProvisioningStatus.PROVISIONED

MOST_WORKERS = 4
SAYS_SO = ("half_toggled", "unknown")
"""Causes that tell a person of a change that is left at Not Applicable."""

DELIVERIES = 4
"""How often a message is tried before it is poison."""

PRIOR = "There are one or more prior License Change Logs for this Subscription that are Awaiting Provisioning."
ODD = "Something nobody has seen before (987654)"


ASKED_FOR: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("close_not_applicable", {}),
    ("archive_change", {}),
    ("mark_provisioned", {"provisioned_on": (NOW - HOUR / 2).isoformat()}),
    ("pull_forward", {}),
    ("run_job", {}),
    ("undo", {"number": "1"}),
    ("undo", {"number": "2"}),
)
"""What a person may ask for, with what must be told."""


class Peril(Enum):
    """What may happen in a play beyond interleaving; a play without one tells whether that is what hurts."""

    DEATH = auto()
    """Workers die."""
    TROUBLE = auto()
    """Calls fail, are refused or are put off."""
    LOST_REPLIES = auto()
    """Calls are done, or not, and nobody hears of it."""
    LOST_TWICE = auto()
    """More than one write of a play stays without an answer."""
    LATE = auto()
    """A write gets there after everybody has given up on it."""
    PAUSES = auto()
    """Time passes, more than a worker is given, while one is in the middle of something."""
    EDITS = auto()
    """People save changes without deciding anything."""
    TOUCHES = auto()
    """Plug-ins save rows after others did, and change nothing."""
    DECISIONS = auto()
    """People set a status, Not Applicable too."""
    ARCHIVING = auto()
    """An invoice run archives changes."""
    EARLIER_CHANGES = auto()
    """A change turns up that comes before the one at hand."""
    WORK365 = auto()
    """Work 365 does something by itself: provisions, fails, orders without noting it, is at a job."""
    MODES = auto()
    """The operator switches the mode."""
    STOPS = auto()
    """A person pauses everything, and lets it go on."""
    LOST_MESSAGES = auto()
    """Queue messages vanish."""


EVERYTHING = frozenset(Peril)


class Kind(Enum):
    """What a subscription of the play begins with."""

    UPDATE = auto()
    """One change whose trigger was missed."""
    CHAIN = auto()
    """Two such changes, one after the other."""
    FAILED = auto()
    """A change that Failed behind an earlier one that is provisioned since: one write frees it."""
    CREATE = auto()
    """A first order whose trigger was missed."""


class Outcome(Enum):
    """What Work 365 does with a change."""

    PROVISIONS = auto()
    FAILS = auto()
    ORDERS_ONLY = auto()
    """The order is placed, and Work 365 does not note it."""
    BEGINS_A_JOB = auto()


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happens, by the name of the method of Play, with three numbers that say how."""

    name: str
    which: int
    how: int
    much: int


@dataclass(frozen=True, slots=True)
class Story:
    """What a play begins with and what happens in it."""

    kinds: tuple[Kind, ...]
    mode: Mode
    active: bool
    """Whether the subscriptions are Active while their changes are not provisioned, or Awaiting Provisioning."""
    begun: int
    """How far it has come by itself: nothing (0), diagnosed (1), or some calls into the first retrigger."""
    acts: tuple[Act, ...]
    first: bool = False
    """Whether nobody has ever swept: what it begins with is stock then."""


class Play:
    """Plays a story. The promises are checked after each act, and once more when all has calmed down."""

    def __init__(self, perils: frozenset[Peril]) -> None:
        self.perils = perils
        self.keeper = Keeper()
        self.town = StagedTown(witness=self.keeper)
        self.keeper.watch(self.town)
        self.stage = self.town.stage
        self.deliveries: dict[int, tuple[Message, int]] = {}
        self.returned: dict[str, int] = {}
        self.lost = 0

    def run(self, story: Story) -> None:
        """Raises Violation."""
        try:
            self._begin(story)
            for act in story.acts:
                getattr(self, act.name)(act.which, act.how, act.much)
                self._check()
            self._calm_down()
            self._check_the_end()
        finally:
            self.stage.close()

    # --- the world ---

    def _begin(self, story: Story) -> None:
        self.town.mode = story.mode if Peril.MODES in self.perils else Mode.AUTO
        for n, kind in enumerate(story.kinds, start=1):
            self._subscription(n, kind, SubscriptionStatus.ACTIVE if story.active else SubscriptionStatus.AWAITING)
        if story.first:
            self.town.tables.rows.clear()
            self.keeper.stock = {change.id for change in self.town.changes() if self._stuck(change)}
        if story.begun > 0:
            self._now(sweep(self.town.ctx), "sweep")
            self._now(self.town.run(self.town.queues.waiting.popleft()), "diagnose")
        if story.begun > 1 and self.town.queues.to_remediate:
            self._advance(self._deliver(self.town.queues.waiting.popleft()), story.begun - 2)

    def _subscription(self, n: int, kind: Kind, status: SubscriptionStatus) -> None:
        own, tenant = f"11111111-0000-0000-0000-{n:012d}", f"33333333-0000-0000-0000-{n:012d}"
        at = f"44444444-0000-0000-0000-{n:012d}"
        values: dict[str, Any] = {"id": own, "status": status, "account": ProviderAccount(f"7{own[1:]}", tenant)}
        old, stuck, later = (f"2222222{k}-0000-0000-0000-{n:012d}" for k in (1, 2, 3))
        self.town.provider.hold(tenant)
        if kind is Kind.CREATE:
            first = change(stuck, change_type=ChangeType.CREATE, quantity=Decimal(25))
            self.town.work365.hold(subscription(**values, provider_subscription_id=None), first)
            return
        changes = [provisioned(old)]
        changes.append(change(stuck, status=FAILED, message=PRIOR) if kind is Kind.FAILED else change(stuck))
        if kind is Kind.CHAIN:
            changes.append(change(later, quantity=Decimal(2), created_on=NOW - HOUR / 2))
        held = subscription(**values, provider_subscription_id=at)
        self.town.work365.hold(held, *changes)
        self.town.provider.hold(
            tenant, ProviderSubscription(at, 20, "active", held.part_number, NOW - 300 * DAY, False)
        )

    # --- workers ---

    def a_timer_ticks(self, which: int, _how: int, much: int) -> None:
        step = wake if which % 3 else sweep
        if self._room():
            self._advance(self._start(step.__name__, step(self.town.ctx)), 5 * (much % 2))

    def a_message_is_delivered(self, which: int, how: int, much: int) -> None:
        """In any order; perhaps it stays and comes again."""
        waiting = self.town.queues.waiting
        if self._room() and waiting:
            message = waiting[which % len(waiting)]
            if how % 3:
                waiting.remove(message)
            self._advance(self._deliver(message), much % 9)

    def a_worker_goes_on(self, which: int, _how: int, much: int) -> None:
        if self._active():
            self._advance(self._worker(which), 1 + much % 6)

    def a_worker_finishes(self, which: int, _how: int, _much: int) -> None:
        if self._active():
            self._advance(self._worker(which), 100)

    def all_goes_well_for_a_while(self, _which: int, _how: int, much: int) -> None:
        """Everybody finishes, time passes, and what is due is done."""
        self._finish()
        self.town.clock.advance(timedelta(minutes=(0, 6, 16, 31)[much % 4]))
        self._now(wake(self.town.ctx), "wake")
        self._drain()

    def a_call_goes_wrong(self, which: int, how: int, much: int) -> None:
        if self._active():
            worker = self._worker(which)
            self._advance(worker, much % 11)
            self._go_wrong(worker, how)

    def the_next_write_goes_wrong(self, which: int, how: int, _much: int) -> None:
        """Whoever comes to a write first; a message is delivered for it where nobody is at work."""
        waiting = [m for m in self.town.queues.waiting if isinstance(m, RemediateMessage)]
        if not self._active() and waiting:
            self.town.queues.waiting.remove(waiting[0])
            self._deliver(waiting[0])
        if self._active():
            worker = self._worker(which)
            while worker.gates and worker.next_call is not Call.WRITE:
                self._open(worker, Fate.WELL)
            self._go_wrong(worker, how)

    # --- what gets in between ---

    def time_passes(self, _which: int, _how: int, much: int) -> None:
        if Peril.PAUSES in self.perils or not self._active():
            self.town.clock.advance(timedelta(minutes=(1, 6, 16, 31, 125)[much % 5]))

    def a_late_write_arrives(self, _which: int, how: int, _much: int) -> None:
        late = [w.change_id if isinstance(w, StatusWrite) else w.row_id for w in self.town.work365.late]
        self.town.work365.deliver_late()
        for change_id in late if how % 2 else ():
            self._touch(change_id)

    def a_row_is_saved(self, which: int, how: int, _much: int) -> None:
        """By a person who changes its name, or by a plug-in that touches it."""
        chosen = self._change(which)
        if how % 2:
            self._touch(chosen.id)
        elif Peril.EDITS in self.perils:
            self.town.work365.edit(chosen.id, SOMEONE, name=f"{chosen.name[:20]}!")

    def a_person_decides(self, which: int, how: int, much: int) -> None:
        """Sets a status; Provisioned after having seen to it at the provider."""
        chosen, status = self._change(which), (NOT_APPLICABLE, AWAITING, PROVISIONED)[how % 3]
        if Peril.DECISIONS in self.perils and status is not chosen.status:
            if status is PROVISIONED and not self.keeper.ordered[chosen.id]:
                self._order(chosen)
            self._set_by("person", chosen, status)
            self.keeper.person_decided(chosen.id)
            if much % 2:
                self._touch(chosen.id)

    def _touch(self, change_id: str) -> None:
        """A plug-in of Work 365 saves the row after somebody did, and changes nothing."""
        if Peril.TOUCHES in self.perils:
            self.town.work365.edit(change_id, WORK365_USER)
            self.keeper.plug_in_touched(self.town.work365.change(change_id))

    def an_invoice_run_archives_it(self, which: int, _how: int, _much: int) -> None:
        if Peril.ARCHIVING in self.perils:
            self.town.work365.edit(self._change(which).id, WORK365_USER, archived=True)

    def an_earlier_change_turns_up(self, which: int, _how: int, _much: int) -> None:
        """Not before a first order: there is nothing yet that it could change."""
        owner = self.town.subscription_of(self._change(which).id)
        held = self.town.work365.held[owner]
        ordered = held.subscription.provider_subscription_id is not None
        if Peril.EARLIER_CHANGES in self.perils and ordered and len(self.town.changes()) < 5:
            number = f"2222222{4 + len(held.changes)}-0000-0000-0000-{owner[-12:]}"
            new = change(number, quantity=Decimal(1), effective_date=date(2026, 11, 1))
            held.changes[number] = replace(new, created_on=self.town.clock.now())

    def work365_takes_a_change_up(self, which: int, how: int, much: int) -> None:
        """One that was triggered; or, as when somebody presses Run Now, one whose trigger was missed."""
        chosen = self._change(which)
        fresh = much % 2 and not self.keeper.ordered[chosen.id]
        if Peril.WORK365 in self.perils and self._takes_up(chosen) and (fresh or chosen.id in self.keeper.triggered):
            self._work(chosen, list(Outcome)[how % 4])

    def the_jobs_end(self, _which: int, how: int, _much: int) -> None:
        self._end_jobs((Outcome.PROVISIONS, Outcome.FAILS, Outcome.ORDERS_ONLY)[how % 3])

    def the_mode_is_switched(self, _which: int, how: int, _much: int) -> None:
        if Peril.MODES in self.perils:
            self.town.mode = list(Mode)[how % 3]

    def everything_is_paused(self, _which: int, _how: int, much: int) -> None:
        """For longer than any play, or until it is taken back."""
        if Peril.STOPS in self.perils:
            now = self.town.clock.now()
            wish = Pause(Scope.EVERYTHING, "", "Ann", "an invoice run", now, now + (1 + much % 3) * 300 * DAY)
            self._at_once(self.town.ctx.pauses.put(wish))
            self.keeper.paused = True

    def it_goes_on(self, _which: int, _how: int, _much: int) -> None:
        for id_ in self._at_once(self.town.ctx.pauses.read()):
            self._at_once(self.town.ctx.pauses.remove(id_))
        self.keeper.paused = False

    def the_stock_is_adopted(self, _which: int, _how: int, much: int) -> None:
        """By a person, once a sweep has taken it."""
        if self._at_once(self.town.ctx.holds.read()).stock_taken_on is not None and self._room():
            self.keeper.stock.clear()
            self._advance(self._start("adopt", self._adopt()), 5 * (much % 2))

    async def _adopt(self) -> None:
        await decide_stock(self.town.ctx, Decision.ADOPT, StockFilter(), by="Ann", reason="it shall be freed")

    def a_message_is_lost(self, which: int, _how: int, _much: int) -> None:
        waiting = self.town.queues.waiting
        if Peril.LOST_MESSAGES in self.perils and waiting:
            del waiting[which % len(waiting)]

    def a_person_says_yes(self, which: int, _how: int, much: int) -> None:
        cases = [c for i in self.town.work365.held if (c := self._newest(i)) is not None and c.plan is not None]
        if cases and self._room() and self.town.mode is not Mode.OBSERVE:
            case = cases[which % len(cases)]
            self._advance(self._start("yes", self._yes(case.subscription_id, case.plan.digest)), 5 * (much % 2))

    async def _yes(self, subscription_id: str, digest: str) -> None:
        stored = await self.town.store.load(subscription_id)
        if stored is not None:
            await remediate_case(self.town.ctx, stored, digest, "Ann")

    def a_person_asks(self, which: int, how: int, much: int) -> None:
        """For something that no diagnosis offers, or has what was done undone."""
        cases = [c for i in self.town.work365.held if (c := self._newest(i)) is not None and c.open]
        if cases and self._room():
            case, wanted = cases[which % len(cases)], ASKED_FOR[how % len(ASKED_FOR)]
            self._advance(self._start("ask", self._ask(case.subscription_id, *wanted)), 7 * (much % 3))

    async def _ask(self, subscription_id: str, action: str, values: Mapping[str, str]) -> None:
        stored = await self.town.store.load(subscription_id)
        if stored is not None:
            await ask(self.town.ctx, stored, action, values, by="Ann", reason="because")

    # --- what must hold ---

    def _check(self) -> None:
        if self.keeper.broken:
            raise self.keeper.broken[0]

    def _calm_down(self) -> None:
        """Nothing goes wrong any more, Work 365 works, and time passes."""
        self._finish()
        self.town.work365.deliver_late()
        self.town.mode = Mode.AUTO
        self.it_goes_on(0, 0, 0)
        seen_by = self.town.clock.now() + self.town.policy.look_again  # nobody is at rest before he was looked at
        for _ in range(80):
            self._end_jobs(Outcome.PROVISIONS)
            self._now(sweep(self.town.ctx), "sweep")
            self._now(wake(self.town.ctx), "wake")
            self._drain()
            self._adopt_what_is_left()
            self._check()
            if self.town.clock.now() > seen_by and self._at_rest():
                return
            for each in [c for c in self.town.changes() if c.id in self.keeper.triggered and self._takes_up(c)]:
                self._work(each, Outcome.PROVISIONS)
            self._on_to_what_is_due()
        raise Violation(Promise.ENDS, f"after 80 rounds: {self._states()}")

    def _adopt_what_is_left(self) -> None:
        """As long as it is held it comes to no end."""
        cases = [case for i in self.town.work365.held if (case := self._newest(i)) is not None]
        if any(case.stock is Stock.HELD and case.open for case in cases):
            self.keeper.stock.clear()
            self._now(self._adopt(), "adopt")

    def _at_rest(self) -> bool:
        waits = {c.id for c in self.town.changes() if c.id in self.keeper.triggered and self._takes_up(c)}
        return not waits and all(state in {State.RESOLVED, *TELLS} for state in self._states().values())

    def _states(self) -> dict[str, State]:
        return {i: case.state for i in self.town.work365.held if (case := self._newest(i)) is not None}

    def _on_to_what_is_due(self) -> None:
        """To the time at which the next case is looked at again, a minute at least."""
        cases = [case for i in self.town.work365.held if (case := self._newest(i)) is not None]
        now = self.town.clock.now()
        until = min((case.due_on for case in cases if case.due_on), default=now)
        self.town.clock.advance(max(until - now, timedelta(minutes=1)))

    def _drain(self) -> None:
        for _ in range(100):
            if not self.town.queues.waiting:
                return
            self._now(self.town.run(self.town.queues.waiting.popleft()), "message")
        raise Violation(Promise.ENDS, "the queues never run dry")

    def _check_the_end(self) -> None:
        for subscription_id, held in self.town.work365.held.items():
            case = self._newest(subscription_id)
            if any(self._stuck(c) for c in held.changes.values()) and (case is None or not case.open):
                raise Violation(Promise.ACCOUNTED_FOR, f"{subscription_id} is stuck, and its case is {case}")
            for each in held.changes.values():
                if each.status is NOT_APPLICABLE and self.keeper.status_by.get(each.id) == "app":
                    self._check_left(each, subscription_id)
            if case is not None:
                self._check_record(subscription_id, case.number)

    def _stuck(self, each: Change) -> bool:
        old = each.created_on is not None and each.created_on < self.town.clock.now() - self.town.policy.waiting_time
        return old and not each.archived and each.status in (AWAITING, FAILED)

    def _check_left(self, left: Change, subscription_id: str) -> None:
        case = self._newest(subscription_id)
        told = {news.case_id for news in self.town.notifier.told if _says_so(news)}
        causes = {finding.cause for finding in case.diagnosis.findings} if case and case.diagnosis else set()
        if case is None or case.state not in TELLS or causes.isdisjoint(SAYS_SO) or case.id not in told:
            raise Violation(Promise.NOTHING_LEFT, f"{left.id}, case {case and (case.id, case.state, case.cause)}")

    def _check_record(self, subscription_id: str, newest: int) -> None:
        for number in range(1, newest + 1):
            case = self._at_once(self.town.store.load_case(subscription_id, number))
            timeline = self._at_once(self.town.store.timeline(subscription_id, number))
            if case is None or (broken := first_broken(timeline, case)) is not None:
                raise Violation(Promise.RECORD_WHOLE, f"event {broken} of case {number}")

    # --- how it is done ---

    def _room(self) -> bool:
        return len(self._active()) < MOST_WORKERS

    def _active(self) -> list[Worker]:
        return self.stage.workers

    def _worker(self, which: int) -> Worker:
        return self.stage.workers[which % len(self.stage.workers)]

    def _change(self, which: int) -> Change:
        """Any change but the one that is long provisioned."""
        changes = [c for c in self.town.changes() if not c.id.startswith("22222221")]
        return changes[which % len(changes)]

    def _newest(self, subscription_id: str) -> Any:
        stored = self.town.store._stored(subscription_id)
        return stored.case if stored is not None else None

    def _at_once[T](self, work: Coroutine[Any, Any, T]) -> T:
        """A call that has no gate."""
        return self.stage.loop.run_until_complete(work)

    def _now(self, work: Coroutine[Any, Any, Any], doing: str) -> None:
        worker = self.stage.start(doing, work)
        self.keeper.modes[worker.number] = self.town.mode
        self._advance(worker, 1_000)

    def _start(self, doing: str, work: Coroutine[Any, Any, Any]) -> Worker:
        mode = self.town.mode
        worker = self.stage.start(doing, work)
        self.keeper.modes[worker.number] = mode
        self._collect()
        return worker

    def _deliver(self, message: Message) -> Worker:
        worker = self._start(type(message).__name__, self.town.run(message))
        if not worker.done:
            self.deliveries[worker.number] = (message, self.returned.get(str(message), 0))
        return worker

    def _finish(self) -> None:
        while self._active():
            self._advance(self._worker(0), 100)

    def _go_wrong(self, worker: Worker, how: int) -> None:
        if worker.gates:
            fates = [fate for fate in FATES[worker.next_call] if self._may(worker.next_call, fate)] or [Fate.WELL]
            self._open(worker, fates[how % len(fates)])

    def _advance(self, worker: Worker, steps: int) -> None:
        for _ in range(steps):
            if not worker.gates:
                return
            self._open(worker, Fate.WELL)

    def _open(self, worker: Worker, fate: Fate) -> None:
        if worker.next_call is Call.WRITE and fate not in (Fate.WELL, Fate.FAILS, Fate.PUT_OFF, Fate.REFUSED):
            self.lost += 1
        self.stage.open(worker, fate)
        self._collect()

    def _may(self, call: Call, fate: Fate) -> bool:
        match fate:
            case Fate.WELL:
                return False
            case Fate.LATE | Fate.DIES_LATE if Peril.LATE not in self.perils:
                return False
            case Fate.FAILS | Fate.REFUSED | Fate.PUT_OFF:
                return Peril.TROUBLE in self.perils
        if call is Call.WRITE and self.lost and Peril.LOST_TWICE not in self.perils:
            return False
        return (Peril.DEATH if fate in DEATHS else Peril.LOST_REPLIES) in self.perils

    def _collect(self) -> None:
        """Workers that have come to their end, and what becomes of their messages."""
        for worker in [w for w in self.stage.workers if w.done]:
            self.stage.workers.remove(worker)
            assert worker.task is not None
            error = worker.task.exception()
            if error is not None and not isinstance(error, (Crash, UnstuckError)):
                raise Violation(Promise.NO_OTHER_ERROR, f"{worker.doing}: {error!r}") from error
            delivered = self.deliveries.pop(worker.number, None)
            if error is not None and delivered is not None:
                self._comes_back(*delivered)

    def _comes_back(self, message: Message, tried: int) -> None:
        self.returned[str(message)] = tried + 1
        if tried + 1 < DELIVERIES:
            self.town.queues.waiting.append(message)
        elif isinstance(message, DiagnoseMessage):
            self._start("poison", park(self.town.ctx, message.subscription_ids, "diagnose"))
        elif isinstance(message, RemediateMessage):
            ids = [subscription_of(i) for i in message.case_ids]
            self._start("poison", park(self.town.ctx, ids, "remediate"))

    # --- Work 365 and people ---

    @staticmethod
    def _at_a_job(held: Held) -> bool:
        return any(job.status is JobStatus.IN_PROGRESS for job in held.jobs)

    def _takes_up(self, chosen: Change) -> bool:
        """Work 365 takes up what awaits provisioning, in order, one job at a time."""
        held = self.town.work365.held[self.town.subscription_of(chosen.id)]
        waiting = [c for c in in_order(held.changes.values()) if c.status in (AWAITING, FAILED) and not c.archived]
        busy = any(job.change_id == chosen.id and job.status is JobStatus.IN_PROGRESS for job in held.jobs)
        return bool(waiting) and waiting[0].id == chosen.id and chosen.status is AWAITING and not busy

    def _work(self, chosen: Change, outcome: Outcome) -> None:
        owner = self.town.subscription_of(chosen.id)
        self.keeper.triggered.discard(chosen.id)
        if outcome is Outcome.BEGINS_A_JOB:
            jobs, now = self.town.work365.held[owner].jobs, self.town.clock.now()
            number = f"88888888-0000-0000-0000-{len(jobs):012d}"
            jobs.append(Job(number, chosen.id, JobStatus.IN_PROGRESS, created_on=now, modified_on=now))
            return
        if outcome is not Outcome.FAILS:
            self._order(chosen)
        if outcome is Outcome.PROVISIONS:
            self._confirm(owner, chosen)
        elif outcome is Outcome.FAILS:
            self._set_by("work365", chosen, FAILED, message=ODD)

    def _end_jobs(self, outcome: Outcome) -> None:
        for held in self.town.work365.held.values():
            for n, job in enumerate(held.jobs):
                if job.status is JobStatus.IN_PROGRESS:
                    ended = JobStatus.FAILED if outcome is Outcome.FAILS else JobStatus.SUCCEEDED
                    held.jobs[n] = replace(job, status=ended, modified_on=self.town.clock.now())
                    self._work(held.changes[job.change_id], outcome)

    def _order(self, chosen: Change) -> None:
        self.keeper.order(chosen.id)
        own = self.town.work365.held[self.town.subscription_of(chosen.id)].subscription
        tenant = own.account.tenant_id if own.account else None
        assert tenant is not None
        assert chosen.quantity is not None
        if chosen.change_type is ChangeType.CREATE:
            at = f"44444444-0000-0000-0000-{tenant[-12:]}"
            now, seats = self.town.clock.now(), int(chosen.quantity)
            new = ProviderSubscription(at, seats, "active", own.part_number, now, False)
            self.town.provider.hold(tenant, new)
        elif (at_provider := own.provider_subscription_id) is not None:
            shown = self.town.provider.subscriptions[tenant][at_provider]
            self.town.provider.set_quantity(tenant, at_provider, (shown.quantity or 0) + int(chosen.quantity))

    def _confirm(self, owner: str, chosen: Change) -> None:
        self.town.work365.provision(chosen.id)
        self.keeper.status_by[chosen.id] = "work365"
        held = self.town.work365.held[owner]
        if chosen.change_type is ChangeType.CREATE:
            at = f"44444444-0000-0000-0000-{owner[-12:]}"
            held.subscription = replace(held.subscription, provider_subscription_id=at)

    def _set_by(self, who: str, chosen: Change, status: ProvisioningStatus, **values: object) -> None:
        by = SOMEONE if who == "person" else WORK365_USER
        if status is PROVISIONED:
            self._confirm(self.town.subscription_of(chosen.id), chosen)
        else:
            self.town.work365.edit(chosen.id, by, status=status, **values)
        if status is AWAITING and chosen.status is not AWAITING:
            self.keeper.triggered.add(chosen.id)
        self.keeper.status_by[chosen.id] = who


def _says_so(news: News) -> bool:
    """Whether a person who reads it learns of it, though another finding may come before it: that of a chain, say."""
    return news.details["cause"] in SAYS_SO or "Not Applicable" in news.text
