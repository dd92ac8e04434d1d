"""infra/ holds together, as far as that can be told without a Bicep compiler; and the checks that say so bite."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.infra.azure_models import MODELS, shape_of
from tests.infra.bicep_checks import Counts, check
from tests.infra.bicep_source import Source, load, text

INFRA = Path(__file__).parents[2] / "infra"


def problems(sources: list[Source]) -> list[str]:
    return check(sources, Counts())


def edited(file: str, old: str, new: str) -> list[Source]:
    """All files, with one place of one file changed."""
    sources = load(INFRA)
    (chosen,) = [source for source in sources if str(source.path) == file]
    assert chosen.text.count(old) >= 1, f"{old!r} is no longer in {file}"
    changed = Source(chosen.path, chosen.text.replace(old, new, 1))
    return [changed if source is chosen else source for source in sources]


def test_nothing_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counts()
    assert check(load(INFRA), counts) == []
    assert counts.files >= 15
    assert counts.resources >= 30
    assert counts.properties >= 100
    with capsys.disabled():
        print(
            f"\ninfra: {counts.files} files, {counts.parameters} parameters, {counts.resources} resources, "
            f"{counts.properties} properties checked"
        )


PLANTED = {
    "a typo in a property": (
        "modules/storage.bicep",
        "allowSharedKeyAccess",
        "allowSharedKeyAcess",
        "allowSharedKeyAcess is not a property here",
    ),
    "a typo deep inside": (
        "modules/app.bicep",
        "userAssignedIdentityResourceId: identityId",
        "userAssignedIdentityId: identityId",
        "userAssignedIdentityId is not a property here",
    ),
    "a typo in an older model": (
        "modules/alerts.bicep",
        "minFailingPeriodsToAlert",
        "minimumFailingPeriods",
        "minimumFailingPeriods is not a property here",
    ),
    "a typo behind a variable": ("modules/app.bicep", "[{ name: 'http', ", "[{ nam: 'http', ", "nam is not a property"),
    "a value that is none of those there are": ("modules/storage.bicep", "'TLS1_2'", "'TLS12'", "TLS12 is none of"),
    "a value of another type": (
        "modules/storage.bicep",
        "allowBlobPublicAccess: false",
        "allowBlobPublicAccess: 'false'",
        "should be of type boolean",
    ),
    "an object where an array belongs": ("modules/private-endpoint.bicep", "[part]", "part2", "part2 is not declared"),
    "an unused parameter": ("modules/identity.bicep", "tags: tags", "tags: {}", "param tags is not used"),
    "an unused variable": ("main.bicep", "var suffix", "var more = 1\nvar suffix", "var more is not used"),
    "an undefined symbol": ("main.bicep", "tags: tags", "tags: label", "label is not declared"),
    "an undefined function": ("main.bicep", "take(", "trim(", "trim is not a function"),
    "a parameter that a module does not have": (
        "main.bicep",
        "sku: storageSku",
        "size: storageSku",
        "modules/storage.bicep has no parameter size",
    ),
    "a required parameter that is left out": (
        "main.bicep",
        "    sku: storageSku\n",
        "",
        "parameter sku of modules/storage.bicep is not given",
    ),
    "an output that is not there": ("main.bicep", "outputs.principalId", "outputs.objectId", "has no output objectId"),
    "an output that nobody reads": (
        "modules/storage.bicep",
        "output id string",
        "output spare string",
        "output spare is not used",
    ),
    "another role's id": ("modules/roles.bicep", "b7e6dc6d-f1e8", "b7e6dc6d-f1e9", "is not the id of role"),
    "a role without a name of its own": ("modules/vault.bicep", "guid(vault.id,", "concat(vault.id,", "must name one"),
    "a resource type that does not exist": (
        "modules/app.bicep",
        "Web/serverfarms@",
        "Web/serverFarm@",
        "not a resource",
    ),
    "a brace too few": (
        "modules/vault.bicep",
        "sku: { family: 'A', name: 'standard' }",
        "sku: { family: 'A'",
        "parsed",
    ),
    "a parameter file for nothing": (
        "test.bicepparam",
        "param storageSku",
        "param storageSize",
        "no parameter storageSize",
    ),
    "a parameter file without what is required": (
        "production.bicepparam",
        "param mode = 'observe'\n",
        "",
        "parameter mode",
    ),
    "a parameter that says nothing": (
        "modules/identity.bicep",
        "@description('Azure region.')\n",
        "",
        "location has no @description",
    ),
    "a type that is not there": ("main.bicep", "{ tuningType,", "{ turningType,", "types.bicep has no turningType"),
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_what_is_planted_is_found(planted: tuple[str, str, str, str]) -> None:
    file, old, new, complaint = planted
    found = problems(edited(file, old, new))
    assert any(complaint in problem for problem in found), found


@pytest.mark.parametrize("resource_type", MODELS)
def test_each_model_says_what_properties_there_are(resource_type: str) -> None:
    shape = shape_of(resource_type)
    assert shape is not None
    assert shape.fields["properties"].kind in ("object", "map"), "or nothing below it would be checked"


def one(source_path: str) -> Source:
    return next(source for source in load(INFRA) if str(source.path) == source_path)


@pytest.mark.parametrize(
    ("file", "written"),
    [
        ("modules/storage.bicep", "allowSharedKeyAccess: false"),
        ("modules/storage.bicep", "allowBlobPublicAccess: false"),
        ("modules/storage.bicep", "minimumTlsVersion: 'TLS1_2'"),
        ("modules/telemetry.bicep", "DisableLocalAuth: true"),
        ("modules/telemetry.bicep", "disableLocalAuth: true"),
        ("modules/vault.bicep", "enableRbacAuthorization: true"),
        ("modules/app.bicep", "httpsOnly: true"),
        ("modules/app.bicep", "requireAuthentication: true"),
        ("modules/app.bicep", "unauthenticatedClientAction: 'Return401'"),
        ("modules/app.bicep", "properties: { allow: false }"),
    ],
)
def test_what_keeps_it_shut_is_written(file: str, written: str) -> None:
    assert written in one(file).text


def test_every_parameter_file_starts_without_writing() -> None:
    for source in load(INFRA):
        if source.path.suffix == ".bicepparam":
            assert "observe" in text(source.of("var")["mode"].node), source.path


def test_nothing_holds_a_secret() -> None:
    forbidden: list[Callable[[str], bool]] = [
        lambda written: "listKeys(" in written,
        lambda written: "AccountKey" in written,
        lambda written: "InstrumentationKey" in written,
    ]
    for source in load(INFRA):
        assert not [rule for rule in forbidden if rule(source.text)], source.path
