"""The local Work 365 behind the local Dataverse's Web API: the retrigger as its callers see it."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from local.partner_center.model import ProviderSubscription
from local.partner_center.provider import Provider
from local.work365_engine.engine import Engine
from local.work365_engine.options import EngineOptions
from tests.contract.local_dataverse import NOW, USER, Answer, Dataverse, name, option, part, row_url

TENANT = "11111111-1111-4111-8111-111111111111"
CHANGE = "license_change_log"


class Behind:
    """A stuck change, loaded without a trigger, and a caller of the Web API."""

    def __init__(self, dataverse: Dataverse) -> None:
        self.dataverse = dataverse
        self.options = EngineOptions()
        provider = Provider(dataverse.clock)
        provider.add_customer(TENANT, "Contoso")
        bought = ProviderSubscription("s-1", TENANT, "P:1", 10, NOW - timedelta(days=90))
        provider.add_subscription(bought)
        self.bought = bought
        self.engine = Engine(dataverse.records, provider, dataverse.clock, self.options)
        customer = self.add("account", name="Contoso")
        contract = self.add("billing_contract", name="Contoso - monthly", customer=customer)
        csp = self.add("provider", name="Microsoft CSP", type="automatic", connector="microsoft_csp")
        account = self.add("provider_account", provider=csp, account=customer, provider_specific_id=TENANT)
        self.subscription = self.add(
            "subscription",
            customer=customer,
            billing_contract=contract,
            provider=csp,
            provider_account=account,
            provider_subscription_id="s-1",
            quantity=Decimal(15),
            status="awaiting_provisioning",
        )
        self.change = self.add(
            CHANGE,
            name="+5",
            subscription=self.subscription,
            change_type="update",
            quantity=Decimal(5),
            effective_date=NOW.date(),
            provisioning_status="awaiting_provisioning",
        )

    def add(self, table: str, **values: object) -> str:
        return self.dataverse.records.create_many(table, [values], by=USER)[0]

    def status(self) -> str:
        row = self.dataverse.records.get(CHANGE, self.change)
        assert row is not None
        return str(row["provisioning_status"])

    def set(self, status: str, etag: str = "*") -> Answer:
        body = {name(CHANGE, "provisioning_status"): option(CHANGE, "provisioning_status", status)}
        return self.dataverse.patch(row_url(CHANGE, self.change), body, etag, "return=representation")


@pytest.fixture
def behind() -> Iterator[Behind]:
    with Dataverse() as dataverse:
        yield Behind(dataverse)


def test_the_articles_retrigger(behind: Behind) -> None:
    behind.engine.cycle()
    assert behind.status() == "awaiting_provisioning"
    first = behind.set("not_applicable")
    assert behind.set("awaiting_provisioning", first.json["@odata.etag"]).status == 200
    behind.engine.cycle()
    assert (behind.status(), behind.bought.quantity, behind.engine.harm) == ("provisioned", 15, [])


def test_a_plug_in_that_saves_in_between_makes_the_etag_old(behind: Behind) -> None:
    behind.options.plugin_touch = 100
    first = behind.set("not_applicable")
    etag = first.json["@odata.etag"]
    assert behind.set("awaiting_provisioning", etag).status == 412
    current = behind.dataverse.get(row_url(CHANGE, behind.change)).json
    assert current["@odata.etag"] != etag
    assert current[name(CHANGE, "modified_by")] == behind.options.user_id
    assert behind.set("awaiting_provisioning", current["@odata.etag"]).status == 200
    behind.engine.cycle()
    assert behind.status() == "provisioned"


def test_both_saves_in_one_batch_trigger_once(behind: Behind) -> None:
    url, column = row_url(CHANGE, behind.change), name(CHANGE, "provisioning_status")
    parts = [
        part("PATCH", url, {column: option(CHANGE, "provisioning_status", status)}, If_Match="*")
        for status in ("not_applicable", "awaiting_provisioning")
    ]
    outer, answers = behind.dataverse.batch(*parts)
    assert (outer.status, [answer.status for answer in answers]) == (200, [204, 204])
    jobs = behind.dataverse.records.find("work365_job", license_change_log=behind.change)
    assert [job["job_status"] for job in jobs] == ["waiting"]


def test_a_deletion_through_the_web_api_is_harm(behind: Behind) -> None:
    assert behind.dataverse.send("DELETE", row_url(CHANGE, behind.change)).status == 204
    assert [harm.kind for harm in behind.engine.harm] == ["change_deleted"]
