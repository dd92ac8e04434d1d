"""The app says when it does not do its work: once when it begins, once when it is over (P26).

Input: a town of fakes whose timers are run by hand, on time that the test moves; ticks that are left out, sources that
are out, a webhook that is. Output: what people were told. Not faked: the workflow, the domain, the table of alarms.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.messages import DiagnoseMessage, RemediateMessage
from shared.domain.case import State
from shared.domain.evidence import ChangeSource, ChangeType
from shared.domain.schedule import parse
from shared.errors import CaseUnreadable, Garbled, SignInRefused, SourceError, Throttled, Unreachable
from shared.ports import News
from shared.workflow.diagnose import diagnose_subscriptions
from shared.workflow.park import park, unless_out
from shared.workflow.remediate import remediate
from shared.workflow.sweep import sweep
from shared.workflow.wake import ENOUGH_WAITING, wake
from shared.workflow.watch import problems, watch
from tests.builders import HOUR, NOW, SUBSCRIPTION, change
from tests.workflow_kit import AWAITING, NOT_APPLICABLE, Town

pytestmark = pytest.mark.anyio
MINUTE = timedelta(minutes=1)
DOWN = Unreachable("dataverse", "Dataverse did not answer.")


@pytest.fixture
def town() -> Town:
    return Town()


async def ticks(town: Town, minutes: int, *, sweeps: bool = True, wakes: bool = True) -> None:
    """Minutes as the Functions host makes them: wake each minute, sweep every five, then the queues."""
    for _ in range(minutes):
        town.clock.advance(MINUTE)
        if sweeps and town.clock.now().minute % 5 == 0:
            await sweep(town.ctx)
            await watch(town.ctx)
        if wakes:
            await wake(town.ctx)
            await watch(town.ctx)
        await deliver(town)


async def deliver(town: Town) -> None:
    """The queue triggers: a message whose step fails five times comes to the poison queue."""
    while (message := town.queues.take()) is not None:
        if isinstance(message, DiagnoseMessage):
            await _tried(town, message.subscription_ids, "diagnose")
        elif isinstance(message, RemediateMessage):
            await unless_out(remediate(town.ctx, message.case_ids), "retrigger")
        else:
            await town.run(message)


async def _tried(town: Town, ids: Sequence[str], step: str) -> None:
    for _ in range(5):
        try:
            await unless_out(diagnose_subscriptions(town.ctx, ids), step)
        except SourceError:
            continue
        return
    await park(town.ctx, ids, step)


def heard(town: Town) -> list[str]:
    """Kinds of the news that is about no case."""
    return [news.kind for news in town.notifier.told if not news.case_id]


def last(town: Town) -> News:
    return [news for news in town.notifier.told if not news.case_id][-1]


class TestSweeps:
    async def test_an_app_that_works_is_no_news(self, town: Town) -> None:
        await ticks(town, 120)
        assert heard(town) == []
        assert await problems(town.ctx) == []

    async def test_sweeps_that_never_come_are_told_once_and_their_return_once(self, town: Town) -> None:
        await ticks(town, 10)
        await ticks(town, 60, sweeps=False)
        assert heard(town) == ["standstill"]
        assert "No sweep has been complete since 2026-11-22 12:10 UTC" in last(town).text
        assert "see whether its timer runs" in last(town).text
        assert await problems(town.ctx) == [last(town).text]
        await ticks(town, 60)
        assert heard(town) == ["standstill", "standstill_over"]
        assert await problems(town.ctx) == []

    @pytest.mark.parametrize(("left_out", "told"), [(14, []), (16, ["standstill"])])
    async def test_three_times_of_the_schedule_are_too_many(
        self, town: Town, left_out: int, told: Sequence[str]
    ) -> None:
        await ticks(town, 10)
        await ticks(town, left_out, sweeps=False)
        assert heard(town) == told

    async def test_a_schedule_that_is_seldom_is_given_its_time(self, town: Town) -> None:
        town.limits = {"sweeps": parse("0 0 3 * * *")}
        await sweep(town.ctx)
        for hours, told in ((62, []), (2, ["standstill"])):
            for _ in range(hours * 2):
                town.clock.advance(HOUR / 2)
                await watch(town.ctx)
            assert heard(town) == told

    async def test_an_app_that_never_swept_is_told_from_when_it_was_set_up(self, town: Town) -> None:
        await ticks(town, 30, sweeps=False)
        assert heard(town) == ["standstill"]
        assert "since the app was set up, 2026-11-22 12:01" in last(town).text

    async def test_sweeps_that_are_incomplete_do_not_count_and_say_why(self, town: Town) -> None:
        await ticks(town, 10)
        town.work365.unavailable = DOWN
        await ticks(town, 60)
        assert heard(town) == ["standstill"]
        assert "Dataverse did not answer" in last(town).text

    async def test_when_wake_stands_still_the_sweep_timer_tells(self, town: Town) -> None:
        town.stuck(change(change_type=ChangeType.UPDATE, source=ChangeSource.PROVIDER))
        await ticks(town, 10)
        assert (await town.case()).due_on == NOW + 35 * MINUTE
        town.work365.held.clear()  # no suspect any more: only wake would look at it
        await ticks(town, 90, wakes=False)
        assert heard(town) == ["standstill"]
        assert "One case is due and not looked at, the first since 2026-11-22 12:35 UTC" in last(town).text


class TestDueCases:
    async def test_due_cases_that_nobody_looks_at_are_told_once(self, town: Town) -> None:
        town.many(3)
        await ticks(town, 10)
        await lost(town, 100)
        assert heard(town) == ["standstill"]
        assert "3 cases are due and not looked at" in last(town).text
        await ticks(town, 10)
        assert heard(town) == ["standstill", "standstill_over"]

    async def test_after_the_app_was_off_what_is_due_gets_its_time(self, town: Town) -> None:
        town.many(3)
        await ticks(town, 10)
        town.clock.advance(48 * HOUR)
        await sweep(town.ctx)
        await ticks(town, 60)
        assert heard(town) == []

    async def test_a_row_that_cannot_be_read_is_told_apart(self, town: Town) -> None:
        town.stuck()
        await ticks(town, 10)
        town.store.cases[SUBSCRIPTION]["case"]["schema_version"] = 99
        await ticks(town, 60)
        assert heard(town) == ["unreadable"]
        assert "One case cannot be read" in last(town).text
        town.store.cases[SUBSCRIPTION]["case"]["schema_version"] = 2
        await ticks(town, 10)
        assert heard(town) == ["unreadable", "unreadable_over"]


async def lost(town: Town, minutes: int) -> None:
    """Timers run, and every message is lost."""
    for _ in range(minutes):
        town.clock.advance(MINUTE)
        if town.clock.now().minute % 5 == 0:
            await sweep(town.ctx)
        await wake(town.ctx)
        await watch(town.ctx)
        town.queues.lose_all()


class TestTelling:
    async def test_a_webhook_that_is_out_hears_of_it_later_and_once(self, town: Town) -> None:
        await ticks(town, 10)
        town.notifier.unavailable = Unreachable("webhook", "The webhook gave no answer.")
        await ticks(town, 60, sweeps=False)
        assert heard(town) == []
        town.notifier.unavailable = None
        await ticks(town, 60, sweeps=False)
        assert heard(town) == ["standstill"]

    async def test_what_was_over_before_anybody_heard_is_not_told(self, town: Town) -> None:
        await ticks(town, 10)
        town.notifier.unavailable = Unreachable("webhook", "The webhook gave no answer.")
        await ticks(town, 30, sweeps=False)
        await ticks(town, 10)
        town.notifier.unavailable = None
        await ticks(town, 60)
        assert heard(town) == []

    async def test_of_workers_that_look_at_once_one_tells(self, town: Town) -> None:
        await ticks(town, 10)
        town.clock.advance(HOUR)
        await asyncio.gather(*(watch(town.ctx) for _ in range(4)))
        assert heard(town) == ["standstill"]

    async def test_while_one_worker_is_telling_another_does_not(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await ticks(town, 10)
        town.clock.advance(HOUR)
        tell, heard_out = town.notifier.tell, asyncio.Event()

        async def slowly(news: Sequence[News]) -> None:
            await heard_out.wait()
            await tell(news)

        monkeypatch.setattr(town.notifier, "tell", slowly)
        first = asyncio.create_task(watch(town.ctx))
        for _ in range(100):
            await asyncio.sleep(0)
        assert (await town.ctx.alarms.read()).alarms, "it has begun to tell"
        town.clock.advance(MINUTE)
        second = asyncio.create_task(watch(town.ctx))
        for _ in range(100):
            await asyncio.sleep(0)
        heard_out.set()
        await asyncio.gather(first, second)
        assert heard(town) == ["standstill"]

    async def test_a_worker_that_dies_while_telling_is_made_up_for(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await ticks(town, 10)
        town.clock.advance(HOUR)
        with monkeypatch.context() as patch:

            async def die(*_: Any) -> None:
                raise KeyboardInterrupt

            patch.setattr(town.notifier, "tell", die)
            with pytest.raises(KeyboardInterrupt):
                await watch(town.ctx)
        await ticks(town, 5, sweeps=False)
        assert heard(town) == ["standstill"]

    async def test_an_alarm_row_that_makes_no_sense_is_said_and_not_written_over(self, town: Town) -> None:
        await ticks(town, 1)
        town.tables.edit("alarms", "alarm", "app", schema_version=99)
        with pytest.raises(CaseUnreadable, match="alarm / app"):
            await watch(town.ctx)


class TestOutages:
    @pytest.mark.parametrize(
        "outage",
        [
            DOWN,
            Throttled("dataverse", "Come back later.", retry_after=60),
            SignInRefused("sign_in", "No token."),
            Garbled("dataverse", "A web page instead of data."),
        ],
        ids=["unreachable", "throttled", "sign-in", "web page"],
    )
    async def test_an_outage_parks_no_case_and_is_told_once(self, town: Town, outage: SourceError) -> None:
        ids = town.many(3)
        await ticks(town, 10)
        assert {await town.state(i) for i in ids} == {State.VERIFYING}
        before = {i: await town.case(i) for i in ids}
        town.clock.advance(4 * MINUTE)
        town.work365.unavailable = outage
        await ticks(town, 45)
        assert {i: await town.case(i) for i in ids} == before, "they are due as they were"
        assert heard(town) == ["standstill"]
        assert [news for news in town.notifier.told if news.case_id] == []
        town.work365.unavailable = None
        for i in range(3):
            town.work365.provision(f"22222222-0000-0000-0000-{i:012d}")
        await ticks(town, 60)
        assert heard(town) == ["standstill", "standstill_over"]
        assert {await town.state(i) for i in ids} == {State.RESOLVED}

    async def test_what_fails_although_sweeps_succeed_is_parked_and_told(self, town: Town) -> None:
        town.stuck()
        await sweep(town.ctx)

        def odd() -> None:
            if town.work365.reads[-1] == "diagnose":
                raise Garbled("dataverse", "It cannot be read.")

        town.work365.before_read = odd
        await deliver(town)
        await deliver(town)
        assert await town.state() is State.NEEDS_PERSON
        assert "failed too often" in (await town.case()).summary
        assert [news.kind for news in town.notifier.told] == ["parked"]

    async def test_a_change_that_was_ready_when_dataverse_went_is_freed_when_it_is_back(self, town: Town) -> None:
        town.stuck()
        await sweep(town.ctx)
        message = town.queues.take()
        assert message is not None
        await town.run(message)
        town.work365.unavailable = DOWN
        await deliver(town)
        await ticks(town, 30)
        assert town.written() == []
        town.work365.unavailable = None
        await ticks(town, 10)
        assert town.written() == [NOT_APPLICABLE, AWAITING]


class TestWake:
    async def test_what_is_queued_and_not_looked_at_yet_does_not_pile_up(self, town: Town) -> None:
        town.many(3)
        await ticks(town, 10)
        for _ in range(30):
            town.clock.advance(MINUTE)
            await wake(town.ctx)
        assert len(town.queues.waiting) == ENOUGH_WAITING
        town.queues.lose_all()
        assert await wake(town.ctx) == 3, "what was lost is queued again"


assert NOW.minute == 0, "the ticks count on it"
