"""The stock: what was stuck before the app first looked is held until a person decides (promise P10).

Input: subscriptions in the town of fakes, in an environment that was never swept before. Output: writes, cases, news.
Not faked: the workflow, the domain, and the adapters of the guards' tables (on tables in memory).
"""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.baseline import REMEMBERED, is_from_before, stock_of
from shared.domain.case import Case, State, first_broken
from shared.domain.policy import Caps
from shared.domain.standing import Stock
from shared.errors import NotPossible, Unreachable
from shared.workflow.approve import remediate_case
from shared.workflow.baseline import Decided, Decision, StockFilter, decide_stock, stock
from shared.workflow.diagnose import diagnose_subscriptions
from tests.builders import DAY, HOUR, LATER, NOW, OLD, STUCK, SUBSCRIPTION, change, look, provisioned
from tests.fakes.tables import FakeTables
from tests.workflow_kit import AWAITING, NOT_APPLICABLE, Crash, Town

pytestmark = pytest.mark.anyio

RETRIGGER = [NOT_APPLICABLE, AWAITING]
QUARTER = timedelta(minutes=15)
YEARS = 700 * DAY


@pytest.fixture
def town() -> Town:
    return Town(tables=FakeTables())


async def decide(town: Town, decision: Decision, limit: int = 500, **wanted: Any) -> Decided:
    made = await decide_stock(town.ctx, decision, StockFilter(**wanted), by="Ann", reason="history", limit=limit)
    await town.drain()
    return made


def todays(**values: Any) -> Any:
    """A change of this very day, behind the others."""
    return change(LATER, created_on=NOW, effective_date=NOW.date(), quantity=Decimal(2), **values)


async def joined(town: Town) -> None:
    """A change of today turns up in the subscription, and is stuck by now."""
    held = town.work365.held[SUBSCRIPTION]
    held.changes[LATER] = todays()
    town.clock.advance(HOUR)
    await town.sweep()


class TestWhatIsStock:
    @pytest.mark.parametrize(
        ("created", "effective", "before"),
        [
            (NOW - YEARS, None, True),
            (NOW - HOUR, None, True),
            (NOW - timedelta(minutes=29), None, False),
            (NOW - YEARS, NOW.date() + DAY, False),
            (NOW, date(2020, 1, 1), False),
            (None, date(2999, 1, 1), True),
        ],
        ids=["years ago", "an hour ago", "inside its waiting time", "effective tomorrow", "backdated", "nobody knows"],
    )
    def test_what_was_stuck_when_the_stock_was_taken(self, created: Any, effective: Any, before: bool) -> None:
        stuck = change(created_on=created, effective_date=effective)
        assert is_from_before(look(stuck), stuck, NOW) is before

    def test_a_case_with_one_newer_change_is_not(self) -> None:
        case = Case(SUBSCRIPTION, 1, NOW)
        assert stock_of(case, look(change()), NOW) is Stock.HELD
        assert stock_of(case, look(change(), todays()), NOW) is Stock.NONE
        assert stock_of(case, look(change()), None) is Stock.NONE, "before it was taken nobody can say"

    @pytest.mark.parametrize("decided", [Stock.ADOPTED, Stock.DISMISSED])
    def test_what_a_person_has_decided_stays(self, decided: Stock) -> None:
        assert stock_of(Case(SUBSCRIPTION, 1, NOW, stock=decided), look(change(), todays()), NOW) is decided


