"""docs/schema-map.md says what the map holds and what it may hold: neither without the other."""

import re
from pathlib import Path
from typing import get_args

from shared.adapters.work365 import schema
from shared.adapters.work365.environment_queries import EnvironmentQueries
from shared.adapters.work365.queries import Queries
from shared.errors import SettingsError

TEXT = (Path(__file__).parents[2] / "docs" / "schema-map.md").read_text("utf-8")
SHIPPED = schema.load()


def rows_of_tables() -> dict[str, str]:
    """The table "Tables" of the page: whether the app needs it, by each table's key."""
    part = TEXT.partition("## Tables")[2].partition("## ")[0]
    lines = [line.split("|") for line in part.splitlines() if line.startswith("| `")]
    return {key: needed.strip() for _, names, needed, *_ in lines for key in re.findall(r"`(\w+)`", names)}


def needed(table: str) -> bool:
    """Whether the app refuses a map without it."""
    raw = SHIPPED.model_dump(exclude_none=True)
    del raw["tables"][table]
    without = schema.SchemaMap.model_validate(raw)
    try:
        Queries(without).check()
        EnvironmentQueries(without).all()
    except SettingsError:
        return True
    return False


def test_every_table_is_there_and_called_needed_when_it_is() -> None:
    assert rows_of_tables() == {key: "yes" if needed(key) else "no" for key in SHIPPED.tables}


def test_every_type_and_every_key_is_explained() -> None:
    named = set(re.findall(r"`(\w+)`", TEXT))
    keys = {*schema.Column.model_fields, *schema.Table.model_fields, *schema.Association.model_fields}
    assert {*get_args(schema.ColumnType.__value__), *keys, "application_ids"} <= named


def test_the_map_says_the_same_of_its_types() -> None:
    assert all(kind in SHIPPED.about for kind in get_args(schema.ColumnType.__value__))


def test_every_lookup_leads_to_a_table_of_the_map() -> None:
    for table in SHIPPED.tables.values():
        for column in table.columns.values():
            if column.type == "lookup":
                assert {column.target, *(column.also or {}).values()} <= set(SHIPPED.tables)
                assert column.navigation
