"""Keys, tokens and the webhook's address are in no log, no answer, no row and no message, whatever goes wrong.

Every module of app tests ends with the same search (tests/host/app_kit.py); here everything goes wrong that might
make somebody quote a secret.
"""

import socket
from collections.abc import Iterator

import httpx
import pytest

from local.dataverse.faults import CutAfter, Html, Status
from tests.host.app_answers import problem
from tests.host.app_kit import CANARY, App, eventually, missed, running, world
from tests.host.functions_host_kit import DEADLINE

pytestmark = [pytest.mark.host, pytest.mark.azurite]

WORLD = world(
    "secrets",
    missed("missed")
    + """
  - group: by-hand
    provider: distributor
    product: backup
    changes:
      - {type: create, quantity: 4, created: -2d, status: awaiting_provisioning}
    expect: {cause: manual_provider, outcome: needs_person}
""",
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app with a webhook that nobody answers: a port that is taken and does not listen."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        webhook = f"http://127.0.0.1:{deaf.getsockname()[1]}/hooks/{CANARY}?sig={CANARY}"
        with running(WORLD, tmp_path_factory.mktemp("secrets"), NOTIFY_WEBHOOK_URL=webhook) as app:
            yield app


def test_the_search_finds_what_is_there(app: App) -> None:
    assert app.sweep().status_code == 200
    app.until(app.one("missed").case, "resolved")
    assert {"storage key", "master key", "host key", "identity header", "webhook", "token 0", "token 1"} <= set(
        app.secrets()
    )
    for what, secret in app.secrets().items():
        log = app.folder / "planted.log"
        log.write_text(f"so it is: {secret}.")
        assert app.leaks() == [f"{what} in planted.log"]
        log.unlink()


def test_a_webhook_that_cannot_be_reached_is_not_named(app: App) -> None:
    app.until(app.one("by-hand").case, "needs_person")
    eventually(lambda: "People could not be told" in app.log(), "its news is given up for now")
    assert "The webhook cannot be reached" in app.log()
    assert app.leaks() == []


def test_keys_in_requests_are_not_repeated(app: App) -> None:
    for key in (app.host.host_key, app.host.master_key):
        for path in ("/api/cases", "/api/cases/nonsense", "/api/health", "/api/nowhere", "/nowhere", "/admin/nowhere"):
            for method in ("GET", "POST"):
                answer = httpx.request(method, app.host.url + path, params={"code": key}, timeout=DEADLINE)
                app.answers.append(f"{answer.headers} {answer.text}")
        for body in ({"subscription_id": "x", "code": 1}, {"change_id": app.host.host_key[:3]}):
            app.api.post("/diagnoses", json=body, params={"code": key})
    assert app.leaks() == []


@pytest.mark.parametrize(
    "fault", [Status(401), Status(403), Html(200), CutAfter()], ids=["401", "403", "web page", "connection cut"]
)
def test_what_goes_wrong_at_dataverse_is_told_without_the_token(app: App, fault: Status | Html | CutAfter) -> None:
    app.fault(fault, times=None, purpose="diagnose", part=False)
    problem(app.diagnose(app.one("missed")), 502)
    app.no_faults()
    assert app.leaks() == []


def test_a_sign_in_that_fails_is_told_without_what_was_sent(app: App) -> None:
    app.control("POST", "/faults", json={"target": "sign_in", "code": "AADSTS7000215"})
    app.control("POST", "/worker/kill")  # the next one has no token yet
    said = problem(app.sweep(), 502)
    assert "No token" in said["detail"]
    app.control("DELETE", "/faults")
    assert app.sweep().status_code == 200
    assert app.leaks() == []


def test_storage_that_is_gone_is_told_without_its_key(app: App) -> None:
    app.storage.stop()
    said = problem(app.api.get("/cases"), 502)
    assert "Storage" in said["detail"]
    health = app.api.get("/health")
    assert (health.status_code, health.json()["status"]) == (503, "degraded")
    assert app.leaks() == []
    app.host.kill()  # without storage it would take its time to give up its leases
