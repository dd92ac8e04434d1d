"""Runs of the templates against a Unstuck that answers as a test says, each request held to the swagger document."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jsonschema import Draft4Validator

from connector.document import Document
from connector.lint import COMMITTED
from flows.source import read
from tests.flows.engine import Answer, Run

APPROVER = "Ann.Approver@example.com"
CASE = "11111111-2222-4333-8444-555555555555-1"
DIGEST = "0123456789abcdef0123456789abcdef"

YES, NO = "Approve this plan", "Do not approve"
"""Titles of the buttons."""

LARGEST = 28_000
"""Bytes of a message or card that Teams takes."""

PARAMETERS = {
    "Approver (unstuck_Approver)": APPROVER,
    "Team (unstuck_TeamId)": "the-team",
    "Channel (unstuck_ChannelId)": "the-channel",
}

type Said = Answer | Callable[[dict[str, Any]], Answer]


@cache
def swagger() -> Document:
    """The connector's document."""
    return Document(json.loads(COMMITTED.read_text("utf-8")))


@dataclass
class Town:
    """Everything that a flow can ask, and what it has asked."""

    answers: Mapping[str, Said]
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def ask(self, operation: str, given: dict[str, Any]) -> Answer:
        """One call of a connector."""
        assert list(_wrong(operation, given)) == []
        self.calls.append((operation, given))
        said = self.answers.get(operation, Answer())
        return said(given) if callable(said) else said

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """What an operation was given, each time."""
        return [given for name, given in self.calls if name == operation]

    @property
    def names(self) -> list[str]:
        """Operations, in order."""
        return [name for name, _ in self.calls]


def _wrong(operation: str, given: Mapping[str, Any]) -> Iterator[str]:
    """What a request of ours would be refused for, by the document. Fields that are null are left out by connectors."""
    found = swagger().by_id.get(operation)
    if found is None:
        return
    body = {name.removeprefix("body/"): each for name, each in given.items() if name.startswith("body/")}
    sent = {name: each for name, each in body.items() if each is not None}
    for each in found.parameters:
        if each["in"] == "body":
            schema = {**each["schema"], "definitions": swagger().raw["definitions"]}
            yield from (error.message for error in Draft4Validator(schema).iter_errors(sent))
        elif each.get("required") and not given.get(each["name"]):
            yield f"{each['name']} is missing"


def run(name: str, trigger: Any, **answers: Said) -> tuple[Town, Run]:
    """A run of the flow whose file begins with this name."""
    flow = next(each for each in read().flows if each.file.startswith(f"{name}-"))
    town = Town(answers)
    definition = flow.document["properties"]["definition"]
    return town, Run(definition, trigger, PARAMETERS, town.ask).begin()


def a_case(**changed: Any) -> dict[str, Any]:
    """A case that waits for a yes, as the API shows it."""
    cost = {
        "deadline": "2026-11-30T00:00:00Z",
        "deadline_is": "the renewal",
        "seats": "25",
        "amount": "412.50",
        "currency": "EUR",
    }
    finding = {
        "cause": "nothing_to_provision",
        "sentence": "There is nothing to order.",
        "who": "An approver",
        "cost": cost,
    }
    return {
        "id": CASE,
        "state": "awaiting_approval",
        "cause": "nothing_to_provision",
        "customer_name": "Fabrikam",
        "subscription_name": "E3",
        "provider_name": "Partner Center",
        "summary": "A change of 0 seats is stuck.",
        "next_step": "Say yes to setting Provisioning Status to not_applicable.",
        "findings": [finding],
    } | changed


def a_plan(**changed: Any) -> dict[str, Any]:
    """The preview of its plan."""
    plan = {
        "action": "retrigger",
        "change_id": "66666666-7777-4888-8999-aaaaaaaaaaaa",
        "status_before": "awaiting_provisioning",
        "steps": ["not_applicable", "awaiting_provisioning"],
        "digest": DIGEST,
    }
    return {"case_id": CASE, "plan": plan, "possible": True, "reason": ""} | changed


def an_answer(button: str, by: str = APPROVER, comment: str | None = None) -> Answer:
    """Somebody presses a button of the card."""
    responder = {"displayName": by.partition("@")[0], "userPrincipalName": by, "email": by}
    return Answer(200, {"responder": responder, "submitActionId": button, "data": {"comment": comment}})


def refused(status: int, detail: str, **more: str) -> Answer:
    """A problem, as the API answers it."""
    return Answer(status, {"status": status, "detail": detail, "correlation_id": "0" * 32, **more})


def approve(**answers: Any) -> tuple[Town, Run]:
    """A run of the approval, in which all goes well but for what is given."""
    given = {
        "GetCase": Answer(200, a_case()),
        "GetPlan": Answer(200, a_plan()),
        "PostCardAndWaitForResponse": an_answer(YES),
        "Remediate": Answer(202, a_case(state="ready")),
    }
    return run("ApproveAPlan", {"case_id": CASE}, **(given | answers))


def complete(**answers: Any) -> tuple[Town, Run]:
    """A run of the manual completion, in which all goes well but for what is given."""
    plan = a_plan()["plan"] | {"action": "mark_provisioned", "steps": []}
    given = {
        "AskForAction": Answer(201, a_case()),
        "GetCase": Answer(200, a_case()),
        "GetPlan": Answer(200, a_plan(plan=plan)),
        "PostCardAndWaitForResponse": an_answer(YES),
        "Remediate": Answer(202, a_case(state="ready")),
    }
    form = {"text": CASE, "date": "2026-11-20", "text_1": "Ordered by phone."}
    return run("CompleteAManualProvisioning", form, **(given | answers))


def after_the_yes(state: str) -> Callable[[dict[str, Any]], Answer]:
    """The case waits until it is looked at for the second time."""
    shown = iter([a_case()])
    return lambda _: Answer(200, next(shown, a_case(state=state)))


def card_of(town: Town) -> dict[str, Any]:
    """The card that was posted."""
    card = json.loads(town.asked("PostCardAndWaitForResponse")[0]["body/body/messageBody"])
    assert isinstance(card, dict)
    return card


def notes_of(town: Town) -> list[str]:
    """Texts of the notes, in order."""
    return [given["body/text"] for given in town.asked("AddNote")]


SUMMARY: dict[str, Any] = {
    "as_of": "2026-11-23T07:00:00Z",
    "cases": 2,
    "by_cause": [{"name": "trigger_missed", "cases": 2, "over_a_day": 2, "over_a_week": 1, "over_a_month": 0}],
    "oldest": [
        {"id": CASE, "state": "waiting", "cause": "x", "provider": "P", "customer": c, "assignee": a, "days": d}
        for c, a, d in [("Fabrikam", "", 12.5), ("Contoso", "Ann", 3)]
    ],
}
"""What is stuck: two cases, the older one first."""
