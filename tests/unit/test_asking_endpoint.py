"""Actions over HTTP: the catalogue, what a person asks for, the plan that waits for a yes, and what was done.

Input: requests of people who have signed in. Not faked: the table, the models, the handlers, the workflow.
"""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.actions import ACTIONS
from shared.domain.policy import Mode
from tests.builders import SUBSCRIPTION, change, provisioned
from tests.entrypoint_kit import ANN, BOB, SIGNING_IN, Asked, Front, principal
from tests.workflow_kit import Town

PATH = {"case_id": f"{SUBSCRIPTION}-1"}
AS_ANN = principal("Operator")
AS_BOB = principal("Approver", oid=BOB, name="Bob")
CLOSE = {"action": "close_not_applicable", "reason": "Only the price has changed."}


@pytest.fixture
def front() -> Front:
    """A change of price, which has nothing to provision."""
    front = Front(Town(mode=Mode.APPROVE), SIGNING_IN)
    front.town.stuck(provisioned(), change(quantity=Decimal(0)))
    assert front.asks("Diagnose", {"subscription_id": SUBSCRIPTION}, headers=AS_ANN).json["stuck"]
    return front


def wants(front: Front, body: dict[str, Any], **more: str) -> Asked:
    return front.asks("AskForAction", body, path=PATH, headers={**AS_ANN, **more})


def case(front: Front) -> Any:
    return front.asks("GetCase", path=PATH, headers=AS_ANN).json


def test_the_catalogue_has_every_action_and_says_which_may_be_asked_for(front: Front) -> None:
    actions = front.asks("ListActions", headers=AS_ANN).json["actions"]
    assert [each["name"] for each in actions] == [*ACTIONS]
    assert {each["name"] for each in actions if not each["may_be_asked_for"]} == {"retrigger", "reset_failed"}
    undo = next(each for each in actions if each["name"] == "undo")
    assert [need["name"] for need in undo["needs"]] == ["number"]


def test_what_is_asked_for_waits_for_a_yes_and_is_then_done_and_undone(front: Front) -> None:
    answer = wants(front, CLOSE)
    assert (answer.status, answer.json["state"]) == (200, "awaiting_approval")
    asked, plan = answer.json["asked"], answer.json["plan"]
    assert (asked["action"], asked["by"], asked["reason"]) == (CLOSE["action"], f"Ann [{ANN}]", CLOSE["reason"])
    [column] = plan["amendment"]["columns"]
    assert (column["name"], column["after"]) == ("provisioning_status", "not_applicable")
    assert (plan["reason"], "Provisioning Status" in plan["sentence"]) == (CLOSE["reason"], True)
    yes = {"plan_digest": plan["digest"]}
    assert front.asks("Remediate", yes, path=PATH, headers=AS_BOB).status == 202
    asyncio.run(front.town.drain())
    [done] = case(front)["done"]
    assert (done["number"], done["action"], done["undone_on"]) == (1, CLOSE["action"], None)
    assert done["amendment"]["columns"][0]["before"] == column["before"] == "awaiting_provisioning"
    undoing = wants(front, {"action": "undo", "values": {"number": "1"}, "reason": "Wrong one."})
    assert undoing.json["plan"]["amendment"]["columns"][0]["after"] == "awaiting_provisioning"


def test_who_asked_may_not_say_yes_where_the_policy_wants_another(front: Front) -> None:
    front.town.limits = {"approver_is_not_requester": True}
    yes = {"plan_digest": wants(front, CLOSE).json["plan"]["digest"]}
    ann = principal("Approver", name="Ann Miller")
    assert "somebody else" in front.asks("Remediate", yes, path=PATH, headers=ann).problem(409)["detail"]
    assert front.asks("Remediate", yes, path=PATH, headers=AS_BOB).status == 202


def test_what_was_asked_for_can_be_withdrawn_once(front: Front) -> None:
    assert wants(front, CLOSE).status == 200
    assert front.asks("WithdrawRequest", path=PATH, headers=AS_ANN).status == 200
    assert case(front)["asked"] is None
    said = front.asks("WithdrawRequest", path=PATH, headers=AS_ANN).problem(409)
    assert "nothing was asked for" in said["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "delete_everything"}, "action"),
        ({"action": "retrigger"}, "action"),
        ({"action": 7}, "action"),
        ({}, "action"),
        ({**CLOSE, "values": {"number": "1"}}, "values"),
        ({**CLOSE, "values": {"number": 1}}, "values.number"),
        ({**CLOSE, "values": "number"}, "values"),
        ({**CLOSE, "reason": "x" * 501}, "reason"),
        ({**CLOSE, "by": "Bob"}, "by"),
    ],
)
def test_what_makes_no_sense_is_named(front: Front, body: dict[str, Any], field: str) -> None:
    before = case(front)
    wants(front, body).problem(400, field)
    assert case(front) == before


def test_what_must_not_be_done_now_is_refused_with_the_reason_and_changes_nothing(front: Front) -> None:
    before = case(front)
    assert "number" in wants(front, {"action": "undo", "values": {"number": "1"}}).problem(409)["detail"]
    assert case(front) == before


@pytest.mark.parametrize("operation", ["AskForAction", "WithdrawRequest"])
def test_a_version_that_is_gone_is_refused(front: Front, operation: str) -> None:
    body = CLOSE if operation == "AskForAction" else None
    seen = {"If-Match": f'"{"0" * 32}"'}
    front.asks(operation, body, path=PATH, headers={**AS_ANN, **seen}).problem(412, "If-Match")
    assert case(front)["asked"] is None


def test_a_key_asks_in_the_name_that_is_given(front: Front) -> None:
    answer = Front(front.town).asks("AskForAction", {**CLOSE, "by": "Cleo"}, path=PATH)
    assert answer.json["asked"]["by"] == "Cleo (with an API key)"
