"""The weekly report and the diagnosis for a ticket, with answers good and bad."""

from typing import Any

import pytest

from tests.flows.engine import RUN, SILENCE, Answer
from tests.flows.kit import CASE, LARGEST, SUMMARY, Town, a_case, refused, run

TICKET = {"ticket": "INC-1", "ticket_url": "https://tickets.example/1", "subscription_id": CASE[:-2]}


class TestTheWeeklyReport:
    def test_the_oldest_come_first(self) -> None:
        town, _ = run("WeeklyStuckReport", None, GetSummary=Answer(200, SUMMARY))
        told = town.asked("PostMessageToConversation")[0]["body/messageBody"]
        assert "2 cases are open" in told
        assert told.index("<td>12.5</td><td>Fabrikam</td>") < told.index("<td>3</td><td>Contoso</td>")
        assert "<td>nobody</td>" in told
        assert "<td>trigger_missed</td><td>2</td><td>2</td><td>1</td><td>0</td>" in told

    def test_nothing_stuck_is_said_to_be_so(self) -> None:
        town, _ = run("WeeklyStuckReport", None, GetSummary=Answer(200, SUMMARY | {"cases": 0, "oldest": []}))
        assert "Nothing is stuck" in town.asked("PostMessageToConversation")[0]["body/messageBody"]

    @pytest.mark.parametrize("answer", [refused(503, "Storage is gone."), SILENCE])
    def test_a_report_that_fails_does_not_look_like_nothing_stuck(self, answer: Answer) -> None:
        town, _ = run("WeeklyStuckReport", None, GetSummary=answer)
        told = [each["body/messageBody"] for each in town.asked("PostMessageToConversation")]
        assert len(told) == 1
        assert "says nothing about what is stuck" in told[0]

    def test_twenty_cases_with_long_names_fit_into_a_message(self) -> None:
        long = {"customer": "c" * 500, "provider": "p" * 500, "assignee": "a" * 500, "cause": "x" * 500}
        oldest = [SUMMARY["oldest"][0] | long for _ in range(20)]
        town, _ = run("WeeklyStuckReport", None, GetSummary=Answer(200, SUMMARY | {"oldest": oldest}))
        assert len(town.asked("PostMessageToConversation")[0]["body/messageBody"].encode()) < LARGEST


class TestATicket:
    def _opened(self, trigger: Any, **answers: Any) -> tuple[Town, dict[str, Any]]:
        town, done = run("DiagnoseForATicket", trigger, **answers)
        responses = [each for name, each in done.outputs.items() if name.startswith("Answer_")]
        assert len(responses) == 1, "a ticket system gets exactly one answer"
        return town, responses[0]

    def _found(self) -> Answer:
        return Answer(200, {"subscription_id": CASE[:-2], "stuck": True, "case": a_case()})

    def test_it_is_answered_with_the_cause_and_linked(self) -> None:
        town, answer = self._opened(TICKET, Diagnose=self._found())
        assert answer["statusCode"] == 200
        assert answer["body"]["cause"] == "nothing_to_provision"
        assert answer["body"]["deadline"] == "2026-11-30T00:00:00Z"
        assert answer["body"]["ticket_linked"] is True
        assert town.asked("Diagnose") == [{"Idempotency-Key": f"{RUN}-diagnose", "body/subscription_id": CASE[:-2]}]
        assert town.asked("LinkTicket") == [
            {"case_id": CASE, "body/ticket": "INC-1", "body/url": "https://tickets.example/1"}
        ]

    def test_a_license_change_log_will_do(self) -> None:
        town, answer = self._opened({"ticket": "INC-1", "change_id": CASE[:-2]}, Diagnose=self._found())
        assert town.asked("Diagnose") == [{"Idempotency-Key": f"{RUN}-diagnose", "body/change_id": CASE[:-2]}]
        assert answer["body"]["case_id"] == CASE

    def test_nothing_stuck_links_nothing(self) -> None:
        healthy = Answer(200, {"subscription_id": CASE[:-2], "stuck": False, "case": None})
        town, answer = self._opened(TICKET, Diagnose=healthy)
        assert (answer["statusCode"], answer["body"]["stuck"]) == (200, False)
        assert town.names == ["Diagnose"]

    def test_a_link_that_fails_is_said_beside_the_cause(self) -> None:
        _, answer = self._opened(TICKET, Diagnose=self._found(), LinkTicket=refused(409, "Moved."))
        assert (answer["body"]["cause"], answer["body"]["ticket_linked"]) == ("nothing_to_provision", False)

    def test_what_is_wrong_is_passed_on(self) -> None:
        problem = refused(400, "subscription_id: not an id", field="subscription_id", hint="Give an id.")
        town, answer = self._opened(TICKET, Diagnose=problem)
        assert answer["statusCode"] == 400
        assert answer["body"]["field"] == "subscription_id"
        assert answer["body"]["stuck"] is None
        assert town.names == ["Diagnose"]

    def test_no_answer_is_not_taken_for_nothing_stuck(self) -> None:
        _, answer = self._opened(TICKET, Diagnose=SILENCE)
        assert (answer["statusCode"], answer["body"]["stuck"]) == (502, None)
