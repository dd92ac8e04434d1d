"""Completing a manual provisioning: run from the form to the last call, with answers good and bad."""

import json
from typing import Any

import pytest

from tests.flows.engine import RUN, SILENCE, Answer
from tests.flows.kit import (
    CASE,
    DIGEST,
    NO,
    YES,
    a_plan,
    an_answer,
    card_of,
    complete,
    notes_of,
    refused,
)


class TestCompletingAManualProvisioning:
    def test_it_is_asked_for_approved_and_done(self) -> None:
        town, done = complete()
        assert town.asked("AskForAction") == [
            {
                "case_id": CASE,
                "Idempotency-Key": f"{RUN}-ask",
                "body/action": "mark_provisioned",
                "body/reason": "Ordered by phone.",
                "body/values": {"provisioned_on": "2026-11-20T00:00:00Z"},
            }
        ]
        assert [given["body/plan_digest"] for given in town.asked("Remediate")] == [DIGEST]
        assert town.asked("WithdrawRequest") == []
        assert "Failed" not in done.statuses.values()
        shown = json.dumps(card_of(town))
        assert "2026-11-20" in shown
        assert "Ordered by phone." in shown

    @pytest.mark.parametrize(
        "answer", [an_answer(NO), an_answer(YES, by="eve@example.com"), SILENCE, refused(502, "Bad gateway")]
    )
    def test_without_the_approvers_yes_it_is_withdrawn(self, answer: Answer) -> None:
        town, _ = complete(PostCardAndWaitForResponse=answer)
        assert town.asked("Remediate") == []
        assert town.asked("WithdrawRequest") == [{"case_id": CASE}]
        assert len(notes_of(town)) == 1

    @pytest.mark.parametrize("plan", [a_plan(), a_plan(plan=None), a_plan(possible=False, reason="No.")])
    def test_another_plan_is_not_taken_for_this_one(self, plan: Any) -> None:
        town, _ = complete(GetPlan=Answer(200, plan))
        assert town.asked("PostCardAndWaitForResponse") == []
        assert town.asked("WithdrawRequest") == [{"case_id": CASE}]

    def test_what_is_refused_is_told_with_its_reason(self) -> None:
        town, _ = complete(AskForAction=refused(409, "The provider does not show this change.", hint="Look there."))
        assert town.names == ["AskForAction", "PostMessageToConversation"]
        told = town.asked("PostMessageToConversation")[0]["body/messageBody"]
        assert "The provider does not show this change. Look there." in told

    def test_a_refused_yes_leaves_the_request_to_people(self) -> None:
        town, _ = complete(Remediate=refused(502, "Dataverse gave no answer."))
        assert town.asked("WithdrawRequest") == []
        assert "Dataverse gave no answer." in notes_of(town)[1]