class TestTheFirstSweep:
    async def test_before_it_nothing_is_begun(self, town: Town) -> None:
        town.stuck()
        await diagnose_subscriptions(town.ctx, [SUBSCRIPTION])
        await town.drain()
        case = await town.case()
        assert (case.state, town.work365.writes) == (State.READY, [])
        assert "first one takes stock" in case.held_back

    async def test_it_takes_stock_and_acts_on_none_of_it_however_often_it_is_looked_at(self, town: Town) -> None:
        ids = town.many(120)
        await town.sweep()
        for _ in range(12):
            await town.pass_time(QUARTER)
            await town.sweep()
        assert town.work365.writes == []
        assert {(await town.case(i)).stock for i in ids} == {Stock.HELD}
        assert {(await town.case(i)).state for i in ids} == {State.READY}
        assert "adopt or dismiss" in (await town.case(ids[0])).held_back
        assert (await town.ctx.holds.read()).hold is None, "the stock is no surge"
        assert town.queues.to_remediate == ()

    async def test_people_are_told_of_all_of_it_in_one_message(self, town: Town) -> None:
        town.many(60)
        town.work365.held["11111111-0000-0000-0000-000000000000"].changes["22222222-0000-0000-0000-000000000000"] = (
            change("22222222-0000-0000-0000-000000000000", message="Something odd (987654)", created_on=NOW - YEARS)
        )
        await town.sweep()
        assert town.notifier.told == []
        for _ in range(8):
            await town.pass_time(QUARTER)
            await town.sweep()
        [news] = town.notifier.told
        oldest = (NOW - YEARS).date().isoformat()
        assert news.kind == "stock"
        assert all(word in news.text for word in ("60", oldest, "59 trigger_missed", "1 unknown"))

    async def test_news_that_was_not_delivered_is_told_at_a_later_sweep(self, town: Town) -> None:
        town.stuck()
        await town.sweep()
        town.notifier.unavailable = Unreachable("webhook", "no answer")
        await town.pass_time(HOUR)
        await town.sweep()
        town.notifier.unavailable = None
        await town.sweep()
        await town.sweep()
        assert [n.kind for n in town.notifier.told] == ["stock"]

    async def test_what_gets_stuck_afterwards_is_freed_at_once(self, town: Town) -> None:
        await town.sweep()
        town.clock.advance(HOUR)
        town.stuck(provisioned(), change(created_on=NOW, effective_date=NOW.date()))
        await town.sweep()
        assert town.written() == RETRIGGER

    async def test_afterwards_a_surge_is_a_surge(self, town: Town) -> None:
        await town.sweep()
        town.clock.advance(HOUR)
        for n, _ in enumerate(town.many(51)):
            town.work365.edit(f"22222222-0000-0000-0000-{n:012d}", created_on=NOW, effective_date=NOW.date())
        await town.sweep()
        assert town.work365.writes == []
        assert [n.kind for n in town.notifier.told] == ["surge"]

    async def test_without_its_row_nothing_is_begun_and_stock_is_taken_anew(self, town: Town) -> None:
        await town.sweep()
        town.clock.advance(HOUR)
        town.stuck(provisioned(), change(created_on=NOW, effective_date=NOW.date()))
        del town.tables.rows["holds"]
        await diagnose_subscriptions(town.ctx, [SUBSCRIPTION])
        await town.drain()
        assert town.work365.writes == []
        await town.pass_time(HOUR)
        await town.sweep()
        await town.pass_time(HOUR)
        assert ((await town.case()).stock, town.work365.writes) == (Stock.HELD, [])

    async def test_a_pause_of_everything_takes_no_stock(self, town: Town) -> None:
        from shared.domain.pause import Scope
        from shared.workflow.pauses import pause

        await pause(town.ctx, Scope.EVERYTHING, "", by="Ann", reason="x", until=NOW + DAY)
        await town.sweep()
        assert (await town.ctx.holds.read()).stock_taken_on is None

    async def test_what_is_half_done_is_finished_all_the_same(self, town: Town) -> None:
        before = Town()
        before.stuck()
        before.crash_at_save(lambda case: case.intent is not None and bool(case.intent.etag_after), saved=True)
        with pytest.raises(Crash):
            await before.sweep()
        before.queues.lose_all()
        before.tables.rows.pop("holds")
        await before.pass_time(HOUR)
        assert before.written() == RETRIGGER


class TestAYes:
    async def test_is_refused_for_what_is_held(self, town: Town) -> None:
        town.stuck()
        await town.sweep()
        stored = await town.store.load(SUBSCRIPTION)
        assert stored is not None
        assert stored.case.plan is not None
        with pytest.raises(NotPossible, match="adopt or dismiss"):
            await remediate_case(town.ctx, stored, stored.case.plan.digest, "Ann")

    async def test_is_what_an_older_change_needs_that_blocks_today_s(self, town: Town) -> None:
        town.stuck()
        await town.sweep()
        await joined(town)
        case = await town.case()
        assert (case.stock, case.state, town.work365.writes) == (Stock.NONE, State.AWAITING_APPROVAL, [])
        assert case.diagnosis is not None
        assert "from_before" in [f.cause for f in case.diagnosis.findings]
        assert [n.kind for n in town.notifier.told if n.case_id] == ["awaiting_approval"], "today's is told by itself"
        stored = await town.store.load(SUBSCRIPTION)
        assert stored is not None
        assert case.plan is not None
        await remediate_case(town.ctx, stored, case.plan.digest, "Ann")
        await town.drain()
        assert town.written() == RETRIGGER
        await town.pass_time(2 * HOUR)
        assert (await town.state(), town.written()) == (State.AWAITING_APPROVAL, RETRIGGER), "each try needs its own"


