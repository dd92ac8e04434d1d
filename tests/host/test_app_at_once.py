"""The same request sixteen times at once, and one that takes too long, through the real host: one effect, one answer.

Input: HTTP requests, with a key for idempotency and without. Output: answers, and what Dataverse and the provider were
told to do. What takes too long does so because Dataverse holds its answer until it is let go.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from local.dataverse.faults import Held
from tests.host.app_answers import kinds, problem
from tests.host.app_kit import NO_HARM, App, Stuck, eventually, missed, running, world
from tests.host.functions_host_kit import DEADLINE

pytestmark = [pytest.mark.host, pytest.mark.azurite]

MANY = 16


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app in approve mode; a sweep has found both cases, and people were told of them: that saves a case, too."""
    folder = tmp_path_factory.mktemp("h")
    once = world("at-once", missed("missed", 2))
    with running(once, folder, mode="approve", UNSTUCK_LOOK_AGAIN_SECONDS="3600") as app:
        assert app.sweep().status_code == 200
        cases = [stuck.case for stuck in app.all()]
        eventually(lambda: all("told" in kinds(app.case(id_) or {"timeline": []}) for id_ in cases), "people are told")
        yield app


def at_once(app: App, path: str, body: object, headers: dict[str, str]) -> list[httpx.Response]:
    """What each of the callers is answered who all begin at the same moment."""
    start = threading.Barrier(MANY)

    def one(_: int) -> httpx.Response:
        start.wait(DEADLINE)
        return app.api.post(path, json=body, headers=headers)

    with ThreadPoolExecutor(MANY) as pool:
        return [*pool.map(one, range(MANY))]


def in_the_end(app: App, path: str, body: object, headers: dict[str, str]) -> set[tuple[int, str]]:
    """The answers that are final: whoever is told to come back comes back."""

    def asked_again(answer: httpx.Response) -> httpx.Response:
        while answer.status_code == 409 and "retry-after" in answer.headers:
            answer = app.api.post(path, json=body, headers=headers)
        return answer

    first = at_once(app, path, body, headers)
    return {(each.status_code, each.text) for each in map(asked_again, first)}


def yes(app: App, stuck: Stuck) -> dict[str, Any]:
    return {"plan_digest": app.until(stuck.case, "awaiting_approval")["plan"]["digest"]}


def freed_once(app: App, stuck: Stuck) -> None:
    """Whether one yes is on record, and its change was retriggered and ordered once."""
    case = app.until(stuck.case, "resolved")
    once = ("approved", "intent", "not_applicable_set", "retriggered")
    assert [kinds(case).count(kind) for kind in once] == [1, 1, 1, 1]
    assert app.statuses_written(stuck.change) == ["not_applicable", "awaiting_provisioning"]
    assert len(app.orders(stuck.change)) == 1
    assert app.harm() == NO_HARM


def test_sixteen_yeses_with_one_key_have_one_answer_and_free_the_case_once(app: App) -> None:
    stuck = app.all("missed")[0]
    path = f"/cases/{stuck.case}/remediations"
    answers = in_the_end(app, path, yes(app, stuck), {"Idempotency-Key": "run-yes"})
    assert [status for status, _ in answers] == [202]
    freed_once(app, stuck)


def test_sixteen_yeses_without_a_key_free_the_case_once(app: App) -> None:
    stuck = app.all("missed")[1]
    answers = at_once(app, f"/cases/{stuck.case}/remediations", yes(app, stuck), {})
    assert any(each.status_code == 202 for each in answers)
    for each in answers:
        if each.status_code != 202:
            problem(each, 409)
    freed_once(app, stuck)


def test_sixteen_sweeps_with_one_key_are_one(app: App) -> None:
    def receipts() -> int:
        return len(app.api.get("/sweeps").json()["sweeps"])

    before = receipts()
    [(status, _)] = in_the_end(app, "/sweeps", None, {"Idempotency-Key": "run-sweep"})
    assert status in (200, 202)  # the latter on a machine that needs more than eight seconds
    eventually(lambda: receipts() > before, "it is done")
    assert receipts() == before + 1


def test_what_takes_too_long_is_answered_at_an_address_without_the_key(app: App) -> None:
    stuck = app.all("missed")[0]
    with httpx.Client(base_url=f"{app.host.url}/api", timeout=DEADLINE) as bare:
        key = {"code": app.host.host_key}
        app.fault(Held(), times=None)
        handed_over = bare.post("/diagnoses", params=key, json={"subscription_id": stuck.id})
        assert (handed_over.status_code, handed_over.json()["status"]) == (202, "running")
        address = handed_over.headers["location"]
        assert address == f"{app.host.url}/api/operations/{handed_over.json()['id']}"
        assert int(handed_over.headers["retry-after"]) > 0
        running = bare.get(address, params=key)
        assert (running.status_code, running.headers["location"]) == (202, address)
        app.no_faults()
        eventually(lambda: bare.get(address, params=key).status_code == 200, "it is done")
        done = bare.get(address, params=key)
        assert (set(done.json()), done.json()["subscription_id"]) == ({"subscription_id", "stuck", "case"}, stuck.id)
        assert "location" not in done.headers
        assert app.host.host_key not in f"{handed_over.headers}{handed_over.text}{done.text}"
