"""From a world to rows: relative times, ids, what the provider has, and what is expected."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.dataverse.records import Records
from local.partner_center.provider import Provider
from local.work365_engine.engine import Engine
from local.work365_engine.options import EngineOptions
from local.worlds import build, find_world, parse_world, read_world
from local.worlds.built import Built
from local.worlds.happenings import CannotBeDone, Happenings
from local.worlds.identities import APP_USER_ID, row_id
from local.worlds.ledger import case_row
from local.worlds.seeding import engine_options, seed_provider, seed_rows
from shared.domain.provider_errors import read_message

NOW = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)

HEAD = """
name: t
about: A test.
providers:
  microsoft: {name: Microsoft CSP, connector: microsoft_csp}
  expired: {name: Expired CSP, connector: microsoft_csp, connectivity: failed, refuses: {code: AADSTS700082}}
  distributor: {name: Distributor, type: manual}
  nothing: {name: Nothing, type: do_nothing}
subscriptions:
"""


def built(groups: str, head: str = HEAD) -> Built:
    return build(parse_world(head + groups, "test"), NOW)


def rows(one: Built, table: str) -> list[dict[str, Any]]:
    return one.tables.get(table, [])


UPDATED = """
  - group: a
    count: 3
    provider: microsoft
    product: e3
    changes:
      - {type: create, quantity: [10, 20], created: -9d}
      - {type: update, quantity: 3, created: -5d, status: not_applicable, source: provider}
      - {type: update, quantity: 5, created: -2h, effective: +1d, status: awaiting_provisioning}
    expect: {cause: trigger_missed, outcome: resolved, may_write: [3]}
"""


def test_times_count_from_loading() -> None:
    change = rows(built(UPDATED), "license_change_log")[2]
    assert change["created_on"] == NOW - timedelta(hours=2)
    assert change["effective_date"].isoformat() == "2026-11-23"


def test_dates_are_those_of_work_365s_own_time_zone() -> None:
    head = HEAD.replace("about: A test.", "about: A test.\nwork365: {time_zone: Asia/Tokyo}")
    change = rows(built(UPDATED, head), "license_change_log")[2]
    assert change["effective_date"].isoformat() == "2026-11-24"


def test_members_take_quantities_by_turns_and_have_customers_of_their_own() -> None:
    one = built(UPDATED)
    assert [row["quantity"] for row in rows(one, "subscription")] == [Decimal(18), Decimal(28), Decimal(18)]
    assert len({row["customer"] for row in rows(one, "subscription")}) == 3
    assert len({row["name"] for row in rows(one, "account")}) == 3


def test_the_provider_has_what_is_provisioned_or_came_from_it() -> None:
    assert [s.quantity for s in built(UPDATED).provider_subscriptions] == [13, 23, 13]


def test_a_first_order_is_not_at_the_provider_yet() -> None:
    one = built(
        "  - {group: a, provider: microsoft, product: e3,"
        " changes: [{type: create, quantity: 4, created: -1h, status: awaiting_provisioning}]}\n"
    )
    assert one.provider_subscriptions == []
    assert rows(one, "subscription")[0]["provider_subscription_id"] is None
    assert rows(one, "subscription")[0]["status"] == "awaiting_provisioning"


def test_the_same_world_has_the_same_ids_and_another_one_has_others() -> None:
    first, again = built(UPDATED), built(UPDATED)
    other = built(UPDATED, HEAD.replace("name: t\n", "name: u\n"))
    assert first.tables == again.tables
    ids = {row["id"] for row in rows(first, "license_change_log")}
    assert ids.isdisjoint(row["id"] for row in rows(other, "license_change_log"))


def test_what_is_expected_names_the_changes_that_may_be_written() -> None:
    one = built(UPDATED)
    third = [row["id"] for row in rows(one, "license_change_log")][2::3]
    assert [e.may_write for e in one.expectations] == [(id,) for id in third]


def test_an_addon_belongs_to_its_parents_customer() -> None:
    one = built(
        UPDATED
        + "  - {group: b, count: 4, provider: microsoft, product: teams_phone, parent: a,"
        + " changes: [{type: create, quantity: 1, created: -1d}]}\n"
    )
    parents, addons = rows(one, "subscription")[:3], rows(one, "subscription")[3:]
    assert [addon["parent"] for addon in addons] == [parents[n % 3]["id"] for n in range(4)]
    assert addons[1]["customer"] == parents[1]["customer"]
    assert one.provider_subscriptions[3].parent_subscription_id == one.provider_subscriptions[0].id


def test_jobs_are_what_work_365_leaves_behind() -> None:
    one = built(UPDATED)
    jobs = rows(one, "work365_job")
    # Of each member: one for the creation nine days ago, none for the provider's change or the missed one.
    assert [job["job_status"] for job in jobs] == ["succeeded"] * 3


def test_a_message_by_code_is_in_the_providers_own_words() -> None:
    one = built(
        "  - {group: a, provider: expired, product: e3, changes: [{type: create, quantity: 4, created: -1h,"
        ' status: failed_provisioning, message: {code: AADSTS700082, values: ["2026-05-04"]}}]}\n'
    )
    message = rows(one, "license_change_log")[0]["provisioning_message"]
    assert "invalid_grant" in message
    assert "AADSTS700082: The refresh token has expired" in message
    assert [rule.provider_name for rule in one.refusals] == ["Expired CSP"]


def test_the_app_reads_the_consent_message_for_what_it_is() -> None:
    world = read_world(find_world("consent-expired"))
    messages = {
        row["provisioning_message"]
        for row in build(world, NOW).tables["license_change_log"]
        if "AADSTS" in (row["provisioning_message"] or "")
    }
    assert messages
    assert {read_message(message).cause for message in messages} == {"consent_expired"}


def test_an_interrupted_retrigger_is_in_the_ledger() -> None:
    one = built(
        "  - {group: a, provider: microsoft, product: e3, changes: [{type: create, quantity: 4, created: -1d},"
        " {type: update, quantity: 1, created: -2h, status: not_applicable, half_toggled: true}]}\n"
    )
    records = Records(clock=lambda: NOW)
    seed_rows(one, records)
    row = case_row(one.half_toggled[0], records, NOW)
    change = records.get("license_change_log", one.half_toggled[0].change_id)
    assert change is not None
    assert change["modified_by"] == APP_USER_ID
    assert change["etag"] in row["intent"].replace("\\", "")
    assert row["PartitionKey"] == one.expectations[0].subscription_id
    assert one.expectations[0].set_by_app == (change["id"],)


class Town:
    """A loaded world with its people."""

    def __init__(self, groups: str) -> None:
        self.now = NOW
        self.world = parse_world(HEAD + groups, "test")
        self.built = build(self.world, NOW)
        self.records = Records(clock=lambda: self.now)
        self.provider = Provider(lambda: self.now)
        self.options: EngineOptions = engine_options(self.world, self.built, 1)
        seed_rows(self.built, self.records)
        seed_provider(self.built, self.provider)
        self.engine = Engine(self.records, self.provider, lambda: self.now, self.options)
        self.people = Happenings(self.built.planned, self.records, self.provider, self.options, lambda: self.now)

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.people.do_what_is_due()


BY_HAND = """
  - group: a
    count: 2
    provider: distributor
    product: backup
    changes: [{type: create, quantity: 4, created: -1d, status: awaiting_provisioning}]
    happens: [{when: asked, after: 3s, does: complete_manual, change: 1}]
    expect: {cause: manual_provider, outcome: resolved}
