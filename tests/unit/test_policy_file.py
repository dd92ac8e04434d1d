"""The policy file: what is refused and how it is named, when nothing is written, and that an edit counts at once."""

import json
import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.policy_quiet import windows_of
from shared.adapters.policy_source import PolicyInvalid, PolicySource, read_policy
from shared.domain.policy import Level, Mode, Policy

BASE = Policy(mode=Mode.AUTO, attempts=4)
QUIET = {
    "name": "Nights",
    "reason": "Nobody is there.",
    "time_zone": "Europe/Amsterdam",
    "starts": "2026-01-01T22:00:00",
    "ends": "2026-01-02T06:00:00",
}
EXEMPTION = {"level": "off", "reason": "A migration.", "until": "2026-12-31T00:00:00Z", "cause": "trigger_missed"}


local = datetime.fromisoformat
"""A time of the wall clock, without zone."""


def problems(**document: Any) -> list[str]:
    with pytest.raises(PolicyInvalid) as raised:
        read_policy(json.dumps(document), BASE)
    return [*raised.value.problems]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"causes": {"trigger_mised": "auto"}}, ["causes.trigger_mised", "is not a cause", "trigger_missed"]),
        ({"causes": {"unknown": "maybe"}}, ["causes.unknown", "'off', 'suggest', 'approve' or 'auto'"]),
        ({"actions": {"delete": "auto"}}, ["actions.delete", "is not an action", "retrigger"]),
        ({"surgee": 1}, ["surgee is not known here", "surge,"]),
        ({"breaker": {"fails": 1}}, ["breaker.fails is not known here", "failures,"]),
        ({"quiet": [{**QUIET, "zone": "UTC"}]}, ["quiet.0.zone is not known here", "time_zone,"]),
        ({"quiet": [{**QUIET, "time_zone": "Mars/Phobos"}]}, ["quiet.0.time_zone", "IANA"]),
        ({"quiet": [{**QUIET, "time_zone": "../etc/passwd"}]}, ["quiet.0.time_zone", "IANA"]),
        ({"quiet": [{**QUIET, "ends": "2026-01-01T22:00:00"}]}, ["quiet.0", "ends should be after starts"]),
        ({"quiet": [{**QUIET, "ends": "2028-01-01T22:00:00"}]}, ["quiet.0", "366 days"]),
        ({"quiet": [{**QUIET, "starts": "2026-01-01T22:00:00Z"}]}, ["quiet.0.starts", "timezone"]),
        ({"quiet": [{**QUIET, "starts": "0001-01-01T00:00:00", "ends": "0001-01-02T00:00:00"}]}, ["quiet.0", "2000"]),
        ({"quiet": [{**QUIET, "repeats": "FREQ=MINUTELY"}]}, ["quiet.0", "FREQ", "DAILY"]),
        ({"quiet": [{**QUIET, "repeats": "FREQ=DAILY;COUNT=3"}]}, ["COUNT is not allowed", "UNTIL"]),
        ({"quiet": [{**QUIET, "repeats": "FREQ=DAILY;INTERVAL=0"}]}, ["INTERVAL"]),
        ({"quiet": [{**QUIET, "repeats": "FREQ=DAILY;FREQ=WEEKLY"}]}, ["twice"]),
        ({"quiet": [{**QUIET, "repeats": "FREQ=DAILY;UNTIL=20270101T000000Z"}]}, ["UNTIL", "local"]),
        ({"quiet": [{**QUIET, "repeats": "FREQ=WEEKLY;BYDAY=XX"}]}, ["quiet.0", "RFC 5545"]),
        ({"quiet": [{**QUIET, "repeats": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}]}, ["never happens"]),
        ({"quiet": [{**QUIET, "repeats": ""}]}, ["an empty part is not allowed"]),
        ({"exemptions": [{**EXEMPTION, "until": "2026-12-31T00:00:00"}]}, ["exemptions.0.until", "timezone"]),
        ({"exemptions": [{**EXEMPTION, "provider_id": "contoso"}]}, ["exemptions.0.provider_id", "GUID"]),
        ({"exemptions": [{**EXEMPTION, "cause": None}]}, ["exemptions.0", "at least one of them"]),
        ({"exemptions": [{**EXEMPTION, "reason": " "}]}, ["exemptions.0.reason"]),
        ({"exemptions": [{"level": "off", "cause": "unknown", "reason": "x"}]}, ["exemptions.0.until is missing"]),
        ({"surge": "50"}, ["surge", "integer"]),
        ({"surge": 0}, ["surge", "1"]),
        ({"surge": True}, ["surge"]),
        ({"breaker": {"share": 1.5}}, ["breaker.share"]),
        ({"approver_is_not_requester": 1}, ["approver_is_not_requester"]),
        ({"approval_expires_hours": -1}, ["approval_expires_hours"]),
        ({"approval_expires_hours": float("inf")}, ["approval_expires_hours"]),
        ({"evidence_age_seconds": float("nan")}, ["evidence_age_seconds"]),
        ({"caps_per_hour": None}, ["caps_per_hour"]),
        ({"caps_per_hour": {"changes": 4_001}}, ["caps_per_hour.changes", "less than or equal to 4000"]),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_what_is_wrong_is_named_with_what_is_allowed(document: dict[str, Any], said: list[str]) -> None:
    (problem,) = problems(**document)
    assert [part for part in said if part not in problem] == []


