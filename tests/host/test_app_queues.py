"""Queue messages that make no sense, and those that fail too often: said where it can be found, and nothing breaks."""

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.dataverse.faults import Html, Status
from tests.host.app_answers import kinds
from tests.host.app_kit import NO_HARM, QUEUES, App, eventually, missed, running, world

pytestmark = [pytest.mark.host, pytest.mark.azurite]

BY_HAND = """
  - group: by-hand
    provider: distributor
    product: backup
    changes:
      - {type: create, quantity: 4, created: -2d, status: awaiting_provisioning}
    expect: {cause: manual_provider, outcome: needs_person}
"""
WORLD = world("queues", missed("good") + missed("down") + missed("half") + missed("late") + missed("asked") + BY_HAND)
FIELDS = {"diagnose": "subscription_ids", "remediate": "case_ids", "notify": "subscription_ids"}
OPERATION = "0123456789abcdef" * 2
MOST = {"diagnose": 500, "remediate": 100, "notify": 500}
NOBODY = "11111111-2222-4333-8444-555555555555"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with running(WORLD, tmp_path_factory.mktemp("queues")) as app:
        yield app


def nonsense(queue: str) -> dict[str, str]:
    """Messages for this queue that no retry would mend, by what must be said of them. Each can be told by its mark."""
    if queue == "operate":
        return {
            "Invalid JSON": "Zm9v of ",
            "operation_id: Field required": json.dumps({"id": OPERATION}),
            "operation_id: String should match pattern": json.dumps({"operation_id": OPERATION[:-1]}),
            "operation_id: Input should be a valid string": json.dumps({"operation_id": [OPERATION]}),
        }
    if queue == "deliver":
        good = {"webhook_id": OPERATION, "subscription_id": NOBODY, "key": "k", "kind": "needs_person"}
        return {
            "Invalid JSON": "Zm9v of ",
            "webhook_id: Field required": json.dumps({name: good[name] for name in good if name != "webhook_id"}),
            "webhook_id: String should match pattern": json.dumps({**good, "webhook_id": "../pauses"}),
            "subscription_id: '1' is not a GUID": json.dumps({**good, "subscription_id": "1"}),
            "tries: Input should be greater": json.dumps({**good, "tries": -1}),
            "callback_url: Extra inputs": json.dumps({**good, "callback_url": "https://evil.example"}),
        }
    field = FIELDS[queue]
    id = f"{NOBODY}-1" if queue == "remediate" else NOBODY
    many = [f"{uuid.UUID(int=n)}{'-1' if queue == 'remediate' else ''}" for n in range(MOST[queue] + 1)]
    other = "subscription_ids" if queue == "remediate" else "case_ids"
    return {
        "Invalid JSON": "Zm9v of ",
        "Input should be an object": json.dumps(["list of", id]),
        "colour: Extra inputs are not permitted": json.dumps({field: [id], "colour": "red"}),
        "version: Input should be less than or equal to 1": json.dumps({"version": 2, field: [id]}),
        "version: Input should be a valid integer": json.dumps({"version": "1", field: [id]}),
        f"{field}: Field required": json.dumps({other: [id]}),
        f"{field}[0]: 'nonsense' is not a": json.dumps({field: ["nonsense"]}),
        f"{field}: Tuple should have at least 1 item": json.dumps({field: []}),
        f"{field}: Tuple should have at most {MOST[queue]} items": json.dumps({field: many}),
    }


@pytest.mark.parametrize("queue", QUEUES)
def test_a_message_that_makes_no_sense_is_logged_with_what_is_wrong_and_dropped(app: App, queue: str) -> None:
    before = len(app.log())
    poison = f"{queue}-poison"
    listening = [queue] if queue == "notify" else [queue, poison]  # what cannot be told is logged whatever it says
    for name in listening:
        for body in nonsense(queue).values():
            app.queue(name).send(body)
    eventually(app.all_queues_empty, "all are taken and none comes back")
    lines = app.log()[before:].splitlines()
    for name in listening:
        about = [line for line in lines if "Unreadable message" in line and f" on queue {name}: " in line]
        assert len(about) == len(nonsense(queue))
        assert [why for why in nonsense(queue) if not any(why in line for line in about)] == []
        assert all(" ERROR " in line for line in about)


def test_what_is_not_base64_is_put_away_unread(app: App) -> None:
    for name in QUEUES:
        app.queue(name).client.send_message("this is <not> base64!")
    eventually(lambda: all(app.queue(f"{name}-poison").count() == 1 for name in QUEUES), "they are put away")
    assert all(app.queue(name).count() == 0 for name in QUEUES)
    for name in QUEUES:
        assert f"goes to {name}-poison" in app.log()
        app.queue(f"{name}-poison").client.clear_messages()


