"""The provider is still busy with an earlier operation on this subscription, or with its renewal."""

from datetime import datetime

from shared.domain.complaints import Words, answer, complains, left_on, other, passes_within, person, waits
from shared.domain.finding import Fact, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.outcome import pending_at_provider
from shared.domain.safety import shows_head
from shared.domain.seats import gives_back
from shared.domain.windows import RENEWAL_RUNS, renewing, term_ends

NAME = "provider_operation_pending"

_BUSY = Words(
    NAME,
    trouble="The provider is still busy with this subscription",
    over="The provider was busy with this subscription when the change came; the time that this takes is over.",
    who="provider administrator",
    next_step="Look at the subscription's orders at the provider: one has been open for longer than is normal.",
)
_RENEWING = Words(
    NAME,
    trouble="The subscription's term ends or has just ended, and until its renewal is done nothing else gets through",
    over="",
)
_WINDOW = "reduction_window_closed"
"""What the provider complains of when seats are given back just before a new term, which opens a new window."""


def look_for(look: Look) -> Finding | RuledOut:
    mine = complains(look, NAME)
    says_other = bool(look.message) and not mine and look.reading.cause != _WINDOW
    if look.head is None or says_other or shows_head(look):
        return answer(look, _BUSY)
    if _renewal_first(look):
        return _renewal(look)
    if (pending := pending_at_provider(look)) is not None and (not mine or _over(look)):
        return _pending(look, pending)
    return answer(look, _BUSY) if mine else other(look, NAME)


def _over(look: Look) -> bool:
    """Whether the time that the message's code takes is over."""
    left = left_on(look)
    return left is not None and look.now >= look.after(left, passes_within(look))


def _renewal_first(look: Look) -> bool:
    """Renewal is under way, or a day away from a reduction, which then fits into the window that it opens."""
    end = term_ends(look)
    if end is None or not renewing(look):
        return False
    return look.now >= end or gives_back(look.head) or complains(look, NAME)


def _renewal(look: Look) -> Finding:
    end = term_ends(look) or look.now
    return waits(look, _RENEWING, look.after(end, RENEWAL_RUNS), _term_fact(look, end))


def _term_fact(look: Look, end: datetime) -> Fact:
    shown = look.at_provider()
    if shown is None or shown.commitment_end is None:
        subscription = look.evidence.subscription
        return look.fact("End Date", subscription.end_date, f"subscription:{subscription.id}")
    return look.fact("term ends", end.isoformat(), f"provider_subscription:{shown.id}")


def _pending(look: Look, pending: Fact) -> Finding:
    """Its own answer says so, and is a quarter of an hour old at most. After two days something is wrong there."""
    since = look.age_from()
    if since is None or look.now >= look.after(since, 2 * look.policy.longest_wait):
        return person(look, _BUSY, proof=(pending,))
    return waits(look, _BUSY, look.after(look.now, look.policy.provider_lag), pending)
