"""The real case store when answers are lost, index rows cannot be written, or a person has been at its rows.

Input: failures put between two requests of a save. Output: what is raised, and what stands in the tables.
"""

import logging

import pytest

from shared.domain.case import State
from shared.errors import (
    CaseConflict,
    CaseUnreadable,
    OutcomeUnknown,
    SourceError,
    Throttled,
    Unreachable,
    VersionConflict,
)
from shared.ports import Due
from tests.contract.case_bench import LATER, TABLES, A, AzuriteBench, due, to_ready, waiting
from tests.contract.case_kit import MINUTE, NOW, intent, moved, opened

pytestmark = [pytest.mark.anyio, pytest.mark.azurite]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


LOST = [OutcomeUnknown, Throttled, VersionConflict]
"""What comes of a lost answer. The last two where the storage client sent the transaction again by itself."""


@pytest.mark.parametrize("lost", LOST)
async def test_a_save_whose_answer_was_lost_is_found_to_be_saved(real: AzuriteBench, lost: type[SourceError]) -> None:
    real.points.fail("after", "transact cases", lost("storage", "the answer was lost"))
    stored = await waiting(real)
    real.points.clear()
    assert await real.store.load(A) == stored
    assert (await to_ready(real, stored)).case.state is State.READY


@pytest.mark.parametrize("lost", [OutcomeUnknown, Throttled])
async def test_a_save_that_never_arrived_says_so(real: AzuriteBench, lost: type[SourceError]) -> None:
    stored = await waiting(real)
    real.points.fail("before", "transact cases", lost("storage", "the request was lost"))
    with pytest.raises(lost):
        await to_ready(real, stored)
    real.points.clear()
    assert await real.store.load(A) == stored


@pytest.mark.parametrize("lost", LOST)
async def test_a_save_that_cannot_be_read_afterwards_is_left_open(real: AzuriteBench, lost: type[SourceError]) -> None:
    stored = await waiting(real)
    real.points.fail("after", "transact cases", lost("storage", "the answer was lost"))
    real.points.fail("before", "get cases", Unreachable("storage", "no network"))
    with pytest.raises(OutcomeUnknown):
        await to_ready(real, stored)


async def test_an_index_row_that_cannot_be_written_stops_the_save(real: AzuriteBench) -> None:
    stored = await waiting(real)

    real.points.fail("before", "put caseindex", OutcomeUnknown("storage", "the request was lost"))
    real.points.requests.clear()
    with pytest.raises(Unreachable):
        await to_ready(real, stored)
    assert "transact cases" not in real.points.requests
    assert await real.store.load(A) == stored


async def test_an_old_index_row_that_cannot_be_deleted_is_no_reason_to_fail(
    real: AzuriteBench, caplog: pytest.LogCaptureFixture
) -> None:
    stored = await waiting(real)

    real.points.fail("before", "delete caseindex", Unreachable("storage", "no network"))
    with caplog.at_level(logging.WARNING):
        await to_ready(real, stored)
    assert "stale index row stays" in caplog.text
    assert await due(real, 60 * MINUTE) == [Due(A, LATER)]


async def test_events_left_without_their_case_are_named_rather_than_fought_with(real: AzuriteBench) -> None:
    await waiting(real)
    await real.remove(A, "case")
    assert await real.store.load(A) is None
    with pytest.raises(CaseUnreadable, match="is not there, although events of case 1 are"):
        await real.store.save(opened(), None)


async def test_a_case_row_put_back_from_a_copy_is_named(real: AzuriteBench) -> None:
    stored = await waiting(real)
    await real.edit(A, "event|000001|00000003", text="already there")
    with pytest.raises(CaseUnreadable, match="last_sequence is behind the events"):
        await to_ready(real, stored)


async def test_a_case_whose_row_is_gone_is_a_conflict(real: AzuriteBench) -> None:
    stored = await waiting(real)
    await real.remove(A, "case")
    with pytest.raises(CaseConflict):
        await to_ready(real, stored)


async def test_a_row_that_cannot_be_read_is_logged_by_name(
    real: AzuriteBench, caplog: pytest.LogCaptureFixture
) -> None:
    await waiting(real)
    await real.edit(A, "case", state="?")
    with caplog.at_level(logging.ERROR):
        assert await real.store.load_many([A]) == {}
    assert f"{A} / case cannot be read: state" in caplog.text
    assert "docs/ledger.md" in caplog.text


async def test_an_intent_is_stored_before_save_returns(real: AzuriteBench) -> None:
    stored = await to_ready(real, await waiting(real))
    await real.store.save(moved(stored.case, State.REMEDIATING, intent=intent()), stored.version)
    row = await real.service.get_table_client("cases").get_entity(A, "case")
    assert '"phase":"intended"' in row["intent"]


async def test_tables_that_are_deleted_under_a_running_app_are_made_again(real: AzuriteBench) -> None:
    async def gone() -> None:
        for table in TABLES:
            await real.service.delete_table(table)

    for table in TABLES:
        await real.service.create_table_if_not_exists(table)
    await waiting(real)
    await real.store.last_receipt()
    await gone()
    assert await real.store.load(A) is None
    assert await due(real) == []
    assert await real.store.last_receipt() is None
    await gone()
    stored = await waiting(real)
    assert await real.store.load(A) == stored
    assert await due(real) == [Due(A, NOW)]
