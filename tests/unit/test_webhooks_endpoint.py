"""Webhooks over HTTP: a flow subscribes, everybody sees as much as they may, and who has subscribed ends it.

Input: requests of people who have signed in. Not faked: the table, the models, the handlers, the rows.
"""

import json
import logging
from typing import Any

import pytest

from shared.domain.webhook import MOST
from tests.entrypoint_kit import ANN, BOB, SIGNING_IN, Asked, Front, principal
from tests.unit.test_webhook import GOOD, NOT_CALLED

AS_ANN = principal("Operator")
AS_BOB = principal("Operator", oid=BOB, name="Bob")
SECRET = "secret-of-the-flow"


@pytest.fixture
def front() -> Front:
    return Front(gate=SIGNING_IN)


def subscribes(front: Front, url: str = GOOD, *, who: dict[str, str] | None = None, **more: Any) -> Asked:
    return front.asks("WhenACaseNeedsAPerson", {"callback_url": url, **more}, headers=who or AS_ANN)


def listed(front: Front) -> Any:
    return front.asks("ListWebhooks", headers=AS_BOB).json["webhooks"]


def ends(front: Front, id_: str, who: dict[str, str]) -> Asked:
    return front.asks("EndWebhook", path={"webhook_id": id_}, headers=who)


def test_a_flow_subscribes_and_ends_it_at_the_location(front: Front) -> None:
    answer = subscribes(front, state="needs_person", cause="unknown", provider="Microsoft CSP")
    assert answer.status == 201
    id_ = answer.json["id"]
    assert answer.headers["Location"] == f"https://app.example/api/webhooks/{id_}"
    [webhook] = listed(front)
    assert webhook == answer.json
    assert (webhook["host"], webhook["by"]) == ("prod-01.westeurope.logic.azure.com", f"Ann [{ANN}]")
    assert (webhook["state"], webhook["cause"], webhook["provider"]) == ("needs_person", "unknown", "Microsoft CSP")
    assert ends(front, id_, AS_ANN).json == {"id": id_}
    assert listed(front) == []
    assert ends(front, id_, AS_ANN).status == 200, "an answer that was lost is asked for again"


def test_the_address_is_shown_to_nobody_and_stands_in_its_row_alone(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        key = {**AS_ANN, "Idempotency-Key": "run-1"}
        first = front.asks("WhenACaseNeedsAPerson", {"callback_url": GOOD}, headers=key)
        again = front.asks("WhenACaseNeedsAPerson", {"callback_url": GOOD}, headers=key)
        shown = front.asks("ListWebhooks", headers=AS_BOB)
    assert first.response.get_body() == again.response.get_body()
    for answer in (first, again, shown):
        assert SECRET not in answer.response.get_body().decode() + json.dumps(dict(answer.headers))
    assert SECRET not in caplog.text
    rows = {table: str(rows) for table, rows in front.town.tables.rows.items()}
    assert [table for table, text in rows.items() if SECRET in text] == ["webhooks"]


def test_subscribing_twice_is_subscribing_once(front: Front) -> None:
    first, second = subscribes(front), subscribes(front, cause="unknown")
    assert (first.json["id"], second.status) == (second.json["id"], 201)
    assert [webhook["cause"] for webhook in listed(front)] == ["unknown"], "the newest filter counts"
    assert subscribes(front, who=AS_BOB).json["id"] != first.json["id"]


@pytest.mark.parametrize("what", NOT_CALLED)
def test_an_address_that_is_not_called_is_refused_and_nothing_is_kept(front: Front, what: str) -> None:
    problem = subscribes(front, NOT_CALLED[what]).problem(400, "callback_url")
    assert "/x" not in json.dumps(problem).replace("UNSTUCK_WEBHOOK_HOSTS", "")
    assert listed(front) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "callback_url"),
        ({"callback_url": [GOOD]}, "callback_url"),
        ({"callback_url": GOOD, "state": "resolved"}, "state"),
        ({"callback_url": GOOD, "cause": "bad luck"}, "cause"),
        ({"callback_url": GOOD, "provider": " "}, "provider"),
        ({"callback_url": GOOD, "callbackUrl": GOOD}, "callbackUrl"),
        ({"callback_url": GOOD, "by": "Eve"}, "by"),
    ],
)
def test_a_subscription_that_makes_no_sense_is_refused_by_its_field(
    front: Front, body: dict[str, Any], field: str
) -> None:
    answer = front.asks("WhenACaseNeedsAPerson", body, headers=AS_ANN)
    assert SECRET not in json.dumps(answer.problem(400, field))
    assert listed(front) == []


def test_a_row_that_makes_no_sense_is_named_and_is_taken_away(front: Front) -> None:
    id_ = subscribes(front).json["id"]
    front.town.tables.edit("webhooks", "webhook", id_, since="yesterday")
    shown = front.asks("ListWebhooks", headers=AS_BOB).json
    assert shown["webhooks"] == []
    assert "since should be a time" in shown["broken"][0]
    assert ends(front, id_, AS_BOB).status == 200
    assert front.asks("ListWebhooks", headers=AS_BOB).json == {"webhooks": [], "broken": []}


def test_there_is_an_end_to_webhooks_and_who_is_there_already_stays(front: Front) -> None:
    for number in range(MOST):
        assert subscribes(front, f"{GOOD}{number}").status == 201
    assert "100 webhooks" in subscribes(front).problem(409)["detail"]
    assert subscribes(front, f"{GOOD}7", cause="unknown").status == 201
    assert len(listed(front)) == MOST


@pytest.mark.parametrize("id_", ["x", "0" * 31, "0" * 33, "G" * 32, "it's", "%00"])
def test_an_odd_id_is_refused(front: Front, id_: str) -> None:
    ends(front, id_, AS_ANN).problem(400, "webhook_id")
    assert front.town.tables.requests == []
