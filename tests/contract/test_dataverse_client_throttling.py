"""429: one gate for everybody, a wait as long as asked for, then slowly more again. Time is virtual."""

import asyncio

import httpx
import pytest

from shared.adapters.dataverse.client import Limits
from shared.adapters.dataverse.parts import Get, Patch, etag
from shared.adapters.web.gate import Gate, Shut
from shared.adapters.web.sender import Retries
from shared.adapters.web.timing import Patience
from shared.errors import Throttled
from tests.contract.web_kit import ID, Rig, VirtualTime, answer, batch_answer, fault, page, part, rig

pytestmark = pytest.mark.anyio

LIMITS = Limits(widest=8, first=8, retries=Retries(longest_wait_seconds=20))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def read(it: Rig) -> int:
    return len(await it.dataverse.get_pages("accounts", purpose="sweep"))


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "Sun, 22 Nov 2026 12:00:09 GMT", "Date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 9.0),
        ({"Retry-After": "Sun, 22 Nov 2026 11:00:00 GMT", "Date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 0.0),
        ({"Retry-After": "Sun, 22 Nov 2026 12:00:09 GMT"}, 1.0),
        ({"Retry-After": "-5"}, 1.0),
        ({"Retry-After": "soon"}, 1.0),
        ({"Retry-After": "1e9"}, 1.0),
        ({}, 1.0),
    ],
)
async def test_it_waits_as_long_as_it_is_asked_to(headers: dict[str, str], waited: float) -> None:
    it = rig(httpx.Response(429, json={"error": {"code": "0x80072322"}}, headers=headers), page([]), limits=LIMITS)
    await read(it)
    assert sum(it.time.slept) == waited


async def test_without_a_retry_after_the_waits_grow() -> None:
    it = rig(fault(429), fault(429), fault(429), page([]), limits=LIMITS)
    await read(it)
    assert it.time.slept == [1.0, 2.0, 4.0]


async def test_while_one_is_refused_nobody_sends() -> None:
    sent_at: list[float] = []
    refused = asyncio.Event()

    def service(request: httpx.Request) -> httpx.Response:
        refused.set()
        sent_at.append(it.time.seconds)
        return fault(429, "0x80072322", retry_after="10") if len(sent_at) == 1 else page([])

    it = rig(service, repeat=True, limits=LIMITS)
    first = asyncio.create_task(read(it))
    await refused.wait()
    await asyncio.gather(first, *(read(it) for _ in range(20)))
    assert len(sent_at) == 22
    assert all(at >= sent_at[0] + 10 for at in sent_at[1:])


async def test_a_wait_longer_than_a_call_may_take_is_handed_to_the_caller() -> None:
    it = rig(fault(429, "0x80072321", "Combined execution time.", retry_after="180", REQ_ID="r-1"), limits=LIMITS)
    with pytest.raises(Throttled) as caught:
        await read(it)
    assert (caught.value.retry_after, caught.value.code, caught.value.correlation_id) == (180, "0x80072321", "r-1")
    with pytest.raises(Throttled) as caught:  # the next one does not even try
        await read(it)
    assert caught.value.retry_after == 180
    assert it.time.slept == []
    assert len(it.service.requests) == 1


async def test_short_waits_add_up_to_no_more_than_a_call_may_take() -> None:
    it = rig(
        fault(429, retry_after="8"), repeat=True, limits=Limits(retries=Retries(attempts=50, longest_wait_seconds=20))
    )
    with pytest.raises(Throttled):
        await read(it)
    assert it.time.slept == [8.0, 8.0]


async def test_a_write_that_was_throttled_is_sent_again() -> None:
    part_ok = part(204, ETag='W/"2"')
    it = rig(fault(429, "0x80072322", retry_after="3"), batch_answer(part_ok), limits=LIMITS)
    patch = Patch(f"accounts({ID})", {"name": "x"}, etag('W/"1"'))
    [result] = await it.dataverse.batch([patch], purpose="remediate")
    assert (result.error, result.etag) == (None, 'W/"2"')
    assert it.time.slept == [3.0]


