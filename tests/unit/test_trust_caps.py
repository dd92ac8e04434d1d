"""What can be trusted at night: hourly caps, surges and silences, through the real workflow (P9, P10, P20).

Input: subscriptions in the town of fakes, a policy, time. Output: writes, cases, news. Not faked: the workflow, the
domain, and the adapters of the guards' tables (on tables in memory).
"""

from datetime import datetime, timedelta

import pytest

from shared.adapters.tables.budgets import TableLimits
from shared.domain.budget import Claim
from shared.domain.case import State
from shared.domain.evidence import ProvisioningStatus
from shared.domain.intent import Phase
from shared.domain.pause import Scope
from shared.domain.policy import Caps
from shared.errors import NotPossible, Unreachable
from shared.ports import StatusWrite, WriteResult
from shared.workflow.pauses import confirm_surge, pause, resume
from shared.workflow.sweep import sweep
from tests.builders import DAY, HOUR, NOW, change, provisioned
from tests.workflow_kit import AWAITING, NOT_APPLICABLE, Crash, Town

pytestmark = pytest.mark.anyio

RETRIGGER = [NOT_APPLICABLE, AWAITING]
MINUTE = timedelta(minutes=1)
PRIOR = "There are one or more prior License Change Logs for this Subscription that are Awaiting Provisioning."
ANOTHER = Claim("another", NOW, 1, "another")
QUARTER = 15 * MINUTE


@pytest.fixture
def town() -> Town:
    return Town()


async def hold_id(town: Town) -> str:
    hold = (await town.ctx.holds.read()).hold
    assert hold is not None, "there is no hold"
    return hold.id


def watch_writes(town: Town) -> list[tuple[datetime, StatusWrite]]:
    """First writes with the time at which they were made."""
    made: list[tuple[datetime, StatusWrite]] = []

    def note(write: StatusWrite, result: WriteResult) -> WriteResult:
        if write.status is NOT_APPLICABLE:
            made.append((town.clock.now(), write))
        return result

    town.work365.after_write = note
    return made


class TestHourlyCaps:
    async def test_never_more_within_an_hour_than_the_caps_and_the_oldest_first(self, town: Town) -> None:
        town.limits = {"caps": Caps(changes=5, seats=1_000, customers=100)}
        town.many(12)
        for n in range(12):  # the last of them is the one that has waited longest
            town.work365.edit(f"22222222-0000-0000-0000-{n:012d}", created_on=NOW - HOUR - n * MINUTE)
        made = watch_writes(town)
        await town.sweep()
        for _ in range(40):
            for write in [w for _, w in made if town.work365.change(w.change_id).status is AWAITING]:
                town.work365.provision(write.change_id)
            await town.pass_time(5 * MINUTE)
            assert len([on for on, _ in made if town.clock.now() - on < HOUR]) <= 5
        in_order = [int(write.change_id[-12:]) for _, write in made]
        assert [set(in_order[:5]), set(in_order[5:10]), set(in_order[10:])] == [{*range(7, 12)}, {*range(2, 7)}, {0, 1}]

    async def test_the_others_are_ready_and_say_why_they_wait(self, town: Town) -> None:
        town.limits = {"caps": Caps(changes=1)}
        ids = town.many(2)
        town.work365.edit("22222222-0000-0000-0000-000000000000", created_on=NOW - 2 * HOUR)
        await town.sweep()
        waiting = await town.case(ids[1])
        assert (waiting.state, waiting.due_on) == (State.READY, NOW + HOUR)
        assert "oldest first" in waiting.held_back

    async def test_seats_above_the_cap_alone_are_told_to_a_person(self, town: Town) -> None:
        town.limits = {"caps": Caps(seats=4)}
        town.stuck()
        await town.sweep()
        assert town.work365.writes == []
        assert [(n.kind, "caps.seats" in n.next_step) for n in town.notifier.told] == [("held_back", True)]
        await town.pass_time(HOUR)
        assert len(town.notifier.told) == 1, "once"

    async def test_a_crash_wastes_some_of_the_budget_and_never_exceeds_it(self, town: Town) -> None:
        town.limits = {"caps": Caps(changes=1)}
        town.stuck()
        town.crash_at_save(lambda c: c.intent is not None and c.intent.phase is Phase.INTENDED, saved=False)
        with pytest.raises(Crash):
            await town.sweep()
        await town.pass_time(10 * MINUTE)
        assert town.work365.writes == []
        await town.pass_time(HOUR)
        assert town.written() == RETRIGGER

    async def test_what_was_for_sure_not_written_is_given_back(self, town: Town) -> None:
        town.limits = {"caps": Caps(changes=1)}
        town.stuck()

        def touched(write: StatusWrite) -> None:
            town.work365.before_write = lambda _: None
            town.work365.edit(write.change_id)

        town.work365.before_write = touched
        await town.sweep()
        await town.pass_time(MINUTE)
        assert town.written() == RETRIGGER

    @pytest.mark.parametrize("answer", ["touched", "deferred"])
    async def test_what_one_write_would_have_freed_is_given_back_too(self, town: Town, answer: str) -> None:
        town.limits = {"caps": Caps(changes=1)}
        town.stuck(provisioned(), change(status=ProvisioningStatus.FAILED, message=PRIOR))

        def once(write: StatusWrite) -> WriteResult | None:
            town.work365.before_write = lambda _: None
            if answer == "touched":
                town.work365.edit(write.change_id)
                return None
            return WriteResult(write.change_id, reason="no", deferred=True)

        town.work365.before_write = once
        await town.sweep()
        await town.pass_time(MINUTE)
        assert town.written() == [AWAITING], "the hour has room for it"

    async def test_a_write_without_an_answer_is_not_given_back(self, town: Town) -> None:
        town.limits = {"caps": Caps(changes=1)}
        town.stuck(provisioned(), change(status=ProvisioningStatus.FAILED, message=PRIOR))
        town.work365.before_write = lambda write: WriteResult(write.change_id, unknown=True, reason="no answer")
        await town.sweep()
        assert (await TableLimits(town.tables).reserve([ANOTHER], Caps(changes=1), town.clock.now())).waits


