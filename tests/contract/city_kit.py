"""The app's real adapters against the local cloud, in one process and in virtual time.

Input: rows in the local Dataverse and what the local provider has. Output: cases, the local Dataverse's count of
requests and writes, the engine's list of harm. Faked: the case store, the queues, the webhook, and sockets.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from local.dataverse.access import Access
from local.dataverse.faults import Faults
from local.dataverse.records import Records
from local.dataverse.traffic import Traffic
from local.dataverse.web_api import create_app
from local.partner_center import web_api as partner_center_api
from local.partner_center.model import ProviderSubscription
from local.partner_center.provider import Provider
from local.work365_engine.engine import Engine
from local.work365_engine.options import WORK365_USER_ID, EngineOptions
from shared.adapters.dataverse.client import Dataverse
from shared.adapters.partner_center.client import PartnerCenter
from shared.adapters.partner_center.provider import PartnerCenterProvider
from shared.adapters.web.transport import HttpTransport
from shared.adapters.work365 import schema
from shared.adapters.work365.work365 import DataverseWork365
from shared.domain.policy import Mode, Policy
from shared.workflow.context import Context
from tests.contract.web_kit import BASE, Tokens, VirtualTime
from tests.fakes.case_store import FakeCaseStore
from tests.fakes.clock import ManualClock
from tests.fakes.notifier import FakeNotifier
from tests.fakes.provider import FakeProvider
from tests.fakes.queues import FakeQueues
from tests.workflow_kit import Town

APP_USER = "10000000-0000-4000-8000-000000000001"
PERSON = "10000000-0000-4000-8000-000000000002"
WORK365_APP = "e4b1a995-abe3-4350-a61c-65fccd32e8bd"
LOG = "license_change_log"
TENANTS = 400


@dataclass
class City(Town):
    """A Town whose Work 365 and provider are the local cloud, reached through the real adapters."""

    run_job: str = "next_cycle"
    options: EngineOptions = field(default_factory=EngineOptions)

    def __post_init__(self) -> None:
        self.clock = ManualClock(datetime.fromisoformat("2026-11-22T12:00:00+00:00"))
        self.records = Records(clock=self.clock.now)
        self.access, self.faults = Access(self.records), Faults()
        self.traffic = Traffic(self.clock.now)
        self.at_provider = Provider(self.clock.now)
        self.engine = Engine(self.records, self.at_provider, self.clock.now, self.options)
        self.rooms: dict[str, str] = {}
        self._people()
        self._surroundings()
        app = create_app(self.records, access=self.access, faults=self.faults, traffic=self.traffic)
        self.time = VirtualTime()
        self.dataverse = Dataverse(
            BASE,
            tokens=Tokens(),
            transport=HttpTransport(httpx.ASGITransport(app)),
            product="unstuck/0.1",
            timing=self.time.timing(),
        )
        self.real_work365 = DataverseWork365(
            self.dataverse, schema.load(), self.clock, self.policy.time_zone, self.run_job
        )
        self.real_provider = PartnerCenterProvider(self._partner_center(), self.clock)

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
            organization_id=self.records.organization_id,
        )

    def healthy(self, count: int) -> None:
        """Subscriptions with one provisioned change each."""
        ids = self._subscriptions(count, "provisioned", seats=20)
        self._changes(ids, "create", 20, "provisioned", age=timedelta(days=300))

    def stuck_many(self, count: int) -> list[str]:
        """Subscriptions whose last change Work 365 never began; the changes' ids."""
        ids = self._subscriptions(count, "awaiting_provisioning", seats=25)
        self._changes(ids, "create", 20, "provisioned", age=timedelta(days=300))
        return self._changes(ids, "update", 5, "awaiting_provisioning", age=timedelta(hours=2))

    def statuses(self, change_ids: list[str]) -> set[str]:
        return {str(row["provisioning_status"]) for i in change_ids if (row := self.records.get(LOG, i)) is not None}

    async def cycles(self, count: int = 8) -> None:
        """Work 365 works and the wake timer ticks, in turn."""
        for _ in range(count):
            self.engine.cycle()
            await self.pass_time(timedelta(minutes=16))

    def _people(self) -> None:
        for user, name, application in ((APP_USER, "unstuck", APP_USER), (WORK365_USER_ID, "Work 365", WORK365_APP)):
            values = {"name": name, "is_disabled": False, "application_id": application}
            self.records.create("system_user", values, id=user, by=user)
        for role in ("Work 365 Service", "Work 365 Portal Service"):
            self.records.grant_role(WORK365_USER_ID, role)
        self.records.create("system_user", {"name": "Ann", "is_disabled": False}, id=PERSON, by=PERSON)
        self.access.grant("token-1", APP_USER)

    def _surroundings(self) -> None:
        add = self.records.create
        self.product = add(
            "product", {"name": "Business Basic", "provider_part_number": "CFQ7TTC0LH18:0001"}, by=PERSON
        )
        self.csp = add(
            "provider",
            {
                "name": "Microsoft CSP",
                "type": "automatic",
                "connector": "microsoft_csp",
                "connectivity": "verified",
                "last_verified_on": self.clock.now() - timedelta(days=1),
            },
            by=PERSON,
        )
        self.price_list = add("price_list", {"name": "Retail"}, by=PERSON)
        self.currency = add("currency", {"name": "Euro", "iso_code": "EUR"}, by=PERSON)
        self.customers: list[tuple[str, str, str]] = []
        self.contracts: list[str] = []
        for n in range(TENANTS):
            tenant = f"30000000-0000-4000-8000-{n:012d}"
            account = add("account", {"name": f"Customer {n}"}, by=PERSON)
            values = {"name": "x", "account": account, "provider": self.csp, "provider_specific_id": tenant}
            self.at_provider.add_customer(tenant, f"Customer {n}")
            self.customers.append((account, add("provider_account", values, by=PERSON), tenant))
            self.contracts.append(add("billing_contract", {"name": "Monthly", "customer": account}, by=PERSON))

    def _subscriptions(self, count: int, status: str, seats: int) -> list[str]:
        rows = [self._subscription(n, status, seats) for n in range(count)]
        return self.records.create_many("subscription", rows, by=PERSON, on=self.clock.now() - timedelta(days=300))

    def _subscription(self, n: int, status: str, seats: int) -> dict[str, Any]:
        customer, account, tenant = self.customers[n % TENANTS]
        at_provider = self.records.new_id()
        self.at_provider.add_subscription(
            ProviderSubscription(
                id=at_provider,
                tenant_id=tenant,
                offer_id="CFQ7TTC0LH18:0001",
                quantity=20,
                creation_date=self.clock.now() - timedelta(days=300),
            )
        )
        return {
            "name": f"Subscription {n}",
            "customer": customer,
            "product": self.product,
            "provider": self.csp,
            "provider_account": account,
            "billing_contract": self.contracts[n % TENANTS],
            "price_list": self.price_list,
            "currency": self.currency,
            "provider_subscription_id": at_provider,
            "product_class": "license",
            "quantity": Decimal(seats),
            "start_date": date(2026, 1, 1),
            "status": status,
        }

    def _changes(self, ids: list[str], kind: str, seats: int, status: str, age: timedelta) -> list[str]:
        on = self.clock.now() - age
        rows = [
            {
                "name": f"{seats:+d}",
                "subscription": each,
                "change_type": kind,
                "quantity": Decimal(seats),
                "effective_date": on.date(),
                "provisioning_status": status,
                "change_source": "work365",
            }
            for each in ids
        ]
        return self.records.create_many(LOG, rows, by=PERSON, on=on)

    def _partner_center(self) -> PartnerCenter:
        center = partner_center_api.PartnerCenter(
            self.at_provider, self.clock.now, lambda _: partner_center_api.AUDIENCE
        )
        transport = HttpTransport(httpx.ASGITransport(partner_center_api.create_app(center)))
        return PartnerCenter(BASE, tokens=Tokens(), transport=transport, product="x/1", timing=self.time.timing())


@contextmanager
def city(**values: Any) -> Iterator[City]:
    built = City(mode=values.pop("mode", Mode.AUTO), **values)
    try:
        yield built
    finally:
        built.records.close()


__all__ = ["City", "FakeCaseStore", "FakeNotifier", "FakeProvider", "FakeQueues", "Policy", "city"]
