"""App settings both ways: what the code reads is set, what is set is read. Queues and tables: the code's own names."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from shared.adapters.messages import DELIVER, DIAGNOSE, NOTIFY, OPERATE, REMEDIATE
from shared.adapters.tables import (
    alarms,
    breakers,
    budgets,
    holds,
    idempotency,
    index,
    lists,
    operations,
    pauses,
    receipts,
    webhooks,
)
from shared.entrypoints.routes import ROUTES
from shared.settings import Settings
from tests.infra.bicep_source import Source, load, properties, text

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"

NOT_ON_AZURE = {
    "AzureWebJobsStorage": "a connection string holds a key; the account is reached by identity",
    "DATAVERSE_TENANT_ID": "the managed identity signs in",
    "DATAVERSE_CLIENT_ID": "the managed identity signs in",
    "DATAVERSE_CLIENT_SECRET": "the managed identity signs in",
    "UNSTUCK_KEYS_ALLOWED_AS": "people and applications sign in; keys open nothing",
}
READ_BY_THE_PLATFORM = {
    "AzureWebJobsStorage__credential": "the Functions host: sign in to storage by identity",
    "AzureWebJobsStorage__clientId": "the Functions host: by which identity",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "the Functions host: where telemetry goes",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "the Functions host: by which identity it is sent",
    "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID": "App Service's sign-in: the identity instead of a client secret",
    "WEBSITE_AUTH_AAD_ALLOWED_TENANTS": "App Service's sign-in: nobody of another tenant",
}
# Settings that Flex Consumption refuses or ignores.
NOT_ON_FLEX = (
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_EXTENSION_VERSION",
    "WEBSITE_RUN_FROM_PACKAGE",
    "ENABLE_ORYX_BUILD",
)


def read_by_code() -> set[str]:
    entrypoints = (ROOT / "shared" / "entrypoints").glob("*.py")
    schedules = {name for file in entrypoints for name in re.findall(r'"%(\w+)%"', file.read_text(encoding="utf-8"))}
    return set(Settings.model_fields) | schedules


def set_by(sources: list[Source]) -> set[str]:
    files = {str(source.path): source for source in sources}
    app, types = files["modules/app.bicep"], files["types.bicep"]
    objects = [
        app.of("var")["platformSettings"].node.named_children[-1],
        app.of("var")["appSettings"].node.named_children[-1],
        types.of("type")["tuningType"].node.named_children[-1],
    ]
    return {name for each in objects for name in properties(each)}


def differences(sources: list[Source]) -> set[str]:
    """What is read and not set, or set and not read."""
    expected = (read_by_code() - set(NOT_ON_AZURE)) | set(READ_BY_THE_PLATFORM)
    return set_by(sources) ^ expected


def edited(file: str, old: str, new: str) -> list[Source]:
    changed = [Source(s.path, s.text.replace(old, new, 1)) if str(s.path) == file else s for s in load(INFRA)]
    assert [s.text for s in changed] != [s.text for s in load(INFRA)], f"{old!r} is no longer in {file}"
    return changed


def test_settings_agree_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    assert differences(load(INFRA)) == set()
    with capsys.disabled():
        print(f"\ninfra: {len(set_by(load(INFRA)))} settings checked both ways")


def test_whatever_needs_no_role_needs_no_sign_in() -> None:
    (app,) = [source for source in load(INFRA) if str(source.path) == "modules/app.bicep"]
    open_to_all = re.search(r"excludedPaths: \[(.*)\]", app.text)
    assert open_to_all is not None
    routes = {f"/api/{route.path}" for route in ROUTES if route.role is None}
    assert {path for path in re.findall("'([^']+)'", open_to_all[1]) if "console" not in path} == routes


def test_the_settings_object_is_what_the_app_gets() -> None:
    (app,) = [source for source in load(INFRA) if str(source.path) == "modules/app.bicep"]
    assert "properties: union(platformSettings, appSettings, tuning)" in app.text


@pytest.mark.parametrize(
    ("file", "old", "new", "name"),
    [
        ("modules/app.bicep", "  WAKE_SCHEDULE: schedules.wake\n", "", "WAKE_SCHEDULE"),
        ("modules/app.bicep", "  DATAVERSE_URL:", "  DATAVERSE_URI:", "DATAVERSE_URL"),
        ("types.bicep", "  UNSTUCK_ATTEMPTS: string?\n", "", "UNSTUCK_ATTEMPTS"),
        ("modules/app.bicep", "  UNSTUCK_MODE: mode\n", "  UNSTUCK_MODE: mode\n  SPARE: 'x'\n", "SPARE"),
    ],
)
def test_a_setting_that_is_missing_or_for_nobody_is_found(file: str, old: str, new: str, name: str) -> None:
    assert name in differences(edited(file, old, new))


def test_what_is_not_set_on_azure_is_documented_all_the_same() -> None:
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in NOT_ON_AZURE if f"`{name}`" not in written] == []


def test_nothing_is_set_that_flex_refuses() -> None:
    assert [name for name in NOT_ON_FLEX if name in set_by(load(INFRA))] == []


def names_in_main(variable: str) -> list[str]:
    (main,) = [source for source in load(INFRA) if str(source.path) == "main.bicep"]
    return [text(item) for item in main.of("var")[variable].node.named_children[-1].named_children]


def test_the_queues_are_those_that_the_app_uses() -> None:
    queues = [DIAGNOSE, REMEDIATE, NOTIFY, OPERATE, DELIVER]
    assert sorted(names_in_main("queueNames")) == sorted([*queues, *(f"{name}-poison" for name in queues)])
    triggers = (ROOT / "shared" / "entrypoints" / "queues.py").read_text(encoding="utf-8")
    assert sorted(re.findall(r'queue_name="([\w-]+)"', triggers)) == sorted(names_in_main("queueNames"))


def test_the_tables_are_those_that_the_app_uses() -> None:
    modules = (alarms, breakers, budgets, holds, idempotency, index, operations, pauses, receipts, webhooks)
    known = {lists.CASES, *(module.TABLE for module in modules)}
    assert set(names_in_main("tableNames")) == known
    folder = ROOT / "shared" / "adapters" / "tables"
    imported = [import_module(f"shared.adapters.tables.{file.stem}") for file in folder.glob("*.py")]
    assert {getattr(m, n) for m in imported for n in ("TABLE", "CASES") if hasattr(m, n)} == known, "a table is new"
