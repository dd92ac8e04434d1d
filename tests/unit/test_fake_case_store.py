"""The failpoints of the fake case store, on which the tests of the workflow rely."""

import pytest

from shared.domain.case import Recorded, State
from shared.errors import CaseConflict, Unreachable
from tests.contract.case_kit import moved, opened, subscription
from tests.fakes.case_store import FakeCaseStore
from tests.fakes.queues import FakeQueues

pytestmark = pytest.mark.anyio
A = subscription(1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Died(Exception):
    """The process is gone."""


def die(_: Recorded) -> None:
    raise Died


async def test_before_a_save_nothing_is_saved() -> None:
    store = FakeCaseStore(before_save=die)
    with pytest.raises(Died):
        await store.save(opened(), None)
    assert store.history == []
    assert await store.load(A) is None
    assert await store.timeline(A, 1) == ()


async def test_after_a_save_everything_is_and_only_the_answer_is_lost() -> None:
    store = FakeCaseStore(after_save=die)
    with pytest.raises(Died):
        await store.save(opened(), None)
    assert store.history == [opened().case]
    with pytest.raises(CaseConflict):
        await store.save(opened(), None)


async def test_every_version_is_kept_in_order() -> None:
    store = FakeCaseStore()
    first = await store.save(opened(), None)
    await store.save(moved(first.case, State.READY), first.version)
    assert [case.state for case in store.history] == [State.OPEN, State.READY]


async def test_a_store_that_cannot_be_reached_does_nothing() -> None:
    store = FakeCaseStore(unavailable=Unreachable("storage", "no network"))
    for request in (store.load(A), store.save(opened(), None), store.last_receipt(), store.open_cases()):
        with pytest.raises(Unreachable):
            await request
    assert store.history == []


async def test_messages_are_taken_in_the_order_in_which_they_were_sent() -> None:
    queues = FakeQueues()
    await queues.notify([A])
    await queues.diagnose([A])
    assert (queues.to_notify, queues.to_diagnose, queues.to_remediate) == ((A,), (A,), ())
    assert [queues.take(), queues.take(), queues.take()] == [*queues.sent, None]
