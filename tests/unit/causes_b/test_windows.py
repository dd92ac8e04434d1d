"""Dates of terms and windows: month ends, leap days, clock changes, batches, and who is believed first."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.domain.evidence import Change
from shared.domain.look import Look
from shared.domain.policy import Mode, Policy
from shared.domain.windows import Room, days_later, last_anniversary, months_after, renewing, renews_on, room, term_ends
from tests.builders import DAY, HOUR, NOW, look, provisioned, shown, subscription
from tests.unit.causes_b.kit import ALLOWED, DISALLOWED, RENEWAL, WITHIN, first_order, reduction, refundable

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("start", "months", "day"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 1, 31), 2, date(2026, 3, 31)),  # back to the 31st: counted from the start
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(9999, 12, 31), 1, None),
        (date(1, 1, 31), -1, None),
    ],
)
def test_months_later_keeps_the_day_or_takes_the_months_last(start: date, months: int, day: date | None) -> None:
    assert months_after(start, months) == day


@pytest.mark.parametrize(
    ("start", "months", "today", "day"),
    [
        (date(2026, 1, 31), 1, date(2026, 3, 30), date(2026, 2, 28)),
        (date(2026, 1, 31), 1, date(2026, 3, 31), date(2026, 3, 31)),
        (date(2024, 2, 29), 12, date(2025, 2, 27), None),
        (date(2024, 2, 29), 12, date(2025, 2, 28), date(2025, 2, 28)),
        (date(2024, 2, 29), 12, date(2028, 2, 28), date(2027, 2, 28)),
        (date(2024, 2, 29), 12, date(2028, 2, 29), date(2028, 2, 29)),
        (date(2026, 6, 1), 1, date(2026, 5, 1), None),
        (date(1, 1, 1), 1, date(9999, 12, 31), date(9999, 12, 1)),
    ],
)
def test_the_last_renewal(start: date, months: int, today: date, day: date | None) -> None:
    assert last_anniversary(start, months, today) == day


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        # In spring the clocks go forward in the week, in autumn back: it is the same time of day all the same.
        (datetime(2026, 3, 27, 9, tzinfo=UTC), datetime(2026, 4, 3, 8, tzinfo=UTC)),
        (datetime(2026, 10, 23, 8, tzinfo=UTC), datetime(2026, 10, 30, 9, tzinfo=UTC)),
        (datetime(2026, 6, 1, 8, tzinfo=UTC), datetime(2026, 6, 8, 8, tzinfo=UTC)),
    ],
)
def test_days_later_is_the_same_time_of_day_where_work_365_runs(moment: datetime, until: datetime) -> None:
    assert days_later(moment, 7, AMSTERDAM) == until


def test_dates_end_somewhere() -> None:
    assert days_later(datetime(9999, 12, 31, tzinfo=UTC), 7, AMSTERDAM) == datetime.max.replace(tzinfo=UTC)


class TestRenewal:
    @pytest.mark.parametrize(
        ("end", "day"),
        [
            (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), date(2027, 1, 1)),
            (datetime(2027, 1, 1, tzinfo=UTC), date(2027, 1, 1)),
            (datetime(2024, 2, 28, 23, 59, 59, tzinfo=UTC), None),
            (datetime(2028, 2, 28, 23, 59, 59, tzinfo=UTC), date(2028, 2, 29)),
            (datetime.max.replace(tzinfo=UTC), None),
        ],
    )
    def test_by_the_provider_it_is_the_day_behind_the_term(self, end: datetime, day: date | None) -> None:
        assert renews_on(look(provider=shown(commitment_end=end))) == day

    @pytest.mark.parametrize(
        ("start", "end", "day"),
        [
            (date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1)),
            (date(2026, 1, 1), date(2027, 1, 1), date(2027, 1, 1)),
            (date(2026, 1, 31), date(2027, 1, 30), date(2027, 1, 31)),
            (date(2024, 2, 29), date(2027, 2, 28), date(2027, 2, 28)),
            (date(2026, 10, 31), date(2026, 11, 29), date(2026, 11, 30)),
            (None, date(2026, 12, 31), date(2027, 1, 1)),
            (date(2025, 1, 1), date(2025, 12, 31), None),  # a term that is over, renewed or not: not known
            (date(2026, 1, 1), None, None),
            (date(2026, 1, 1), date.max, None),
        ],
    )
    def test_by_work_365_from_end_date(self, start: date | None, end: date | None, day: date | None) -> None:
        assert renews_on(look(subscription=subscription(start_date=start, end_date=end))) == day

    def test_the_providers_word_goes_first(self) -> None:
        mine = subscription(end_date=date(2026, 11, 30))
        assert renews_on(look(subscription=mine, provider=shown(commitment_end=RENEWAL))) == date(2027, 1, 1)
        assert term_ends(look(subscription=mine, provider=None)) == datetime(2026, 12, 1, tzinfo=UTC)

    @pytest.mark.parametrize(("left", "runs"), [(23, True), (-23, True), (25, False), (-25, False)])
    def test_renewal_night(self, left: int, runs: bool) -> None:
        assert renewing(look(provider=shown(commitment_end=NOW + left * HOUR))) is runs

    def test_a_term_that_is_not_known_is_not_ending(self) -> None:
        assert not renewing(look())


class TestRoomByTheProvider:
    def test_each_batch_has_its_own_window(self) -> None:
        seen = look(provider=refundable((3, NOW + HOUR), (4, NOW + DAY), (9, NOW - HOUR)))
        assert room(seen) == Room(7, NOW + HOUR, by_provider=True, closed_on=NOW - HOUR)

    def test_a_batch_ends_at_its_very_time(self) -> None:
        assert room(look(provider=refundable((3, NOW)))) == Room(0, None, by_provider=True, closed_on=NOW)

    def test_a_total_from_before_a_batch_ran_out_is_not_believed(self) -> None:
        assert room(look(provider=refundable((3, NOW + HOUR), (4, NOW - HOUR), total=7))) == Room(
            3, NOW + HOUR, by_provider=True, closed_on=NOW - HOUR
        )

    def test_a_total_alone(self) -> None:
        assert room(look(provider=shown(refundable_total=2))) == Room(2, None, by_provider=True)

    def test_it_goes_before_work_365s_rule(self) -> None:
        allowed = subscription(reduction_behavior=ALLOWED)
        assert room(look(subscription=allowed, provider=refundable(total=0))) == Room(0, None, by_provider=True)


class TestRoomByWork365:
    def seen(self, days: int | None, *changes: Change, zone: ZoneInfo | None = None, **values: object) -> Look:
        mine = subscription(**{"reduction_behavior": WITHIN, "reduction_window_days": days, **values})
        policy = Policy(mode=Mode.AUTO, time_zone=zone) if zone else None
        return look(*changes, reduction(), subscription=mine, policy=policy)

    def test_nothing_said_is_nothing_known(self) -> None:
        assert room(look()) is None
        assert room(self.seen(None, first_order(NOW - DAY))) is None
        assert room(self.seen(7)) is None, "when the first order was provisioned is not known"
        assert room(self.seen(7, provisioned())) is None

    def test_allowed_and_disallowed(self) -> None:
        allowed, never = subscription(reduction_behavior=ALLOWED), subscription(reduction_behavior=DISALLOWED)
        assert room(look(subscription=allowed)) == Room(None, None, by_provider=False)
        assert room(look(subscription=never)) == Room(0, None, by_provider=False)

    def test_it_counts_from_actual_provisioned_on_not_from_the_start(self) -> None:
        on = NOW - 6 * DAY
        assert room(self.seen(7, first_order(on), start_date=date(2026, 6, 1))) == Room(None, on + 7 * DAY, False)
        early = self.seen(7, first_order(NOW - 8 * DAY), start_date=date(2026, 11, 14), end_date=date(2027, 11, 13))
        assert room(early) == Room(0, None, False, NOW - DAY)

    def test_it_opens_anew_at_each_renewal(self) -> None:
        renewed = self.seen(7, first_order(NOW - 372 * DAY), start_date=date(2025, 11, 20), end_date=date(2026, 11, 19))
        assert room(renewed) == Room(None, datetime(2026, 11, 27, tzinfo=UTC), False)

    def test_where_the_term_is_not_known_every_month_may_have_been_a_renewal(self) -> None:
        in_month = self.seen(7, first_order(NOW - 372 * DAY), start_date=date(2025, 5, 20), end_date=None)
        assert room(in_month) == Room(None, datetime(2026, 11, 27, tzinfo=UTC), False)
        outside = self.seen(7, first_order(NOW - 372 * DAY), start_date=date(2025, 5, 10), end_date=None)
        assert room(outside) == Room(0, None, False, datetime(2026, 11, 17, tzinfo=UTC))

    def test_the_day_of_renewal_begins_where_work_365_runs(self) -> None:
        term: dict[str, object] = {"start_date": date(2025, 11, 15), "end_date": date(2026, 11, 14)}
        seen = self.seen(7, first_order(NOW - 372 * DAY), zone=ZoneInfo("Asia/Tokyo"), **term)
        assert room(seen) == Room(0, None, False, datetime(2026, 11, 21, 15, tzinfo=UTC))
        seen = self.seen(7, first_order(NOW - 372 * DAY), zone=ZoneInfo("America/Los_Angeles"), **term)
        assert room(seen) == Room(0, None, False, datetime(2026, 11, 22, 8, tzinfo=UTC))

    @pytest.mark.parametrize("days", [-1, 10**9])
    def test_an_absurd_window_is_not_known(self, days: int) -> None:
        assert room(self.seen(days, first_order(NOW - DAY))) is None

    def test_a_first_order_in_the_future_opens_nothing(self) -> None:
        assert room(self.seen(7, first_order(NOW + timedelta(days=900)), start_date=date(2026, 11, 22))) is None
