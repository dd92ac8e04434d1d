"""Giving seats back: windows, batches, what is refundable today, cancellations, and reductions that are simply due."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from shared.domain.evidence import ChangeType, ProviderReading, ReductionBehavior
from tests.builders import DAY, HOUR, NOW
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, Case, case
from tests.corpus.parts import (
    FAILED,
    MINUTE,
    REST,
    REST_ACCOUNT,
    failed,
    later,
    offered,
    old,
    scheduled,
    seats,
    see,
    stuck,
    sub,
    unreadable,
)

_NOT_ALLOWED = sub(reduction_behavior=ReductionBehavior.DISALLOWED)
_ALLOWED = sub(reduction_behavior=ReductionBehavior.ALLOWED)
_SILENT = seats(20, refundable=None, refundable_total=None)
"""A provider that shows the subscription and says nothing of refunds."""


def _less(id: str, why: str, provider: ProviderReading, quantity: int = -5, **values: Any) -> Case:
    return case(
        id, why, see(old(), stuck(quantity), provider=provider, **values), "reduction_window_closed", APPROVE, PERSON
    )


def _goes(id: str, why: str, provider: ProviderReading, quantity: int = -5, **values: Any) -> Case:
    return case(
        id,
        why,
        see(old(), stuck(quantity), provider=provider, **values),
        "trigger_missed",
        AUTO,
        never=["reduction_window_closed"],
    )


def _refused(code: str, text: str) -> Case:
    return case(
        f"refused: {code}",
        "the provider's own refusal of a reduction",
        see(old(), failed(f'{{"code":"{code}","description":"{text}"}}', 60, -5)),
        "reduction_window_closed",
        APPROVE,
        PERSON,
    )


def _cancel(code: str, text: str) -> Case:
    return case(
        f"cancellation refused: {code}",
        "cancellations are a person's: turn auto-renew off",
        see(old(), failed(f'{{"code":"{code}","description":"{text}"}}', 60, -20, change_type=ChangeType.DEACTIVATE)),
        "reduction_window_closed",
        PERSON,
    )


# fmt: off
CASES = [
    _less("nothing is refundable today", "the provider takes no seat back now", offered()),
    _less("more than what is refundable today", "five asked for, three refundable: never split", offered((3, DAY))),
    _less("two batches that are too small together", "two and two are four", offered((2, DAY), (2, 3 * DAY))),
    _less("one batch has closed", "three were refundable until yesterday", offered((3, -DAY), (3, DAY))),
    _less("all batches have closed", "each with its own window, all of them past", offered((10, -DAY), (5, -2 * HOUR))),
    _less(
        "only the batches are told", "no total: the open batches count",
        replace(
            offered((3, DAY), (5, -DAY)),
            subscriptions=(replace(offered((3, DAY), (5, -DAY)).subscriptions[0], refundable_total=None),),
        ),
    ),
    _less(
        "disallowed by Work 365", "Quantity Reduction Behavior Disallowed", offered((5, DAY)),
        subscription=_NOT_ALLOWED,
    ),
    _less("disallowed, and the provider says nothing", "Disallowed is enough", _SILENT, subscription=_NOT_ALLOWED),
    _less("the window by rule of thumb has passed", "seven days from January, and the provider says nothing", _SILENT),
    _less("one seat too many", "six asked for, five refundable", offered((5, DAY)), -6),
    _refused("900257", "You have passed your 7-day window for reducing seats for this subscription."),
    _refused("900214", "You have passed your 72-hour window for reducing seats for this subscription."),
    _refused("800090", "Subscription quantity can't be decreased"),
    _refused("800095", "Can't update the seat quantity for this subscription"),
    _cancel("900117", "You have passed your 7-day cancellation window."),
    _cancel("900213", "You have passed your 72-hour cancellation window."),
    case(
        "refused in another language", "the code counts, not the language",
        see(old(), failed("Das Zeitfenster zum Verringern ist vorbei (900257)", 60, -5)), "reduction_window_closed",
        APPROVE, PERSON,
    ),
    case(
        "a reduction refused by the calendar, with later changes behind", "only if nothing follows it: a person",
        see(old(), stuck(-5), later(), provider=offered()), "prior_change_blocking", PERSON, APPROVE,
        also=["reduction_window_closed"],
    ),
    case(
        "a reduction refused, an earlier one set", "behind a failed merge",
        see(old(), stuck(-5), provider=offered(), scheduled=(scheduled("merge_failed", date(2026, 11, 1)),)),
        ("prior_change_blocking", "scheduled_change_not_applied"), PERSON, also=["reduction_window_closed"],
    ),
    case(
        "refused when it was an increase", "a refusal of reductions does not fit an increase: a person",
        see(old(), failed('{"code":"900257","description":"x"}')), ("reduction_window_closed", "unknown"), PERSON,
    ),
    case(
        "a reduction that was refused last week, and the window is open now",
        "old refusal, new window: shown to a person",
        see(old(), failed('{"code":"900257","description":"x"}', 7 * 24 * 60, -5), provider=offered((5, 2 * DAY))),
        "reduction_window_closed", APPROVE, PERSON, AUTO,
    ),
    _goes("all of it is refundable", "five asked for, five refundable today", offered((5, 2 * DAY))),
    _goes("more is refundable than asked for", "two of five", offered((5, 2 * DAY)), -2),
    _goes("two open batches", "three and two are five", offered((3, DAY), (2, 5 * DAY))),
    _goes("the last minute of its window", "open is open", offered((5, MINUTE))),
    _goes(
        "the provider's date before the rule of thumb",
        "seven days from January are over, the provider says otherwise", offered((5, 6 * DAY)),
        subscription=sub(reduction_window_days=7),
    ),
    case(
        "allowed at any time", "behavior Allowed, and the provider says nothing of refunds",
        see(old(), stuck(-5), provider=_SILENT, subscription=_ALLOWED), "trigger_missed", AUTO, APPROVE,
        never=["reduction_window_closed"],
    ),
    case(
        "inside the window by rule of thumb", "bought three days ago, seven allowed, and the provider says nothing",
        see(old(actual_provisioned_on=NOW - 3 * DAY), stuck(-5), provider=_SILENT), "trigger_missed", AUTO, APPROVE,
        never=["reduction_window_closed"],
    ),
    case(
        "an increase while reductions are disallowed", "the behavior is about reductions",
        see(subscription=_NOT_ALLOWED), "trigger_missed", AUTO, never=["reduction_window_closed"],
    ),
    case(
        "an increase while nothing is refundable", "an increase takes nothing back", see(provider=offered()),
        "trigger_missed", AUTO, never=["reduction_window_closed"],
    ),
    case(
        "a reduction for next month", "not due: its window is a matter for then",
        see(old(), stuck(-5, effective_date=date(2026, 12, 20)), provider=offered()), "future_effective_date", WAIT,
    ),
    case(
        "a reduction at a provider that cannot be asked", "behavior Allowed, not Microsoft: approve at most",
        see(
            old(), stuck(-5), provider=None,
            subscription=sub(provider=REST, account=REST_ACCOUNT, reduction_behavior=ReductionBehavior.ALLOWED),
        ),
        "trigger_missed", APPROVE, PERSON,
    ),
    case(
        "a reduction and a provider that refuses us", "window by rule of thumb passed, and nothing could be read",
        see(old(), stuck(-5), provider=unreadable("403")), "reduction_window_closed", APPROVE, PERSON,
    ),
    case(
        "a failed reduction without a word", "nothing refundable: that is why",
        see(old(), stuck(-5, status=FAILED), provider=offered()), "reduction_window_closed", APPROVE, PERSON,
    ),
    case(
        "a deactivation with an open cancellation window", "not closed: approved, deadline first",
        see(
            old(), stuck(-20, change_type=ChangeType.DEACTIVATE),
            provider=seats(20, cancellation_until=NOW + timedelta(days=2)),
        ),
        "trigger_missed", APPROVE, PERSON, never=["reduction_window_closed"],
    ),
    case(
        "a price cut", "a lower price is no reduction of seats", see(old(), stuck(0), provider=offered()),
        "nothing_to_provision", APPROVE, PERSON, never=["reduction_window_closed"],
    ),
]
