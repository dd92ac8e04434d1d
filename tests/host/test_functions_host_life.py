"""How the local host starts, refuses, loses its worker and stops. No process may be left behind."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.functions_host import FunctionsHost, HostDidNotStart, HostOptions
from tests.host.functions_host_kit import DEADLINE, eventually, host, log_of, options

pytestmark = pytest.mark.host
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[FunctionsHost]:
    with host("web", tmp_path, {}, worker_back_off_seconds=0.1) as running:
        yield running


def admin(running: FunctionsHost, method: str, path: str) -> httpx.Response:
    headers = {"x-functions-key": running.master_key}
    return httpx.request(method, f"{running.url}/admin/local/{path}", headers=headers, timeout=DEADLINE)


def get(running: FunctionsHost, path: str) -> httpx.Response:
    return httpx.get(running.url + path, timeout=DEADLINE)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return state_of(pid) == "Z"  # dead, not yet buried


def state_of(pid: int) -> str:
    """R, S, T (stopped), Z...; empty where there is no /proc, or no such process any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


def refused(run: HostOptions, errors: Path) -> str:
    """What a host that must not start writes to standard error."""
    with errors.open("wb") as stderr, pytest.raises(HostDidNotStart) as refusal:
        FunctionsHost(run, stderr).start()
    assert refusal.value.code == 3
    return errors.read_text()


