"""HTTP functions on the local host, seen from outside."""

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.functions_host import FunctionsHost
from local.functions_host.web import Web
from tests.host.functions_host_kit import APPS, DEADLINE, host

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("web")


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[FunctionsHost]:
    with host("web", folder, {"OWN_SETTING": "yes"}) as running:
        yield running


@pytest.fixture
def client(web: FunctionsHost) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=web.url, timeout=DEADLINE) as opened:
        yield opened


def test_the_ready_line_tells_all_that_a_caller_needs(web: FunctionsHost) -> None:
    assert web.url.startswith("http://127.0.0.1:")
    assert {"echo", "thing", "fails"} <= set(web.functions)
    assert len({web.master_key, web.host_key}) == 2
    assert web.worker_pid != web.pid


def test_a_handler_gets_the_request_as_on_azure(client: httpx.Client) -> None:
    headers = [("X-Some", "1"), ("X-Some", "2"), ("Content-Type", "text/plain")]
    answer = client.put("/api/echo/7/a%20b?q=1&empty=&two=a&two=b", headers=headers, content=b"\x00\xff").json()
    assert answer["method"] == "PUT", "no methods given means every method"
    assert answer["url"].endswith("/api/echo/7/a%20b?q=1&empty=&two=a&two=b")
    assert answer["headers"]["x-some"] == "1,2"
    assert answer["query"] == {"q": "1", "two": "a,b"}
    assert answer["route"] == {"number": "7", "name": "a b"}
    assert answer["body"] == "\x00\xff"


def test_a_line_break_in_a_path_reaches_the_handler(client: httpx.Client) -> None:
    assert client.get("/api/echo/7/a%0Ab").json()["route"]["name"] == "a\nb"


def test_headers_and_body_do_not_wait_for_each_other() -> None:
    """Without TCP_NODELAY every short answer waits 40 ms for an acknowledgement."""
    options: list[int] = []

    async def answers(scope: Scope, receive: Receive, send: Send) -> None:
        assert server._server is not None
        for connection in server._server.server_state.connections:
            made = connection.transport.get_extra_info("socket")
            options.append(made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await Response()(scope, receive, send)

    async def ask() -> int:
        await server.start(answers)
        async with httpx.AsyncClient() as client:
            answer = await client.get(server.url)
        await server.stop(DEADLINE)
        await server.close()
        return answer.status_code

    server = Web(0)
    assert asyncio.run(ask()) == 200
    assert options
    assert all(options)


def test_a_large_body_goes_through_and_back(client: httpx.Client) -> None:
    body = "x" * 3_000_000
    assert client.post("/api/echo/1", content=body).json()["body"] == body


def test_a_body_without_a_length_is_dropped_as_on_azure(client: httpx.Client) -> None:
    assert client.post("/api/echo/1", content=iter([b"chunk", b"ed"])).json()["body"] == ""


def test_what_a_handler_returns_reaches_the_caller_untouched(client: httpx.Client) -> None:
    answer = client.get("/api/cookies")
    assert (answer.status_code, answer.content) == (418, b"\x00\xff")
    assert answer.headers["x-own"] == "1"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers.get_list("set-cookie") == ["one=1; HttpOnly; Path=/", "two=2; Path=/two; Secure"]


def test_a_text_is_an_answer_too(client: httpx.Client) -> None:
    answer = client.get("/api/text")
    assert (answer.status_code, answer.text) == (200, "plain")


def test_an_exception_is_a_500_that_says_nothing(client: httpx.Client, folder: Path) -> None:
    answer = client.get("/api/fails")
    assert (answer.status_code, answer.content) == (500, b"")
    assert "RuntimeError: on purpose" in (folder / "host.log").read_text(), "the log says it"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/echo/1", 404),
        ("GET", "/api/echo/word", 404),
        ("GET", "/api/things/nonsense", 404),
        ("GET", "/api/things/0f8fad5b-d9cb-469f-a165-70867728950e", 200),
        ("DELETE", "/api/things/0f8fad5b-d9cb-469f-a165-70867728950e", 204),
        ("POST", "/api/things/0f8fad5b-d9cb-469f-a165-70867728950e", 404),
        ("HEAD", "/api/text", 200),
        ("GET", "/", 404),
        ("GET", "/admin/nothing", 404),
    ],
)
def test_status(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert status == 200 or answer.content == b""


def test_a_rest_parameter_takes_slashes(client: httpx.Client) -> None:
    assert client.get("/api/files/a/b/c").json() == {"path": "a/b/c"}


def test_a_key_is_needed_where_the_level_says_so(client: httpx.Client, web: FunctionsHost) -> None:
    def status(path: str, header: str | None = None, code: str | None = None) -> int:
        headers = {"x-functions-key": header} if header else {}
        answer = client.get(path, headers=headers, params={"code": code} if code else {})
        assert answer.status_code == 200 or answer.content == b""
        return answer.status_code

    assert status("/api/keyed") == 401
    assert status("/api/keyed", header=web.host_key) == 200
    assert status("/api/keyed", code=web.host_key) == 200
    assert status("/api/keyed", header="wrong", code=web.host_key) == 401, "the header wins"
    assert status("/api/masters", header=web.host_key) == 401
    assert status("/api/masters", header=web.master_key) == 200
    assert status("/api/unknown", header="wrong") == 404


def test_synchronous_handlers_run_at_the_same_time(client: httpx.Client) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(client.get, ["/api/meet"] * 3))
    assert [answer.text for answer in answers] == ["met"] * 3


def test_the_worker_sees_the_app_and_the_deployed_packages_only(client: httpx.Client) -> None:
    found = client.get("/api/surroundings").json()
    assert found["path"][0] == found["directory"] == str(APPS / "web")
    assert not any("functions_host" in entry for entry in found["path"])
    assert (found["pytest"], found["local"]) == (False, False)
    assert found["environment"]["OWN_SETTING"] == "yes"
    assert "PYTEST_CURRENT_TEST" not in found["environment"]


def test_log_lines_name_the_function(client: httpx.Client, folder: Path) -> None:
    client.get("/api/echo/99").raise_for_status()
    log = (folder / "host.log").read_text()
    assert any("INFO web [echo] an echo of" in line and line.endswith("/echo/99") for line in log.splitlines())


def test_admin_wants_the_master_key_and_lists_what_there_is(client: httpx.Client, web: FunctionsHost) -> None:
    for path in ("/admin/functions", "/admin/host/status", "/admin/local/worker"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers={"x-functions-key": web.host_key}).status_code == 401
    master = {"x-functions-key": web.master_key}
    assert client.get("/admin/host/status", headers=master).json()["state"] == "Running"
    functions = {entry["name"]: entry for entry in client.get("/admin/functions", headers=master).json()}
    assert functions["thing"]["config"]["bindings"][0]["route"] == "things/{id:guid}"
    assert client.post("/admin/functions/nobody", headers=master, json={"input": ""}).status_code == 404
    assert client.post("/admin/functions/echo", headers=master, json={"input": ""}).status_code == 400
