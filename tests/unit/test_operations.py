"""Long work: what is not done in time is done by the queue, and its address ends in the answer or in a problem."""

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from shared.domain.idempotency import KeptAnswer
from shared.domain.operation import KEPT_FOR, LOST_AFTER, Operation
from shared.domain.policy import Mode
from shared.entrypoints.operations import carry_out, give_up
from shared.entrypoints.routes import ROUTES
from shared.errors import Unreachable
from tests.builders import NOW, SUBSCRIPTION
from tests.entrypoint_kit import ANN, SIGNING_IN, Asked, Front, principal
from tests.workflow_kit import Town

AS_ANN = principal("Operator")
BODY = {"subscription_id": SUBSCRIPTION}


@pytest.fixture
def front() -> Front:
    """An app that has no patience at all."""
    front = Front(Town(mode=Mode.APPROVE), SIGNING_IN)
    front.town.stuck()
    front.services.patience_seconds = 0
    return front


def begun(front: Front, operation: str = "Diagnose", body: object = BODY, **headers: str) -> tuple[Asked, str]:
    """The 202 and the id of the operation."""
    asked = front.asks(operation, body, headers={**AS_ANN, **headers})
    assert asked.status == 202
    return asked, asked.json["id"]


def work(front: Front) -> None:
    """The queue `operate` is worked off."""
    while front.town.queues.operations:
        id_ = front.town.queues.operations.pop(0)
        asyncio.run(carry_out(front.services, ROUTES, id_))


def look(front: Front, id_: str) -> Asked:
    return front.asks("GetOperation", path={"operation_id": id_}, headers=AS_ANN)


def test_the_answer_says_where_to_ask_and_when_and_no_key(front: Front) -> None:
    asked, id_ = begun(front)
    where = urlsplit(asked.headers["Location"])
    assert (where.scheme, where.netloc, where.path) == ("https", "app.example", f"/api/operations/{id_}")
    assert where.query == ""
    assert int(asked.headers["Retry-After"]) > 0
    running = look(front, id_)
    assert (running.status, running.json) == (202, {"id": id_, "status": "running"})
    assert running.headers["Location"] == asked.headers["Location"]


def test_it_ends_in_the_answer_that_the_request_would_have_had(front: Front) -> None:
    _, id_ = begun(front)
    work(front)
    done = look(front, id_)
    assert (done.status, done.json["stuck"], done.json["subscription_id"]) == (200, True, SUBSCRIPTION)
    asked_for = [event for event in done.json["case"]["timeline"] if event["kind"] == "diagnosis_requested"]
    assert {event["by"] for event in asked_for} == {f"Ann [{ANN}]"}


def test_with_a_key_the_name_that_was_given_goes_on_record(front: Front) -> None:
    keyed = Front(front.town)
    keyed.services.patience_seconds = 0
    id_ = keyed.asks("Diagnose", {**BODY, "by": "Ann"}).json["id"]
    work(keyed)
    done = keyed.asks("GetOperation", path={"operation_id": id_})
    assert "Ann (with an API key)" in {event["by"] for event in done.json["case"]["timeline"]}


def test_it_ends_in_a_problem_where_the_request_would_have(front: Front) -> None:
    _, id_ = begun(front, body={"subscription_id": "99999999-2222-4333-8444-555555555555"})
    _, other = begun(front, "StartSweep", None)
    front.town.queues.operations.remove(other)
    work(front)
    look(front, id_).problem_of_another_request(404, "subscription_id")
    front.town.work365.unavailable = Unreachable("dataverse", "Dataverse cannot be reached.")
    asyncio.run(carry_out(front.services, ROUTES, other))
    look(front, other).problem_of_another_request(502, None)


def test_a_message_that_comes_twice_does_it_once(front: Front) -> None:
    _, id_ = begun(front)
    work(front)
    first, reads = look(front, id_), len(front.town.work365.reads)
    asyncio.run(carry_out(front.services, ROUTES, id_))
    assert look(front, id_).json == first.json
    assert len(front.town.work365.reads) == reads


def test_what_fails_again_and_again_ends_in_a_problem(front: Front) -> None:
    _, id_ = begun(front)
    asyncio.run(give_up(front.services, id_))
    look(front, id_).problem_of_another_request(504, None)
    work(front)
    assert look(front, id_).status == 504, "the first answer stays"


def test_what_never_comes_to_an_end_is_not_waited_for(front: Front) -> None:
    _, id_ = begun(front)
    front.town.clock.advance(LOST_AFTER - timedelta(seconds=1))
    assert look(front, id_).status == 202
    front.town.clock.advance(timedelta(seconds=1))
    look(front, id_).problem(504)


def test_the_same_key_gets_the_same_address(front: Front) -> None:
    first, _ = begun(front, **{"Idempotency-Key": "run-1"})
    again, _ = begun(front, **{"Idempotency-Key": "run-1"})
    assert first.headers["Location"] == again.headers["Location"]
    assert len(front.town.queues.operations) == 1


@pytest.mark.parametrize("id_", ["x", "0" * 31, "0" * 33, "G" * 32, "a|b", "%2F" * 8])
def test_an_id_that_is_none_is_named(front: Front, id_: str) -> None:
    look(front, id_).problem(400, "operation_id")


def test_an_operation_that_this_version_does_not_know_ends_in_a_problem(front: Front) -> None:
    operation = Operation("a" * 32, "Fly", "{}", "Ann", NOW)
    asyncio.run(front.services.operations().begin(operation))
    asyncio.run(carry_out(front.services, ROUTES, operation.id))
    assert look(front, operation.id).status == 504


def test_what_has_expired_is_taken_away(front: Front) -> None:
    _, id_ = begun(front)
    operations = front.services.operations()
    assert asyncio.run(operations.purge(NOW + KEPT_FOR)) == 0
    assert asyncio.run(operations.purge(NOW + KEPT_FOR + timedelta(seconds=1))) == 1
    look(front, id_).problem(404, "operation_id")
    asyncio.run(give_up(front.services, id_))


def test_an_answer_that_is_too_long_to_keep_is_said_so(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.adapters.tables.kept_answers.LONGEST_ANSWER", 500)
    _, id_ = begun(front)
    work(front)
    assert "too long to be kept" in look(front, id_).problem_of_another_request(409, None)["detail"]


def test_only_these_may_take_long() -> None:
    assert {route.operation for route in ROUTES if route.long} == {"StartSweep", "Diagnose", "DecideStock"}
    assert all(202 in route.answers for route in ROUTES if route.long)


def test_a_time_out_of_something_else_is_none_of_ours(front: Front) -> None:
    front.services.patience_seconds = 3_600
    front.town.work365.unavailable = TimeoutError()  # type: ignore[assignment]
    front.asks("Diagnose", BODY, headers=AS_ANN).problem(500)
    assert front.town.queues.operations == []


def test_a_kept_answer_is_given_as_it_was(front: Front) -> None:
    operation = Operation("b" * 32, "Diagnose", "{}", "Ann", NOW, KeptAnswer(200, b'{"x": 1}', "application/json"))
    asyncio.run(front.services.operations().begin(operation))
    assert look(front, operation.id).json == {"x": 1}