class TestAdopt:
    async def test_an_adopted_case_is_worked_on_like_any_other(self, town: Town) -> None:
        town.stuck()
        await town.sweep()
        assert await decide(town, Decision.ADOPT) == Decided(1, {}, 0, more=False)
        case = await town.case()
        assert (case.stock, case.state, town.written()) == (Stock.ADOPTED, State.VERIFYING, RETRIGGER)
        assert "adopted" in await town.history()

    async def test_its_effects_count_against_the_hour_and_deciding_does_not(self, town: Town) -> None:
        town.limits = {"caps": Caps(changes=5)}
        town.many(20)
        await town.sweep()
        assert (await decide(town, Decision.ADOPT)).decided == 20
        assert len(town.work365.writes) == 10

    async def test_what_needs_a_person_is_told_of_then(self, town: Town) -> None:
        town.stuck(provisioned(), change(message="Something odd (987654)"))
        await town.sweep()
        assert (await town.state(), town.notifier.told) == (State.NEEDS_PERSON, [])
        await decide(town, Decision.ADOPT)
        assert [n.kind for n in town.notifier.told] == ["needs_person"]

    async def test_some_at_a_time_oldest_first(self, town: Town) -> None:
        ids = town.many(5)
        await town.sweep()
        made = await decide(town, Decision.ADOPT, limit=2)
        assert (made.decided, made.remaining) == (2, 3)
        assert [(await town.case(i)).stock for i in ids].count(Stock.ADOPTED) == 2
        assert (await decide(town, Decision.ADOPT)).decided == 3
        assert (await decide(town, Decision.ADOPT)).decided == 0

    @pytest.mark.parametrize(
        ("wanted", "meant"),
        [
            ({"cause": "trigger_missed"}, 2),
            ({"cause": "unknown"}, 0),
            ({"customer": "contoso"}, 2),
            ({"provider": "microsoft partner center"}, 2),
            ({"provider": "Another"}, 0),
            ({"created_before": NOW - DAY}, 1),
            ({"case_ids": ("11111111-0000-0000-0000-000000000001-1",)}, 1),
            ({"case_ids": ("11111111-0000-0000-0000-000000000001-1",), "cause": "unknown"}, 0),
            ({"case_ids": ("11111111-0000-0000-0000-000000000001-7",)}, 0),
        ],
    )
    async def test_only_what_is_meant(self, town: Town, wanted: dict[str, Any], meant: int) -> None:
        town.many(2)
        town.work365.edit("22222222-0000-0000-0000-000000000001", created_on=NOW - YEARS)
        await town.sweep()
        assert (await decide(town, Decision.ADOPT, **wanted)).decided == meant

    async def test_without_stock_name_or_reason_nothing_is_decided(self, town: Town) -> None:
        with pytest.raises(NotPossible, match="sweep first"):
            await decide(town, Decision.ADOPT)
        await town.sweep()
        with pytest.raises(NotPossible, match="name and a reason"):
            await decide_stock(town.ctx, Decision.ADOPT, StockFilter(), by=" ", reason="x")

    async def test_the_counts_say_how_far_it_has_come(self, town: Town) -> None:
        town.many(6)
        await town.sweep()
        await decide(town, Decision.ADOPT, limit=1)
        await decide(town, Decision.DISMISS, limit=2)
        shown = await stock(town.ctx)
        assert (shown.held.count, shown.adopted.count, shown.dismissed.count) == (3, 1, 2)
        assert shown.held.by_cause == {"trigger_missed": 3}
        assert (shown.taken_on, shown.held.oldest) == (NOW, NOW - HOUR)


