"""Who may ask, through the real worker runtime: people who sign in, keys, headers that anybody can write.

The host plays App Service's authentication (docs/local-host.md): tokens become principals, and what callers write into
the platform's headers is thrown away, or is handed on while authentication is off.
"""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from azure.data.tables import TableServiceClient

from shared.adapters.tables import operations
from shared.domain.operation import Operation
from tests.entrypoint_kit import ANN, BOB, TENANT, principal
from tests.host.app_answers import kinds, problem
from tests.host.app_kit import App, eventually, may_sign_in, missed, running, world
from tests.host.functions_host_kit import DEADLINE

pytestmark = [pytest.mark.host, pytest.mark.azurite]

WORLD = world("callers", missed("missed", 2))


def _said(headers: dict[str, str]) -> dict[str, Any]:
    """The principal that a header holds."""
    [encoded] = headers.values()
    found: dict[str, Any] = json.loads(base64.b64decode(encoded))
    return found


SIGN_INS = {
    "token-of-rita": _said(principal("Reader", oid="bbbbbbbb-0000-4000-8000-000000000003", name="Rita")),
    "token-of-ann": _said(principal("Operator", oid=ANN)),
    "token-of-bob": _said(principal("Approver", oid=BOB, name="Bob")),
    "token-of-a-stranger": _said(principal("Approver", tenant="aaaaaaaa-0000-4000-8000-000000000009")),
}
RITA, AS_ANN, AS_BOB, STRANGER = ({"authorization": f"Bearer {token}"} for token in SIGN_INS)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app as it is deployed: people sign in, keys open nothing, and who asks may not say yes."""
    folder = tmp_path_factory.mktemp("h")
    policy = folder / "policy.json"
    policy.write_text(json.dumps({"approver_is_not_requester": True}))
    settings = {"UNSTUCK_TENANT_ID": TENANT, "UNSTUCK_KEYS_ALLOWED_AS": "", "UNSTUCK_POLICY": str(policy)}
    may_sign_in(folder, SIGN_INS)
    with running(WORLD, folder, mode="approve", UNSTUCK_LOOK_AGAIN_SECONDS="3600", **settings) as app:
        assert ask(app, AS_ANN, "POST", "/sweeps").status_code == 200
        eventually(lambda: len(ask(app, RITA, "GET", "/cases").json()["cases"]) == 2, "both cases are there")
        yield app


def ask(app: App, headers: dict[str, str], method: str, path: str, body: object = None) -> httpx.Response:
    content = json.dumps(body) if body is not None else None
    url = f"{app.host.url}/api{path}"
    answer = httpx.request(method, url, headers=headers, content=content, timeout=DEADLINE)
    app.answers.append(f"{answer.headers} {answer.text}")
    return answer


def test_nobody_and_keys_are_not_let_in(app: App) -> None:
    for headers in ({}, {"x-functions-key": app.host.host_key}, {"x-functions-key": app.host.master_key}):
        said = problem(ask(app, headers, "GET", "/cases"), 401)
        assert said["detail"] == "Sign in first."
    assert ask(app, {}, "GET", "/health").status_code == 200
    assert ask(app, {"authorization": "Bearer nonsense"}, "GET", "/cases").status_code == 401


def test_what_a_caller_writes_into_the_platforms_header_is_worth_nothing(app: App) -> None:
    forged = principal("Approver")
    problem(ask(app, forged, "GET", "/cases"), 401)
    problem(ask(app, {**RITA, **forged}, "POST", "/sweeps"), 403)


def test_roles_and_tenants(app: App) -> None:
    assert ask(app, RITA, "GET", "/cases").status_code == 200
    assert "needs the role Operator; you have Reader" in problem(ask(app, RITA, "POST", "/sweeps"), 403)["detail"]
    assert "another" not in problem(ask(app, STRANGER, "GET", "/cases"), 403)["detail"]


def test_who_asked_may_not_say_yes_and_who_did_is_on_the_record(app: App) -> None:
    stuck = app.all("missed")[0]
    path = f"/cases/{stuck.case}"
    assert ask(app, AS_BOB, "POST", "/diagnoses", {"subscription_id": stuck.id}).status_code == 200
    eventually(lambda: "told" in kinds(ask(app, RITA, "GET", path).json()), "people are told")
    yes = {"plan_digest": ask(app, RITA, "GET", f"{path}/plan").json()["plan"]["digest"]}
    problem(ask(app, AS_ANN, "POST", f"{path}/remediations", yes), 403)
    assert "somebody else" in problem(ask(app, AS_BOB, "POST", f"{path}/remediations", yes), 409)["detail"]
    by = next(event["by"] for event in ask(app, RITA, "GET", path).json()["timeline"] if "asked" in event["text"])
    assert by == f"Bob [{BOB}]"
    assert app.written() == []


def test_sixteen_identical_requests_at_once_have_one_effect_and_one_answer(app: App) -> None:
    path = f"/cases/{app.all('missed')[1].case}/notes"
    headers = {**AS_ANN, "Idempotency-Key": "run-0815"}

    def one(_: int) -> tuple[int, str]:
        while True:
            answer = ask(app, headers, "POST", path, {"text": "one effect"})
            if answer.status_code != 409:
                return answer.status_code, answer.text
            assert answer.headers["retry-after"] == "2"

    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(one, range(16)))
    assert [status for status, _ in answers] == [201]
    assert kinds(ask(app, RITA, "GET", path.removesuffix("/notes")).json()).count("note") == 1
    problem(ask(app, headers, "POST", path, {"text": "another"}), 422, "Idempotency-Key")


def test_what_is_kept_holds_no_key_or_token(app: App) -> None:
    kept = json.dumps(app.rows(), default=str)
    assert "run-0815" not in kept, "keys of callers are kept as digests"
    assert all(token not in kept + app.log() for token in SIGN_INS)
    assert app.leaks() == []


def test_what_the_queue_does_for_a_request_is_answered_at_its_address(app: App) -> None:
    """As it is left by a request that was not done in time: a row and a message."""
    stuck, id_ = app.all("missed")[1], "0123456789abcdef" * 2
    address = f"/operations/{id_}"
    problem(ask(app, RITA, "GET", address), 404, "operation_id")
    body = json.dumps({"subscription_id": stuck.id, "change_id": None})
    operation = Operation(id_, "Diagnose", body, f"Ann [{ANN}]", datetime.now(UTC))
    row = operations._columns(operation) | {"PartitionKey": "operation", "RowKey": id_, "schema_version": 1}
    with TableServiceClient.from_connection_string(app.storage.connection_string) as service:
        service.create_table_if_not_exists("operations").create_entity(row)
    running = ask(app, RITA, "GET", address)
    assert (running.status_code, running.headers["location"]) == (202, f"{app.host.url}/api{address}")
    app.queue("operate").send(json.dumps({"version": 1, "operation_id": id_}))
    eventually(lambda: ask(app, RITA, "GET", address).status_code == 200, "it is done")
    assert ask(app, RITA, "GET", address).json()["case"]["id"] == stuck.case
