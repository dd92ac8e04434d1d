"""What a world can say beyond changes and jobs, as rows of Dataverse and as what the provider has."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.dataverse.records import Record, Records
from local.partner_center.errors import ProviderRefusal
from local.partner_center.provider import Provider
from local.work365_engine.options import SERVICE_ROLES, TRIGGER_WORKFLOW
from local.worlds import WorldError, build, parse_world
from local.worlds.identities import WORK365_USER_ID, row_id
from local.worlds.seeding import engine_options, seed_provider, seed_rows

NOW = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
HEAD = """
name: t
about: A test.
work365: %s
providers:
  microsoft: {name: Microsoft CSP, connector: microsoft_csp}
  old: {name: Old CSP, connector: microsoft_csp, active: false}
products:
  gone: {name: Gone, part_number: "A:1", active: false, price: "2.50"}
subscriptions:
"""
GROUP = """
  - group: a
    provider: microsoft
    product: e3
    changes: [{type: create, quantity: 4, created: -9d}]
    %s
"""


class Loaded:
    """A world's rows and its provider."""

    def __init__(self, more: str = "", *, work365: str = "{}", group: str = GROUP) -> None:
        self.world = parse_world(HEAD % work365 + (group % more if "%s" in group else group), "test")
        self.built = build(self.world, NOW)
        self.records = Records(clock=lambda: NOW)
        self.provider = Provider(lambda: NOW)
        seed_rows(self.built, self.records)
        seed_provider(self.built, self.provider)

    def one(self, table: str, **equal: object) -> Record:
        (found,) = self.records.find(table, **equal)
        return found

    @property
    def subscription(self) -> Record:
        return self.one("subscription")

    def of_subscription(self, table: str, column: str) -> Record | None:
        id = self.subscription[column]
        return self.records.get(table, id) if id else None


class TestTheEnvironment:
    @pytest.mark.parametrize(
        ("region", "application"),
        [("us", "e4b1a995-abe3-4350-a61c-65fccd32e8bd"), ("eu", "5e56ae97-9be1-40d3-938b-99ea52175a30")],
    )
    def test_work_365_has_its_public_application_and_both_roles(self, region: str, application: str) -> None:
        loaded = Loaded(work365=f"{{region: {region}}}")
        user = loaded.one("system_user", id=WORK365_USER_ID)
        assert (user["application_id"], user["is_disabled"]) == (application, False)
        assert loaded.records.roles_of(WORK365_USER_ID) == sorted(SERVICE_ROLES)

    def test_its_user_may_be_disabled_and_lack_a_role(self) -> None:
        loaded = Loaded(work365="{service_user: {enabled: false, roles: [Work 365 Service]}}")
        assert loaded.one("system_user", id=WORK365_USER_ID)["is_disabled"] is True
        assert loaded.records.roles_of(WORK365_USER_ID) == ["Work 365 Service"]

    def test_workflows_have_states_and_work_on_work_365s_tables(self) -> None:
        own = "{workflows: [{name: Work 365 - Sync License Change Log, state: suspended, modified: -2d}, {name: Mine}]}"
        loaded = Loaded(work365=own)
        trigger = loaded.one("workflow", name=TRIGGER_WORKFLOW)
        assert (trigger["state"], trigger["modified_on"]) == ("suspended", NOW - timedelta(days=2))
        assert trigger["primary_entity"] == loaded.records.schema.table("license_change_log").logical
        assert loaded.one("workflow", name="Mine")["state"] == "activated"
        assert len(loaded.records.find("workflow")) == 3

    def test_workflow_on_is_the_short_way_to_say_draft(self) -> None:
        assert Loaded(work365="{workflow_on: false}").one("workflow", name=TRIGGER_WORKFLOW)["state"] == "draft"

    def test_scheduled_jobs(self) -> None:
        loaded = Loaded(work365="{scheduled_jobs: [{name: Nightly, enabled: false, next_run: -2d, stuck: true}]}")
        job = loaded.one("scheduled_job")
        assert (job["name"], job["enabled"], job["next_run_on"]) == ("Nightly", False, NOW - timedelta(days=2))
        assert engine_options(loaded.world, loaded.built, 1).stuck_jobs == {"Nightly"}

    def test_providers_products_and_money(self) -> None:
        loaded = Loaded(work365="{currency: CHF}")
        assert loaded.one("provider", name="Old CSP")["state"] == "inactive"
        assert loaded.one("product", name="Gone")["state"] == "inactive"
        assert loaded.one("currency", id=loaded.subscription["currency"])["iso_code"] == "CHF"
        assert loaded.one("license_change_log")["unit_price"] == Decimal(33)


