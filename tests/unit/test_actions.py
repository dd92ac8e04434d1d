"""What each action would save, exactly, and every reason for which it is not done. Pure.

Input: evidence of a subscription and what a person asks for. Output: an amendment, or why not.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.action import WhyNot
from shared.domain.actions import ACTIONS, OFFERED, undo
from shared.domain.amended import with_amendment
from shared.domain.amendment import CHANGE, SUBSCRIPTION, Amendment, Asked, Column, Done, closed_by, holds, shown
from shared.domain.causes import CAUSES
from shared.domain.diagnosis import diagnose
from shared.domain.evidence import (
    ChangeSource,
    ChangeType,
    Evidence,
    JobStatus,
    ProviderAccount,
    ProviderReading,
    ProviderSubscription,
    ProviderType,
    ProvisioningStatus,
    ScheduledChange,
    SubscriptionStatus,
)
from shared.domain.look import Look
from shared.domain.plan import plan_for, proposal
from shared.domain.policy import Level
from tests.builders import (
    AT_PROVIDER,
    DAY,
    HOUR,
    LATER,
    MICROSOFT,
    NOW,
    STUCK,
    TENANT,
    change,
    half_toggled,
    job,
    look,
    our_intent,
    provisioned,
    subscription,
)
from tests.builders import SUBSCRIPTION as OWN
from tests.builders import (
    shown as at_provider,
)

AWAITING, FAILED = ProvisioningStatus.AWAITING, ProvisioningStatus.FAILED
MANUAL = subscription(provider=replace(MICROSOFT, type=ProviderType.MANUAL, connector=None))
DONE_ON = (NOW - HOUR).isoformat()
CUSTOMER = "66666666-0000-0000-0000-000000000001"
ACCOUNT = ProviderAccount("77777777-0000-0000-0000-000000000009", TENANT, CUSTOMER, MICROSOFT.id, active=True)
UNLINKED = "5f3c9f0e-6a8b-4c6e-9b1d-2f0c7a1e4d55"


def asked(action: str, reason: str = "", **values: str) -> Asked:
    return Asked(action, "Ann", reason, NOW, tuple(sorted(values.items())))


def what(look_: Look, action: str, reason: str = "", **values: str) -> Amendment | WhyNot | None:
    """What is proposed where a person asks for it."""
    return proposal(replace(look_, asked=asked(action, reason, **values)), action)


def done(action: str, table: str, row_id: str, column: Column) -> tuple[Done, ...]:
    """What a case remembers of one action."""
    return (Done(action, STUCK, NOW - HOUR, "Ann", "", Amendment(table, row_id, (column,))),)


def saved(proposed: Amendment | WhyNot | None) -> tuple[str, str, list[tuple[str, str | None, str | None]]]:
    assert isinstance(proposed, Amendment), proposed
    return proposed.table, proposed.row_id, [(c.name, c.before, c.after) for c in proposed.columns]


def why(proposed: Amendment | WhyNot | None) -> str:
    assert isinstance(proposed, WhyNot), proposed
    return proposed.reason


def in_ten_days(**values: Any) -> Look:
    """An increase that begins later."""
    later = change(effective_date=(NOW + 10 * DAY).date(), created_on=NOW - 2 * DAY)
    return look(provisioned(), replace(later, **values))


def read(seen: Look, **values: Any) -> Look:
    """The same, where something else was read."""
    return replace(seen, evidence=replace(seen.evidence, **values))


def reduction(**values: Any) -> Look:
    """Five seats to be given back, outside the window; the term ends on 31 December."""
    less = change(quantity=Decimal(-5), status=FAILED, **values)
    return look(provisioned(), less, subscription=subscription(end_date=date(2026, 12, 31)))


def first_order(**values: Any) -> Look:
    """A first order for which nothing is at the provider yet."""
    own = subscription(provider_subscription_id=None, **values.pop("of", {}))
    defaults: dict[str, Any] = {"subscription": own, "provider": ProviderReading(NOW, (), relationship=True)}
    return look(change(change_type=ChangeType.CREATE), **{**defaults, "linked_at_provider": frozenset(), **values})


def found(**values: Any) -> ProviderReading:
    """The provider has a subscription of the product that nothing links."""
    one = ProviderSubscription(UNLINKED, 5, "active", "CFQ7TTC0LH16:0001", NOW - HOUR, False)
    return ProviderReading(NOW, (replace(one, **values),), relationship=True)


class TestWhatIsSaved:
    def test_marked_by_a_person_at_a_manual_provider(self) -> None:
        proposed = what(look(subscription=MANUAL, provider=None), "mark_provisioned", provisioned_on=DONE_ON)
        columns = [
            ("provisioning_status", "awaiting_provisioning", "provisioned"),
            ("actual_provisioned_on", None, "2026-11-22T11:00:00+00:00"),
        ]
        assert saved(proposed) == (CHANGE, STUCK, columns)

    def test_marked_where_the_provider_has_it_on_the_day_it_says(self) -> None:
        seen = look(provider=at_provider(25), jobs=(job(JobStatus.FAILED, modified_on=NOW - HOUR / 2),))
        assert saved(proposal(seen, "mark_provisioned"))[2][1][2] == "2026-11-22T11:30:00+00:00"

    def test_a_moment_is_saved_in_utc(self) -> None:
        seen = look(subscription=MANUAL, provider=None)
        proposed = what(seen, "mark_provisioned", provisioned_on="2026-11-22T13:00:00+02:00")
        assert saved(proposed)[2][1][2] == "2026-11-22T11:00:00+00:00"

    def test_our_half_done_toggle_is_marked_from_where_it_stands(self) -> None:
        seen = look(provisioned(), half_toggled(), provider=at_provider(25), intent=our_intent())
        proposed = what(seen, "mark_provisioned", provisioned_on=DONE_ON)
        assert saved(proposed)[2][0] == ("provisioning_status", "not_applicable", "provisioned")

    @pytest.mark.parametrize("status", [AWAITING, FAILED])
    def test_a_change_of_price_is_closed(self, status: ProvisioningStatus) -> None:
        seen = look(provisioned(), change(quantity=Decimal(0), status=status))
        expected = (CHANGE, STUCK, [("provisioning_status", str(status), "not_applicable")])
        assert saved(proposal(seen, "close_not_applicable")) == expected

    def test_what_came_from_the_provider_and_is_there_is_closed(self) -> None:
        seen = look(provisioned(), change(source=ChangeSource.PROVIDER), provider=at_provider(25))
        assert saved(proposal(seen, "close_not_applicable"))[1] == STUCK

    def test_pulled_forward_to_today_where_work_365_runs(self) -> None:
        proposed = what(in_ten_days(), "pull_forward")
        assert saved(proposed) == (CHANGE, STUCK, [("effective_date", "2026-12-02", "2026-11-22")])

    def test_a_failed_reduction_is_moved_and_set_back_in_one_save(self) -> None:
        columns = [
            ("effective_date", "2026-11-22", "2027-01-01"),
            ("provisioning_status", "failed_provisioning", "awaiting_provisioning"),
        ]
        assert saved(proposal(reduction(), "move_to_renewal")) == (CHANGE, STUCK, columns)

    def test_the_only_account_is_filled_in(self) -> None:
        reading = {TENANT: ProviderReading(NOW, (), relationship=True)}
        seen = first_order(of={"account": None}, accounts_of_customer=(ACCOUNT,), accounts_at_provider=reading)
        expected = (SUBSCRIPTION, OWN, [("provider_account", None, ACCOUNT.id)])
        assert saved(proposal(seen, "fill_provider_account")) == expected

    def test_the_customer_that_both_name_is_filled_in(self) -> None:
        seen = look(subscription=subscription(customer_id=None, account=ACCOUNT))
        assert saved(proposal(seen, "fill_customer")) == (SUBSCRIPTION, OWN, [("customer", None, CUSTOMER)])

    def test_the_unlinked_one_is_linked_in_its_own_spelling(self) -> None:
        proposed = what(first_order(provider=found()), "link_subscription", provider_subscription_id=UNLINKED.upper())
        assert saved(proposed) == (SUBSCRIPTION, OWN, [("provider_subscription_id", None, UNLINKED)])

    def test_an_earlier_change_is_archived(self) -> None:
        seen = look(provisioned(), change(), change(LATER, created_on=NOW))
        expected = (CHANGE, STUCK, [("status", "active", "archived")])
        assert saved(what(seen, "archive_change", "withdrawn")) == expected

    def test_a_job_is_run_and_no_row_saved(self) -> None:
        assert what(look(), "run_job") is None

    def test_an_undoing_saves_the_values_before(self) -> None:
        amendment = Amendment(CHANGE, STUCK, (Column("effective_date", "2026-12-02", "2026-11-22"),))
        yesterday = look(provisioned(), change(effective_date=date(2026, 11, 21)))
        seen = replace(yesterday, done=(Done("pull_forward", STUCK, NOW - HOUR, "Ann", "", amendment),))
        assert what(seen, "undo", number="1") == WhyNot(
            "the row does not show any more what was set then: somebody has changed it since"
        )
        today = replace(look(provisioned(), change(effective_date=NOW.date())), done=seen.done)
        assert what(today, "undo", number="1") == amendment.inverse()


def manual(**values: Any) -> Look:
    return look(provisioned(), change(**values), subscription=MANUAL, provider=None)


def behind(*more: Any, **values: Any) -> Look:
    return look(provisioned(), change(**values), change(LATER, created_on=NOW), *more)


WHEN, NONE = {"provisioned_on": DONE_ON}, dict[str, str]()
LINKED, FREE = {"provider_subscription_id": AT_PROVIDER}, {"provider_subscription_id": UNLINKED}
SHORT = timedelta(minutes=1)
UNREADABLE = ProviderReading(NOW, problem="503", transient=True)

REFUSED: list[tuple[str, Callable[[], Look], str, str, dict[str, str]]] = [
    # whatever the action
    ("no change of the subscription", lambda: look(provisioned()), "close_not_applicable", "x", NONE),
    ("still open on this", lambda: look(intent=our_intent(change_id=LATER)), "close_not_applicable", "x", NONE),
    ("still live", lambda: look(jobs=(job(JobStatus.IN_PROGRESS),)), "close_not_applicable", "x", NONE),
    ("still live", lambda: look(jobs=(job(JobStatus.RETRY),)), "run_job", "", NONE),
    ("jobs (403) could not be read", lambda: look(unread=("jobs (403)",)), "archive_change", "x", NONE),
    ("changes (500) could not be read", lambda: look(unread=("changes (500)",)), "close_not_applicable", "x", NONE),
    # mark_provisioned
    ("cannot be read now (503)", lambda: look(provider=UNREADABLE), "mark_provisioned", "", WHEN),
    ("has not been asked", lambda: look(provider=None), "mark_provisioned", "", WHEN),
    ("does not show this change", look, "mark_provisioned", "", WHEN),
    ("is not known: ask for mark", manual, "mark_provisioned", "", NONE),
    ("needs a time zone", manual, "mark_provisioned", "", {"provisioned_on": "2026-11-22"}),
    ("should be a moment", manual, "mark_provisioned", "", {"provisioned_on": "yesterday"}),
    ("lies in the future", manual, "mark_provisioned", "", {"provisioned_on": "2026-11-22T12:00:01Z"}),
    ("before the change was made", manual, "mark_provisioned", "", {"provisioned_on": "2026-10-01T00:00:00Z"}),
    ("before the change was made", manual, "mark_provisioned", "", {"provisioned_on": "0001-01-01T00:00:00+14:00"}),
    ("made could not be read", lambda: manual(created_on=None), "mark_provisioned", "", WHEN),
    # close_not_applicable
    ("mark it Provisioned instead", lambda: look(provider=at_provider(25)), "close_not_applicable", "x", NONE),
    ("say why", look, "close_not_applicable", "", NONE),
    ("may have it", lambda: look(provider=UNREADABLE), "close_not_applicable", "x", NONE),
    (
        "may not show at the provider yet",
        lambda: look(jobs=(job(JobStatus.FAILED, modified_on=NOW - SHORT),)),
        "close_not_applicable",
        "x",
        NONE,
    ),
    (
        f"an unlinked subscription of this product ({UNLINKED})",
        lambda: first_order(provider=found()),
        "close_not_applicable",
        "x",
        NONE,
    ),
    # archive_change
    ("nothing waits behind", look, "archive_change", "x", NONE),
    ("say why", behind, "archive_change", "", NONE),
    ("never billed", lambda: read(behind(), provider=at_provider(25)), "archive_change", "x", NONE),
    ("may have it", lambda: read(behind(), provider=UNREADABLE), "archive_change", "x", NONE),
    # pull_forward
    ("today or earlier", look, "pull_forward", "", NONE),
    ("only a change that adds seats", lambda: in_ten_days(quantity=Decimal(-5)), "pull_forward", "", NONE),
    ("a cancellation", lambda: in_ten_days(change_type=ChangeType.DEACTIVATE), "pull_forward", "", NONE),
    ("a cancellation", lambda: in_ten_days(quantity=Decimal(-20)), "pull_forward", "", NONE),
    ("does not stand at Awaiting", lambda: in_ten_days(status=FAILED), "pull_forward", "", NONE),
    ("has this change already", lambda: read(in_ten_days(), provider=at_provider(25)), "pull_forward", "", NONE),
    (
        "starts on 2026-12-02",
        lambda: read(in_ten_days(), subscription=subscription(start_date=date(2026, 12, 2))),
        "pull_forward",
        "",
        NONE,
    ),
    ("scheduled changes", lambda: read(in_ten_days(), scheduled=(ScheduledChange("9"),)), "pull_forward", "", NONE),
    # move_to_renewal
    ("gives no seats back", look, "move_to_renewal", "", NONE),
    ("already", lambda: reduction(effective_date=date(2027, 1, 1)), "move_to_renewal", "", NONE),
    ("ends the subscription", lambda: look(provisioned(), change(quantity=Decimal(-20))), "move_to_renewal", "", NONE),
    ("is not known", lambda: look(provisioned(), change(quantity=Decimal(-5))), "move_to_renewal", "", NONE),
    # fill and link
    ("the provider account is set", look, "fill_provider_account", "", NONE),
    ("could not be read", lambda: look(subscription=subscription(account=None)), "fill_provider_account", "", NONE),
    ("has a customer", look, "fill_customer", "", NONE),
    ("do not name the same", lambda: look(subscription=subscription(customer_id=None)), "fill_customer", "", NONE),
    ("is linked to", look, "link_subscription", "", NONE),
    ("is not an unlinked", lambda: first_order(provider=found()), "link_subscription", "", LINKED),
    ("could not be read", lambda: first_order(linked_at_provider=None), "link_subscription", "", FREE),
    # run_job
    ("does not stand at Awaiting", lambda: look(provisioned(), change(status=FAILED)), "run_job", "", NONE),
    ("has this change already", lambda: look(provider=at_provider(25)), "run_job", "", NONE),
    ("neither the 20 before", lambda: look(provider=at_provider(30)), "run_job", "", NONE),
    ("could not be asked just now", lambda: look(provider=UNREADABLE), "run_job", "", NONE),
    (
        "still live",
        lambda: look(jobs=(job(JobStatus.WAITING, scheduled_for=NOW),)),
        "run_job",
        "",
        NONE,
    ),
    # undo
    ("should be the number", look, "undo", "", {"number": "1"}),
    ("planned by the diagnosis alone", look, "retrigger", "", NONE),
]


@pytest.mark.parametrize(("reason", "seen", "action", "said", "values"), REFUSED)
def test_it_is_refused_with_the_reason(
    reason: str, seen: Callable[[], Look], action: str, said: str, values: dict[str, str]
) -> None:
    text = why(what(seen(), action, said, **values))
    assert reason in text
    assert not text.endswith("."), "it stands in a sentence"


@pytest.mark.parametrize("name", [n for n, action in ACTIONS.items() if action.propose and not action.asked_only])
def test_what_a_cause_offers_is_not_done_where_it_does_not_hold(name: str) -> None:
    """A plainly missed trigger offers a retrigger and nothing else."""
    assert isinstance(proposal(look(), name), WhyNot)


def test_what_causes_offer_exists_and_is_never_asked_only() -> None:
    assert {*OFFERED} <= {*CAUSES}
    assert all(not ACTIONS[name].asked_only for name in OFFERED.values())


def test_only_a_retrigger_may_go_without_a_yes() -> None:
    assert {n for n, a in ACTIONS.items() if a.freest is Level.AUTO} == {"retrigger", "reset_failed"}


class TestThePlan:
    def test_our_half_done_toggle_is_finished_before_anything_is_offered(self) -> None:
        half = half_toggled(quantity=Decimal(-5))
        seen = look(provisioned(), half, intent=our_intent(), subscription=subscription(end_date=date(2026, 12, 31)))
        plan = plan_for(seen, diagnose(seen))
        assert plan is None or plan.retriggers

    def test_another_tenant_is_another_plan(self) -> None:
        plans = set()
        for tenant in (TENANT, TENANT[:-1] + "2"):
            own = subscription(account=ProviderAccount("77777777-0000-0000-0000-000000000001", tenant))
            seen = look(subscription=own)
            plan = plan_for(seen, diagnose(seen))
            assert plan is not None
            plans.add(plan.digest)
        assert len(plans) == 2

    @pytest.mark.parametrize(
        "values",
        [{"customer_id": "66666666-0000-0000-0000-000000000009"}, {"part_number": "CFQ7TTC0LH16:0002"}],
    )
    def test_another_customer_or_product_is_another_plan(self, values: dict[str, str]) -> None:
        first, second = look(), look(subscription=subscription(**values))
        plans = [plan_for(each, diagnose(each)) for each in (first, second)]
        assert len({plan.digest if plan else "" for plan in plans}) == 2

    def test_a_change_that_we_archived_is_no_riddle_and_another_is(self) -> None:
        archived = replace(change(), archived=True)
        own = subscription(status=SubscriptionStatus.PROVISIONED)
        seen = look(provisioned(), archived, subscription=own)
        assert "billed_not_provisioned" in [f.cause for f in diagnose(seen).findings]
        assert diagnose(replace(seen, closed_before=(STUCK,))).healthy

    def test_what_was_undone_closes_nothing(self) -> None:
        amendment = Amendment(
            CHANGE, STUCK, (Column("provisioning_status", "awaiting_provisioning", "not_applicable"),)
        )
        done = Done("close_not_applicable", STUCK, NOW, "Ann", "", amendment)
        assert (closed_by([done]), closed_by([replace(done, undone_on=NOW)])) == ((STUCK,), ())


COLUMN = st.builds(
    Column, st.sampled_from(["provisioning_status", "effective_date", "status"]), *[st.none() | st.text()] * 2
)
AMENDMENTS = st.builds(Amendment, st.sampled_from([CHANGE, SUBSCRIPTION]), st.text(), st.lists(COLUMN).map(tuple))


@given(AMENDMENTS)
def test_the_inverse_of_the_inverse_is_the_amendment(amendment: Amendment) -> None:
    assert amendment.inverse().inverse() == amendment


CHANGES = st.builds(
    change,
    st.sampled_from([STUCK, LATER]),
    status=st.sampled_from([*ProvisioningStatus, None]),
    quantity=st.sampled_from([Decimal(n) for n in (-20, -5, 0, 5)] + [None]),
    change_type=st.sampled_from([*ChangeType, None]),
    source=st.sampled_from([*ChangeSource, None]),
    archived=st.booleans(),
    effective_date=st.sampled_from([date(2026, 11, 1), date(2026, 11, 22), date(2026, 12, 2), None]),
    created_on=st.sampled_from([NOW - 2 * DAY, NOW - HOUR, None]),
)
JOBS = st.builds(
    job,
    st.sampled_from([*JobStatus, None]),
    scheduled_for=st.sampled_from([None, NOW - HOUR, NOW, NOW + DAY]),
    modified_on=st.sampled_from([None, NOW, NOW - HOUR]),
)
READINGS = st.sampled_from([None, UNREADABLE, at_provider(15), at_provider(20), at_provider(25), found()])
OWNS = st.sampled_from(
    [
        subscription(),
        MANUAL,
        subscription(end_date=date(2026, 12, 31)),
        subscription(account=None),
        subscription(provider_subscription_id=None),
        subscription(customer_id=None, account=ACCOUNT),
    ]
)
REQUESTS = st.builds(
    asked,
    st.sampled_from([name for name, action in ACTIONS.items() if action.propose is not None]),
    st.sampled_from(["", "because"]),
    provisioned_on=st.sampled_from(["", DONE_ON, "2026-11-22"]),
    provider_subscription_id=st.sampled_from(["", UNLINKED]),
    number=st.sampled_from(["", "1"]),
)
DONES = st.sampled_from(
    [
        (),
        done("pull_forward", CHANGE, STUCK, Column("effective_date", "2026-12-02", "2026-11-22")),
        done("mark_provisioned", CHANGE, STUCK, Column("provisioning_status", "awaiting_provisioning", "provisioned")),
        done("fill_customer", SUBSCRIPTION, OWN, Column("customer", None, CUSTOMER)),
    ]
)


@st.composite
def looks(draw: st.DrawFn) -> Look:
    changes = {c.id: c for c in draw(st.lists(CHANGES, max_size=2))}
    seen = look(
        provisioned(),
        *changes.values(),
        subscription=draw(OWNS),
        provider=draw(READINGS),
        jobs=tuple(draw(st.lists(JOBS, max_size=2))),
        unread=draw(st.sampled_from([(), ("jobs (403)",), ("changes (500)",)])),
        linked_at_provider=draw(st.sampled_from([None, frozenset()])),
        intent=draw(st.sampled_from([None, our_intent(), our_intent(change_id=LATER)])),
    )
    return replace(seen, done=draw(DONES))


def _row(evidence: Evidence, amendment: Amendment) -> Any:
    return next((c for c in evidence.changes if c.id == amendment.row_id), None)


@given(looks(), REQUESTS)
def test_no_action_breaks_the_rules_whatever_the_evidence(seen: Look, request_: Asked) -> None:
    proposed = proposal(replace(seen, asked=request_), request_.action)
    if isinstance(proposed, WhyNot):
        return
    assert seen.evidence.unread == (), "something was not read"
    head_jobs = [j for j in seen.live_jobs if j.status is not JobStatus.WAITING or (j.scheduled_for or NOW) <= NOW]
    assert head_jobs == [], "a job is live"
    if proposed is None:
        assert seen.head is not None
        assert seen.head.status is AWAITING
        return
    assert seen.intent is None or request_.action == "mark_provisioned", "something of ours is open"
    row = _row(seen.evidence, proposed)
    if proposed.table == CHANGE:
        assert row is not None
        assert not row.archived
        now = shown(seen.evidence, proposed)
        assert now is not None
        assert all(now[c.name] == c.before for c in proposed.columns), "the values before are those that were read"
        sets = {c.name: c.after for c in proposed.columns}
        assert {*sets} <= {"provisioning_status", "actual_provisioned_on", "effective_date", "status"}
        if request_.action == undo.NAME and sets.get("provisioning_status") == "awaiting_provisioning":
            provider = seen.evidence.subscription.provider
            assert row.quantity == 0 or (provider is not None and provider.type is ProviderType.MANUAL)
    assert not holds(seen.evidence, proposed), "it would save what is there"


@given(looks(), REQUESTS)
def test_the_same_look_gives_the_same_proposal(seen: Look, request_: Asked) -> None:
    both = [proposal(replace(seen, asked=request_), request_.action) for _ in range(2)]
    assert both[0] == both[1]


@pytest.mark.parametrize("live", [s for s in JobStatus if s in ("dispatched", "in_progress", "retry")])
@pytest.mark.parametrize("name", [n for n, a in ACTIONS.items() if a.propose is not None])
def test_nothing_is_proposed_beside_a_live_job(name: str, live: JobStatus) -> None:
    assert isinstance(what(look(jobs=(job(live),)), name, "why", provisioned_on=DONE_ON, number="1"), WhyNot)


class TestWithAmendment:
    def test_evidence_shows_what_was_filled_in(self) -> None:
        seen = look(subscription=subscription(account=None), accounts_of_customer=(ACCOUNT,)).evidence
        amendment = Amendment(SUBSCRIPTION, OWN, (Column("provider_account", None, ACCOUNT.id),))
        assert holds(with_amendment(seen, amendment), amendment)
        assert with_amendment(seen, amendment).subscription.account == ACCOUNT

    def test_a_change_is_left_as_it_is(self) -> None:
        seen = look().evidence
        amendment = Amendment(CHANGE, STUCK, (Column("status", "active", "archived"),))
        assert with_amendment(seen, amendment) == seen


@pytest.mark.parametrize(
    ("at", "same"), [("2026-11-22T11:00:00+00:00", True), ("2026-11-22T00:00:00+00:00", True), ("2026-11-23", False)]
)
def test_a_moment_of_which_only_the_day_is_kept_is_the_same(at: str, same: bool) -> None:
    """Work 365 may keep the day alone."""
    amendment = Amendment(CHANGE, STUCK, (Column("actual_provisioned_on", None, "2026-11-22T11:00:00+00:00"),))
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert holds(look(provisioned(), change(actual_provisioned_on=moment)).evidence, amendment) is same
