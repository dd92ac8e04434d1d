"""People at their desks: claims, notes and tickets are on the record, change nothing else, and mind versions."""

import asyncio

import pytest

from shared.domain.case import State, first_broken
from shared.domain.policy import Mode
from tests.builders import SUBSCRIPTION
from tests.entrypoint_kit import ANN, BOB, SIGNING_IN, Asked, Front, principal
from tests.workflow_kit import Crash, Town

PATH = {"case_id": f"{SUBSCRIPTION}-1"}
AS_ANN = principal("Operator")
AS_BOB = principal("Approver", oid=BOB, name="Bob")


@pytest.fixture
def front() -> Front:
    """A case that waits for a yes, and people who sign in."""
    front = Front(Town(mode=Mode.APPROVE), SIGNING_IN)
    front.town.stuck()
    assert front.asks("Diagnose", {"subscription_id": SUBSCRIPTION}, headers=AS_ANN).json["stuck"]
    return front


def case(front: Front) -> Asked:
    return front.asks("GetCase", path=PATH, headers=AS_ANN)


def test_a_claim_names_who_signed_in(front: Front) -> None:
    before = case(front).json
    claimed = front.asks("ClaimCase", None, path=PATH, headers=AS_ANN)
    assert (claimed.status, claimed.json["assignee"]) == (200, f"Ann [{ANN}]")
    after = case(front).json
    same = ("state", "plan", "due_on", "cause", "held_back")
    assert {name: before[name] for name in same} == {name: after[name] for name in same}
    assert after["timeline"][-1] | {"hash": ""} == after["timeline"][-1] | {
        "hash": "",
        "kind": "assigned",
        "by": f"Ann [{ANN}]",
        "text": f"Ann [{ANN}] looks after the case.",
    }
    assert after["first_broken_event"] is None


def test_who_claims_twice_is_on_the_record_once(front: Front) -> None:
    for _ in range(2):
        assert front.asks("ClaimCase", None, path=PATH, headers=AS_ANN).status == 200
    assert [event["kind"] for event in case(front).json["timeline"]].count("assigned") == 1


def test_a_case_is_given_to_another_and_to_nobody(front: Front) -> None:
    given = front.asks("AssignCase", {"assignee": " Cleo "}, path=PATH, headers=AS_ANN)
    assert given.json["assignee"] == "Cleo"
    assert [c["id"] for c in front.asks("ListCases", query={"assignee": "CLEO"}, headers=AS_ANN).json["cases"]]
    assert front.asks("ReleaseCase", None, path=PATH, headers=AS_ANN).json["assignee"] == ""


def test_a_ticket_is_linked_and_unlinked(front: Front) -> None:
    ticket = {"ticket": "INC-4711", "url": "https://tickets.example/INC-4711"}
    linked = front.asks("LinkTicket", ticket, path=PATH, headers=AS_ANN)
    assert (linked.json["ticket"], linked.json["ticket_url"]) == ("INC-4711", "https://tickets.example/INC-4711")
    gone = front.asks("UnlinkTicket", None, path=PATH, headers=AS_ANN).json
    assert (gone["ticket"], gone["ticket_url"]) == ("", "")


@pytest.mark.parametrize(
    "url", ["http://tickets.example", "javascript:alert(1)", "tickets", "https://", "https://x/" + "a" * 900]
)
def test_an_address_that_is_none_is_named(front: Front, url: str) -> None:
    front.asks("LinkTicket", {"ticket": "1", "url": url}, path=PATH, headers=AS_ANN).problem(400, "url")


@pytest.mark.parametrize("text", ["", "   ", "x" * 2_001, 7, None])
def test_a_note_that_is_none_is_named(front: Front, text: object) -> None:
    front.asks("AddNote", {"text": text}, path=PATH, headers=AS_ANN).problem(400, "text")


WRITES = [
    ("ClaimCase", None),
    ("AssignCase", {"assignee": "Cleo"}),
    ("AddNote", {"text": "n"}),
    ("LinkTicket", {"ticket": "1"}),
]