class TestWhomItBelongsTo:
    def test_by_default_everything_is_the_customers_own(self) -> None:
        loaded = Loaded()
        customer, contract = (
            loaded.of_subscription("account", "customer"),
            loaded.of_subscription("billing_contract", "billing_contract"),
        )
        account = loaded.of_subscription("provider_account", "provider_account")
        assert customer
        assert contract
        assert account
        assert contract["customer"] == customer["id"] == account["account"]
        assert contract["next_invoice_on"] == (NOW + timedelta(days=12)).date()
        assert account["provider_specific_id"] in loaded.provider.customers

    @pytest.mark.parametrize(
        ("field", "column"),
        [
            ("holder: {lookup: none}", "customer"),
            ("contract: {lookup: none}", "billing_contract"),
            ("accounts: {lookup: none}", "provider_account"),
            ("accounts: {own: false}", "provider_account"),
            ("provider_lookup: false", "provider"),
            ("product_lookup: false", "product"),
            ("price_list: false", "price_list"),
        ],
    )
    def test_a_lookup_may_be_empty(self, field: str, column: str) -> None:
        assert Loaded(field).subscription[column] is None
        assert Loaded().subscription[column] is not None

    @pytest.mark.parametrize(
        ("field", "table", "column"),
        [
            ("holder: {lookup: another}", "account", "customer"),
            ("contract: {lookup: another}", "billing_contract", "billing_contract"),
            ("accounts: {lookup: another}", "provider_account", "provider_account"),
        ],
    )
    def test_a_lookup_may_point_to_somebody_else(self, field: str, table: str, column: str) -> None:
        row = Loaded(field).of_subscription(table, column)
        own = row_id("t", "account", "a-0")
        assert row is not None
        assert own not in (row["id"], row.get("customer"), row.get("account"))
        assert row["state"] == "active"

    @pytest.mark.parametrize(
        ("field", "table", "column"),
        [
            ("holder: {active: false}", "account", "customer"),
            ("contract: {active: false}", "billing_contract", "billing_contract"),
            ("accounts: {active: false}", "provider_account", "provider_account"),
        ],
    )
    def test_a_row_may_be_inactive(self, field: str, table: str, column: str) -> None:
        row = Loaded(field).of_subscription(table, column)
        assert row is not None
        assert row["state"] == "inactive"

    def test_a_customer_may_have_several_accounts(self) -> None:
        loaded = Loaded("accounts: {lookup: none, more: 2}")
        accounts = loaded.records.find("provider_account")
        assert {row["account"] for row in accounts} == {loaded.subscription["customer"]}
        assert len({row["provider_specific_id"] for row in accounts} & set(loaded.provider.customers)) == 3

    @pytest.mark.parametrize(("tenant", "known"), [("another", True), ("unknown", False), ("text", False)])
    def test_an_account_may_hold_another_tenant(self, tenant: str, known: bool) -> None:
        loaded = Loaded(f"accounts: {{tenant: {tenant}}}")
        specific = loaded.one("provider_account")["provider_specific_id"]
        assert specific != row_id("t", "tenant", "a-0")
        assert (specific in loaded.provider.customers) is known

    def test_an_account_may_hold_no_tenant(self) -> None:
        assert Loaded("accounts: {tenant: empty}").one("provider_account")["provider_specific_id"] is None


