"""When a timer should have run, by the schedule that the Functions host runs it by."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.functions_host.schedule import parse_schedule
from shared.domain.schedule import parse

NOW = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)  # a Sunday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 */5 * * * *", "2026-11-22T12:05:00"),
        ("30 * * * * *", "2026-11-22T12:01:30"),
        ("0 0 8-18/2 * * mon-fri", "2026-11-23T08:00:00"),
        ("0 30 9 1,15 * *", "2026-12-01T09:30:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 0 13 * Fri", "2027-08-13T00:00:00"),
        ("*/5 * * * *", "2026-11-22T12:05:00"),
        ("0 0 0 1 JAN *", "2027-01-01T00:00:00"),
        ("01:30:00", "2026-11-22T13:30:30"),
        ("1.00:00:00", "2026-11-23T12:00:30"),
    ],
)
def test_the_next_time(text: str, expected: str) -> None:
    assert parse(text).after(NOW) == datetime.fromisoformat(f"{expected}+00:00")


def test_a_date_that_never_comes_is_at_the_end_of_time() -> None:
    assert parse("0 0 0 31 2 *").after(NOW).year == 9999


@pytest.mark.parametrize(
    "text",
    ["", "soon", "* * *", "60 * * * * *", "0 0 24 * * *", "0 0 0 0 * *", "0 5-1 * * * *", "0 */0 * * * *"],
)
def test_what_the_host_would_not_take_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"schedule|field"):
        parse(text)


@pytest.mark.parametrize("text", ["a * * * * *", "0 0 0 * * 7", "@daily", "0 0 0 L * *", "00:00:00", "0 ,1 * * * *"])
def test_signs_of_other_dialects_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"schedule|field"):
        parse(text)


def _field(lowest: int, highest: int) -> st.SearchStrategy[str]:
    number = st.integers(lowest, highest)
    span = st.tuples(number, number).filter(lambda two: two[0] < two[1]).map(lambda two: f"{two[0]}-{two[1]}")
    some = st.lists(number, min_size=1, max_size=3, unique=True).map(lambda many: ",".join(map(str, many)))
    return st.one_of(st.just("*"), st.sampled_from(["*/2", "*/7", "*/15"]), span, some)


fields = st.tuples(_field(0, 59), _field(0, 59), _field(0, 23), _field(1, 28), _field(1, 12), _field(0, 6))


@given(fields.map(" ".join), st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
@settings(deadline=None)
def test_the_local_host_runs_it_at_the_same_times(text: str, now: datetime) -> None:
    theirs = parse_schedule(text)(now.replace(microsecond=0))
    assert parse(text).after(now.replace(microsecond=0)) == theirs
    assert theirs - now > -timedelta(seconds=1)
