"""docs/promises.md names every promise once, and tests and commands that exist."""

import ast
import re
from pathlib import Path

import pytest

from drill.kill_points import KillPoints
from drill.rehearsal import Rehearsed
from tests.model.ablations import ABLATIONS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/promises.md").read_text("utf-8")
ROWS = {cells[0].strip(): cells[1:] for line in TEXT.splitlines() if (cells := line.strip("|").split("|"))}
ROWS = {number: cells for number, cells in ROWS.items() if re.fullmatch(r"P\d+", number)}
NAMED = re.findall(r"`([\w/]+\.py)::([\w:]+)`", TEXT)


def names_in(file: Path) -> set[str]:
    """The tests of a file, those of a class with its name before theirs."""
    module = ast.parse(file.read_text("utf-8"))
    classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
    return _functions(module) | {f"{each.name}::{name}" for each in classes for name in _functions(each)}


def _functions(node: ast.Module | ast.ClassDef) -> set[str]:
    return {n.name for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_promise_is_there_once() -> None:
    assert list(ROWS) == [f"P{number}" for number in range(1, 27)]
    assert all(TEXT.count(f"\n| {number} |") == 1 for number in ROWS)


@pytest.mark.parametrize("number", ROWS)
def test_what_is_kept_has_a_test_and_what_is_not_is_explained(number: str) -> None:
    _, kept, tests, *_ = (cell.strip() for cell in ROWS[number])
    if kept == "no":
        assert tests == "none"
    else:
        assert "::test_" in tests
    if kept != "kept":
        assert f"- **{number}**" in TEXT.partition("## What is not kept yet")[2]


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED)))
def test_every_test_that_is_named_exists(file: str, name: str) -> None:
    assert name in names_in(ROOT / "tests" / file)


def test_every_path_of_a_command_exists() -> None:
    paths = re.findall(r"`dev\.py test ([\w/.]+)`", TEXT)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_what_the_drill_prints_is_described() -> None:
    printed = Rehearsed(0, 0, 0, 0, 0, 0, 0, 0, seed=0, seconds=0, schedules_per_second=0).as_json()
    printed = KillPoints().added_to(printed)
    assert {name for name in printed if f"`{name}`" not in TEXT} == set()


def test_ablations_that_are_named_exist() -> None:
    named = set(re.findall(r"`(with\w*)`", TEXT))
    assert named <= {ablation.without.__name__ for ablation in ABLATIONS}
