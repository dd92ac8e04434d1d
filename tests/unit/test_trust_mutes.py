"""A mute: nothing is begun on it and nobody is told; it is diagnosed and listed as ever.

Input: subscriptions in the town of fakes, a mute, time. Output: writes, cases, news. Not faked: the workflow, the
domain, and the adapters of the guards' tables (on tables in memory).
"""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.case import State
from shared.domain.pause import Mute, Scope, muting
from shared.errors import NotPossible
from shared.ports import StatusWrite, WriteResult
from shared.workflow.pauses import mute, unmute
from tests.builders import DAY, HOUR, NOW, SUBSCRIPTION, change, provisioned, subscription
from tests.workflow_kit import AWAITING, NOT_APPLICABLE, Town

pytestmark = pytest.mark.anyio

RETRIGGER = [NOT_APPLICABLE, AWAITING]
ODD = "Something nobody has seen before (987654)"
CUSTOMER = "66666666-0000-0000-0000-000000000001"


@pytest.fixture
def town() -> Town:
    return Town()


async def muted(town: Town, scope: Scope = Scope.SUBSCRIPTION, target: str = SUBSCRIPTION) -> str:
    return await mute(town.ctx, scope, target, by="Ann", reason="a migration", until=NOW + DAY)


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        (Scope.SUBSCRIPTION, SUBSCRIPTION),
        (Scope.CUSTOMER, CUSTOMER),
        (Scope.PROVIDER, "55555555-0000-0000-0000-000000000001"),
        (Scope.CAUSE, "trigger_missed"),
    ],
)
async def test_nothing_is_begun_and_the_case_says_who_and_until_when(town: Town, scope: Scope, target: str) -> None:
    id_ = await muted(town, scope, target)
    town.stuck()
    await town.sweep()
    case = await town.case()
    assert (case.state, case.cause, town.work365.writes) == (State.READY, "trigger_missed", [])
    assert (case.muted_until, "Ann" in case.muted, case.held_back) == (NOW + DAY, True, case.muted)
    assert await unmute(town.ctx, id_, by="Bob") == {}
    await town.pass_time(HOUR)
    assert (town.written(), (await town.case()).muted) == (RETRIGGER, "")


async def test_it_is_about_nothing_else(town: Town) -> None:
    await muted(town, Scope.CAUSE, "unknown")
    await muted(town, Scope.CUSTOMER, "66666666-0000-0000-0000-000000000099")
    town.stuck()
    await town.sweep()
    assert town.written() == RETRIGGER


async def test_nobody_is_told_until_it_is_over(town: Town) -> None:
    await muted(town)
    town.stuck(provisioned(), change(message=ODD))
    await town.sweep()
    assert (await town.state(), town.notifier.told) == (State.NEEDS_PERSON, [])
    await town.pass_time(DAY)
    assert [n.kind for n in town.notifier.told] == ["needs_person"]
    assert [kind for kind in await town.history() if "mute" in kind] == ["muted", "unmuted"]


async def test_set_after_the_diagnosis_it_stops_the_next_beginning(town: Town) -> None:
    row: list[Any] = []

    def late(recorded: Any) -> None:
        if recorded.case.state is State.READY and not row:
            row.append(1)
            town.tables.rows.setdefault("pauses", {}).update(rows)

    other = Town()
    await muted(other)
    rows = other.tables.rows["pauses"]
    town.store.after_save = late
    town.stuck()
    await town.sweep()
    assert (town.work365.writes, "Ann" in (await town.case()).held_back) == ([], True)


async def test_what_is_half_done_is_finished(town: Town) -> None:
    other = Town()
    await muted(other)

    def late(write: StatusWrite, result: WriteResult) -> WriteResult:
        town.tables.rows.setdefault("pauses", {}).update(other.tables.rows["pauses"])
        return result

    town.work365.after_write = late
    town.stuck()
    await town.sweep()
    assert town.written() == RETRIGGER


async def test_one_that_cannot_be_read_stops_all(town: Town) -> None:
    id_ = await muted(town, Scope.CUSTOMER, "66666666-0000-0000-0000-000000000099")
    town.tables.edit("pauses", "mute", id_, until="soon")
    town.stuck()
    await town.sweep()
    assert (town.work365.writes, "until" in (await town.case()).held_back) == ([], True)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"scope": Scope.EVERYTHING, "target": ""}, "not everything"),
        ({"scope": Scope.ENVIRONMENT}, "not environment"),
        ({"scope": Scope.CAUSE, "target": "trigger_mised"}, "target is no cause"),
        ({"target": "Contoso"}, "needs its GUID"),
        ({"reason": " "}, "a name and a reason"),
        ({"until": NOW + 400 * DAY}, "within 366 days"),
    ],
)
async def test_one_that_makes_no_sense_is_refused(town: Town, wrong: dict[str, Any], why: str) -> None:
    values = {"scope": Scope.CUSTOMER, "target": CUSTOMER, "by": "Ann", "reason": "y", "until": NOW + DAY, **wrong}
    with pytest.raises(NotPossible, match=why):
        await mute(town.ctx, values.pop("scope"), values.pop("target"), **values)
    with pytest.raises(NotPossible, match="there is no mute"):
        await unmute(town.ctx, "customer-0", by="Ann")


def test_in_doubt_nothing_is_begun_and_no_news_is_kept_back() -> None:
    wish = Mute(Scope.CUSTOMER, CUSTOMER, "Ann", "x", NOW, NOW + timedelta(hours=1))
    unknown = subscription(customer_id=None)
    assert muting([wish], unknown, (), NOW, in_doubt=True) is wish
    assert muting([wish], unknown, (), NOW, in_doubt=False) is None
    assert muting([wish], subscription(), (), NOW + HOUR, in_doubt=True) is None, "it is over"
