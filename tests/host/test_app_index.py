"""The app's own functions: Microsoft's worker runtime indexes them, and the real host would take them."""

from pathlib import Path

import pytest

import function_app
from local.functions_host.metadata import Function
from local.functions_host.refusals import refusals

FUNCTIONS = [Function.from_sdk(f) for f in function_app.app.get_functions()]


def test_the_real_host_would_refuse_nothing() -> None:
    assert refusals(FUNCTIONS) == []


def test_every_trigger_is_there() -> None:
    names = {f.name for f in FUNCTIONS}
    queues = {"diagnose", "remediate", "notify"}
    assert names >= {"sweep", "wake", "health", *queues, *(f"{name}_poison" for name in queues)}


@pytest.mark.parametrize("setting", ["SWEEP_SCHEDULE", "WAKE_SCHEDULE"])
def test_schedules_come_from_app_settings(setting: str) -> None:
    text = (Path(function_app.__file__).parent / "shared" / "entrypoints" / "timers.py").read_text("utf-8")
    assert f"%{setting}%" in text