def test_all_problems_are_named_at_once() -> None:
    assert len(problems(surge=0, causes={"a": "auto", "unknown": "b"}, quiet=[{**QUIET, "name": ""}])) == 4


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "5", '{"surge": 1, "surge": 2}', "[" * 100_000, '{"surge": 1}}']
)
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(PolicyInvalid) as raised:
        read_policy(text, BASE)
    assert len(raised.value.problems) == 1


def test_a_name_that_is_there_twice_is_refused_wherever_it_is() -> None:
    with pytest.raises(PolicyInvalid, match="unknown is there twice"):
        read_policy('{"causes": {"unknown": "off", "unknown": "auto"}}', BASE)


def test_every_field_of_the_file_gets_into_the_policy() -> None:
    document = {
        "causes": {"trigger_missed": "suggest"},
        "actions": {"retrigger": "approve"},
        "exemptions": [EXEMPTION],
        "caps_per_hour": {"changes": 1, "seats": 2, "customers": 3},
        "surge": 4,
        "breaker": {"failures": 5, "share": 0.6, "least": 7, "window_seconds": 8, "open_for_seconds": 9},
        "recurrence": {"times": 10, "within_days": 11},
        "quiet": [QUIET],
        "approval_expires_hours": 12,
        "approver_is_not_requester": True,
        "evidence_age_seconds": 13,
        "manual_late_after_hours": 14,
        "duplicate_within_seconds": 15,
        "history_kept_days": 30,
    }
    made, built_in = read_policy(json.dumps(document), BASE), BASE
    from_settings = {"mode", "time_zone", "job_cycle", "grace", "job_normal_time", "stable_for", "look_again"}
    from_settings |= {"longest_wait", "action_time_limit", "provider_lag", "attempts", "problems", "sweeps", "wakes"}
    names = set(Policy.__dataclass_fields__) - from_settings
    assert {name for name in names if getattr(made, name) == getattr(built_in, name)} == set()
    assert all(getattr(made, name) == getattr(built_in, name) for name in from_settings)
    assert (made.caps.changes, made.caps.seats, made.caps.customers, made.surge) == (1, 2, 3, 4)
    assert (made.breaker.window, made.breaker.open_for) == (timedelta(seconds=8), timedelta(seconds=9))
    assert (made.recurrence.times, made.recurrence.within) == (10, timedelta(days=11))
    assert made.exemptions[0].level is Level.OFF