class TestSurge:
    async def test_above_the_cap_none_is_acted_on_and_people_are_told_once(self, town: Town) -> None:
        ids = town.many(51)
        await town.sweep()
        await town.pass_time(QUARTER)
        await town.sweep()
        assert town.work365.writes == []
        assert [(n.kind, n.details["suspects"]) for n in town.notifier.told] == [("surge", "51")]
        assert {await town.state(i) for i in ids} == {State.READY}
        assert "confirms" in (await town.case(ids[0])).held_back

    async def test_at_the_cap_all_are(self, town: Town) -> None:
        town.many(50)
        await town.sweep()
        assert len(town.work365.writes) == 100

    async def test_confirmed_it_goes_on_within_the_hourly_caps(self, town: Town) -> None:
        town.limits = {"caps": Caps(changes=20)}
        town.many(51)
        await town.sweep()
        with pytest.raises(NotPossible, match="no hold"):
            await confirm_surge(town.ctx, "another", by="Ann")
        assert (await confirm_surge(town.ctx, await hold_id(town), by="Ann")).suspects == 51
        await town.drain()
        assert len(town.work365.writes) == 40
        await town.sweep()
        assert (await town.ctx.holds.read()).hold is None, "these were confirmed"

    async def test_news_that_was_not_delivered_is_told_at_the_next_sweep(self, town: Town) -> None:
        town.notifier.unavailable = Unreachable("webhook", "no answer")
        town.many(51)
        await town.sweep()
        town.notifier.unavailable = None
        await town.sweep()
        await town.sweep()
        assert [n.kind for n in town.notifier.told] == ["surge"]

    async def test_nothing_is_queued_when_the_hold_cannot_be_saved(self, town: Town) -> None:
        town.many(51)
        town.tables.unavailable = Unreachable("storage", "no answer")
        receipt = await sweep(town.ctx)
        assert (receipt.complete, town.queues.sent) == (False, [])


class TestSilence:
    async def test_after_seven_days_five_hundred_suspects_move_nothing(self, town: Town) -> None:
        town.limits = {"surge": 1_000, "caps": Caps(changes=1_000)}
        await town.sweep()
        await town.pass_time(QUARTER)
        await town.sweep()
        town.clock.advance(7 * DAY)
        town.many(500)
        await town.sweep()
        assert town.work365.writes == []
        assert [n.kind for n in town.notifier.told] == ["surge"]

    async def test_what_was_ready_before_a_silence_waits_for_the_next_sweep(self, town: Town) -> None:
        town.limits = {"caps": Caps(changes=1)}
        ids = town.many(2)
        await town.sweep()
        assert len(town.work365.writes) == 2
        await town.pass_time(2 * DAY)
        assert "no sweep" in (await town.case(ids[1])).held_back
        assert len(town.work365.writes) == 2
        await town.sweep()
        await town.pass_time(HOUR)
        assert len(town.work365.writes) >= 4

    async def test_a_pause_of_everything_is_a_silence(self, town: Town) -> None:
        await town.sweep()
        id_ = await pause(town.ctx, Scope.EVERYTHING, "", by="Ann", reason="invoices", until=NOW + DAY)
        ids = town.many(11)
        await town.sweep()
        assert "paused" in (await town.case(ids[0])).held_back
        await town.pass_time(QUARTER)
        await resume(town.ctx, id_, by="Ann")
        await town.drain()
        assert "sweep" in (await town.case(ids[0])).held_back, "not before somebody has seen how many there are"
        await town.sweep()
        assert town.work365.writes == []
        await confirm_surge(town.ctx, await hold_id(town), by="Ann")
        await town.drain()
        assert len(town.work365.writes) == 22
