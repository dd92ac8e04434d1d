"""dev.py's commands: what is accepted, what is said, which exit code."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import dev
from bench import diagnosis
from drill import rehearsal
from local.app_settings import SettingRefused, app_settings, parse_settings
from local.dev import checks
from local.dev.commands import run
from shared.settings import Settings, load

ROOT = Path(__file__).parents[2]
CLOUD = {
    "dataverse": "http://127.0.0.1:1",
    "partner_center": "http://127.0.0.1:2",
    "sign_in": "http://127.0.0.1:3",
    "control": "http://127.0.0.1:4",
    "identity_header": "secret",
    "organization_id": "0f6ce7c8-7a0c-4f0e-9d0b-36500000a001",
}


def test_without_a_command_it_tells_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main([]) == 2
    said = capsys.readouterr().out
    assert all(f"dev.py {command}" in said for command in dev.COMMANDS)


def test_an_unknown_command_is_refused_before_anything_is_set_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["demoo"]) == 2
    assert "no command 'demoo'" in capsys.readouterr().err


WELL = rehearsal.Rehearsed(18, 18, 528, 528, 10, 10, 2_000, 0, seed=7, seconds=60.0, schedules_per_second=50.0)


@pytest.mark.parametrize(
    ("worse", "code"),
    [
        ({}, 0),
        ({"guards_that_bite": 17}, 1),
        ({"failpoints_survived": 527}, 1),
        ({"ablations_caught": 9}, 1),
        ({"violations": 1, "trouble": ("seed 12: nothing is ordered twice",)}, 1),
    ],
)
def test_drill_says_what_it_found_and_fails_if_anything_was_not_stood(
    worse: dict[str, Any], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[int, int]] = []

    def rehearse(schedules: int, seed: int, told: object) -> rehearsal.Rehearsed:
        asked.append((schedules, seed))
        return replace(WELL, **worse)

    monkeypatch.setattr(rehearsal, "rehearse", rehearse)
    assert run(ROOT, ["drill", "--json", "--schedules", "2000", "--seed", "7"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["schedules"] == 2_000
    assert told["violations"] == worse.get("violations", 0)
    counted = "guards guards_that_bite failpoints failpoints_survived ablations ablations_caught schedules violations"
    assert all(type(told[name]) is int for name in counted.split())
    assert run(ROOT, ["drill"]) == code
    said = capsys.readouterr().out
    assert "failpoints" in said
    assert all(line in said for line in worse.get("trouble", ()))
    assert asked == [(2_000, 7), (rehearsal.SCHEDULES, 0)]


@pytest.mark.parametrize("given", ["-1", "many", "1.5"])
def test_a_drill_of_no_such_number_is_refused(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(ROOT, ["drill", f"--schedules={given}"])
    assert "--schedules: " + repr(given) in capsys.readouterr().err


@pytest.mark.parametrize(("ratio", "code"), [(9.9, 0), (10.0, 0), (10.1, 1)])
def test_bench_says_what_it_measured_and_fails_if_a_target_is_missed(
    ratio: float, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = diagnosis.Measured(5_000, 12_000_000, 0.5, 0.5 * ratio, ratio, 10.0)
    monkeypatch.setattr(diagnosis, "measure", lambda: measured)
    assert run(ROOT, ["bench", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["bench"]["diagnosis"]["ratio"] == ratio
    assert told["bench"]["diagnosis"]["target"] == 10.0
    assert run(ROOT, ["bench"]) == code
    said = capsys.readouterr().out
    assert "diagnosing 5,000 subscriptions" in said
    assert f"{ratio:.2f} times as long (target: at most 10)" in said


def test_bench_times_both_on_the_same_evidence() -> None:
    measured = diagnosis.measure(subscriptions=20, rounds=1)
    assert measured.subscriptions == 20
    assert measured.evidence_bytes > 20_000
    assert measured.ratio == pytest.approx(measured.diagnose_seconds / measured.decode_seconds, abs=0.001)


@pytest.mark.parametrize("command", ["demo", "up"])
def test_a_world_that_is_not_there_is_said_before_anything_starts(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(ROOT, [command, "--world", "nowhere"]) == 2
    said = capsys.readouterr()
    assert "there is no world file nowhere" in said.err
    assert "default" in said.err
    assert said.out == ""


def test_a_setting_without_a_value_is_refused() -> None:
    assert parse_settings(["A=1", "B=x=y", "C="]) == {"A": "1", "B": "x=y", "C": ""}
    with pytest.raises(SettingRefused, match="NAME=VALUE"):
        parse_settings(["A"])


def test_the_stack_gives_the_app_settings_that_the_app_takes() -> None:
    given = app_settings(CLOUD, "UseDevelopmentStorage=true", "Europe/Berlin", "approve", {"UNSTUCK_ATTEMPTS": "1"})
    settings = load(given)
    assert settings.UNSTUCK_MODE == "approve"
    assert settings.UNSTUCK_ATTEMPTS == 1
    assert str(settings.WORK365_TIME_ZONE) == "Europe/Berlin"
    # A name that the app does not read would be a typing error; these are the host's and the platform's.
    others = {"FUNCTIONS_WORKER_RUNTIME", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"}
    unknown = set(given) - set(Settings.model_fields) - others
    assert {name for name in unknown if not name.startswith("AzureFunctionsJobHost__")} == set()


class Passing:
    """Stands in for subprocess.run: every program ends with the code that its name is given."""

    def __init__(self, codes: dict[str, int]) -> None:
        self.codes = codes
        self.ran: list[str] = []

    def __call__(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[0] == sys.executable
        name = next(word for word in ("ruff", "mypy", "lint_imports", "pytest") if word in " ".join(command))
        self.ran.append(name)
        return subprocess.CompletedProcess(command, self.codes.get(name, 0), f"{name} says what is wrong", "")


def test_all_checks_run_and_one_that_fails_fails_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs = Passing({"mypy": 1})
    monkeypatch.setattr("local.dev.checks.subprocess.run", programs)
    assert checks.run_checks(ROOT, []) == 1
    assert programs.ran == ["ruff", "ruff", "mypy", "lint_imports", "pytest"]
    said = capsys.readouterr().out
    assert "mypy says what is wrong" in said
    assert "ruff says" not in said
    assert "FAILED: mypy" in said


def test_with_arguments_only_pytest_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Passing({"pytest": 5})
    monkeypatch.setattr("local.dev.checks.subprocess.run", programs)
    assert checks.run_checks(ROOT, ["-k", "nothing"]) == 5
    assert programs.ran == ["pytest"]