class TestVersion:
    """Says which policy decided: over what it means, not how it is written."""

    def version(self, text: str) -> str:
        return read_policy(text, BASE).version

    def test_spacing_order_and_the_schema_do_not_count(self) -> None:
        one = self.version('{"surge": 5, "causes": {"unknown": "off", "trigger_missed": "approve"}}')
        two = '{"$schema": "x",\n "causes": {"trigger_missed":"approve", "unknown":"off"}, "surge":5}'
        assert one == self.version(two)

    @pytest.mark.parametrize(
        "text", ['{"surge": 51}', '{"causes": {"unknown": "off"}}', json.dumps({"quiet": [QUIET]})]
    )
    def test_what_it_means_counts(self, text: str) -> None:
        assert self.version(text) != self.version("{}")


class TestQuiet:
    """Local wall-clock times with a recurrence, as windows in UTC."""

    def test_a_night_in_winter_and_in_summer(self) -> None:
        (quiet,) = read_policy(json.dumps({"quiet": [{**QUIET, "repeats": "FREQ=DAILY"}]}), BASE).quiet
        assert quiet.windows(datetime(2026, 1, 10, 23, tzinfo=UTC)) == (
            datetime(2026, 1, 10, 21, tzinfo=UTC),
            datetime(2026, 1, 11, 5, tzinfo=UTC),
        )
        assert quiet.windows(datetime(2026, 7, 11, 3, 59, tzinfo=UTC)) == (
            datetime(2026, 7, 10, 20, tzinfo=UTC),
            datetime(2026, 7, 11, 4, tzinfo=UTC),
        )
        assert quiet.windows(datetime(2026, 7, 11, 4, tzinfo=UTC)) is None
        assert quiet.windows(datetime(2026, 7, 11, 12, tzinfo=UTC)) is None

    def test_it_begins_with_its_first_and_ends_with_until(self) -> None:
        rule = "FREQ=DAILY;UNTIL=20260103T220000"
        window = windows_of(local("2026-01-01T22:00"), local("2026-01-02T06:00"), ZoneInfo("UTC"), rule)
        assert window(datetime(2025, 12, 31, 23, tzinfo=UTC)) is None
        assert window(datetime(2026, 1, 4, 5, tzinfo=UTC)) is not None
        assert window(datetime(2026, 1, 4, 23, tzinfo=UTC)) is None

    @pytest.mark.parametrize(("day", "hours"), [(local("2026-03-28T00:00"), 7), (local("2026-10-24T00:00"), 9)])
    def test_the_nights_on_which_clocks_are_changed_end_at_six_too(self, day: datetime, hours: int) -> None:
        zone = ZoneInfo("Europe/Amsterdam")
        window = windows_of(local("2026-01-01T22:00"), local("2026-01-02T06:00"), zone, "FREQ=DAILY")
        found = window(day.replace(hour=23, tzinfo=zone).astimezone(UTC))
        assert found is not None
        assert found[1] - found[0] == timedelta(hours=hours)
        assert found[1].astimezone(zone).hour == 6

    def test_a_time_that_comes_twice_or_never_makes_it_longer(self) -> None:
        zone = ZoneInfo("Europe/Amsterdam")
        twice = windows_of(local("2026-10-25T02:30"), local("2026-10-25T02:45"), zone, None)
        assert twice(datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) is not None
        assert twice(datetime(2026, 10, 25, 1, 44, tzinfo=UTC)) is not None
        never = windows_of(local("2026-03-29T02:15"), local("2026-03-29T02:45"), zone, None)
        assert never(datetime(2026, 3, 29, 0, 15, tzinfo=UTC)) is not None
        assert never(datetime(2026, 3, 29, 1, 44, tzinfo=UTC)) is not None

    def test_of_windows_that_overlap_the_one_that_ends_last_counts(self) -> None:
        zone = ZoneInfo("UTC")
        window = windows_of(local("2026-01-01T00:00"), local("2026-01-04T00:00"), zone, "FREQ=DAILY;BYDAY=MO,TU")
        found = window(datetime(2026, 1, 6, 12, tzinfo=UTC))  # a Tuesday
        assert found == (datetime(2026, 1, 6, tzinfo=UTC), datetime(2026, 1, 9, tzinfo=UTC))

    def test_a_single_freeze_is_over_for_good(self) -> None:
        freeze = windows_of(local("2026-12-24T00:00"), local("2027-01-04T00:00"), ZoneInfo("Asia/Kathmandu"), None)
        assert freeze(datetime(2026, 12, 23, 18, 15, tzinfo=UTC)) is not None
        assert freeze(datetime(2027, 1, 3, 18, 15, tzinfo=UTC)) is None
        assert freeze(datetime(2027, 12, 28, tzinfo=UTC)) is None

    @given(
        st.datetimes(local("2026-01-01T00:00"), local("2029-01-01T00:00")),
        st.sampled_from(["Europe/Amsterdam", "Pacific/Apia"]),
    )
    @settings(max_examples=100, deadline=None)
    def test_it_holds_exactly_when_the_wall_clock_says_so(self, moment: datetime, name: str) -> None:
        zone = ZoneInfo(name)
        window = windows_of(local("2026-01-01T22:00"), local("2026-01-02T06:00"), zone, "FREQ=WEEKLY;BYDAY=FR,SA")
        there = moment.replace(tzinfo=UTC).astimezone(zone)
        evening = there - timedelta(hours=6) if there.hour < 6 else there
        expected = (there.hour >= 22 or there.hour < 6) and evening.weekday() in (4, 5)
        expected = expected and there >= local("2026-01-02T22:00").replace(tzinfo=zone)
        assert (window(moment.replace(tzinfo=UTC)) is not None) is expected


