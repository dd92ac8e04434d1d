"""EntityDefinitions of the local Dataverse (dataverse.md 1.9)."""

from collections.abc import Iterator

import pytest

from local.dataverse.render import Language
from local.dataverse.web_api import Options
from tests.contract.local_dataverse import SCHEMA, Dataverse

LCL = SCHEMA.table("license_change_log")
URL = f"EntityDefinitions(LogicalName='{LCL.logical}')"
CAST = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata"


@pytest.fixture
def dataverse() -> Iterator[Dataverse]:
    with Dataverse(Options(language=Language(1043, {"Provisioned": "Ingericht"}))) as environment:
        yield environment


def test_a_table_by_logical_name(dataverse: Dataverse) -> None:
    table = dataverse.get(f"{URL}?$select=LogicalName,EntitySetName,PrimaryIdAttribute,DisplayName").json
    assert (table["LogicalName"], table["EntitySetName"]) == (LCL.logical, LCL.entity_set)
    assert table["PrimaryIdAttribute"] == LCL.primary_id
    assert table["DisplayName"]["UserLocalizedLabel"]["Label"] == LCL.label
    assert "MetadataId" in table
    assert "SchemaName" not in table
    assert dataverse.get(f"{URL}?$select=IsOptimisticConcurrencyEnabled").json["IsOptimisticConcurrencyEnabled"] is True


def test_all_tables_filtered_by_simple_properties_only(dataverse: Dataverse) -> None:
    custom = dataverse.get("EntityDefinitions?$select=LogicalName&$filter=IsCustomEntity eq true").rows
    assert {row["LogicalName"] for row in custom} == {name for name in SCHEMA.by_logical if "_" in name}
    both = "LogicalName eq 'account' or IsCustomEntity eq false and LogicalName eq 'product'"
    assert {row["LogicalName"] for row in dataverse.get(f"EntityDefinitions?$filter={both}").rows} == {
        "account",
        "product",
    }


@pytest.mark.parametrize("function", ["startswith", "contains"])
def test_text_functions_are_not_for_metadata(dataverse: Dataverse, function: str) -> None:
    answer = dataverse.get(f"EntityDefinitions?$filter={function}(LogicalName,'work365_')")
    assert answer.error == (
        501,
        "0x8006088a",
        f'The "{function}" function isn\'t supported for Metadata Entities.',
    )


def test_choices_with_values_and_labels_in_two_languages(dataverse: Dataverse) -> None:
    url = f"{URL}/Attributes/{CAST}?$select=LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet"
    columns = {row["LogicalName"]: row for row in dataverse.get(url).rows}
    status = LCL.columns["provisioning_status"]
    options = columns[status.logical]["OptionSet"]["Options"]
    assert {option["Value"] for option in options} == set(status.by_value)
    labels = next(o["Label"] for o in options if o["Value"] == status.option_value("provisioned"))
    assert [(label["Label"], label["LanguageCode"]) for label in labels["LocalizedLabels"]] == [
        ("Provisioned", 1033),
        ("Ingericht", 1043),
    ]
    assert labels["UserLocalizedLabel"]["Label"] == "Ingericht"
    # Only choices, and option sets only when they are asked for.
    assert "statecode" not in columns
    assert "OptionSet" not in dataverse.get(f"{URL}/Attributes/{CAST}?$select=LogicalName").rows[0]


def test_status_reasons_know_their_state(dataverse: Dataverse) -> None:
    cast = CAST.replace("Picklist", "Status")
    (row,) = dataverse.get(f"{URL}/Attributes/{cast}?$select=LogicalName&$expand=OptionSet").rows
    assert {o["Label"]["LocalizedLabels"][0]["Label"]: o["State"] for o in row["OptionSet"]["Options"]} == {
        option.label: LCL.columns["state"].option_value(LCL.columns["status"].state_of(key))
        for key, option in LCL.columns["status"].options.items()
    }


def test_columns_tell_type_and_date_behaviour(dataverse: Dataverse) -> None:
    columns = {row["LogicalName"]: row for row in dataverse.get(f"{URL}/Attributes").rows}
    assert set(columns) == set(LCL.by_logical)
    assert columns[LCL.columns["effective_date"].logical]["DateTimeBehavior"] == {"Value": "DateOnly"}
    assert columns["modifiedon"]["DateTimeBehavior"] == {"Value": "UserLocal"}
    assert columns[LCL.columns["quantity"].logical]["AttributeType"] == "Decimal"


def test_relationships_name_both_navigation_properties(dataverse: Dataverse) -> None:
    rows = dataverse.get(f"{URL}/ManyToOneRelationships").rows
    lookup = LCL.columns["subscription"]
    (row,) = [row for row in rows if row["ReferencingAttribute"] == lookup.logical]
    assert row["ReferencingEntityNavigationPropertyName"] == lookup.navigation
    assert row["ReferencedEntityNavigationPropertyName"] == lookup.collection
    assert row["ReferencedEntity"] == SCHEMA.table("subscription").logical


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("EntityDefinitions(LogicalName='gone')", 404),
        (f"{URL}?$select=Gone", 400),
        (f"{URL}/Gone", 404),
        (f"{URL}/Attributes/Microsoft.Dynamics.CRM.EnumAttributeMetadata", 404),
        ("EntityDefinitions?$filter=LogicalName gt 'a'", 400),
        ("EntityDefinitions?$filter=DisplayName eq 'Account'", 400),
        ("EntityDefinitions?$filter=Gone eq 'Account'", 400),
    ],
)
def test_refusals(dataverse: Dataverse, url: str, status: int) -> None:
    assert dataverse.get(url).error[0] == status