class TestTheProvider:
    def shown(self, more: str) -> Any:
        loaded = Loaded(f"provider_side: {{{more}}}")
        tenant = row_id("t", "tenant", "a-0")
        return loaded.provider.subscription(tenant, row_id("t", "at-provider", "a", 0))

    def test_windows_and_terms_are_its_own(self) -> None:
        shown = self.shown("refundable: [{quantity: 3, until: +2d}], cancellation: +1d, term_ends: +9h, created: -20d")
        assert [(b.quantity, b.allowed_until) for b in shown.refundable] == [(3, NOW + timedelta(days=2))]
        assert shown.cancellation_until == NOW + timedelta(days=1)
        assert shown.commitment_end == NOW + timedelta(hours=9)
        assert shown.creation_date == NOW - timedelta(days=20)

    def test_states_and_what_may_be_done(self) -> None:
        shown = self.shown(
            "status: suspended, suspension_reasons: [FraudHold], actions: [cancel], auto_renew: false,"
            " provisioning: pending, order_status: pending"
        )
        assert (shown.status, shown.suspension_reasons, shown.actions) == ("suspended", ("FraudHold",), ("cancel",))
        assert (shown.auto_renew, shown.provisioning, shown.order_status) == (False, "pending", "pending")

    def test_a_twin_stands_beside_it_and_nothing_points_to_it(self) -> None:
        loaded = Loaded("provider_side: {twin: {quantity: 4, ordered: -3d}}")
        own, other = loaded.provider.subscriptions(row_id("t", "tenant", "a-0"))
        assert (own.offer_id, own.quantity, other.quantity) == (other.offer_id, 4, 4)
        assert loaded.subscription["provider_subscription_id"] == own.id

    @pytest.mark.parametrize(("customer", "code"), [("unknown", "60003"), ("none", "20002")])
    def test_it_may_not_know_the_customer(self, customer: str, code: str) -> None:
        loaded = Loaded(f"provider_side: {{customer: {customer}}}")
        with pytest.raises(ProviderRefusal, match=code):
            self.more(loaded)

    def test_it_may_refuse_one_customer_for_a_time(self) -> None:
        loaded = Loaded('provider_side: {refuses: {code: "13605", times: 1}}')
        with pytest.raises(ProviderRefusal, match="13605"):
            self.more(loaded)
        self.more(loaded)

    @staticmethod
    def more(loaded: Loaded) -> None:
        tenant, bought = row_id("t", "tenant", "a-0"), row_id("t", "at-provider", "a", 0)
        loaded.provider.change_quantity("Microsoft CSP", tenant, bought, 1, None)


def test_changes_bring_prices_hands_and_system_jobs() -> None:
    loaded = Loaded(
        group="""
  - group: a
    provider: microsoft
    product: e3
    reduction: {behavior: within_window, window: 7}
    changes:
      - type: update
        created: -9d
        status: not_applicable
        unit_price: "21.50"
        touched_by: person
        touched: -3d
        system_jobs: [{status: waiting, message: Waits., created: -8d}]
    scheduled:
      - {quantity: 2, created: -9d, effective: -2d, status: merge_failed, jobs: [{status: failed, results: No.}]}
"""
    )
    change, job = loaded.one("license_change_log"), loaded.one("system_job")
    assert (change["unit_price"], change["modified_on"]) == (Decimal("21.50"), NOW - timedelta(days=3))
    assert (job["regarding"], job["state"], job["status"]) == (change["id"], "suspended", "waiting")
    merge = loaded.one("work365_job")
    assert (merge["type"], merge["results"]) == ("merge_scheduled_change", "No.")
    assert merge["scheduled_license_change_log"] == loaded.one("scheduled_license_change_log")["id"]
    assert (loaded.subscription["reduction_behavior"], loaded.subscription["reduction_window"]) == ("within_window", 7)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("provider_side: {refuses: {code: X1}}", "X1 is not in local/partner_center/error_texts.tsv"),
        ("accounts: {more: 9}", "accounts.more"),
        ("reduction: {behavior: never}", "reduction.behavior"),
        ("provider_side: {twin: {quantity: 0}}", "twin.quantity"),
        ("happens: [{does: retrigger_change}]", "retrigger_change needs `change`"),
    ],
)
def test_what_makes_no_sense_is_named(field: str, expected: str) -> None:
    with pytest.raises(WorldError) as raised:
        Loaded(field)
    assert expected in str(raised.value)