class TestSource:
    """The file, read again whenever it has changed."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "policy.json"

    def test_no_file_is_the_built_in_policy(self) -> None:
        assert PolicySource(None, BASE).current() is BASE

    def test_an_edit_counts_at_once(self, file: Path) -> None:
        file.write_text('{"surge": 5}')
        source = PolicySource(str(file), BASE)
        first = source.current()
        assert (first.surge, first.mode, first.attempts) == (5, Mode.AUTO, 4)
        assert source.current() is first
        file.write_text('{"surge": 6}')
        assert source.current().surge == 6

    def test_an_edit_that_keeps_size_and_time_counts_too(self, file: Path) -> None:
        file.write_text('{"surge": 5}')
        source, stamp = PolicySource(str(file), BASE), file.stat().st_mtime_ns
        source.current()
        file.write_text('{"surge": 6}')
        os.utime(file, ns=(stamp, stamp))
        assert source.current().surge == 6

    @pytest.mark.parametrize("content", [b"", b"{", b'{"surgee": 5}', b"\xff\xfe", b" " * 1_100_000])
    def test_an_invalid_file_is_neither_the_last_valid_policy_nor_the_default(self, file: Path, content: bytes) -> None:
        file.write_text('{"causes": {"trigger_missed": "approve"}}')
        source = PolicySource(str(file), BASE)
        valid = source.current()
        file.write_bytes(content)
        broken = source.current()
        assert broken.mode is Mode.OBSERVE
        assert broken.version not in (valid.version, BASE.version)
        assert broken.causes == {}
        assert all(problem.startswith("UNSTUCK_POLICY: ") for problem in broken.problems)
        assert broken.broken.startswith("the policy cannot be used: UNSTUCK_POLICY: ")
        file.write_text('{"causes": {"trigger_missed": "approve"}}')
        assert source.current() == valid

    def test_a_file_that_is_not_there_is_invalid(self, file: Path) -> None:
        source = PolicySource(str(file), BASE)
        assert source.current().problems == ("UNSTUCK_POLICY: the file cannot be read (No such file or directory)",)
        file.write_text("{}")
        assert (source.current().mode, source.current().problems) == (Mode.AUTO, ())
        file.unlink()
        assert source.current().mode is Mode.OBSERVE
        file.write_text("{}")
        assert source.current().mode is Mode.AUTO, "the same content as before counts again"

    def test_a_byte_order_mark_is_no_mistake(self, file: Path) -> None:
        file.write_bytes(b'\xef\xbb\xbf{"surge": 5}')
        assert PolicySource(str(file), BASE).current().surge == 5

    def test_it_is_logged_once_when_it_breaks_and_once_when_it_is_mended(
        self, file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        source = PolicySource(str(file), BASE)
        for content in ("{", "{", "{}", "{}"):
            file.write_text(content)
            source.current()
        assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
