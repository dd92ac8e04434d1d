"""The rules of the local host that need no process: routes, schedules, settings, host.json, refusals, options."""

import importlib.util
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.functions_host import HostOptions
from local.functions_host.backoff import Backoff
from local.functions_host.errors import CannotStart
from local.functions_host.hostjson import HostJson, time_span
from local.functions_host.invoker import messages
from local.functions_host.keys import Keys
from local.functions_host.metadata import Binding, Function
from local.functions_host.refusals import refusals
from local.functions_host.routes import Route, find, routes_of
from local.functions_host.schedule import parse_schedule
from local.functions_host.settings import connection_string, load_settings, resolve, worker_environment
from tests.host.functions_host_kit import APPS


def http(name: str, route: str | None = None, methods: Iterable[str] = (), **more: Any) -> Function:
    raw = {"type": "httpTrigger", "name": "req", "route": route, "methods": list(methods), **more}
    return Function(name, "id", (Binding.read(raw),))


def values(route: str, path: str, method: str = "GET", **more: Any) -> dict[str, str] | None:
    found = find([Route.of(http("f", route, **more), "api")], method, path)
    return found and found[1]


GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("route", "path", "expected"),
    [
        ("cases", "/api/cases", {}),
        ("cases", "/API/Cases/", {}),
        ("cases", "/api/cases/1", None),
        ("cases/{id}", "/api/cases/a%20b", {"id": "a b"}),
        ("cases/{id}", "/api/cases/a%2fb", {"id": "a%2fb"}),
        ("cases/{id}", "/api/cases", None),
        ("cases/{id?}", "/api/cases", {}),
        ("cases/{id?}", "/api/cases/7", {"id": "7"}),
        ("cases/{id:guid}", f"/api/cases/{GUID}", {"id": GUID}),
        ("cases/{id:guid}", f"/api/cases/{{{GUID}}}", {"id": f"{{{GUID}}}"}),
        ("cases/{id:guid}", "/api/cases/nonsense", None),
        ("cases/{n:int}", "/api/cases/-3", {"n": "-3"}),
        ("cases/{n:int}", "/api/cases/3000000000", None),
        ("cases/{n:alpha:length(2,3)}", "/api/cases/ab", {"n": "ab"}),
        ("cases/{n:alpha:length(2,3)}", "/api/cases/abcd", None),
        ("cases/{n:alpha:length(2)}", "/api/cases/a1", None),
        ("files/{*rest}", "/api/files/a/b.txt", {"rest": "a/b.txt"}),
        ("files/{*rest}", "/api/files", {}),
    ],
)
def test_a_route_template_takes_these_paths(route: str, path: str, expected: dict[str, str] | None) -> None:
    assert values(route, path) == expected


def test_a_wrong_method_is_no_match_and_the_next_route_is_tried() -> None:
    routes = [Route.of(http("get", "x", ["GET"]), ""), Route.of(http("any", "x"), "")]
    assert [found and found[0].name for found in (find(routes, "GET", "/x"), find(routes, "PUT", "/x"))] == [
        "get",
        "any",
    ]
    assert find(routes[:1], "PUT", "/x") is None


def test_of_two_routes_that_fit_the_name_of_the_function_decides_as_on_azure() -> None:
    by_name = routes_of([http("list_all", "x/all"), http("case", "x/{id}")], "api")
    found = find(by_name, "GET", "/api/x/all")
    assert found
    assert (found[0].name, found[1]) == ("case", {"id": "all"})