"""


def test_a_person_does_it_when_asked_and_only_for_what_was_asked() -> None:
    town = Town(BY_HAND)
    town.later(100)
    first, second = (e.subscription_id for e in town.built.expectations)
    town.people.asked_about([first])
    town.later(2)
    assert town.people.done == []
    town.later(1)
    status = {row["subscription"]: row["provisioning_status"] for row in town.records.find("license_change_log")}
    assert status == {first: "provisioned", second: "awaiting_provisioning"}
    town.engine.cycle()
    assert town.records.find("subscription", id=first)[0]["status"] == "provisioned"
    assert town.engine.harm == []


def test_being_asked_twice_does_it_once() -> None:
    town = Town(BY_HAND)
    first = town.built.expectations[0].subscription_id
    town.people.asked_about([first])
    town.later(3)
    town.people.asked_about([first])
    town.later(30)
    assert len(town.people.done) == 1


CONSENT = """
  - group: a
    count: 3
    provider: expired
    product: e3
    changes: [{type: create, quantity: 4, created: -1d, status: failed_provisioning}]
    happens: [{when: asked, after: 1s, does: renew_consent}]
    expect: {cause: consent_expired, outcome: resolved, may_write: [1]}
"""


def test_one_consent_is_renewed_once_however_many_ask() -> None:
    town = Town(CONSENT)
    town.people.asked_about(e.subscription_id for e in town.built.expectations)
    town.later(1)
    town.later(1)
    assert len(town.people.done) == 1
    assert town.provider.rules == []
    row = town.records.get("provider", row_id("t", "provider", "expired"))
    assert row is not None
    assert row["connectivity"] == "verified"
    assert row["last_verified_on"] == NOW + timedelta(seconds=1)


def test_what_mends_itself_counts_from_loading() -> None:
    town = Town(
        "  - {group: a, provider: microsoft, product: e3, quirks: {ignores: true},"
        " changes: [{type: create, quantity: 4, created: -1h, status: awaiting_provisioning}],"
        " happens: [{when: loaded, after: 9s, does: end_quirks}]}\n"
    )
    assert len(town.options.quirks) == 1
    town.later(8)
    assert len(town.options.quirks) == 1
    town.later(1)
    assert town.options.quirks == {}


def test_a_deed_about_nothing_is_refused() -> None:
    town = Town(CONSENT)
    planned = town.built.planned[0]
    town.records.delete("provider", str(planned.provider_id), by="")
    with pytest.raises(CannotBeDone, match="renew_consent: there is no provider"):
        town.people.do(planned)


def test_left_alone_the_default_world_harms_nobody_and_frees_nobody_by_itself() -> None:
    """What is stuck stays stuck without this app; what is made to end by itself does."""
    world = read_world(find_world("default"))
    one = build(world, NOW)
    records, provider = Records(clock=lambda: NOW), Provider(lambda: NOW)
    seed_rows(one, records)
    seed_provider(one, provider)
    engine = Engine(records, provider, lambda: NOW, engine_options(world, one, 1))
    for _ in range(30):
        engine.cycle()
    assert engine.harm == []
    stuck = {
        row["subscription"]
        for row in records.find(
            "license_change_log", provisioning_status=["awaiting_provisioning", "failed_provisioning"]
        )
    }
    for expected in one.expectations:
        still = expected.subscription_id in stuck
        if expected.outcome == "none" or expected.group in ("busy-then-done", "half-toggled", "riddle-no-change"):
            assert not still, expected.group
        else:
            assert still, expected.group


def test_a_world_of_twenty_thousand_is_built_and_loaded() -> None:
    one = built(
        "  - {group: many, count: 20000, provider: microsoft, product: e3, changes:"
        " [{type: create, quantity: 5, created: -90d}, {type: update, quantity: 1, created: -9d}]}\n"
    )
    records = Records(clock=lambda: NOW)
    seed_rows(one, records)
    found = records.store.db.execute("SELECT COUNT(*) FROM license_change_log").fetchone()[0]
    assert found == 40_000
