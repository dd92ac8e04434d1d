"""Approving a plan in Teams: run from the trigger to the last call, with answers good and bad."""

import json
from typing import Any

import pytest

from tests.flows.engine import RUN, SILENCE, Answer
from tests.flows.kit import (
    APPROVER,
    CASE,
    DIGEST,
    NO,
    YES,
    a_case,
    a_plan,
    after_the_yes,
    an_answer,
    approve,
    card_of,
    complete,
    notes_of,
    refused,
)

ACTING = {"AddNote", "Remediate", "AskForAction", "Diagnose"}


class TestApprovingAPlan:
    def test_a_yes_is_given_to_exactly_the_plan_on_the_card(self) -> None:
        town, done = approve(GetCase=after_the_yes("verifying"))
        assert town.asked("Remediate") == [
            {"case_id": CASE, "Idempotency-Key": f"{RUN}-remediate", "body/plan_digest": DIGEST}
        ]
        assert DIGEST in json.dumps(card_of(town))
        assert notes_of(town) == [f"Said yes in Teams: Ann.Approver ({APPROVER}). "]
        assert "now <b>verifying</b>" in town.asked("PostMessageToConversation")[0]["body/messageBody"]
        assert "Failed" not in done.statuses.values()

    def test_the_card_says_what_a_yes_means(self) -> None:
        shown = json.dumps(card_of(approve()[0]), ensure_ascii=False)
        for expected in (
            "Fabrikam",
            "nothing_to_provision",
            "There is nothing to order.",
            "awaiting_provisioning",
            "not_applicable, then awaiting_provisioning",
            "2026-11-30T00:00 the renewal",
            "412.50 EUR",
            "25 seats",
        ):
            assert expected in shown

    def test_the_card_goes_to_the_approver_alone(self) -> None:
        asked = approve()[0].asked("PostCardAndWaitForResponse")
        assert [each["body/body/recipient/to"] for each in asked] == [APPROVER]

    @pytest.mark.parametrize(
        ("answer", "noted"),
        [
            (an_answer(NO, comment="Ask the customer first."), "Said no in Teams: Ann.Approver"),
            (an_answer(YES, by="eve@example.com"), "Not taken as an answer: eve (eve@example.com)"),
            (Answer(200, {"submitActionId": YES}), "Not taken as an answer:  (nobody known)"),
            (an_answer("yes"), "Said no in Teams"),
            (Answer(200, None), "Not taken as an answer"),
            (SILENCE, "Nobody answered"),
            (refused(502, "Bad gateway"), "could not be shown"),
        ],
    )
    def test_anything_but_the_approvers_yes_writes_nothing_and_is_noted(self, answer: Answer, noted: str) -> None:
        town, _ = approve(PostCardAndWaitForResponse=answer)
        assert town.asked("Remediate") == []
        assert len(notes_of(town)) == 1
        assert noted in notes_of(town)[0]

    def test_case_does_not_matter_in_who_answers(self) -> None:
        assert approve(PostCardAndWaitForResponse=an_answer(YES, by=APPROVER.upper()))[0].asked("Remediate")

    def test_a_yes_that_cannot_be_noted_is_not_given(self) -> None:
        town, done = approve(AddNote=refused(503, "Storage is gone."))
        assert town.asked("Remediate") == []
        assert done.statuses["Is_it_a_yes"] == "Failed"

    def test_a_plan_that_has_changed_is_refused_and_noted(self) -> None:
        town, done = approve(Remediate=refused(409, "The plan has changed: read it again."))
        assert notes_of(town)[1] == "The approval was not taken: The plan has changed: read it again."
        assert town.asked("PostMessageToConversation") == []
        assert done.statuses["Approve_the_plan"] == "Failed"

    @pytest.mark.parametrize(
        ("case", "plan"),
        [
            (a_case(state="needs_person"), a_plan(plan=None, possible=False)),
            (a_case(), a_plan(possible=False, reason="You asked for it yourself.")),
            (a_case(state="resolved"), a_plan()),
        ],
    )
    def test_what_cannot_be_approved_is_told_to_the_channel(self, case: Any, plan: Any) -> None:
        town, _ = approve(GetCase=Answer(200, case), GetPlan=Answer(200, plan))
        assert town.names == ["GetCase", "GetPlan", "PostMessageToConversation"]
        assert plan["reason"] in town.asked("PostMessageToConversation")[0]["body/messageBody"]

    @pytest.mark.parametrize("operation", ["GetCase", "GetPlan"])
    def test_nobody_is_asked_when_the_case_cannot_be_read(self, operation: str) -> None:
        town, _ = approve(**{operation: refused(503, "Throttled.")})
        assert set(town.names) <= {"GetCase", "GetPlan"}

    def test_it_stops_looking_after_a_while_and_says_where_it_stands(self) -> None:
        town, _ = approve(GetCase=after_the_yes("remediating"))
        assert len(town.asked("GetCase")) == 21
        assert "now <b>remediating</b>" in town.asked("PostMessageToConversation")[0]["body/messageBody"]

    def test_nothing_known_is_said_to_be_so(self) -> None:
        cost = dict.fromkeys(["deadline", "seats", "amount", "currency"]) | {"deadline_is": ""}
        finding = {"cause": "x", "sentence": "y", "who": "z", "cost": cost}
        for findings in ([finding], [finding | {"cost": None}], []):
            shown = json.dumps(card_of(approve(GetCase=Answer(200, a_case(findings=findings)))[0]))
            assert "none known" in shown
            assert "not known" in shown


@pytest.mark.parametrize("start", [approve, complete])
def test_each_acting_call_has_a_key_of_its_own_that_a_retry_repeats(start: Any) -> None:
    keys = [given["Idempotency-Key"] for name, given in start()[0].calls if name in ACTING]
    assert len(keys) == len(set(keys)) >= 2
    assert all(key.startswith(f"{RUN}-") for key in keys)
    assert keys == [given["Idempotency-Key"] for name, given in start()[0].calls if name in ACTING]