async def test_a_throttled_part_of_a_batch_shuts_the_gate_too() -> None:
    inner = part(429, {"error": {"code": "0x80072322", "message": "m"}}, Retry_After="5")
    it = rig(batch_answer(part(200, {"value": []}), inner), page([]), limits=LIMITS)
    good, throttled = await it.dataverse.batch([Get("accounts"), Get("accounts")], purpose="sweep")
    assert good.rows == []
    assert isinstance(throttled.error, Throttled)
    await read(it)
    assert it.time.slept == [5.0]


async def test_no_more_go_through_at_once_than_allowed_and_that_halves_and_grows() -> None:
    inside, most = 0, 0

    async def stay(gate: Gate, seconds: float) -> None:
        nonlocal inside, most
        async with gate.turn(Patience(100)) as episode:
            inside += 1
            most = max(most, inside)
            for _ in range(3):
                await asyncio.sleep(0)
            inside -= 1
            gate.went_well(episode)

    time = VirtualTime()
    gate = Gate(time.timing(), widest=8, first=8)
    await asyncio.gather(*(stay(gate, 1) for _ in range(30)))
    assert most == 8
    async with gate.turn(Patience(100)) as episode:
        gate.throttled(episode, 1)
        gate.throttled(episode, 1)  # sent together, refused together: one refusal
    assert gate.width == 4
    most = 0
    await asyncio.gather(*(stay(gate, 1) for _ in range(4)))
    assert most == 4
    assert gate.width >= 4
    await asyncio.gather(*(stay(gate, 1) for _ in range(60)))
    assert gate.width == 8


async def test_one_that_gives_up_waiting_does_not_take_the_turn_of_another() -> None:
    time = VirtualTime()
    gate = Gate(time.timing(), widest=1, first=1)
    order: list[str] = []

    async def hold() -> None:
        async with gate.turn(Patience(100)) as episode:
            order.append("holder")
            for _ in range(5):
                await asyncio.sleep(0)
            gate.throttled(episode, 50)

    async def wait(name: str, patience: float) -> None:
        try:
            async with gate.turn(Patience(patience)):
                order.append(name)
        except Shut:
            order.append(f"{name} gave up")

    await asyncio.gather(hold(), wait("hasty", 1), wait("patient", 100))
    assert order == ["holder", "hasty gave up", "patient"]


async def test_a_cancelled_request_leaves_its_place() -> None:
    gate = Gate(VirtualTime().timing(), widest=1, first=1)

    async def hold() -> None:
        async with gate.turn(Patience(1)):
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with gate.turn(Patience(1)):
        pass


async def test_no_more_begin_in_a_minute_than_allowed() -> None:
    time = VirtualTime()
    gate = Gate(time.timing(), widest=4, first=4, per_minute=3)
    began: list[float] = []
    for _ in range(8):
        async with gate.turn(Patience(1_000)):
            began.append(time.seconds)
        time.seconds += 5
    assert [at - began[0] for at in began] == [0, 5, 10, 60, 65, 70, 120, 125]
    async with gate.turn(Patience(1_000)):
        pass
    with pytest.raises(Shut):
        await gate.turn(Patience(1)).__aenter__()


async def test_several_processes_do_not_come_back_in_the_same_moment() -> None:
    waits = set()
    for chance in (0.0, 0.4, 0.9):
        time = VirtualTime()
        gate = Gate(time.timing(chance), widest=1, first=1)
        gate.throttled(gate.episode, 10)
        async with gate.turn(Patience(100)):
            waits.add(time.slept[0])
    assert len(waits) == 3
    assert all(10 <= wait < 11 for wait in waits)


async def test_an_absurd_wait_does_not_hold_a_process_for_ever() -> None:
    it = rig(fault(429, retry_after="999999999"), answer({"value": []}), limits=LIMITS)
    with pytest.raises(Throttled):
        await read(it)
    it.time.seconds += 3_601
    assert await read(it) == 0