@pytest.mark.parametrize(
    ("app", "reason"),
    [
        ("broken", "list"),
        ("empty", "the app has no functions"),
        ("nowhere", "the app has no functions"),
        ("refused", "second: its route"),
        ("blobs", "no blobTrigger binding"),
        ("queues", "the app setting TOLD is missing"),
        ("timers", "the app setting TOLD is missing"),
    ],
)
def test_an_app_that_is_not_fit_to_run_ends_with_code_3_and_says_why(app: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "nowhere").mkdir()
    folder = tmp_path / app if app == "nowhere" else Path(app)
    assert reason in refused(options(folder, tmp_path, {"AzureWebJobsStorage": "x"}), tmp_path / "errors")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'"),
        ("raise SystemExit(7)", "the worker died while it indexed the app"),
        ("import os; os._exit(7)", "the worker died while it indexed the app"),
    ],
)
def test_an_app_that_cannot_be_imported_ends_with_code_3(source: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(source)
    assert reason in refused(options(tmp_path, tmp_path, {}), tmp_path / "errors")


def test_a_wrong_worker_python_ends_with_code_3(tmp_path: Path) -> None:
    run = options("web", tmp_path, {})
    run = HostOptions(**{**vars(run), "worker_python": tmp_path / "nowhere"})
    assert "worker" in refused(run, tmp_path / "errors")


def test_a_missing_timer_schedule_is_named(tmp_path: Path) -> None:
    values = {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "TOLD": "told", "HOST": "a"}
    assert "EVERY" in refused(options("timers", tmp_path, values), tmp_path / "errors")


def test_storage_that_does_not_answer_ends_with_code_3(tmp_path: Path) -> None:
    connection = "AccountName=a;AccountKey=YQ==;" + "".join(
        f"{name}Endpoint=http://127.0.0.1:1/a;" for name in ("Blob", "Queue", "Table")
    )
    values = {"AzureWebJobsStorage": connection, "Other": connection, "WORK": "w", "TOLD": "t", "LIST": "l"}
    assert "storage does not answer" in refused(options("queues", tmp_path, values), tmp_path / "errors")


def test_a_port_that_is_taken_ends_with_code_3(web: FunctionsHost, tmp_path: Path) -> None:
    port = int(web.url.rpartition(":")[2])
    assert f"port {port} is taken" in refused(options("web", tmp_path, {}, port=port), tmp_path / "errors")


def test_a_request_under_way_ends_with_502_when_the_worker_dies(web: FunctionsHost) -> None:
    with ThreadPoolExecutor() as pool:
        stuck = pool.submit(get, web, "/api/stuck")
        log = log_of(web)
        eventually(lambda: "[stuck] it has begun" in log.read_text(), "it has begun")
        assert admin(web, "POST", "worker/kill").json() == {"pid": web.worker_pid}
        answer = stuck.result(DEADLINE)
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "the worker died while it ran the function"
    assert f"worker {web.worker_pid} died" in log.read_text()


def test_the_host_starts_another_worker_and_goes_on(web: FunctionsHost) -> None:
    assert admin(web, "GET", "worker").json() == {"pid": web.worker_pid, "starts": 1}
    admin(web, "POST", "worker/kill")
    assert get(web, "/api/text").text == "plain", "a request waits for the next worker"
    found = admin(web, "GET", "worker").json()
    assert found["starts"] == 2
    assert found["pid"] != web.worker_pid
    assert gone(web.worker_pid)


def test_a_handler_that_ends_its_process_is_a_dead_worker(web: FunctionsHost) -> None:
    assert get(web, "/api/leaves").status_code == 502
    assert get(web, "/api/text").text == "plain"


def test_a_broken_app_is_tried_again_until_it_is_mended(tmp_path: Path) -> None:
    app = tmp_path / "function_app.py"
    source = (
        "import azure.functions as func\napp = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)\n"
        "@app.route(route='x')\ndef x(req: func.HttpRequest) -> str:\n    return 'TEXT'\n"
    )
    app.write_text(source)
    with host(tmp_path, tmp_path, {}, worker_back_off_seconds=0.1) as running:
        app.write_text("raise RuntimeError('half edited')")
        admin(running, "POST", "worker/kill")
        log = log_of(running)
        eventually(lambda: "does not come up again" in log.read_text(), "it fails to start")
        app.write_text(source.replace("TEXT", "mended"))
        assert get(running, "/api/x").text == "mended"


def test_a_handler_that_runs_too_long_costs_the_worker_its_life(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text(json.dumps({"functionTimeout": "00:00:01"}))
    (tmp_path / "function_app.py").write_text((Path(__file__).parent / "apps/web/function_app.py").read_text())
    with host(tmp_path, tmp_path, {}, worker_back_off_seconds=0.1) as running:
        answer = get(running, "/api/stuck")
        assert (answer.status_code, answer.content) == (500, b"")
        assert get(running, "/api/text").text == "plain"
        assert admin(running, "GET", "worker").json()["starts"] == 2


@posix
def test_a_paused_worker_answers_when_it_is_resumed(web: FunctionsHost) -> None:
    assert admin(web, "POST", "worker/pause").status_code == 204
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(get, web, "/api/text")
        eventually(lambda: state_of(web.worker_pid) in ("T", ""), "it is stopped")
        assert not waiting.done()
        assert admin(web, "POST", "worker/resume").status_code == 204
        assert waiting.result(DEADLINE).text == "plain"


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_host_and_worker_in_order(web: FunctionsHost, number: int) -> None:
    assert web.pid
    os.kill(web.pid, number)
    assert web.wait(DEADLINE) == 0
    assert gone(web.worker_pid)


def test_closing_standard_input_stops_host_and_worker(web: FunctionsHost) -> None:
    assert web.stop() == 0
    assert gone(web.worker_pid)


@posix
@pytest.mark.parametrize("state", ["idle", "busy", "paused"])
def test_no_worker_outlives_a_host_that_was_killed(web: FunctionsHost, state: str) -> None:
    with ThreadPoolExecutor() as pool:
        if state == "busy":
            pool.submit(lambda: _ignored(web, "/api/stuck"))
            eventually(lambda: "[stuck] it has begun" in log_of(web).read_text(), "it has begun")
        if state == "paused":
            admin(web, "POST", "worker/pause")
        web.kill()
        eventually(lambda: gone(web.worker_pid), "the worker is gone")


def test_a_running_handler_gets_the_grace_and_is_lost_after_it(tmp_path: Path) -> None:
    with (
        host("web", tmp_path, {}, stop_grace_seconds=0.5) as running,
        ThreadPoolExecutor() as pool,
    ):
        stuck = pool.submit(get, running, "/api/stuck")
        eventually(lambda: "[stuck] it has begun" in log_of(running).read_text(), "it has begun")
        assert running.stop() == 0
        answer = stuck.result(DEADLINE)
    assert answer.status_code == 502, "even its caller gets an answer"


def _ignored(running: FunctionsHost, path: str) -> Any:
    try:
        return get(running, path)
    except httpx.HTTPError as error:
        return error
