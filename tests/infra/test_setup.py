"""infra/setup.py against an `az` that remembers: what it makes, that twice is like once, what it asks for."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.az import Ran
from infra.dataverse_access import DEFINITION
from infra.directory import AZURE_CLI, ROLES
from infra.setup import main
from shared.adapters.work365 import schema
from tests.infra.fake_az import ORG, ORGANIZATION, TENANT, FakeAz

IDENTITY = "44444444-0000-0000-0000-000000000000"
PRINCIPAL = "55555555-0000-0000-0000-000000000000"
TABLES = [table.logical for table in schema.load().tables.values()]
NAME = "Unstuck's test & more"


@pytest.fixture
def az() -> FakeAz:
    return FakeAz(TABLES)


def run(az: FakeAz, *arguments: str) -> list[str]:
    said: list[str] = []
    assert main(arguments, az, said.append) == 0
    return said


def registration(az: FakeAz, *more: str) -> list[str]:
    return run(az, "registration", "--name", NAME, *more)


def dataverse(az: FakeAz, *more: str) -> list[str]:
    ids = ("--organization-id", ORGANIZATION, "--identity-client-id", IDENTITY)
    return run(az, "dataverse", "--url", ORG, *ids, *more)


def client_id(az: FakeAz) -> str:
    return str(az.applications[0]["appId"])


def changes_nothing(az: FakeAz, *arguments: str) -> None:
    before = len(az.writes)
    assert run(az, *arguments)[-1] == "nothing to change"
    assert az.writes[before:] == []


def failing(az: Any, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments, az, lambda _: None) == 1
    return capsys.readouterr().err


def test_the_registration_has_the_three_roles_and_the_scope(az: FakeAz) -> None:
    said = registration(az, "--app-url", "https://unstuck.azurewebsites.net")
    (made,) = az.applications
    assert [role["value"] for role in made["appRoles"]] == ["Reader", "Operator", "Approver"] == list(ROLES)
    assert [scope["value"] for scope in made["api"]["oauth2PermissionScopes"]] == ["user_impersonation"]
    assert made["identifierUris"] == [f"api://{made['appId']}"]
    assert made["web"]["redirectUris"] == ["https://unstuck.azurewebsites.net/.auth/login/aad/callback"]
    assert made["signInAudience"] == "AzureADMyOrg"
    assert az.principals == [made["appId"]]
    assert f"UNSTUCK_API_CLIENT_ID={made['appId']}" in said


def test_a_registration_made_by_hand_gets_what_it_lacks_and_keeps_what_it_has(az: FakeAz) -> None:
    registration(az)
    own = {"id": "own", "value": "Auditor"}
    az.applications[0]["appRoles"] = [own, az.applications[0]["appRoles"][0]]
    registration(az)
    assert [role["value"] for role in az.applications[0]["appRoles"]] == ["Auditor", "Reader", "Operator", "Approver"]


def test_the_identity_is_trusted(az: FakeAz) -> None:
    registration(az)
    trust = ("trust", "--client-id", client_id(az), "--identity-principal-id", PRINCIPAL)
    run(az, *trust)
    ((credential,),) = az.credentials.values()
    assert credential["subject"] == PRINCIPAL
    assert credential["issuer"] == f"https://login.microsoftonline.com/{TENANT}/v2.0"
    changes_nothing(az, *trust)


def test_another_identity_takes_the_place_of_the_first(az: FakeAz) -> None:
    registration(az)
    for principal in (IDENTITY, PRINCIPAL):
        run(az, "trust", "--client-id", client_id(az), "--identity-principal-id", principal)
    assert [[each["subject"] for each in held] for held in az.credentials.values()] == [[PRINCIPAL]]


def test_the_user_in_dataverse_has_the_role_and_the_role_just_its_privileges(az: FakeAz) -> None:
    dataverse(az)
    (user,), (role,) = az.users, az.roles
    assert [each["name"] for each in user["systemuserroles_association"]] == ["Unstuck"]
    held = {name: depth for name, depth in az.held[role["roleid"]].items() if name not in az.stays}
    writes = [name for name in held if not name.startswith("Read:")]
    assert writes == ["Write:work365_licensechangelog"]
    assert {name.partition(":")[2] for name in held} == set(TABLES)
    assert set(held.values()) == {"Global"}


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (
            "job_row",
            {"Create:work365_job", "Write:work365_job", "Append:work365_job", "AppendTo:work365_licensechangelog"},
        ),
        ("workflow", {"prvWorkflowExecution"}),
    ],
)
def test_running_jobs_needs_more(az: FakeAz, kind: str, more: set[str]) -> None:
    dataverse(az)
    before = set(az.held[az.roles[0]["roleid"]])
    dataverse(az, "--run-job", kind)
    assert set(az.held[az.roles[0]["roleid"]]) - before == more
    assert len(az.roles) == len(az.users) == 1


def test_the_connector_may_act_for_people(az: FakeAz) -> None:
    registration(az)
    connector = ("connector", "--name", "Connector", "--client-id", client_id(az), "--redirect", "https://x.y/redirect")
    run(az, *connector)
    api, made = az.applications
    assert made["requiredResourceAccess"][0]["resourceAppId"] == api["appId"]
    assert made["web"]["redirectUris"] == ["https://x.y/redirect"]
    assert [each["appId"] for each in api["api"]["preAuthorizedApplications"]] == [made["appId"]]
    assert len(api["api"]["oauth2PermissionScopes"]) == 1, "the rest of the registration is kept"
    changes_nothing(az, *connector)


def test_people_may_be_let_in_by_the_azure_cli(az: FakeAz) -> None:
    registration(az, "--with-cli")
    api = az.applications[0]["api"]
    (allowed,) = api["preAuthorizedApplications"]
    assert allowed == {"appId": AZURE_CLI, "delegatedPermissionIds": [api["oauth2PermissionScopes"][0]["id"]]}
    changes_nothing(az, "registration", "--name", NAME, "--with-cli")


def test_a_connector_needs_a_registration_with_the_scope(az: FakeAz, capsys: pytest.CaptureFixture[str]) -> None:
    registration(az)
    az.applications[0]["api"] = {}
    said = failing(az, capsys, "connector", "--name", "Connector", "--client-id", client_id(az))
    assert "run `setup.py registration` first" in said


def test_twice_is_the_same_as_once(az: FakeAz) -> None:
    registration(az)
    dataverse(az)
    az.writes.clear()
    assert registration(az)[-1] == dataverse(az)[-1] == "nothing to change"
    assert az.writes == []


@pytest.mark.parametrize("command", ["registration", "dataverse"])
def test_a_dry_run_says_what_and_does_nothing(az: FakeAz, command: str) -> None:
    said = registration(az, "--dry-run") if command == "registration" else dataverse(az, "--dry-run")
    assert az.writes == []
    assert any(line.startswith("would be done: ") for line in said)


def test_missing_directory_rights_are_answered_with_what_to_ask_for(capsys: pytest.CaptureFixture[str]) -> None:
    az = FakeAz(TABLES, deny=["https://graph.microsoft.com"])
    said = failing(az, capsys, "registration", "--name", "x")
    assert "Application Administrator" in said
    assert az.applications == []


def test_missing_rights_in_dataverse_are_answered_with_what_to_ask_for(capsys: pytest.CaptureFixture[str]) -> None:
    ids = ("--organization-id", ORGANIZATION, "--identity-client-id", IDENTITY)
    said = failing(FakeAz(TABLES, deny=[ORG]), capsys, "dataverse", "--url", ORG, *ids)
    assert "System Administrator" in said


def test_another_organisation_is_left_alone(az: FakeAz, capsys: pytest.CaptureFixture[str]) -> None:
    ids = ("--organization-id", IDENTITY, "--identity-client-id", IDENTITY)
    assert "Nothing was changed" in failing(az, capsys, "dataverse", "--url", ORG, *ids)
    assert az.writes == []


def test_an_address_without_dataverse_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    ids = ("--organization-id", ORGANIZATION, "--identity-client-id", IDENTITY)
    said = failing(lambda _: Ran(3, "", "ERROR: Not Found({})"), capsys, "dataverse", "--url", ORG, *ids)
    assert f"no Dataverse environment at {ORG}" in said


def test_a_refused_question_is_not_taken_for_something_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    refused = 'ERROR: Forbidden({"error":{"message":"The user with id x does not exist."}})'
    ids = ("--organization-id", ORGANIZATION, "--identity-client-id", IDENTITY)
    said = failing(lambda _: Ran(1, "", refused), capsys, "dataverse", "--url", ORG, *ids)
    assert "System Administrator" in said


def test_a_table_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    ids = ("--organization-id", ORGANIZATION, "--identity-client-id", IDENTITY)
    az = FakeAz([table for table in TABLES if table != "work365_job"])
    assert "no table work365_job" in failing(az, capsys, "dataverse", "--url", ORG, *ids)
    assert az.writes == [], "nothing half done"


def test_an_optional_table_that_is_not_there_is_told() -> None:
    az = FakeAz([table for table in TABLES if table != "pricelevel"])
    assert any("no table pricelevel" in line for line in dataverse(az))
    assert len(az.users) == 1


def test_two_registrations_of_one_name_are_a_persons_matter(az: FakeAz, capsys: pytest.CaptureFixture[str]) -> None:
    registration(az)
    az.applications.append(dict(az.applications[0]))
    assert "2 registrations" in failing(az, capsys, "registration", "--name", NAME)


def test_a_client_id_that_nobody_has_is_named(az: FakeAz, capsys: pytest.CaptureFixture[str]) -> None:
    said = failing(az, capsys, "trust", "--client-id", IDENTITY, "--identity-principal-id", PRINCIPAL)
    assert IDENTITY in said


def test_whoever_is_not_signed_in_is_told_how(capsys: pytest.CaptureFixture[str]) -> None:
    said = failing(
        lambda _: Ran(1, "", "Please run 'az login' to setup account."), capsys, "registration", "--name", "x"
    )
    assert "az login" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("trust", "--client-id", "x", "--identity-principal-id", PRINCIPAL),
        ("dataverse", "--url", "http://x", "--organization-id", IDENTITY, "--identity-client-id", IDENTITY),
        ("registration", "--name", " "),
    ],
)
def test_what_makes_no_sense_is_refused(az: FakeAz, arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments, az)
    assert refused.value.code == 2
    assert az.writes == []


def test_the_role_covers_the_schema_map_and_writes_one_table() -> None:
    definition = json.loads(Path(DEFINITION).read_text("utf-8"))
    assert set(definition["tables"]) == set(schema.load().tables)
    writes = [name for name, entry in definition["tables"].items() if set(entry["rights"]) - {"Read"}]
    assert writes == ["license_change_log"]
    assert all(entry["why"] for entry in definition["tables"].values())


def test_each_way_to_run_a_job_has_its_rights() -> None:
    assert set(json.loads(Path(DEFINITION).read_text("utf-8"))["run_job"]) == {"next_cycle", "job_row", "workflow"}
