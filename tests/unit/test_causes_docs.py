"""docs/causes, the causes in the code, and the catalogue of messages agree."""

import inspect
import json
import re
from importlib import import_module, resources
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import pytest

from shared.domain import causes
from shared.domain.causes import CAUSES

PAGES = Path(__file__).parents[2] / "docs" / "causes"
HEADINGS = [
    "## Symptom",
    "## Proof",
    "## What the app does by itself",
    "## What a person does",
    "## How to prevent it",
    "## Source",
]
LINES = range(10, 41)
"""Short enough to be read while a customer waits."""


def modules() -> dict[str, ModuleType]:
    return {found.name: import_module(f"{causes.__name__}.{found.name}") for found in iter_modules(causes.__path__)}


def sections(name: str) -> dict[str, str]:
    """The page's headings, each with what stands below it."""
    title, *parts = re.split(r"^(?=## )", (PAGES / f"{name}.md").read_text("utf-8"), flags=re.MULTILINE)
    return {"": title, **{part.partition("\n")[0]: part.partition("\n")[2].strip() for part in parts}}


def test_every_file_of_the_folder_is_a_cause_that_is_looked_for() -> None:
    assert sorted(modules()) == sorted(CAUSES)


def test_every_cause_has_a_page_and_every_page_a_cause() -> None:
    assert sorted(page.name for page in PAGES.iterdir()) == sorted(f"{name}.md" for name in CAUSES)


@pytest.mark.parametrize("name", CAUSES)
def test_a_cause_is_named_as_its_file(name: str) -> None:
    module = modules()[name]
    assert name == module.NAME
    assert CAUSES[name] is module.look_for
    assert inspect.getmodule(module.look_for) is module
    words = (module.__doc__ or "").splitlines()[0]
    assert words.endswith("."), "its docstring says in one sentence what it is"
    assert 20 < len(words) < 120


@pytest.mark.parametrize("name", CAUSES)
def test_a_page_has_the_same_headings_as_all_and_nothing_empty(name: str) -> None:
    found = sections(name)
    assert found[""].strip() == f"# {name}"
    assert [heading for heading in found if heading] == HEADINGS
    assert all(len(found[heading]) > 20 for heading in HEADINGS), "an empty section"


@pytest.mark.parametrize("name", CAUSES)
def test_a_page_is_short(name: str) -> None:
    assert len((PAGES / f"{name}.md").read_text("utf-8").splitlines()) in LINES


@pytest.mark.parametrize("name", CAUSES)
def test_a_page_leads_somewhere(name: str) -> None:
    """Links to other pages exist, and a cause in code font is one."""
    text = (PAGES / f"{name}.md").read_text("utf-8")
    local = [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("https://")]
    assert [link for link in local if not (PAGES / link.partition("#")[0]).is_file()] == []
    assert "http://" not in text


def test_every_cause_of_the_catalogue_of_messages_is_looked_for() -> None:
    data: dict[str, Any] = json.loads(
        resources.files("shared.domain").joinpath("provider_errors.json").read_text("utf-8")
    )
    rows = [row for part in ("codes", "wrappers", "statuses", "texts") for row in data[part]]
    named = {row["cause"] for row in rows if row.get("cause")} | set(data["causes"])
    assert named - set(CAUSES) == set()


def test_codes_that_a_page_names_are_the_catalogues() -> None:
    """A page that names a code says of it what the catalogue says."""
    data: dict[str, Any] = json.loads(
        resources.files("shared.domain").joinpath("provider_errors.json").read_text("utf-8")
    )
    cause_of = {row["code"]: row["cause"] for row in (*data["codes"], *data["wrappers"])}
    wrong = [
        (name, code)
        for name in CAUSES
        if name in data["causes"]
        for code in re.findall(r"`(\d{4,6}|AADSTS\d+|0x[0-9A-Fa-f]{8})`", sections(name)["## Proof"])
        if code in cause_of and cause_of[code] != name
    ]
    assert wrong == []
