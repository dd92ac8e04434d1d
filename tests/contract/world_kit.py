"""A whole world in one process: the app's real adapters and workflow against the local cloud, its people included.

Input: a world. Output: how each of its subscriptions ends, and whom it harmed. Faked: the case store, the queues, the
webhook and sockets; time is virtual and passes as in the demo, where seconds stand for quarters of an hour.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx

from local.app_settings import POLICY
from local.control.environment import Environment
from local.control.harm import CHANGE, JOB, forbidden_writes, left_not_applicable
from local.demo.judging import Expected, SeenCase, Verdict, judge, settled
from local.partner_center.web_api import AUDIENCE
from local.worlds.identities import APP_CLIENT_ID, APP_USER_ID
from local.worlds.ledger import case_row
from local.worlds.model import World
from shared.adapters.dataverse.client import Dataverse
from shared.adapters.partner_center.client import Limits, PartnerCenter
from shared.adapters.partner_center.provider import PartnerCenterProvider
from shared.adapters.policy_source import read_policy
from shared.adapters.tables.keys import CASE
from shared.adapters.tables.rows import from_row
from shared.adapters.web.transport import HttpTransport
from shared.adapters.work365 import schema
from shared.adapters.work365.work365 import DataverseWork365
from shared.domain.case import Case
from shared.domain.policy import Mode, Policy
from shared.workflow.context import Context
from shared.workflow.sweep import sweep
from shared.workflow.wake import wake
from tests.contract.web_kit import BASE, Tokens, VirtualTime
from tests.fakes.clock import ManualClock
from tests.workflow_kit import Town

_SECOND = timedelta(seconds=1)


@dataclass
class WorldTown(Town):
    """One world, run by hand."""

    world: World = field(kw_only=True)
    loaded_on: datetime = field(default_factory=lambda: datetime.now(UTC), kw_only=True)

    def __post_init__(self) -> None:
        self.clock = ManualClock(self.loaded_on.replace(microsecond=0))
        self.time = VirtualTime()
        self.environment = Environment(self.world, self.clock.now, lambda _: AUDIENCE, 1.0)
        self.environment.admit("token-1", APP_CLIENT_ID)
        dataverse = Dataverse(
            BASE,
            tokens=Tokens(),
            transport=HttpTransport(httpx.ASGITransport(self.environment.dataverse)),
            product="unstuck/0.1",
            timing=self.time.timing(),
        )
        center = PartnerCenter(
            BASE,
            tokens=Tokens(),
            transport=HttpTransport(httpx.ASGITransport(self.environment.partner_center)),
            product="unstuck/0.1",
            limits=Limits(per_minute=30_000),
            timing=self.time.timing(),
        )
        self.real_work365 = DataverseWork365(dataverse, schema.load(), self.clock, UTC, "next_cycle")
        self.real_provider = PartnerCenterProvider(center, self.clock)
        self._heard = 0
        self.leave_half_done()

    @property
    def policy(self) -> Policy:
        times = Policy(
            mode=Mode.AUTO,
            job_cycle=2 * _SECOND,
            grace=_SECOND,
            job_normal_time=600 * _SECOND,
            stable_for=2 * _SECOND,
            look_again=10 * _SECOND,
            action_time_limit=20 * _SECOND,
            provider_lag=_SECOND,
        )
        return read_policy(POLICY.read_text("utf-8"), times)

    @property
    def ctx(self) -> Context:
        return Context(
            work365=self.real_work365,
            provider=self.real_provider,
            store=self.store,
            **self.controls,
            queues=self.queues,
            notifier=self.notifier,
            clock=self.clock,
            policy=self.policy,
            organization_id=self.environment.records.organization_id,
        )

    async def live(self, seconds: int) -> None:
        """Lets up to so much time pass, with a sweep every five seconds; ends early once everything is settled."""
        for second in range(seconds):
            if second % 5 == 0:
                await sweep(self.ctx)
            await wake(self.ctx)
            await self.drain()
            self._hear()
            self.environment.happenings.do_what_is_due()
            self.environment.engine.cycle()
            self.clock.advance(_SECOND)
            if second % 5 == 4 and settled(self.verdicts()):
                return

    def leave_half_done(self) -> None:
        """What an interrupted run has left in the ledger of this world."""
        for toggled in self.environment.built.half_toggled:
            row = case_row(toggled, self.environment.records, self.clock.now())
            self.store.cases[row["PartitionKey"]] = {CASE: row}

    def verdicts(self) -> list[Verdict]:
        """How everything ended, against what the world says."""
        expected = [
            Expected(e.subscription_id, e.name, e.group, e.cause, e.outcome)
            for e in self.environment.built.expectations
        ]
        return judge(expected, map(_seen, self.all_cases()))

    def all_cases(self) -> list[Case]:
        """Every case there is, former ones of the same subscription too."""
        found = [from_row(row) for there in self.store.cases.values() for key, row in there.items() if _is_case(key)]
        return sorted(found, key=lambda case: case.id)

    def harm(self) -> list[str]:
        """What must never happen and did."""
        environment = self.environment
        writes, expected = list(environment.traffic.writes), environment.built.expectations
        forbidden = forbidden_writes(writes, expected, APP_USER_ID, self._column(JOB, "license_change_log"))
        left = left_not_applicable(writes, expected, APP_USER_ID, self._column(CHANGE, "provisioning_status"))
        return [*(h.kind for h in environment.engine.harm), *(f.why for f in forbidden), *left]

    def _hear(self) -> None:
        """People are told what the notifier was."""
        new, self._heard = self.notifier.told[self._heard :], len(self.notifier.told)
        self.environment.told(str(UUID(news.details["subscription_id"])) for news in new)

    def _column(self, table: str, column: str) -> Callable[[str], str | None]:
        def value(id: str) -> str | None:
            row = self.environment.records.get(table, id)
            return str(row[column]) if row is not None else None

        return value


def _is_case(key: str) -> bool:
    return key == CASE or key.startswith("former|")


def _seen(case: Case) -> SeenCase:
    return SeenCase(
        case.id,
        case.subscription_id.lower(),
        case.subscription_name,
        case.state,
        case.cause,
        case.first_cause,
        case.summary,
        case.next_step,
    )
