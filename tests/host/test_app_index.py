"""The app's own functions: Microsoft's worker runtime indexes them, and the real host would take them."""

import re
from itertools import product
from pathlib import Path

import azure.functions as func
import pytest

import function_app
from local.functions_host.metadata import HTTP_TRIGGER, Function
from local.functions_host.refusals import refusals
from shared.bootstrap import app as this_app
from shared.domain.role import Role
from shared.entrypoints.callers import Gate
from shared.entrypoints.routes import ROUTES
from shared.entrypoints.serving import blueprint_of

FUNCTIONS = [Function.from_sdk(f) for f in function_app.app.get_functions()]


def test_the_real_host_would_refuse_nothing() -> None:
    assert refusals(FUNCTIONS) == []


def test_every_trigger_is_there() -> None:
    names = {f.name for f in FUNCTIONS}
    queues = {"diagnose", "remediate", "notify", "operate"}
    assert names >= {"sweep", "wake", "http_get_health", *queues, *(f"{name}_poison" for name in queues)}


@pytest.mark.parametrize("setting", ["SWEEP_SCHEDULE", "WAKE_SCHEDULE"])
def test_schedules_come_from_app_settings(setting: str) -> None:
    text = (Path(function_app.__file__).parent / "shared" / "entrypoints" / "timers.py").read_text("utf-8")
    assert f"%{setting}%" in text


def test_every_http_function_is_of_the_table_of_routes() -> None:
    """Whatever is not of the table has no role, no tests and no place in the swagger document."""
    http = {f.name for f in FUNCTIONS if f.trigger.kind == HTTP_TRIGGER}
    assert http == {route.function for route in ROUTES}


@pytest.mark.parametrize("gate", [Gate(), Gate(keys_as=Role.READER)], ids=["no keys", "keys"])
def test_the_host_checks_keys_where_the_app_believes_them(gate: Gate) -> None:
    app = func.FunctionApp()
    app.register_functions(blueprint_of(ROUTES, gate, this_app))
    levels = {f.name: f.auth_level for f in map(Function.from_sdk, app.get_functions())}
    wanted = "function" if gate.key_level else "anonymous"
    assert levels == {r.function: "anonymous" if r.role is None else wanted for r in ROUTES}


def test_no_route_hides_another() -> None:
    """The host tries routes by the names of their functions: a parameter would swallow another's word."""
    taken: dict[tuple[str, str], str] = {}
    for route in ROUTES:
        shape = (route.method, re.sub(r"\{\w+\}", "*", route.path))
        assert shape not in taken, (route.operation, taken.get(shape))
        taken[shape] = route.operation
    for (method, one), (other_method, other) in product(taken, taken):
        if method == other_method and one != other and one.count("/") == other.count("/"):
            pairs = zip(one.split("/"), other.split("/"), strict=True)
            assert any(a != b and "*" not in (a, b) for a, b in pairs), (one, other)
