"""docs/http-api.md says of every route what the app does, in a part that is made from the table."""

import re
from pathlib import Path

from shared.domain.case import State
from shared.domain.role import Role
from shared.entrypoints.idempotency import LONGEST_KEY
from shared.entrypoints.reference import reference, renewed
from shared.entrypoints.routes import ROUTES

PAGE = Path(__file__).parents[2] / "docs" / "http-api.md"
TEXT = PAGE.read_text("utf-8")


def test_the_made_part_is_what_the_table_says() -> None:
    assert renewed(TEXT, ROUTES) == TEXT, "write it anew: python -m shared.entrypoints.reference docs/http-api.md"


def test_every_route_and_every_field_is_in_it() -> None:
    made = reference(ROUTES)
    for route in ROUTES:
        assert made.count(f"| `{route.method} {route.path}` | {route.operation} |") == 1
        for name in (*route.body.model_fields, *route.query.model_fields):
            assert f"| `{name}` |" in made


def test_roles_and_states_are_named_as_they_are() -> None:
    assert re.findall(r"^\| `(\w+)` \| (?:see|that)", TEXT, re.MULTILINE) == [role.value for role in Role]
    assert [state for state in State if f"`{state.value}`" not in TEXT] == []


def test_the_longest_key_is_right() -> None:
    assert f"1 to {LONGEST_KEY} printable ASCII characters" in TEXT