def test_ids_that_nobody_knows_harm_nobody(app: App) -> None:
    owed = {"webhook_id": OPERATION, "subscription_id": NOBODY, "key": "k", "kind": "needs_person"}
    app.queue("deliver").send(json.dumps(owed))
    app.queue("operate").send(json.dumps({"version": 1, "operation_id": OPERATION}))
    for name in FIELDS:
        id = f"{NOBODY}-1" if name == "remediate" else NOBODY
        app.queue(name).send(json.dumps({"version": 1, FIELDS[name]: [id, id.upper()]}))
    eventually(app.all_queues_empty, "all are done")
    assert app.case(f"{NOBODY}-1") is None


def test_after_all_that_a_good_message_does_its_work(app: App) -> None:
    good = app.one("good")
    app.queue("diagnose").send(json.dumps({"subscription_ids": [good.id.upper(), NOBODY, good.id]}))
    app.until(good.case, "resolved")
    assert len(app.orders(good.change)) == 1
    assert app.worker()["starts"] == 1, "the worker has lived through it"


def test_a_diagnosis_that_fails_too_often_is_parked_told_and_recovers_by_itself(app: App) -> None:
    down = app.one("down")
    app.fault(Html(200), times=None, purpose="diagnose")
    app.queue("diagnose").send(json.dumps({"subscription_ids": [down.id]}))
    case = app.until(down.case, "needs_person")
    assert "diagnose failed too often" in case["summary"]
    assert "by itself" in case["next_step"]
    assert "parked" in kinds(case)
    eventually(lambda: down.case in str(app.control("GET", "/notifications").json()), "people are told")
    # While it lasts the case is looked at again, and again parked.
    parked = app.log().count("goes to diagnose-poison")
    eventually(lambda: app.log().count("goes to diagnose-poison") > parked, "it is tried again by itself")
    assert app.written(down.change) == []
    app.no_faults()
    case = app.until(down.case, "resolved")
    assert len(app.orders(down.change)) == 1
    assert case["cause"] == "trigger_missed"


def test_a_remediation_that_fails_too_often_is_parked_and_recovers_by_itself(app: App) -> None:
    half = app.one("half")
    app.fault(Html(200), times=None, purpose="remediate", target="batch", method="POST", part=False)
    assert app.diagnose(half).status_code == 200

    def parked() -> bool:
        case = app.case(half.case)
        return case is not None and "parked" in kinds(case)

    eventually(parked, "its remediation is given up")
    assert app.written(half.change) == []
    app.no_faults()
    app.until(half.case, "resolved")
    assert app.statuses_written(half.change) == ["not_applicable", "awaiting_provisioning"]


def test_while_dataverse_lets_nobody_in_cases_stay_due_and_none_is_parked(app: App) -> None:
    by_hand = app.one("by-hand")
    assert app.diagnose(by_hand).status_code == 200
    app.until(by_hand.case, "needs_person")
    app.fault(Status(403), times=None, purpose="diagnose", part=False)
    poison, said = app.log().count("goes to diagnose-poison"), "Could not diagnose 1 subscriptions, its cases stay due"
    eventually(lambda: app.log().count(said) > 6, "it is asked again at every tick")
    after = app.case(by_hand.case)
    assert after is not None
    assert after["state"] == "needs_person"
    assert "parked" not in kinds(after)
    assert app.log().count("goes to diagnose-poison") == poison
    app.no_faults()


def test_messages_that_come_twice_and_at_once_have_one_effect(app: App) -> None:
    late = app.one("late")
    for _ in range(8):
        app.queue("diagnose").send(json.dumps({"subscription_ids": [late.id]}))
        app.queue("remediate").send(json.dumps({"case_ids": [late.case]}))
    app.until(late.case, "resolved")
    eventually(app.all_queues_empty, "all are done")
    assert app.statuses_written(late.change) == ["not_applicable", "awaiting_provisioning"]
    assert len(app.orders(late.change)) == 1
    assert app.harm() == NO_HARM


def test_everybody_who_asks_at_once_hears_of_the_case(app: App) -> None:
    asked = app.one("asked")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: app.diagnose(asked).json(), range(8)))
    assert [answer["stuck"] for answer in answers] == [True] * 8
    assert {answer["case"]["id"] for answer in answers} == {asked.case}
