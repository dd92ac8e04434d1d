"""docs/policy.md and docs/policy.schema.json say exactly what the model of the policy file takes."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from shared.adapters.policy_file import PolicyFile
from shared.adapters.policy_schema import schema
from shared.adapters.policy_source import read_policy
from shared.domain.policy import Level, Mode, Policy
from shared.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "policy.md").read_text("utf-8")
BASE = Policy(mode=Mode.AUTO)
FIELDS = TEXT.partition("## Fields")[2].partition("\n## ")[0]
ROWS = dict(re.findall(r"^\| `([\w.$]+)` \| [^|]+ \| ([^|]+) \|", FIELDS, re.MULTILINE))


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every field by its path, those of inner models and of lists of models included."""
    for name, field in model.model_fields.items():
        path = prefix + (field.alias or name)
        inner = [t for t in (field.annotation, *get_args(field.annotation)) if _is_model(t)]
        if not inner or field.annotation not in inner:
            yield path, field
        for part in inner:
            yield from fields(part, f"{path}.")


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def test_the_schema_is_the_models() -> None:
    made = (DOCS / "policy.schema.json").read_text("utf-8")
    assert made == schema(), "python -m shared.adapters.policy_schema > docs/policy.schema.json"


def test_the_page_lists_exactly_the_fields_that_there_are() -> None:
    assert sorted(ROWS) == sorted(path for path, _ in fields(PolicyFile))


NAMED: dict[str, object] = {
    "none": None,
    "any": None,
    "once": None,
    "`{}`": {},
    "`[]`": (),
    "true": True,
    "false": False,
}


@pytest.mark.parametrize(
    ("path", "field"), [*fields(PolicyFile)], ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_page_names_the_default(path: str, field: Any) -> None:
    if field.is_required():
        assert ROWS[path] == "required"
    elif ROWS[path] in NAMED:
        assert field.default == NAMED[ROWS[path]]
    else:
        assert float(ROWS[path]) == field.default


def test_the_defaults_of_a_file_are_the_built_in_ones() -> None:
    made = read_policy("{}", BASE)
    names = [name for name in Policy.__dataclass_fields__ if name != "version"]
    assert {name: getattr(made, name) for name in names} == {name: getattr(BASE, name) for name in names}


def test_the_example_is_a_policy() -> None:
    block = re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert block
    made = read_policy(block[1], BASE)
    assert made.causes["consent_expired"] is Level.APPROVE
    assert made.approver_is_not_requester
    run, freeze = made.quiet
    assert run.windows(datetime(2027, 2, 1, 12, tzinfo=UTC)) is not None
    assert run.windows(datetime(2027, 2, 3, 12, tzinfo=UTC)) is None
    assert freeze.windows(datetime(2026, 12, 31, tzinfo=UTC)) is not None


def test_the_schema_knows_what_the_model_knows_of_names() -> None:
    made = json.loads(schema())
    assert made["additionalProperties"] is False
    assert "trigger_missed" in json.dumps(made["properties"]["causes"])
    assert "$schema" in made["properties"]


def test_every_level_is_explained() -> None:
    assert all(f"| `{level}` |" in TEXT for level in Level)


def test_no_setting_stands_in_both_places() -> None:
    named = re.findall(r"`((?:UNSTUCK|WORK365)_[A-Z_0-9]+)`", TEXT)
    assert set(named) <= set(Settings.model_fields)
    in_file = {path for path, _ in fields(PolicyFile)}
    assert not in_file & {"attempts", "job_cycle_seconds", "grace_seconds", "mode", "time_zone"}
