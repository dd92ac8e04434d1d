"""What can be trusted at night: pauses, quiet hours, and what cannot be read, through the real workflow (P11, P13).

Input: subscriptions in the town of fakes, a policy, time. Output: writes, cases, news. Not faked: the workflow, the
domain, and the adapters of the guards' tables (on tables in memory).
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.adapters.tables.pauses import TablePauses
from shared.domain.case import State
from shared.domain.evidence import ProvisioningStatus
from shared.domain.pause import Pause, Scope
from shared.domain.policy import Quiet
from shared.errors import NotPossible, Unreachable
from shared.ports import StatusWrite, WriteResult
from shared.workflow.pauses import pause, resume
from tests.builders import DAY, HOUR, NOW, STUCK, SUBSCRIPTION, change, provisioned
from tests.fakes.tables import FakeTables
from tests.workflow_kit import AWAITING, NOT_APPLICABLE, Town

pytestmark = pytest.mark.anyio

PRIOR = "There are one or more prior License Change Logs for this Subscription that are Awaiting Provisioning."
RETRIGGER = [NOT_APPLICABLE, AWAITING]
MINUTE = timedelta(minutes=1)
QUARTER = 15 * MINUTE


@pytest.fixture
def town() -> Town:
    return Town()


def paused_row() -> dict[str, Any]:
    """The row of a pause of everything."""
    tables = FakeTables()
    wish = Pause(Scope.EVERYTHING, "", "Ann", "stop it", NOW, NOW + DAY)
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(TablePauses(tables).put(wish))
    finally:
        loop.close()
    return dict(next(iter(tables.rows["pauses"].values())).row)


PAUSED = paused_row()


class Steps:
    """Counts everything that workers ask of storage and of Dataverse, and pauses at one of them."""

    def __init__(self, town: Town, pause_at: int | None = None) -> None:
        self.town, self.count, self.pause_at = town, 0, pause_at
        self.batches_then: int | None = None
        town.tables.before_request = lambda _: self._step()
        town.store.before_request = self._step
        town.work365.before_read = self._step
        town.work365.after_write = self._after_write

    def _after_write(self, _: StatusWrite, result: WriteResult) -> WriteResult:
        self._step()
        return result

    def _step(self) -> None:
        if self.count == self.pause_at:
            row = {k: v for k, v in PAUSED.items() if k not in ("PartitionKey", "RowKey")}
            self.town.tables.edit("pauses", PAUSED["PartitionKey"], PAUSED["RowKey"], **row)
            self.batches_then = len(self.town.work365.batches)
        self.count += 1


class TestPause:
    async def test_set_at_any_step_it_stops_the_very_next_write(self) -> None:
        calm = Town()
        calm.stuck()
        whole = Steps(calm)
        await calm.sweep()
        assert calm.written() == RETRIGGER
        left = set()
        for at in range(whole.count):
            town = Town()
            town.stuck()
            watch = Steps(town, at)
            await town.sweep()
            assert len(town.work365.batches) == watch.batches_then, f"a write was begun after the pause at step {at}"
            left.add(tuple(town.written()))
            await self._goes_on(town)
        assert left == {(), (NOT_APPLICABLE,), (NOT_APPLICABLE, AWAITING)}, "before, between and after the writes"

    async def _goes_on(self, town: Town) -> None:
        """Nothing is lost by it, and who must know of a half-done change was told."""
        half_done = town.work365.change(STUCK).status is NOT_APPLICABLE
        await town.pass_time(HOUR)
        await town.pass_time(HOUR)
        assert [n.kind for n in town.notifier.told] == (["held_back"] if half_done else [])
        for id_ in await town.ctx.pauses.read():
            await resume(town.ctx, id_, by="Ann")
        await town.drain()
        await town.sweep()
        await town.pass_time(HOUR)
        assert town.written()[:2] == RETRIGGER

    async def test_between_the_two_writes_the_case_says_so_and_finishes_when_it_is_over(self, town: Town) -> None:
        def ann(write: StatusWrite, result: WriteResult) -> WriteResult:
            row = {k: v for k, v in PAUSED.items() if k not in ("PartitionKey", "RowKey")}
            town.tables.edit("pauses", PAUSED["PartitionKey"], PAUSED["RowKey"], **row)
            return result

        town.work365.after_write = ann
        town.stuck()
        await town.sweep()
        case = await town.case()
        assert town.written() == [NOT_APPLICABLE]
        assert (case.state, "Ann" in case.held_back) == (State.READY, True)
        news = town.notifier.told[0]
        assert ("Not Applicable" in news.text, "end that pause" in news.next_step) == (True, True)
        await town.pass_time(DAY)
        assert town.written() == RETRIGGER, "it expires by itself"

    @pytest.mark.parametrize("status", [AWAITING, ProvisioningStatus.FAILED])
    async def test_set_during_the_last_write_it_stops_the_running_of_the_job(
        self, town: Town, status: ProvisioningStatus
    ) -> None:
        def ann(write: StatusWrite, result: WriteResult) -> WriteResult:
            if write.status is AWAITING:
                row = {k: v for k, v in PAUSED.items() if k not in ("PartitionKey", "RowKey")}
                town.tables.edit("pauses", PAUSED["PartitionKey"], PAUSED["RowKey"], **row)
            return result

        town.work365.after_write = ann
        town.stuck(provisioned(), change(status=status, message=PRIOR if status is not AWAITING else ""))
        await town.sweep()
        assert (await town.state(), town.written()[-1:], town.work365.runs) == (State.VERIFYING, [AWAITING], [])
        said = (await town.store.timeline(SUBSCRIPTION, 1))[-1]
        assert (said.kind, "its job was not run: Ann has paused" in said.text) == ("retriggered", True)

    async def test_where_pauses_cannot_be_read_any_more_no_job_is_run(self, town: Town) -> None:
        def gone(write: StatusWrite, result: WriteResult) -> WriteResult:
            if write.status is AWAITING:
                town.tables.unavailable = Unreachable("storage", "no answer")
            return result

        town.work365.after_write = gone
        town.stuck()
        await town.sweep()
        assert (await town.state(), town.work365.runs) == (State.VERIFYING, [])

    @pytest.mark.parametrize(
        ("scope", "target"),
        [
            (Scope.ENVIRONMENT, "00000000-0000-0000-0000-0000000000AA"),
            (Scope.PROVIDER, "55555555-0000-0000-0000-000000000001"),
            (Scope.CUSTOMER, "66666666-0000-0000-0000-000000000001"),
            (Scope.SUBSCRIPTION, SUBSCRIPTION),
        ],
    )
    async def test_it_stops_what_it_names_and_several_parties_may(self, town: Town, scope: Scope, target: str) -> None:
        ids = [await pause(town.ctx, scope, target, by=by, reason="an audit", until=NOW + DAY) for by in ("Ann", "Bob")]
        town.stuck()
        await town.sweep()
        assert town.work365.writes == []
        assert set(await resume(town.ctx, ids[0], by="Ann")) == {ids[1]}
        await town.drain()
        assert town.work365.writes == [], "Bob's is still in force"
        assert await resume(town.ctx, ids[1], by="Ann") == {}
        await town.sweep()
        await town.pass_time(HOUR)
        assert town.written()[:2] == RETRIGGER

    @pytest.mark.parametrize(
        "wrong",
        [
            {"by": " "},
            {"reason": ""},
            {"target": ""},
            {"until": NOW},
            {"until": NOW + 400 * DAY},
            {"until": datetime(2027, 1, 1)},  # noqa: DTZ001  (that it has no zone is what is tested)
            {"scope": Scope.EVERYTHING},
            {"reason": "x" * 501},
        ],
    )
    async def test_one_that_says_too_little_is_refused(self, town: Town, wrong: dict[str, Any]) -> None:
        values = {"scope": Scope.CUSTOMER, "target": "x", "by": "Ann", "reason": "y", "until": NOW + DAY, **wrong}
        with pytest.raises(NotPossible):
            await pause(town.ctx, values.pop("scope"), values.pop("target"), **values)
        with pytest.raises(NotPossible):
            await resume(town.ctx, "customer-0", by="Ann")


class TestFailsClosed:
    @pytest.mark.parametrize(("table", "keys"), [("pauses", ("pause", "x")), ("holds", ("sweep", "watch"))])
    async def test_a_row_that_makes_no_sense_stops_all_and_is_named(
        self, town: Town, table: str, keys: tuple[str, str]
    ) -> None:
        town.tables.edit(table, *keys, schema_version=99)
        town.stuck()
        await town.sweep()
        assert town.work365.writes == []
        assert "schema_version" in (await town.case()).held_back
        receipt = await town.store.last_receipt()
        assert receipt is not None
        assert "schema_version" in receipt.problem, "and it is in the sweep's receipt"

    async def test_a_budget_that_makes_no_sense_grants_nothing(self, town: Town) -> None:
        town.tables.edit("budgets", "retrigger", "hour", schema_version=1, spent="x", line="[]")
        town.stuck()
        await town.sweep()
        assert town.work365.writes == []
        assert "spent" in (await town.case()).held_back

    async def test_tables_that_vanish_before_the_write_stop_it(self, town: Town) -> None:
        def vanish(recorded: Any) -> None:
            if recorded.case.intent is not None:
                town.tables.unavailable = Unreachable("storage", "no answer")

        town.store.after_save = vanish
        town.stuck()
        await town.sweep()
        assert town.work365.writes == []
        assert (await town.history())[-1] == "intent_dropped"
        town.tables.unavailable, town.store.after_save = None, lambda _: None
        await town.pass_time(10 * MINUTE)
        assert town.written() == RETRIGGER

    async def test_evidence_that_has_grown_old_before_the_write_is_read_again(self, town: Town) -> None:
        def slow(recorded: Any) -> None:
            if recorded.case.intent is not None:
                town.store.after_save = lambda _: None
                town.clock.advance(6 * MINUTE)

        town.limits = {"action_time_limit": 20 * MINUTE}
        town.store.after_save = slow
        town.stuck()
        await town.sweep()
        assert town.work365.writes == []
        await town.pass_time(MINUTE)
        assert town.written() == RETRIGGER


class TestQuiet:
    async def test_nothing_is_begun_in_it_and_what_is_half_done_is_finished(self, town: Town) -> None:
        ends = NOW + 3 * HOUR

        def night(moment: datetime) -> tuple[datetime, datetime] | None:
            return (NOW, ends) if NOW <= moment < ends else None

        town.limits = {"quiet": (Quiet("the invoice run", "invoices are drawn up", night),)}
        town.stuck()
        await town.sweep()
        case = await town.case()
        assert (town.work365.writes, case.due_on) == ([], ends)
        assert "the invoice run" in case.held_back
        await town.pass_time(3 * HOUR)
        assert town.written() == RETRIGGER

    async def test_it_begins_between_the_two_writes(self, town: Town) -> None:
        begun: list[StatusWrite] = []
        town.limits = {"quiet": (Quiet("q", "r", lambda now: (now, now + HOUR) if begun else None),)}

        def begins(write: StatusWrite, result: WriteResult) -> WriteResult:
            begun.append(write)
            return result

        town.work365.after_write = begins
        town.stuck()
        await town.sweep()
        assert town.written() == RETRIGGER
