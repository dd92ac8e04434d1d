"""A town of fakes around the real workflow: what the workflow tests start from.

Input: subscriptions in a fake Work 365 and at a fake provider. Output: cases, writes, messages, news.
Not faked: the workflow, the domain, and how a case becomes a row.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.adapters.messages import DiagnoseMessage, Message, RemediateMessage
from shared.adapters.resting_provider import RestingProvider
from shared.adapters.tables import holds
from shared.adapters.tables.alarms import TableAlarms
from shared.adapters.tables.breakers import TableBreakers
from shared.adapters.tables.budgets import TableLimits
from shared.adapters.tables.documents import SCHEMA_VERSION
from shared.adapters.tables.holds import TableHolds
from shared.adapters.tables.pauses import TableMutes, TablePauses
from shared.adapters.tables.webhooks import TableWebhooks
from shared.adapters.watched_breakers import WatchedBreakers
from shared.domain.case import Case, State
from shared.domain.evidence import Change, ProviderSubscription, ProvisioningStatus, Subscription
from shared.domain.policy import Mode, Policy
from shared.domain.surge import Watch
from shared.ports import Telemetry
from shared.workflow.context import Context
from shared.workflow.diagnose import diagnose_subscriptions
from shared.workflow.notify import notify
from shared.workflow.remediate import remediate
from shared.workflow.surges import watch_for_surges
from shared.workflow.sweep import sweep
from shared.workflow.wake import wake
from tests.builders import AT_PROVIDER, DAY, NOW, STUCK, SUBSCRIPTION, TENANT, change, provisioned, subscription
from tests.fakes.callbacks import FakeCallbacks
from tests.fakes.case_store import FakeCaseStore
from tests.fakes.clock import ManualClock
from tests.fakes.notifier import FakeNotifier
from tests.fakes.provider import FakeProvider
from tests.fakes.queues import FakeQueues
from tests.fakes.tables import FakeTables
from tests.fakes.telemetry import FakeTelemetry
from tests.fakes.work365 import FakeWork365

LONG_AGO = NOW - 3_650 * DAY
"""When the environments of most tests were swept for the first time: nothing in them is stock."""

ORGANIZATION = "00000000-0000-0000-0000-0000000000aa"
AWAITING, NOT_APPLICABLE = ProvisioningStatus.AWAITING, ProvisioningStatus.NOT_APPLICABLE


class Crash(BaseException):
    """The worker process died here. Not an Exception, so that nothing catches it."""


def swept_on(moment: datetime) -> FakeTables:
    """Tables of an environment that was swept for the first time then."""
    return remembering(FakeTables(), moment)


def remembering[T: FakeTables](tables: T, moment: datetime) -> T:
    """These tables with the row that remembers a first sweep."""
    watch = Watch(stock_taken_on=moment, stock_told=True)
    columns = {"schema_version": SCHEMA_VERSION, **holds._columns(watch)}
    tables.edit(holds.TABLE, holds.PARTITION, holds.ROW, **columns)
    return tables


@dataclass
class Town:
    """The workflow with fakes around it, and the two timers and three queues run by hand."""

    mode: Mode = Mode.AUTO
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    store: FakeCaseStore = field(default_factory=FakeCaseStore)
    queues: FakeQueues = field(default_factory=FakeQueues)
    notifier: FakeNotifier = field(default_factory=FakeNotifier)
    callbacks: FakeCallbacks = field(default_factory=FakeCallbacks)
    organization_id: str | None = ORGANIZATION
    telemetry: Telemetry = field(default_factory=FakeTelemetry)

    tables: FakeTables = field(default_factory=lambda: swept_on(LONG_AGO))
    """Budgets, breakers, pauses and holds."""
    limits: dict[str, Any] = field(default_factory=dict)
    """What the policy says besides the mode, where a test wants it otherwise."""

    def __post_init__(self) -> None:
        self.work365 = FakeWork365(self.clock, self.organization_id)
        self.provider = FakeProvider(self.clock)
        self.queues.traceparent = self.telemetry.traceparent

    @property
    def policy(self) -> Policy:
        return Policy(mode=self.mode, **self.limits)

    @property
    def controls(self) -> dict[str, Any]:
        """The real adapters of the guards' tables, on tables in memory."""
        return {
            "limits": TableLimits(self.tables),
            "breakers": WatchedBreakers(TableBreakers(self.tables), self.telemetry),
            "pauses": TablePauses(self.tables),
            "mutes": TableMutes(self.tables),
            "holds": TableHolds(self.tables),
            "alarms": TableAlarms(self.tables),
            "webhooks": TableWebhooks(self.tables),
            "callbacks": self.callbacks,
        }

    @property
    def ctx(self) -> Context:
        return Context(
            work365=self.work365,
            provider=RestingProvider(self.provider, TableBreakers(self.tables), self.clock, self.policy.breaker),
            store=self.store,
            **self.controls,
            queues=self.queues,
            notifier=self.notifier,
            clock=self.clock,
            policy=self.policy,
            organization_id=ORGANIZATION,
            telemetry=self.telemetry,
        )

    def stuck(self, *changes: Change, seats: int = 20, of: Subscription | None = None) -> None:
        """A subscription with a stuck change, and what the provider shows of it."""
        held = of or subscription()
        self.work365.hold(held, *(changes or (provisioned(), change())))
        at = held.provider_subscription_id or AT_PROVIDER
        shown = ProviderSubscription(at, seats, "active", held.part_number, NOW - 300 * DAY, False)
        self.provider.hold(TENANT, shown)

    def many(self, count: int) -> list[str]:
        """Subscriptions that are all stuck alike; their ids."""
        ids = [f"11111111-0000-0000-0000-{n:012d}" for n in range(count)]
        for n, each in enumerate(ids):
            old, stuck = (f"2222222{kind}-0000-0000-0000-{n:012d}" for kind in (1, 2))
            own = subscription(id=each, provider_subscription_id=f"44444444-0000-0000-0000-{n:012d}")
            self.stuck(provisioned(old), change(stuck), of=own)
        return ids

    async def swept_before(self) -> None:
        """A sweep was complete before anything of this was stuck."""
        await watch_for_surges(self.ctx, [])

    async def sweep(self) -> None:
        await sweep(self.ctx)
        await self.drain()

    async def pass_time(self, by: timedelta) -> None:
        """Time goes by, and the wake timer ticks."""
        self.clock.advance(by)
        await wake(self.ctx)
        await self.drain()

    async def drain(self) -> None:
        """Runs the queue triggers until nothing waits."""
        for _ in range(1_000):
            message = self.queues.take()
            if message is None:
                return
            await self.run(message)
        raise AssertionError("the queues never run dry: something wakes itself up for ever")

    async def run(self, message: Message) -> None:
        with self.telemetry.following(message.traceparent):
            await self._step(message)

    async def _step(self, message: Message) -> None:
        if isinstance(message, DiagnoseMessage):
            await diagnose_subscriptions(self.ctx, message.subscription_ids)
        elif isinstance(message, RemediateMessage):
            await remediate(self.ctx, message.case_ids)
        else:
            await notify(self.ctx, message.subscription_ids)

    async def case(self, subscription_id: str = SUBSCRIPTION) -> Case:
        stored = await self.store.load(subscription_id)
        assert stored is not None, "there is no case"
        return stored.case

    async def state(self, subscription_id: str = SUBSCRIPTION) -> State:
        return (await self.case(subscription_id)).state

    async def history(self, subscription_id: str = SUBSCRIPTION) -> list[str]:
        """The kinds of the case's events."""
        case = await self.case(subscription_id)
        return [event.kind for event in await self.store.timeline(subscription_id, case.number)]

    def written(self, change_id: str = STUCK) -> list[ProvisioningStatus]:
        """What the app has set this change to, in order."""
        return [write.status for write in self.work365.writes if write.change_id == change_id]

    def crash_at_save(self, wanted: Callable[[Case], bool], *, saved: bool) -> None:
        """The worker dies once, when it saves a case like this: just before it, or just after."""

        def hook(recorded: object) -> None:
            case = recorded.case  # type: ignore[attr-defined]
            if wanted(case):
                self.store.before_save = self.store.after_save = lambda _: None
                raise Crash

        if saved:
            self.store.after_save = hook
        else:
            self.store.before_save = hook

    def copied(self) -> None:
        """The environment is a copy: another organisation answers."""
        self.work365.organization_id = "00000000-0000-0000-0000-0000000000bb"

    def with_mode(self, mode: Mode) -> None:
        self.mode = mode


def without_answer(town: Town) -> None:
    """Every read of Dataverse fails from now on."""
    from shared.errors import Unreachable

    town.work365.unavailable = Unreachable("dataverse", "Dataverse did not answer.")


__all__ = ["AWAITING", "NOT_APPLICABLE", "Crash", "Town", "replace", "without_answer"]
