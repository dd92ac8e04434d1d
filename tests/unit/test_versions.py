"""Rows of older versions are brought up to date step by step; those of newer ones are refused."""

import pytest

from shared.adapters.tables import versions
from shared.adapters.tables.versions import Row, up_to_date
from shared.errors import CaseUnreadable

STEPS = {1: lambda row: {**row, "b": row["a"] + 1}, 2: lambda row: {**row, "c": row["b"] + 1}}
KINDS = [
    (versions.CASE, versions.CASE_STEPS),
    (versions.EVENT, {}),
    (versions.RECEIPT, {}),
    (versions.INDEX, versions.INDEX_STEPS),
]


def read(row: Row, known: int = 3) -> Row:
    return up_to_date(row, "p / r", known, STEPS)


def test_each_step_is_taken_once_and_in_order() -> None:
    assert read({"schema_version": 1, "a": 1}) == {"schema_version": 3, "a": 1, "b": 2, "c": 3}
    assert read({"schema_version": 2, "b": 7}) == {"schema_version": 3, "b": 7, "c": 8}
    assert read({"schema_version": 3, "z": 0}) == {"schema_version": 3, "z": 0}


def test_the_row_that_was_read_is_left_as_it_is() -> None:
    row = {"schema_version": 1, "a": 1}
    read(row)
    assert row == {"schema_version": 1, "a": 1}


@pytest.mark.parametrize("version", [4, 2**40])
def test_a_newer_row_is_refused_and_names_what_to_deploy(version: int) -> None:
    with pytest.raises(CaseUnreadable, match=rf"p / r .*schema_version is {version}, and this app knows 3 at most"):
        read({"schema_version": version})


@pytest.mark.parametrize("version", [None, "1", 1.0, True, -1, 0])
def test_what_is_no_version_is_refused(version: object) -> None:
    with pytest.raises(CaseUnreadable, match="schema_version"):
        read({"schema_version": version, "a": 1})


@pytest.mark.parametrize(("known", "steps"), KINDS)
def test_every_older_version_has_its_step(known: int, steps: dict[int, versions.Step]) -> None:
    first = min(steps, default=known)
    assert sorted(steps) == list(range(first, known))


def test_an_index_row_without_a_version_is_one_from_before_they_had_any() -> None:
    assert up_to_date({}, "p / r", versions.INDEX, versions.INDEX_STEPS) == {"schema_version": versions.INDEX}