@pytest.mark.parametrize("route", ["{id:regex(a)}", "{id=7}", "a{b}c", "{a}-{b}"])
def test_what_the_router_does_not_know_is_refused_rather_than_misread(route: str) -> None:
    with pytest.raises(CannotStart, match="local host does not know"):
        Route.of(http("f", route), "api")


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        ("*/5 * * * * *", "2026-11-22T12:00:03.5", "2026-11-22T12:00:05"),
        ("*/5 * * * * *", "2026-11-22T12:00:05", "2026-11-22T12:00:10"),
        ("0 */10 * * * *", "2026-11-22T12:00:00", "2026-11-22T12:10:00"),
        ("0 30 9 * * Mon-Fri", "2026-11-21T12:00:00", "2026-11-23T09:30:00"),
        ("*/15 * * * *", "2026-11-22T12:01:00", "2026-11-22T12:15:00"),
        ("0 0 0 13 * 5", "2026-11-22T00:00:00", "2027-08-13T00:00:00"),  # a Friday AND the 13th
        ("00:00:30", "2026-11-22T12:00:00.25", "2026-11-22T12:00:30.25"),
        ("24:00:00", "2026-11-22T00:00:00", "2026-12-16T00:00:00"),
    ],
)
def test_a_schedule_is_next_due(schedule: str, after: str, due: str) -> None:
    found = parse_schedule(schedule)(datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize("schedule", ["", "@daily", "0 0 0 L * *", "0 0 0 * * 5#2", "99 * * * * *", "00:00:00", "x"])
def test_a_schedule_that_azure_would_not_take_is_refused(schedule: str) -> None:
    with pytest.raises(CannotStart, match="schedule"):
        parse_schedule(schedule)


def test_time_spans_read_as_in_dotnet() -> None:
    assert time_span("00:10:00") == timedelta(minutes=10)
    assert time_span("1.02:03:04.5") == timedelta(days=1, hours=2, minutes=3, seconds=4.5)
    assert time_span("30:00:00") == timedelta(days=30)


def test_settings_are_resolved_and_a_missing_one_is_named() -> None:
    assert resolve("%A%-x-%B%", {"A": "1", "B": "2"}) == "1-x-2"
    with pytest.raises(CannotStart, match="MISSING"):
        resolve("%MISSING%", {})
    assert connection_string("Own", {"Own": "plain", "AzureWebJobsOwn": "prefixed"}) == "prefixed"
    with pytest.raises(CannotStart, match="Own"):
        connection_string("Own", {"Own": ""})


def test_the_worker_gets_the_settings_and_nothing_else_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THIS_MACHINE", "x")
    environment = worker_environment({"OWN": "1", "PYTHON_THREADPOOL_THREAD_COUNT": "4"})
    assert "SECRET_OF_THIS_MACHINE" not in environment
    assert (environment["OWN"], environment["PYTHON_THREADPOOL_THREAD_COUNT"]) == ("1", "4")


@pytest.mark.parametrize("text", ["{", "[]", '{"IsEncrypted": false}', '{"Values": {"N": 7}}'])
def test_a_broken_settings_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(CannotStart, match=r"settings\.json"):
        load_settings(tmp_path / "settings.json")


def read_host_json(folder: Path, content: object) -> HostJson:
    (folder / "host.json").write_text(json.dumps(content))
    return HostJson.read(folder)


def test_host_json_has_the_defaults_of_azure(tmp_path: Path) -> None:
    without = HostJson.read(tmp_path)
    assert without.route_prefix == "api"
    assert without.queues.max_dequeue_count == 5
    assert without.queues.base64
    assert without.function_timeout == timedelta(minutes=30)


def test_host_json_is_heeded_and_what_is_unknown_is_ignored(tmp_path: Path) -> None:
    queues = {"batchSize": 4, "newBatchThreshold": 1, "visibilityTimeout": "00:00:07", "messageEncoding": "none"}
    extensions = {"http": {"routePrefix": ""}, "queues": queues, "blobs": {}}
    found = read_host_json(tmp_path, {"functionTimeout": "-1", "extensions": extensions, "other": 1})
    assert (found.route_prefix, found.function_timeout) == ("", None)
    assert (found.queues.batch_size, found.queues.new_batch_threshold) == (4, 1)
    assert (found.queues.visibility_timeout, found.queues.base64) == (timedelta(seconds=7), False)


@pytest.mark.parametrize(
    "queues", [{"batchSize": 33}, {"maxDequeueCount": 0}, {"messageEncoding": "rot13"}, {"visibilityTimeout": "7"}]
)
def test_host_json_that_azure_would_not_take_is_refused(tmp_path: Path, queues: object) -> None:
    with pytest.raises(CannotStart, match=r"host\.json"):
        read_host_json(tmp_path, {"extensions": {"queues": queues}})


def sdk_functions(app: str) -> list[Function]:
    """The functions of a sample app, indexed by the SDK in this process."""
    spec = importlib.util.spec_from_file_location(f"app_{app}", APPS / app / "function_app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [Function.from_sdk(function) for function in module.app.get_functions()]


def test_refusals_name_what_indexing_lets_through() -> None:
    found = refusals(sdk_functions("refused"))
    assert [text.split(":")[0] for text in found] == ["second", "reserved", "retried"]


def test_an_app_without_faults_is_not_refused() -> None:
    assert refusals(sdk_functions("queues")) == []


def test_two_routes_conflict_only_with_a_method_in_common() -> None:
    get, put, every = http("get", "x", ["GET"]), http("put", "X/", ["PUT"]), http("every", "/x")
    assert refusals([get, put]) == []
    assert len(refusals([get, every])) == 1
    assert len(refusals([get, http("x")])) == 1, "no route means the name"


def test_options_survive_the_command_line(tmp_path: Path) -> None:
    options = HostOptions(
        app_dir=tmp_path,
        worker_python=tmp_path / "python",
        settings=tmp_path / "s",
        master_key="-begins with a dash",
        visibility_seconds=3,
        create_trigger_queues=False,
        lease_seconds=0.5,
    )
    assert HostOptions.parse(options.arguments()) == options


def test_every_option_has_a_docstring_for_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        HostOptions.parse(["--help"])
    help_text = " ".join(capsys.readouterr().out.split())
    assert "How long a queue message stays hidden while its handler runs" in help_text


@pytest.mark.parametrize(
    ("level", "key", "code", "admitted"),
    [
        ("anonymous", None, None, True),
        ("function", None, None, False),
        ("function", "host", None, True),
        ("function", None, "host", True),
        ("function", "master", None, True),
        ("function", "wrong", "host", False),
        ("function", "", "host", False),
        ("admin", "host", None, False),
        ("admin", "master", None, True),
    ],
)
def test_keys(level: str, key: str | None, code: str | None, admitted: bool) -> None:
    headers = {} if key is None else {"x-functions-key": key}
    assert Keys("master", "host").admit(level, headers, {"code": code} if code else {}) is admitted


def test_an_output_becomes_as_many_messages_as_its_array_has_items() -> None:
    assert list(messages({"type": "string", "value": "[1, 2]"})) == [b"[1, 2]"]
    assert list(messages({"type": "bytes", "value": "AAE="})) == [b"\x00\x01"]
    assert list(messages({"type": "json", "value": '["a", {"b": 1}]'})) == [b"a", b'{"b": 1}']


def test_the_pause_before_an_empty_queue_grows_to_its_limit_and_starts_again() -> None:
    backoff = Backoff(timedelta(seconds=2))
    pauses = [backoff.next_seconds() for _ in range(12)]
    assert pauses[0] == 0.1
    assert pauses == sorted(pauses)
    assert pauses[-1] == 2
    backoff.reset()
    assert backoff.next_seconds() == 0.1