@pytest.mark.parametrize(("operation", "body"), WRITES)
def test_a_version_that_was_seen_is_honoured(front: Front, operation: str, body: object) -> None:
    seen = case(front).headers["ETag"]
    first = front.asks(operation, body, path=PATH, headers={**AS_ANN, "If-Match": seen})
    assert first.status in (200, 201)
    assert first.headers["ETag"] != seen
    front.asks(operation, body, path=PATH, headers={**AS_BOB, "If-Match": seen}).problem(412, "If-Match")
    again = front.asks(operation, body, path=PATH, headers={**AS_ANN, "If-Match": first.headers["ETag"]})
    assert again.status in (200, 201)


def test_a_yes_to_a_version_that_is_gone_is_none(front: Front) -> None:
    seen = case(front)
    front.asks("AddNote", {"text": "wait"}, path=PATH, headers=AS_ANN)
    yes = {"plan_digest": seen.json["plan"]["digest"]}
    front.asks("Remediate", yes, path=PATH, headers={**AS_BOB, "If-Match": seen.headers["ETag"]}).problem(
        412, "If-Match"
    )
    assert front.asks("Remediate", yes, path=PATH, headers=AS_BOB).status == 202


def test_two_notes_at_once_are_both_on_the_record(front: Front) -> None:
    async def story() -> None:
        notes = (front.ask("AddNote", {"text": f"note {n}"}, path=PATH, headers=AS_ANN) for n in range(4))
        assert [asked.status for asked in await asyncio.gather(*notes)] == [201] * 4

    asyncio.run(story())
    town = front.town
    events = asyncio.run(town.store.timeline(SUBSCRIPTION, 1))
    assert sorted(e.text for e in events if e.kind == "note") == [f"note {n}" for n in range(4)]
    assert first_broken(events, asyncio.run(town.case())) is None


def test_nothing_is_entered_while_the_app_is_writing(front: Front) -> None:
    front.town.crash_at_save(lambda saved: saved.state is State.REMEDIATING, saved=True)
    plan = case(front).json["plan"]["digest"]
    front.asks("Remediate", {"plan_digest": plan}, path=PATH, headers=AS_BOB)
    with pytest.raises(Crash):
        asyncio.run(front.town.drain())
    assert case(front).json["state"] == "remediating"
    said = front.asks("AddNote", {"text": "n"}, path=PATH, headers=AS_ANN).problem(409)
    assert "try again in a minute" in said["detail"]


class TestFourEyes:
    def test_who_asked_may_not_say_yes_whatever_they_call_themselves(self, front: Front) -> None:
        front.town.limits = {"approver_is_not_requester": True}
        front.asks("Diagnose", {"subscription_id": SUBSCRIPTION}, headers=AS_ANN)
        preview = front.asks("GetPlan", path=PATH, headers=principal("Approver", name="Ann Miller")).json
        assert (preview["possible"], "asked for this diagnosis" in preview["reason"]) == (False, True)
        yes = {"plan_digest": case(front).json["plan"]["digest"]}
        renamed = principal("Approver", name="Ann Miller")
        assert "somebody else" in front.asks("Remediate", yes, path=PATH, headers=renamed).problem(409)["detail"]
        assert front.asks("GetPlan", path=PATH, headers=AS_BOB).json["possible"]
        assert front.asks("Remediate", yes, path=PATH, headers=AS_BOB).status == 202
        approved = next(e for e in case(front).json["timeline"] if e["kind"] == "approved")
        assert approved["by"] == f"Bob [{BOB}]"

    def test_a_key_cannot_prove_to_be_somebody_else(self, front: Front) -> None:
        front.town.limits = {"approver_is_not_requester": True}
        front.asks("Diagnose", {"subscription_id": SUBSCRIPTION}, headers=AS_ANN)
        yes = {"plan_digest": case(front).json["plan"]["digest"], "by": "Bob"}
        assert "somebody else" in Front(front.town).asks("Remediate", yes, path=PATH).problem(409)["detail"]
