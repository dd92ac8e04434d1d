"""What the tables of the guards do, on Azurite and on the fake that the workflow's tests run on.

Input: budgets, breakers, pauses and holds. Output: what another worker reads. Not faked: the adapters.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import pytest
from azure.data.tables.aio import TableServiceClient

from local.azurite import Azurite
from shared.adapters.tables.alarms import TableAlarms
from shared.adapters.tables.breakers import TableBreakers
from shared.adapters.tables.budgets import TableLimits
from shared.adapters.tables.client import Tables
from shared.adapters.tables.columns import COLUMN_UNITS, ENTITY_BYTES, size, units
from shared.adapters.tables.documents import TRIES
from shared.adapters.tables.holds import MOST_SEEN, TableHolds
from shared.adapters.tables.pauses import TableMutes, TablePauses
from shared.domain.breaker import Breaker, Outcome, Position, position
from shared.domain.budget import HOUR, LONGEST_LINE, MOST_CHANGES, Claim
from shared.domain.pause import Mute, Pause, Scope
from shared.domain.policy import BreakerLimits, Caps
from shared.domain.surge import Hold, Watch, digest_of, looked
from shared.domain.watchdog import Alarm, Concern, Vigil
from shared.errors import CaseUnreadable, OutcomeUnknown, SourceError, Unreachable, VersionConflict
from tests.contract.case_kit import MINUTE, NOW, Failpoints, WatchedTables
from tests.fakes.tables import FakeTables

pytestmark = pytest.mark.anyio

LIMITS = BreakerLimits(failures=2, open_for=15 * MINUTE)
BAD = Outcome(False, "503")
TABLES = ("budgets", "breakers", "pauses", "holds", "alarms")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Edit(Protocol):
    """A person in Storage Explorer; None takes a column away."""

    def __call__(self, table: str, partition: str, row: str, **columns: Any) -> Awaitable[None]: ...


@dataclass
class Bench:
    """Tables with what a person can do to their rows. `fail` makes one kind of request fail before or after it."""

    tables: Tables
    edit: Edit
    worker: Callable[[], Tables]
    """Another process."""


@pytest.fixture(params=["fake", pytest.param("azurite", marks=pytest.mark.azurite)])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "fake":
        fake = FakeTables()

        async def edit_fake(table: str, partition: str, row: str, **columns: Any) -> None:
            fake.edit(table, partition, row, **columns)

        yield Bench(fake, edit_fake, lambda: fake)
        return
    azurite: Azurite = request.getfixturevalue("azurite")
    workers: list[Tables] = []

    def worker() -> Tables:
        workers.append(Tables.connect(azurite.connection_string))
        return workers[-1]

    async with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        async for table in service.list_tables():
            if table.name in TABLES:
                await service.delete_table(table.name)

        async def edit(table: str, partition: str, row: str, **columns: Any) -> None:
            client = service.get_table_client(table)
            entity = dict(await client.get_entity(partition, row)) | columns
            await client.upsert_entity({k: v for k, v in entity.items() if v is not None}, mode="replace")

        yield Bench(worker(), edit, worker)
        for each in workers:
            await each.close()


def claim(key: str, **values: Any) -> Claim:
    return Claim(key, NOW, values.pop("seats", 1), values.pop("customer", key))


ONE = Caps(1, 100, 100)


class TestBudgets:
    async def test_what_one_worker_took_another_does_not_get(self, bench: Bench) -> None:
        first, second = TableLimits(bench.tables), TableLimits(bench.worker())
        assert (await first.reserve([claim("a")], ONE, NOW)).granted == {"a"}
        refused = await second.reserve([claim("b")], ONE, NOW + MINUTE)
        assert (refused.granted, refused.waits["b"].until) == (frozenset(), NOW + HOUR)
        assert (await second.reserve([claim("b")], ONE, NOW + HOUR)).granted == {"b"}

    @pytest.mark.parametrize("workers", [8, 24])
    async def test_of_all_who_race_for_the_last_unit_exactly_one_wins(self, bench: Bench, workers: int) -> None:
        caps = Caps(3, 100, 100)
        await TableLimits(bench.tables).reserve([claim("x"), claim("y")], caps, NOW)
        racers = [TableLimits(bench.worker()) for _ in range(workers)]
        won = await asyncio.gather(*(r.reserve([claim(f"c{n}")], caps, NOW) for n, r in enumerate(racers)))
        assert sum(len(grant.granted) for grant in won) == 1

    async def test_what_was_given_back_can_be_had(self, bench: Bench) -> None:
        limits = TableLimits(bench.tables)
        await limits.reserve([claim("a")], ONE, NOW)
        await limits.release(["a", "b"], NOW)
        assert (await limits.reserve([claim("b")], ONE, NOW)).granted == {"b"}

    async def test_a_thousand_fit_and_no_column_is_too_long(self, bench: Bench) -> None:
        limits, caps = TableLimits(bench.tables), Caps(1_000, 10_000, 1_000)
        many = [claim(f"22222222-0000-0000-0000-{n:012d}") for n in range(1_000)]
        assert len((await limits.reserve(many, caps, NOW)).granted) == 1_000
        found = await bench.tables.get("budgets", "retrigger", "hour")
        assert found is not None
        assert max(units(v) for v in found.row.values() if isinstance(v, str)) <= COLUMN_UNITS
        assert size(found.row) < ENTITY_BYTES
        assert not (await limits.reserve([claim("one more")], caps, NOW)).granted

    async def test_as_many_as_a_policy_may_allow_fit(self, bench: Bench) -> None:
        caps = Caps(MOST_CHANGES, 1_000_000, MOST_CHANGES)
        many = [claim(f"{n}", seats=249) for n in range(MOST_CHANGES + LONGEST_LINE)]
        assert len((await TableLimits(bench.tables).reserve(many, caps, NOW)).granted) == MOST_CHANGES
        assert (await TableLimits(bench.worker()).reserve([claim("late")], caps, NOW)).waits

    async def test_what_no_longer_fits_into_the_row_is_not_granted(self, bench: Bench) -> None:
        many = [claim(f"{n}") for n in range(6_000)]
        with pytest.raises(SourceError, match="lower the caps"):
            await TableLimits(bench.tables).reserve(many, Caps(9_000, 90_000, 9_000), NOW)

    @pytest.mark.parametrize(
        "broken",
        [
            {"schema_version": 2},
            {"spent": "["},
            {"spent": None},
            {"spent": '[["a", "2026-11-22T12:00:00", 1, "b"]]'},
            {"spent": '[["a", "2026-11-22T12:00:00Z", -1, "b"]]'},
            {"line": '[["a"]]'},
        ],
        ids=["newer", "truncated", "gone", "no zone", "negative", "short"],
    )
    async def test_a_row_that_makes_no_sense_grants_nothing(self, bench: Bench, broken: dict[str, Any]) -> None:
        limits = TableLimits(bench.tables)
        await limits.reserve([claim("a")], ONE, NOW)
        await bench.edit("budgets", "retrigger", "hour", **broken)
        with pytest.raises(CaseUnreadable, match="retrigger / hour"):
            await limits.reserve([claim("b")], Caps(), NOW)


class TestBreakers:
    async def test_all_workers_see_what_one_has_counted(self, bench: Bench) -> None:
        breakers, other = TableBreakers(bench.tables), TableBreakers(bench.worker())
        assert (await other.read()).breakers == {}
        for _ in range(2):
            after = await breakers.count("dataverse", Outcome(False, "429", 30.0), LIMITS, NOW)
        seen = (await other.read()).breakers
        assert seen == {"dataverse": after}
        assert position(seen["dataverse"], NOW) is Position.OPEN

    async def test_no_count_is_lost_when_many_count_at_once(self, bench: Bench) -> None:
        racers = [TableBreakers(bench.worker()) for _ in range(8)]
        await asyncio.gather(*(r.count("dataverse", BAD, BreakerLimits(failures=100), NOW) for r in racers))
        assert (await racers[0].read()).breakers["dataverse"].in_a_row == 8

    async def test_one_of_all_who_ask_has_the_probe(self, bench: Bench) -> None:
        for _ in range(2):
            await TableBreakers(bench.tables).count("p", BAD, LIMITS, NOW)
        due = NOW + 15 * MINUTE
        racers = [TableBreakers(bench.worker()) for _ in range(8)]
        assert sum(await asyncio.gather(*(r.probe("p", LIMITS, due) for r in racers))) == 1
        assert not await racers[0].probe("never failed", LIMITS, due)

    async def test_one_row_that_makes_no_sense_is_named_and_the_others_are_read(self, bench: Bench) -> None:
        breakers = TableBreakers(bench.tables)
        for name in ("dataverse", "fix:a:b"):
            await breakers.count(name, BAD, LIMITS, NOW)
        await bench.edit("breakers", "breaker", "dataverse", calls="[[1]]")
        read = await breakers.read()
        assert (set(read.breakers), set(read.broken)) == ({"fix:a:b"}, {"dataverse"})
        with pytest.raises(CaseUnreadable):
            await breakers.count("dataverse", BAD, LIMITS, NOW)


PAUSE = Pause(Scope.CUSTOMER, "66666666-0000-0000-0000-000000000001", "Ann ✓", "an audit", NOW, NOW + HOUR)


class TestPauses:
    async def test_each_party_has_its_own_and_they_come_back_whole(self, bench: Bench) -> None:
        pauses, bob = TablePauses(bench.tables), replace(PAUSE, by="Bob", reason="a migration")
        ids = [await pauses.put(PAUSE), await pauses.put(bob)]
        assert await TablePauses(bench.worker()).read() == dict(zip(ids, [PAUSE, bob], strict=True))
        longer = replace(PAUSE, until=NOW + 2 * HOUR)
        assert await pauses.put(longer) == ids[0], "the same party's second wish replaces its first"
        await pauses.remove(ids[1])
        await pauses.remove(ids[1])
        assert await pauses.read() == {ids[0]: longer}

    @pytest.mark.parametrize(
        "broken", [{"until": "tomorrow"}, {"until": None}, {"scope": "galaxy"}, {"target": None}, {"schema_version": 2}]
    )
    async def test_one_that_cannot_be_read_may_be_in_force(self, bench: Bench, broken: dict[str, Any]) -> None:
        pauses = TablePauses(bench.tables)
        id_ = await pauses.put(PAUSE)
        await bench.edit("pauses", "pause", id_, **broken)
        with pytest.raises(CaseUnreadable, match=id_):
            await pauses.read()
        await pauses.remove(id_)
        assert await pauses.read() == {}


class TestMutes:
    async def test_they_stand_beside_pauses_of_the_same_thing(self, bench: Bench) -> None:
        pauses, mutes = TablePauses(bench.tables), TableMutes(bench.tables)
        wish = Mute(Scope.CUSTOMER, PAUSE.target, PAUSE.by, PAUSE.reason, NOW, NOW + HOUR)
        cause = Mute(Scope.CAUSE, "trigger_missed", "Bob", "known", NOW, NOW + HOUR)
        pause_id, *ids = await pauses.put(PAUSE), await mutes.put(wish), await mutes.put(cause)
        assert await TableMutes(bench.worker()).read() == dict(zip(ids, [wish, cause], strict=True))
        await mutes.remove(ids[0])
        assert (await mutes.read(), await pauses.read()) == ({ids[1]: cause}, {pause_id: PAUSE})

    @pytest.mark.parametrize("broken", [{"until": None}, {"scope": "everything"}, {"scope": "environment"}])
    async def test_one_that_cannot_be_read_may_be_in_force(self, bench: Bench, broken: dict[str, Any]) -> None:
        mutes = TableMutes(bench.tables)
        id_ = await mutes.put(Mute(Scope.CAUSE, "trigger_missed", "Bob", "known", NOW, NOW + HOUR))
        await bench.edit("pauses", "mute", id_, **broken)
        with pytest.raises(CaseUnreadable, match=id_):
            await mutes.read()


WATCH = Watch(
    NOW,
    timedelta(minutes=15),
    True,
    frozenset({digest_of("a"), digest_of("b")}),
    Hold("20261122T120000.000000Z", NOW, 60, 50, after_silence=True, told=True),
    NOW - HOUR,
    True,
)


class TestHolds:
    async def test_what_is_remembered_comes_back_whole(self, bench: Bench) -> None:
        holds = TableHolds(bench.tables)
        assert await holds.read() == Watch()
        assert await holds.change(lambda before: (WATCH, before)) == Watch()
        assert await TableHolds(bench.worker()).read() == WATCH
        await holds.change(lambda before: (replace(before, hold=None, usual=None, looked_on=None), None))
        left = Watch(silent=True, seen=WATCH.seen, stock_taken_on=WATCH.stock_taken_on, stock_told=True)
        assert await holds.read() == left

    async def test_twenty_thousand_suspects_are_remembered(self, bench: Bench) -> None:
        seen = frozenset(digest_of(f"s{n}") for n in range(20_000))
        await TableHolds(bench.tables).change(lambda before: (replace(before, seen=seen), None))
        assert (await TableHolds(bench.worker()).read()).seen == seen

    async def test_of_more_suspects_than_can_be_remembered_some_are_new_at_every_sweep(self, bench: Bench) -> None:
        """So the hold comes back however often it is confirmed: nothing is begun while nobody can tell what is new."""
        suspects, holds = [f"s{n}" for n in range(MOST_SEEN + 100)], TableHolds(bench.tables)

        def swept(when: datetime, before: Watch) -> tuple[Watch, None]:
            return looked(before, suspects, 50, when, paused=False), None

        for sweeps in range(4):
            await holds.change(partial(swept, NOW + sweeps * MINUTE))
            assert ((await holds.read()).hold is not None) is (sweeps > 0), "the first one takes stock"
            await holds.change(lambda before: (replace(before, hold=None), None))

    @pytest.mark.parametrize(
        "broken",
        [{"silent": "no"}, {"silent": None}, {"stock_told": 1}, {"seen": "abc"}, {"seen": None}, {"hold": "{}"}],
    )
    async def test_a_row_that_makes_no_sense_is_said_so(self, bench: Bench, broken: dict[str, Any]) -> None:
        holds = TableHolds(bench.tables)
        await holds.change(lambda _: (WATCH, None))
        await bench.edit("holds", "sweep", "watch", **broken)
        with pytest.raises(CaseUnreadable, match="sweep / watch"):
            await holds.read()
        with pytest.raises(CaseUnreadable):
            await holds.change(lambda before: (before, None))


@pytest.mark.azurite
class TestLostAnswers:
    @pytest.fixture
    async def watched(self, azurite: Azurite) -> AsyncIterator[WatchedTables]:
        tables = WatchedTables.connect(azurite.connection_string)
        tables.points = Failpoints()
        yield tables
        await tables.close()

    @pytest.mark.parametrize("lost", [OutcomeUnknown, VersionConflict])
    async def test_what_was_written_after_all_counts_once(
        self, watched: WatchedTables, lost: type[SourceError]
    ) -> None:
        name = f"lost:{lost.__name__}"
        watched.points.fail("after", "transact breakers", lost("storage", "the answer was lost"))
        after = await TableBreakers(watched).count(name, BAD, LIMITS, NOW)
        watched.points.clear()
        assert after.in_a_row == (await TableBreakers(watched).read()).breakers[name].in_a_row == 1

    async def test_what_never_arrived_is_an_error(self, watched: WatchedTables) -> None:
        watched.points.fail("before", "transact breakers", OutcomeUnknown("storage", "the request was lost"))
        with pytest.raises(OutcomeUnknown):
            await TableBreakers(watched).count("never", BAD, LIMITS, NOW)


async def test_whoever_is_never_fast_enough_gives_up() -> None:
    tables = FakeTables()
    breakers = TableBreakers(tables)
    await breakers.count("p", BAD, LIMITS, NOW)

    def somebody_else_is_faster(request: str) -> None:
        if request == "transact breakers":
            tables.edit("breakers", "breaker", "p", in_a_row=1)

    tables.before_request = somebody_else_is_faster
    with pytest.raises(VersionConflict, match="Too many workers"):
        await breakers.count("p", BAD, LIMITS, NOW)
    assert tables.requests.count("transact breakers") == 1 + TRIES


async def test_tables_that_cannot_be_reached_say_so() -> None:
    tables = FakeTables(unavailable=Unreachable("storage", "no network"))
    for request in (TablePauses(tables).read(), TableHolds(tables).read(), TableBreakers(tables).read()):
        with pytest.raises(Unreachable):
            await request


def test_a_breaker_that_nobody_has_is_closed() -> None:
    assert position(Breaker(), NOW) is Position.CLOSED


VIGIL = Vigil(
    NOW,
    NOW + MINUTE,
    NOW - MINUTE,
    {Concern.STANDSTILL: Alarm(NOW, "No sweep 😀", told=True, over=True, claimed_until=NOW)},
)


class TestAlarms:
    async def test_what_one_worker_noticed_another_reads(self, bench: Bench) -> None:
        alarms = TableAlarms(bench.tables)
        assert await alarms.read() == Vigil()
        await alarms.change(lambda _: (VIGIL, None))
        assert await TableAlarms(bench.worker()).read() == VIGIL

    async def test_a_long_text_is_cut_and_the_alarm_kept(self, bench: Bench) -> None:
        alarms = TableAlarms(bench.tables)
        long = Vigil(NOW, alarms={Concern.STANDSTILL: Alarm(NOW, "😀" * 100_000)})
        await alarms.change(lambda _: (long, None))
        kept = (await alarms.read()).alarms[Concern.STANDSTILL]
        assert kept.text.endswith("[cut: 100,000 characters]")
        assert not kept.told

    @pytest.mark.parametrize(
        "broken",
        [{"schema_version": 2}, {"alarms": "{"}, {"alarms": None}, {"alarms": '{"fire": {}}'}, {"since": "once"}],
        ids=["newer", "truncated", "gone", "unknown", "no time"],
    )
    async def test_a_row_that_makes_no_sense_is_named_and_not_written_over(
        self, bench: Bench, broken: dict[str, Any]
    ) -> None:
        alarms = TableAlarms(bench.tables)
        await alarms.change(lambda _: (VIGIL, None))
        await bench.edit("alarms", "alarm", "app", **broken)
        before = await bench.tables.get("alarms", "alarm", "app")
        with pytest.raises(CaseUnreadable, match="alarm / app"):
            await alarms.change(lambda _: (Vigil(), None))
        assert await bench.tables.get("alarms", "alarm", "app") == before
