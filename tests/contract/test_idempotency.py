"""Idempotency keys (promise P15), on Azurite and on the fake: one turn among all who ask at once, one answer for all.

Input: requests with a key. Output: whose turn it is, and what is kept. Not faked: the adapter.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest
from azure.data.tables.aio import TableServiceClient

from local.azurite import Azurite
from shared.adapters.tables.client import Tables
from shared.adapters.tables.columns import COLUMN_UNITS, ENTITY_BYTES, size, units
from shared.adapters.tables.idempotency import PARTITION, TABLE, TableIdempotencyKeys, _row
from shared.adapters.tables.kept_answers import MOST_COLUMNS
from shared.domain.idempotency import ABANDONED_AFTER, KEPT_FOR, KeptAnswer, Turn
from shared.entrypoints.exchange import Answer
from shared.entrypoints.idempotency import once
from shared.entrypoints.problems import Problem
from shared.errors import CaseUnreadable, Refused, Unreachable
from tests.contract.case_kit import MINUTE, NOW
from tests.fakes.tables import FakeTables

pytestmark = pytest.mark.anyio

ANSWER = KeptAnswer(202, '{"id": "é😀"}'.encode(), "application/json", {"ETag": '"1"'})
SECOND = timedelta(seconds=1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Edit(Protocol):
    def __call__(self, row: str, **columns: Any) -> Awaitable[None]: ...


@dataclass
class Bench:
    """Keys as this worker and others have them, and a person with Storage Explorer."""

    keys: TableIdempotencyKeys
    tables: Tables
    worker: Callable[[], TableIdempotencyKeys]
    edit: Edit


@pytest.fixture(params=["fake", pytest.param("azurite", marks=pytest.mark.azurite)])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "fake":
        fake = FakeTables()

        async def edit_fake(row: str, **columns: Any) -> None:
            fake.edit(TABLE, PARTITION, row, **columns)

        yield Bench(TableIdempotencyKeys(fake), fake, lambda: TableIdempotencyKeys(fake), edit_fake)
        return
    azurite: Azurite = request.getfixturevalue("azurite")
    opened: list[Tables] = []

    def worker() -> TableIdempotencyKeys:
        opened.append(Tables.connect(azurite.connection_string))
        return TableIdempotencyKeys(opened[-1])

    async with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        async for table in service.list_tables():
            if table.name == TABLE:
                await service.delete_table(TABLE)

        async def edit(row: str, **columns: Any) -> None:
            client = service.get_table_client(TABLE)
            entity = dict(await client.get_entity(PARTITION, row)) | columns
            await client.upsert_entity({k: v for k, v in entity.items() if v is not None}, mode="replace")

        keys = worker()
        yield Bench(keys, opened[0], worker, edit)
        for each in opened:
            await each.close()


async def test_the_first_has_the_turn_and_the_others_its_answer(bench: Bench) -> None:
    turn = await bench.keys.begin("k", "r", NOW)
    assert turn.token
    assert await bench.worker().begin("k", "r", NOW + SECOND) == Turn(in_flight=True)
    await bench.keys.finish("k", turn.token, ANSWER)
    assert await bench.worker().begin("k", "r", NOW + 2 * SECOND) == Turn(answer=ANSWER)
    assert await bench.keys.begin("k", "other", NOW + 2 * SECOND) == Turn(other_request=True)
    assert (await bench.keys.begin("another key", "other", NOW)).token


async def test_of_sixteen_at_once_exactly_one_has_the_turn(bench: Bench) -> None:
    workers = [bench.worker() for _ in range(16)]
    turns = await asyncio.gather(*(each.begin("k", "r", NOW) for each in workers))
    assert sorted((bool(turn.token), turn.in_flight) for turn in turns) == [(False, True)] * 15 + [(True, False)]


async def test_it_is_over_after_48_hours(bench: Bench) -> None:
    turn = await bench.keys.begin("k", "r", NOW)
    await bench.keys.finish("k", turn.token, ANSWER)
    assert (await bench.keys.begin("k", "r", NOW + KEPT_FOR - SECOND)).answer == ANSWER
    again = await bench.keys.begin("k", "other", NOW + KEPT_FOR)
    assert again.token not in ("", turn.token)


async def test_the_turn_of_the_dead_passes_on_and_they_cannot_answer_any_more(bench: Bench) -> None:
    dead = await bench.keys.begin("k", "r", NOW)
    assert (await bench.keys.begin("k", "r", NOW + ABANDONED_AFTER - SECOND)).in_flight
    heir = await bench.worker().begin("k", "r", NOW + ABANDONED_AFTER)
    assert heir.token
    await bench.keys.finish("k", dead.token, KeptAnswer(500, b"late", "text/plain"))
    await bench.keys.give_up("k", dead.token, NOW + ABANDONED_AFTER)
    assert (await bench.keys.begin("k", "r", NOW + ABANDONED_AFTER)).in_flight
    await bench.keys.finish("k", heir.token, ANSWER)
    assert (await bench.keys.begin("k", "r", NOW + ABANDONED_AFTER)).answer == ANSWER


async def test_who_gives_up_lets_the_next_one_try(bench: Bench) -> None:
    turn = await bench.keys.begin("k", "r", NOW)
    await bench.keys.give_up("k", turn.token, NOW + SECOND)
    assert (await bench.keys.begin("k", "other", NOW + SECOND)).token


async def test_a_long_answer_comes_back_whole_and_one_that_is_too_long_is_refused(bench: Bench) -> None:
    turn = await bench.keys.begin("k", "r", NOW)
    noise = b"".join(i.to_bytes(4) + hash((i, 1)).to_bytes(8, signed=True) for i in range(20_000))
    await bench.keys.finish("k", turn.token, KeptAnswer(200, noise, "application/json"))
    assert (await bench.keys.begin("k", "r", NOW)).answer == KeptAnswer(200, noise, "application/json")
    found = await bench.tables.get(TABLE, PARTITION, _row("k"))
    assert found is not None
    assert max(units(value) for value in found.row.values() if isinstance(value, str)) <= COLUMN_UNITS
    assert size(found.row) < ENTITY_BYTES
    other = await bench.keys.begin("k2", "r", NOW)
    with pytest.raises(Refused, match="too long"):
        await bench.keys.finish("k2", other.token, KeptAnswer(200, noise * 80, "application/json"))
    assert (await bench.keys.begin("k2", "r", NOW)).in_flight
    assert len(noise) > COLUMN_UNITS
    assert MOST_COLUMNS * COLUMN_UNITS * 2 < ENTITY_BYTES


async def test_what_has_expired_is_purged_and_nothing_else(bench: Bench) -> None:
    for name, on in (("old", NOW - KEPT_FOR - MINUTE), ("new", NOW - KEPT_FOR + MINUTE)):
        turn = await bench.keys.begin(name, "r", on)
        await bench.keys.finish(name, turn.token, ANSWER)
    assert await bench.keys.purge(NOW) == 1
    assert await bench.keys.purge(NOW) == 0
    assert (await bench.keys.begin("new", "r", NOW)).answer == ANSWER
    assert (await bench.keys.begin("old", "r", NOW)).token


@pytest.mark.parametrize(
    "broken",
    [
        *({name: None} for name in ("request", "token", "begun_on", "expires_on", "answer", "content_type")),
        *({"schema_version": 2}, {"answer": "!"}, {"answer": "eA=="}, {"expires_on": "2026-11-22T12:00:00"}),
        *({"headers": "["}, {"status": "202"}),
    ],
)
async def test_a_row_that_makes_no_sense_lets_nothing_through(bench: Bench, broken: dict[str, Any]) -> None:
    turn = await bench.keys.begin("k", "r", NOW)
    await bench.keys.finish("k", turn.token, ANSWER)
    await bench.edit(_row("k"), **broken)
    with pytest.raises(CaseUnreadable, match=PARTITION):
        await bench.keys.begin("k", "r", NOW)


@dataclass
class Effects:
    """Something that may be done once."""

    done: int = 0
    status: int = 200
    now: datetime = NOW
    going: asyncio.Event = field(default_factory=asyncio.Event)

    async def act(self) -> Answer:
        self.done += 1
        await self.going.wait()
        return Answer(self.status, f"effect {self.done}".encode())


class Fixed:
    def now(self) -> datetime:
        return NOW


async def test_sixteen_at_once_have_one_effect_and_in_the_end_the_same_answer(bench: Bench) -> None:
    effects, refusals = Effects(), list[tuple[int, object]]()

    async def one(keys: TableIdempotencyKeys) -> Answer:
        while True:
            try:
                return await once(keys, Fixed(), "k", "r", effects.act)
            except Problem as problem:
                refusals.append((problem.status, problem.headers))
                effects.going.set()  # the one at work goes on as soon as another has been told to wait
                await asyncio.sleep(0)

    answers = await asyncio.gather(*(one(bench.worker()) for _ in range(16)))
    assert effects.done == 1
    assert all(each == (409, {"Retry-After": "2"}) for each in refusals)
    assert {(each.status, each.body) for each in answers} == {(200, b"effect 1")}


async def test_what_failed_for_a_reason_of_ours_is_tried_again(bench: Bench) -> None:
    effects = Effects(status=502)
    effects.going.set()
    assert (await once(bench.keys, Fixed(), "k", "r", effects.act)).status == 502
    effects.status = 409
    assert [(await once(bench.keys, Fixed(), "k", "r", effects.act)).body for _ in range(2)] == [b"effect 2"] * 2


async def test_a_worker_that_dies_in_the_middle_leaves_the_turn(bench: Bench) -> None:
    async def dies() -> Answer:
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError):
        await once(bench.keys, Fixed(), "k", "r", dies)
    assert (await bench.keys.begin("k", "r", NOW)).token


async def test_an_answer_that_is_too_long_to_keep_is_given_once_and_then_said_so() -> None:
    class Small(TableIdempotencyKeys):
        async def finish(self, key: str, token: str, answer: KeptAnswer) -> None:
            if answer.status == 200:
                raise Refused("storage", "An answer is too long to be kept.")
            await super().finish(key, token, answer)

    keys, effects = Small(FakeTables()), Effects()
    effects.going.set()
    assert (await once(keys, Fixed(), "k", "r", effects.act)).body == b"effect 1"
    again = await once(keys, Fixed(), "k", "r", effects.act)
    assert (again.status, effects.done) == (409, 1)
    assert b"too long to be kept" in again.body


async def test_storage_that_cannot_be_reached_lets_nothing_be_done() -> None:
    effects = Effects()
    tables = FakeTables(unavailable=Unreachable("storage", "no network"))
    with pytest.raises(Unreachable):
        await once(TableIdempotencyKeys(tables), Fixed(), "k", "r", effects.act)
    assert effects.done == 0
