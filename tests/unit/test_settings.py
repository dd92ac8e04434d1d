"""Settings: every problem is named, no value is shown, and the docs list exactly what is read."""

import re
from pathlib import Path
from typing import Any

import pytest

from shared.errors import SettingsError
from shared.settings import Settings, load

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"

GOOD = {
    "UNSTUCK_MODE": "observe",
    "DATAVERSE_URL": "https://contoso.crm.dynamics.com/",
    "DATAVERSE_ORGANIZATION_ID": "00000000-0000-0000-0000-0000000000AA",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "SWEEP_SCHEDULE": "0 */5 * * * *",
    "WAKE_SCHEDULE": "30 * * * * *",
}


def problems(**changes: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        load({**GOOD, **changes})
    return raised.value.problems


def test_what_is_needed_is_enough() -> None:
    settings = load(GOOD)
    assert settings.DATAVERSE_URL == "https://contoso.crm.dynamics.com"
    assert settings.DATAVERSE_ORGANIZATION_ID == "00000000-0000-0000-0000-0000000000aa"


@pytest.mark.parametrize(
    "name", ["UNSTUCK_MODE", "DATAVERSE_URL", "DATAVERSE_ORGANIZATION_ID", "SWEEP_SCHEDULE", "WAKE_SCHEDULE"]
)
def test_each_required_setting_that_is_missing_or_empty_is_named(name: str) -> None:
    assert problems(**{name: " "}) == [
        f"{name} is missing" + (": set it to observe, approve or auto" if name == "UNSTUCK_MODE" else "")
    ]


def test_all_problems_are_named_at_once() -> None:
    assert len(problems(UNSTUCK_MODE="on", DATAVERSE_URL="ftp://x", UNSTUCK_ATTEMPTS="many")) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UNSTUCK_MODE", "Auto "),
        ("DATAVERSE_URL", "http://contoso.crm.dynamics.com"),
        ("DATAVERSE_URL", "https://"),
        ("DATAVERSE_ORGANIZATION_ID", "contoso"),
        ("WORK365_TIME_ZONE", "Mars/Phobos"),
        ("WORK365_TIME_ZONE", "../etc/passwd"),
        ("WORK365_JOB_CYCLE_SECONDS", "0"),
        ("WORK365_JOB_CYCLE_SECONDS", "nan"),
        ("WORK365_JOB_CYCLE_SECONDS", "1e400"),
        ("UNSTUCK_STABLE_SECONDS", "-1"),
        ("UNSTUCK_ATTEMPTS", "0"),
        ("SWEEP_SCHEDULE", "every five minutes"),
        ("WAKE_SCHEDULE", "61 * * * * *"),
        ("WORK365_RUN_JOB", "workflow:all"),
        ("NOTIFY_WEBHOOK_URL", "http://example.com/secret-path?sig=secret"),
    ],
)
def test_a_wrong_value_is_named_by_its_setting_and_never_shown(name: str, value: str) -> None:
    (problem,) = problems(**{name: value})
    assert problem.startswith(name)
    assert len(value) < 9 or value not in problem  # a short one may be part of a word of ours
    assert "secret" not in problem


def test_half_a_client_secret_sign_in_is_refused() -> None:
    (problem,) = problems(DATAVERSE_CLIENT_ID="x")
    assert "DATAVERSE_CLIENT_SECRET" in problem


def test_storage_must_be_given_one_way() -> None:
    (problem,) = problems(AzureWebJobsStorage="")
    assert "AzureWebJobsStorage" in problem


def test_secrets_are_not_in_repr() -> None:
    settings = load(
        {
            **GOOD,
            "DATAVERSE_TENANT_ID": "t",
            "DATAVERSE_CLIENT_ID": "c",
            "DATAVERSE_CLIENT_SECRET": "hush",
            "NOTIFY_WEBHOOK_URL": "https://example.com/hush",
        }
    )
    assert "hush" not in repr(settings)


def test_the_docs_list_exactly_the_settings_that_are_read() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", DOCS.read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(Settings.model_fields)


def test_the_docs_name_the_defaults() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", DOCS.read_text("utf-8"), re.MULTILINE))
    for name, field in Settings.model_fields.items():
        assert rows[name] == _shown(field), name


def _shown(field: Any) -> str:
    if field.is_required():
        return "required"
    if field.default is None:
        return "empty"
    if isinstance(field.default, tuple):
        return ",".join(field.default)
    seconds = getattr(field.default, "total_seconds", None)
    return str(int(seconds())) if seconds else str(field.default)
