"""A small town for tests of the local Work 365: one customer, some providers, a clock that is moved by hand.

Input: rows and the provider's state. Output: rows, the provider's orders, and the engine's list of harm.
Nothing is faked: it is the store, the provider and the engine that the demo runs.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from local.dataverse.records import Record, Records
from local.partner_center.model import ProviderSubscription, RefundableBatch
from local.partner_center.provider import Provider
from local.work365_engine.engine import Engine
from local.work365_engine.options import SERVICE_ROLES, WORK365_USER_ID, EngineOptions

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = NOON.date()
TENANT = "11111111-1111-4111-8111-111111111111"
OTHER_TENANT = "22222222-2222-4222-8222-222222222222"
PERSON = "99999999-9999-4999-8999-999999999999"
PART = "CFQ7TTC0LH18:0001"


class HandClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


class Town:
    """Rows are created as a person would create them: the engine hears of each."""

    def __init__(self, options: EngineOptions | None = None, *, now: datetime = NOON) -> None:
        self.clock = HandClock(now)
        self.options = options or EngineOptions()
        self.records = Records(clock=self.clock)
        self.provider = Provider(self.clock)
        self.provider.add_customer(TENANT, "Contoso")
        self.engine = Engine(self.records, self.provider, self.clock, self.options)
        self.add("system_user", {"name": "Work 365", "is_disabled": False}, id=WORK365_USER_ID)
        for role in SERVICE_ROLES:
            self.records.grant_role(WORK365_USER_ID, role)
        self.customer = self.add("account", {"name": "Contoso"})
        self.contract = self.add("billing_contract", {"name": "Contoso - monthly", "customer": self.customer})
        self.product = self.add("product", {"name": "Business Basic", "provider_part_number": PART})
        self.csp = self.add_provider("Microsoft CSP", "automatic")
        self.account = self.add_account(TENANT)

    def add(self, table: str, values: dict[str, Any], *, id: str | None = None) -> str:
        return self.records.create(table, values, id=id, by=PERSON)

    def add_provider(self, name: str, type: str, connector: str = "microsoft_csp") -> str:
        return self.add("provider", {"name": name, "type": type, "connector": connector})

    def add_account(self, tenant_id: str | None, *, provider: str | None = None, customer: str | None = None) -> str:
        values = {
            "name": "Contoso",
            "provider": provider or self.csp,
            "account": customer or self.customer,
            "provider_specific_id": tenant_id,
        }
        return self.add("provider_account", values)

    def subscribe(self, *, at_provider: int | None = 10, total: int = 15, **values: Any) -> str:
        """A subscription with `total` seats in Work 365 and `at_provider` seats bought (None: not bought yet)."""
        row: dict[str, Any] = {
            "name": "Business Basic",
            "customer": self.customer,
            "billing_contract": self.contract,
            "product": self.product,
            "provider": self.csp,
            "provider_account": self.account,
            "product_class": "license",
            "quantity": Decimal(total),
            "start_date": date(2026, 1, 1),
            "status": "awaiting_provisioning",
        }
        subscription_id = self.add("subscription", row | values)
        if at_provider is not None:
            self.buy(subscription_id, at_provider)
        return subscription_id

    def buy(self, subscription_id: str, quantity: int, **values: Any) -> ProviderSubscription:
        """What the provider has of a subscription, outside of any window."""
        bought = ProviderSubscription(
            id=self.records.new_id(),
            tenant_id=TENANT,
            offer_id=PART,
            quantity=quantity,
            creation_date=NOON - timedelta(days=200),
            refundable=values.pop("refundable", []),
            **values,
        )
        self.provider.add_subscription(bought)
        self.save("subscription", subscription_id, provider_subscription_id=bought.id)
        return bought

    def change(self, subscription_id: str, quantity: int = 5, *, on: datetime | None = None, **values: Any) -> str:
        """A change of quantity made in Work 365, effective today and awaiting provisioning."""
        row: dict[str, Any] = {
            "name": f"{quantity:+d}",
            "subscription": subscription_id,
            "change_type": "update",
            "quantity": Decimal(quantity),
            "effective_date": TODAY,
            "provisioning_status": "awaiting_provisioning",
            "change_source": "work365",
        }
        return self.records.create("license_change_log", row | values, by=PERSON, on=on)

    def save(self, table: str, id: str, **values: Any) -> None:
        self.records.update(table, id, values, by=PERSON)

    def toggle(self, change_id: str) -> None:
        """The article's retrigger: two saves."""
        self.save("license_change_log", change_id, provisioning_status="not_applicable")
        self.save("license_change_log", change_id, provisioning_status="awaiting_provisioning")

    def row(self, table: str, id: str) -> Record:
        found = self.records.get(table, id)
        assert found is not None
        return found

    def status(self, change_id: str) -> str:
        return str(self.row("license_change_log", change_id)["provisioning_status"])

    def message(self, change_id: str) -> str | None:
        text: str | None = self.row("license_change_log", change_id)["provisioning_message"]
        return text

    def jobs(self, change_id: str) -> list[Record]:
        return self.records.find("work365_job", license_change_log=change_id)

    def job_states(self, change_id: str) -> list[str]:
        return [job["job_status"] for job in self.jobs(change_id)]

    def at_provider(self, subscription_id: str) -> ProviderSubscription:
        found = self.provider.subscription(
            TENANT, self.row("subscription", subscription_id)["provider_subscription_id"]
        )
        assert found is not None
        return found

    def seats(self, subscription_id: str) -> int:
        return self.at_provider(subscription_id).quantity

    def harm(self) -> list[str]:
        return [harm.kind for harm in self.engine.harm]

    def cycles(self, count: int) -> None:
        for _ in range(count):
            self.engine.cycle()


def open_batch(quantity: int, days: float = 3) -> RefundableBatch:
    """Seats that can be given back for some days still."""
    return RefundableBatch(quantity, NOON + timedelta(days=days))
