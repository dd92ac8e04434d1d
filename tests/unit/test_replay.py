"""An old decision, made once more from what is stored of its grounds, is the same to the byte (P23).

Input: every labelled case of the corpus, and a case that was freed in the town of fakes. Output: diagnosis and plan
before and after a round through the table's row. Not faked: the rules, and how grounds become a row.
"""

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from shared.adapters.tables import grounds as rows
from shared.adapters.tables.columns import ENTITY_BYTES, size
from shared.domain.breaker import Breaker, Outcome, counted
from shared.domain.case import Case
from shared.domain.diagnosis import Diagnosis, diagnose
from shared.domain.grounds import Grounds
from shared.domain.look import Look
from shared.domain.plan import plan_for
from shared.domain.policy import Exemption, Level
from shared.domain.recurrence import fix_of, limits_of
from shared.domain.replay import replay
from shared.domain.retrigger import judged_with_care
from shared.errors import CaseUnreadable
from shared.workflow.diagnose import judge
from tests.builders import DAY, NOW, STUCK, SUBSCRIPTION, change, evidence, look
from tests.corpus.all_cases import CASES
from tests.workflow_kit import Town

_BYTES = TypeAdapter(Diagnosis)


def stored(grounds: Grounds) -> Grounds:
    """As they are read again from their row."""
    found = rows.from_row(rows.to_row(SUBSCRIPTION, 1, grounds))
    assert found is not None
    return found


def grounds_of(seen: Look, **values: Any) -> Grounds:
    diagnosis = diagnose(seen)
    plan = plan_for(seen, diagnosis)
    return Grounds(seen, diagnosis.rule_version, plan.digest if plan else "", **values)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_case_of_the_corpus_is_decided_alike_from_its_stored_grounds(case: Any) -> None:
    before = diagnose(case.seen)
    after, plan = replay(stored(grounds_of(case.seen)))
    if before.disposition is not None:
        before = judged_with_care(Case(case.seen.evidence.subscription.id, 1, case.seen.now), case.seen, {})
    assert _BYTES.dump_json(after) == _BYTES.dump_json(before)
    assert plan == plan_for(case.seen, before)


def test_the_policy_of_that_time_counts() -> None:
    exempt = Exemption(Level.OFF, "Ask Ann.", NOW + DAY, cause="trigger_missed")
    seen = look()
    under = replace(
        seen,
        policy=replace(seen.policy, exemptions=(exempt,), version="of that time", time_zone=ZoneInfo("Asia/Tokyo")),
    )
    assert replay(stored(grounds_of(seen)))[1] is not None
    assert replay(stored(grounds_of(under)))[1] is None
    assert stored(grounds_of(under)).look.policy == under.policy


def test_what_was_needed_too_often_or_did_not_help_counts() -> None:
    seen = look()
    fixes = tuple(NOW - n * DAY for n in (3, 2, 1))
    often, _ = replay(stored(grounds_of(seen, fixed_before=fixes)))
    assert [f.cause for f in often.findings] == ["trigger_missed", "fixed_too_often"]
    name = fix_of(seen, "trigger_missed")
    broken = Breaker()
    for _ in range(10):
        broken = counted(broken, Outcome(False, "it did not help"), limits_of(name, seen.policy), NOW)
    useless, _ = replay(stored(grounds_of(seen, fixes={name: broken})))
    assert [f.cause for f in useless.findings] == ["trigger_missed", "fix_does_not_help"]


def test_a_decision_keeps_what_it_knew_besides_the_evidence() -> None:
    seen = look()
    name = fix_of(seen, "trigger_missed")
    broken = Breaker(open_until=NOW + DAY)
    others = {name: broken, "dataverse": Breaker(7)}
    decided = judge(None, seen, None, others)
    assert decided is not None
    assert decided.grounds is not None
    assert decided.grounds.fixes == {name: broken}
    diagnosis, plan = replay(stored(decided.grounds))
    assert [f.cause for f in diagnosis.findings] == ["trigger_missed", "fix_does_not_help"]
    assert (diagnosis, plan) == (decided.case.diagnosis, decided.case.plan)


def test_half_an_emoji_is_kept_as_one_that_is_missing() -> None:
    seen = look(change(message="It failed \ud83d"))
    assert stored(grounds_of(seen)).look.evidence.changes[0].message == "It failed \ufffd"


def test_what_is_too_large_is_left_out_and_says_so() -> None:
    noise = "".join(sha256(b"%d" % n).hexdigest() for n in range(31_250))
    row = rows.to_row(SUBSCRIPTION, 1, grounds_of(replace(look(), evidence=evidence(change(message=noise)))))
    assert rows.from_row(row) is None
    assert "too many" in row["left_out"]
    almost = rows.to_row(SUBSCRIPTION, 1, grounds_of(look(change(message=noise[:1_000_000]))))
    assert "content_9" in almost
    assert size(almost) < ENTITY_BYTES


@pytest.mark.parametrize(
    "broken",
    [{"schema_version": 2}, {"content_1": b"nonsense"}, {"content_1": None}, {"content_1": "text"}],
    ids=["newer", "garbled", "gone", "text"],
)
def test_a_row_that_makes_no_sense_is_named(broken: dict[str, Any]) -> None:
    row = {**rows.to_row(SUBSCRIPTION, 1, grounds_of(look())), **broken}
    with pytest.raises(CaseUnreadable, match=f"{SUBSCRIPTION} / grounds"):
        rows.from_row({name: value for name, value in row.items() if value is not None})


@pytest.mark.parametrize("cut", [1, 100])
def test_a_truncated_row_is_named(cut: int) -> None:
    row = rows.to_row(SUBSCRIPTION, 1, grounds_of(look()))
    with pytest.raises(CaseUnreadable, match="content"):
        rows.from_row({**row, "content_1": row["content_1"][:-cut]})


def test_the_content_can_be_read_by_hand() -> None:
    parts = json.loads(rows.content_of(rows.to_row(SUBSCRIPTION, 1, grounds_of(look()))))
    assert parts["evidence"]["subscription"]["id"] == SUBSCRIPTION


@pytest.mark.anyio
async def test_a_freed_case_tells_afterwards_why_it_was_retriggered() -> None:
    town = Town()
    town.stuck()
    await town.sweep()
    town.work365.provision(STUCK)
    for _ in range(3):
        await town.pass_time(timedelta(hours=1))
    ready = next(case for case in town.store.history if case.plan is not None)
    kept = await town.store.load_grounds(SUBSCRIPTION, 1)
    assert kept is not None
    diagnosis, plan = replay(kept)
    assert ready.diagnosis is not None
    assert _BYTES.dump_json(diagnosis) == _BYTES.dump_json(ready.diagnosis)
    events = await town.store.timeline(SUBSCRIPTION, 1)
    [intent] = [event for event in events if event.kind == "intent"]
    assert plan is not None
    assert plan.digest == kept.plan_digest == intent.details["plan"]
    assert (await town.case()).plan is None, "it is over"
