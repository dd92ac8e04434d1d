"""Whether two entries on the record may be the same person."""

import pytest

from shared.domain.person import may_be_same, signed_in, with_key

A, B = "bbbbbbbb-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (signed_in("Ann", A), signed_in("Ann", A), True),
        (signed_in("Ann", A), signed_in("Ann Miller", A), True),
        (signed_in("Ann", A), signed_in("Ann", B), False),
        (signed_in("Ann", A), with_key("Bob"), True),
        (with_key("Ann"), with_key("Bob"), True),
        (with_key(None), with_key("Bob"), True),
        (with_key(f"Bob [{B}]"), signed_in("Bob", B), True),
        ("Ann", "ann", True),
        ("Ann", "Bob", False),
        ("Ann", signed_in("Ann", A), False),
    ],
)
def test_who_was_not_checked_may_be_anybody(one: str, other: str, same: bool) -> None:
    assert may_be_same(one, other) is same
    assert may_be_same(other, one) is same


def test_a_name_without_anything_to_see_is_said_so() -> None:
    assert signed_in(" \x00\u200b ", A) == f"unnamed [{A}]"
    assert with_key("\u202e") == "API key"