class TestDismiss:
    async def test_a_dismissed_case_is_closed_for_good_and_its_record_is_whole(self, town: Town) -> None:
        town.stuck()
        await town.sweep()
        assert (await decide(town, Decision.DISMISS)).decided == 1
        case = await town.case()
        assert (case.state, case.stock, case.dismissed, case.due_on) == (
            State.DISMISSED,
            Stock.DISMISSED,
            (STUCK,),
            None,
        )
        events = await town.store.timeline(SUBSCRIPTION, 1)
        assert first_broken(events, case) is None
        assert (events[-1].by, "history" in events[-1].text) == ("Ann", True)

    async def test_it_stays_closed_while_nothing_new_is_stuck_and_the_provider_is_not_asked(self, town: Town) -> None:
        town.stuck()
        await town.sweep()
        await decide(town, Decision.DISMISS)
        asked = len(town.provider.reads)
        for _ in range(4):
            await town.pass_time(HOUR)
            await town.sweep()
        town.work365.edit(STUCK, message="Failed once more")
        await town.sweep()
        assert ((await town.case()).id, town.work365.writes) == (f"{SUBSCRIPTION}-1", [])
        assert len(town.provider.reads) == asked

    async def test_a_new_change_opens_a_new_case_that_says_so_and_asks_first(self, town: Town) -> None:
        town.stuck()
        await town.sweep()
        await decide(town, Decision.DISMISS)
        await joined(town)
        case = await town.case()
        assert (case.id, case.stock, case.dismissed) == (f"{SUBSCRIPTION}-2", Stock.NONE, (STUCK,))
        assert "older change of this subscription was dismissed" in case.summary
        assert (case.state, town.work365.writes) == (State.AWAITING_APPROVAL, [])
        assert [n.kind for n in town.notifier.told if n.case_id] == ["awaiting_approval"]

    async def test_the_new_case_is_closed_again_when_what_is_new_is_gone(self, town: Town) -> None:
        town.stuck()
        await town.sweep()
        await decide(town, Decision.DISMISS)
        await joined(town)
        del town.work365.held[SUBSCRIPTION].changes[LATER]
        await town.pass_time(HOUR)
        assert ((await town.case()).id, await town.state()) == (f"{SUBSCRIPTION}-2", State.DISMISSED)
        await town.sweep()
        assert (await town.case()).id == f"{SUBSCRIPTION}-2"

    async def test_a_change_that_turned_up_since_it_was_listed_is_not_dismissed(self, town: Town) -> None:
        town.stuck()
        await town.sweep()
        town.work365.held[SUBSCRIPTION].changes[LATER] = todays()
        made = await decide(town, Decision.DISMISS)
        assert (made.decided, [*made.skipped.values()]) == (0, ["a newer change has become stuck in it"])

    async def test_more_changes_than_can_be_remembered_are_not_dismissed(self, town: Town) -> None:
        many = [change(f"2222222a-0000-0000-0000-{n:012d}") for n in range(REMEMBERED + 1)]
        town.stuck(provisioned(OLD), *many)
        await town.sweep()
        made = await decide(town, Decision.DISMISS)
        assert (made.decided, len(made.skipped)) == (0, 1)

    async def test_who_is_slower_than_somebody_else_leaves_it_as_it_is(self, town: Town) -> None:
        town.stuck()
        await town.sweep()

        def meanwhile(recorded: Any) -> None:
            town.store.before_save = lambda _: None
            town.store.versions[SUBSCRIPTION] = "somebody else's"

        town.store.before_save = meanwhile
        made = await decide(town, Decision.DISMISS)
        assert (made.decided, len(made.skipped), await town.state()) == (0, 1, State.READY)

    async def test_a_subscription_without_any_change_stays_dismissed_too(self, town: Town) -> None:
        town.stuck(provisioned())
        await town.sweep()
        assert ((await town.case()).cause, (await town.case()).stock) == ("no_change_log", Stock.HELD)
        await decide(town, Decision.DISMISS)
        await town.pass_time(HOUR)
        await town.sweep()
        assert (await town.case()).id == f"{SUBSCRIPTION}-1"


async def test_what_was_adopted_is_never_held_again(town: Town) -> None:
    town.stuck()
    await town.sweep()
    await decide(town, Decision.ADOPT)
    town.tables.rows.pop("holds")
    await town.pass_time(HOUR)
    await town.sweep()
    await town.pass_time(HOUR)
    assert (await town.case()).stock is Stock.ADOPTED
    assert replace(await town.case()).attempts
