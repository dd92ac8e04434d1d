"""Rows as people find and leave them: seeded, edited, truncated, written by a newer version. On both case stores."""

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.case import Case, State, first_broken
from shared.domain.evidence import ProvisioningStatus
from shared.domain.intent import Intent, Phase
from shared.errors import CaseConflict, CaseUnreadable
from shared.ports import CaseFilter, Stored
from tests.contract.case_bench import Bench
from tests.contract.case_kit import CHANGE, MINUTE, NOW, amending, diagnosis, full, intent, moved, opened, subscription

pytestmark = pytest.mark.anyio
A, B = subscription(1), subscription(2)

INTENT = {
    "change_id": CHANGE,
    "plan_digest": "0123",
    "by": "unstuck",
    "written_on": "2026-11-22T09:00:00Z",
    "phase": "not_applicable_set",
    "status_before": "awaiting_provisioning",
    "etag_before": 'W/"100"',
    "etag_after": 'W/"101"',
}
"""As docs/ledger.md shows it to those who seed a half-done toggle."""

SEED: dict[str, Any] = {
    "schema_version": 1,
    "number": 1,
    "opened_on": "2026-11-22T08:00:00Z",
    "state": "remediating",
    "intent": json.dumps(INTENT),
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def whole(bench: Bench) -> Stored:
    """A saved case with every column."""
    recorded = opened()
    return await bench.store.save(moved(recorded, State.ESCALATED, **full(recorded.case)), None)


async def test_a_minimal_row_is_a_case(bench: Bench) -> None:
    await bench.edit(A, "case", **SEED)
    stored = await bench.store.load(A)
    assert stored is not None
    eight = NOW.replace(hour=8)
    assert stored.case == Case(
        A,
        1,
        eight,
        State.REMEDIATING,
        intent=Intent(
            CHANGE,
            "0123",
            "unstuck",
            NOW.replace(hour=9),
            Phase.NOT_APPLICABLE_SET,
            ProvisioningStatus.AWAITING,
            'W/"100"',
            'W/"101"',
        ),
    )


async def test_an_open_action_comes_back_with_the_half_done_retrigger_that_it_finishes(bench: Bench) -> None:
    recorded = opened()
    stored = await bench.store.save(moved(recorded, State.WAITING, intent=amending()), None)
    read = await bench.store.load(A)
    assert read is not None
    assert read.case == stored.case
    assert read.case.intent == amending()


async def test_a_plan_and_an_intent_from_before_there_were_actions_are_retriggers(bench: Bench) -> None:
    steps = ["not_applicable", "awaiting_provisioning"]
    plan = {"action": "retrigger", "change_id": CHANGE, "cause": "trigger_missed", "digest": "0123", "steps": steps}
    await bench.edit(A, "case", **SEED, plan=json.dumps({**plan, "status_before": "awaiting_provisioning"}))
    stored = await bench.store.load(A)
    assert stored is not None
    case = stored.case
    assert case.plan is not None
    assert case.intent is not None
    assert (case.plan.retriggers, case.intent.retriggers, case.done, case.asked) == (True, True, (), None)


async def test_a_minimal_row_goes_on_like_any_other(bench: Bench) -> None:
    await bench.edit(A, "case", **SEED, due_on="2026-11-22T10:00:00+02:00")
    stored = (await bench.store.load_many([A]))[A]
    assert stored.case.due_on == NOW.replace(hour=8)
    saved = await bench.store.save(
        moved(stored.case, State.VERIFYING, intent=None, due_on=NOW + MINUTE), stored.version
    )
    assert await bench.store.load(A) == saved
    assert first_broken(await bench.store.timeline(A, 1), saved.case) is None
    assert await bench.store.open_cases() == {A: NOW + MINUTE}
    assert (await bench.store.list_cases(CaseFilter(), 10, None)).cases == (saved.case,)
    with pytest.raises(CaseConflict):
        await bench.store.save(moved(stored.case, State.VERIFYING), stored.version)


BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "newer": ("schema_version", {"schema_version": 3}),
    "of no version there was": ("schema_version", {"schema_version": 0}),
    "cut after the events": ("last_sequence", {"last_sequence": None}),
    "cut": ("setbacks", {"setbacks": None}),
    "no version": ("schema_version", {"schema_version": None}),
    "no number": ("number", {"number": None}),
    "number as text": ("number", {"number": "1"}),
    "number below zero": ("number", {"number": -1}),
    "no state": ("state", {"state": None}),
    "unknown state": ("state", {"state": "done"}),
    "unknown disposition": ("disposition", {"disposition": "maybe"}),
    "no opening time": ("opened_on", {"opened_on": None}),
    "time without zone": ("due_on", {"due_on": "2026-11-22T12:00:00"}),
    "no time at all": ("resolved_on", {"resolved_on": "yesterday"}),
    "sequence": ("last_sequence", {"last_sequence": 1.5}),
    "name as number": ("customer_name", {"customer_name": 7}),
    "truncated": ("diagnosis", {"diagnosis": '{"change_id":"222'}),
    "emptied": ("intent", {"intent": ""}),
    "not an object": ("plan", {"plan": "[]"}),
    "field missing": ("intent", {"intent": json.dumps({k: v for k, v in INTENT.items() if k != "phase"})}),
    "unknown phase": ("intent", {"intent": json.dumps(INTENT | {"phase": "half"})}),
    "zoneless inside": ("intent", {"intent": json.dumps(INTENT | {"written_on": "2026-11-22T09:00:00"})}),
    "attempts": ("attempts", {"attempts": '[{"on": "2026-11-22T09:00:00Z"}]'}),
    "outgoing": ("outgoing", {"outgoing": "{}"}),
    "told": ("told", {"told": "[1]"}),
    "acting without intent": ("intent", {"state": "unsettled", "intent": None}),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_row_that_makes_no_sense_is_named_and_left_alone(
    bench: Bench, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    column, edit = BROKEN[name]
    stored = await whole(bench)
    other = await bench.store.save(opened(2), None)
    await bench.edit(A, "case", **edit)
    with pytest.raises(CaseUnreadable, match=f"{A} / case") as caught:
        await bench.store.load(A)
    assert caught.value.column == column
    with caplog.at_level(logging.ERROR):
        assert await bench.store.load_many([A, B]) == {B: other}
    # Whoever takes it for absent cannot put another in its place, and whoever read it before is too late.
    with pytest.raises(CaseUnreadable):
        await bench.store.save(opened(), None)
    with pytest.raises((CaseConflict, CaseUnreadable)):
        await bench.store.save(moved(stored.case, State.READY), stored.version)
    assert len(await bench.store.timeline(A, 1)) == 2


async def test_a_row_that_makes_no_sense_comes_up_when_it_is_due_and_spoils_no_list(bench: Bench) -> None:
    await whole(bench)
    other = await bench.store.save(opened(2), None)
    await bench.edit(A, "case", intent="{")
    due = await bench.store.due(NOW + MINUTE, 10)
    assert {each.subscription_id for each in due} == {A, B}
    assert set(await bench.store.open_cases()) == {A, B}
    assert (await bench.store.list_cases(CaseFilter(), 10, None)).cases == (other.case,)


async def test_a_row_whose_diagnosis_was_taken_away_to_mend_it_is_readable_again(bench: Bench) -> None:
    stored = await whole(bench)
    await bench.edit(A, "case", diagnosis="{")
    await bench.edit(A, "case", diagnosis=None)
    found = await bench.store.load(A)
    assert found is not None
    assert found.case == replace(stored.case, diagnosis=None)


async def test_an_event_row_that_makes_no_sense_is_named(bench: Bench) -> None:
    await whole(bench)
    for column, value in {"details": "{", "on": "yesterday", "schema_version": 2}.items():
        await bench.edit(A, "event|000001|00000002", **{column: value})
        with pytest.raises(CaseUnreadable, match=rf"event\|000001\|00000002 cannot be read: {column}"):
            await bench.store.timeline(A, 1)
        await bench.edit(A, "event|000001|00000002", details="{}", on=NOW.isoformat(), schema_version=1)


async def test_a_row_of_version_1_is_read_as_it_was_meant_and_written_in_the_present_version(bench: Bench) -> None:
    await bench.edit(A, "case", **SEED)
    found = await bench.store.load(A)
    assert found is not None
    assert (found.case.last_sequence, found.case.setbacks) == (0, 0), "which a row of version 1 may lack"
    saved = await bench.store.save(moved(found.case, State.REMEDIATING), found.version)
    await bench.edit(A, "case", setbacks=None)
    with pytest.raises(CaseUnreadable, match="setbacks"):
        await bench.store.load(A)
    assert saved.case.last_sequence == 1


async def test_what_a_newer_version_wrote_is_not_written_over_and_says_so(bench: Bench) -> None:
    stored = await whole(bench)
    await bench.edit(A, "case", schema_version=3)
    for version in (stored.version, None):
        with pytest.raises((CaseUnreadable, CaseConflict)):
            await bench.store.save(moved(stored.case, State.READY), version)
    with pytest.raises(CaseUnreadable, match=r"knows 2 at most: a newer version wrote it, so deploy that one"):
        await bench.store.load(A)


async def test_unknown_columns_and_fields_are_no_trouble(bench: Bench) -> None:
    await bench.edit(A, "case", **SEED, note="by hand")
    await bench.edit(A, "case", intent=json.dumps(INTENT | {"note": "by hand"}))
    assert await bench.store.load(A) is not None


async def test_a_case_that_could_not_be_read_again_is_not_saved(bench: Bench) -> None:
    first = opened()
    acting = replace(first, case=replace(first.case, state=State.REMEDIATING))
    with pytest.raises(CaseUnreadable, match="intent"):
        await bench.store.save(acting, None)
    assert await bench.store.load(A) is None
    assert (await bench.store.save(replace(acting, case=replace(acting.case, intent=intent())), None)).case.intent


async def test_a_diagnosis_of_several_columns_comes_back(bench: Bench) -> None:
    long = diagnosis(*(replace(diagnosis().findings[0].proof[0], value="😀" * 7_000) for _ in range(10)))
    stored = await bench.store.save(opened(diagnosis=long), None)
    assert stored.case.diagnosis == long
    shorter = await bench.store.save(moved(stored.case, State.READY, diagnosis=diagnosis()), stored.version)
    assert await bench.store.load(A) == shorter
    assert shorter.case.diagnosis == diagnosis()
