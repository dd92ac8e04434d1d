"""Seats are to be given back, or the subscription cancelled, outside the window in which that is allowed."""

from datetime import datetime
from decimal import Decimal

from shared.domain.complaints import complaint
from shared.domain.costs import cost_of_waiting
from shared.domain.evidence import Change, ChangeSource, ReductionBehavior
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.mended import with_a_yes
from shared.domain.safety import shows_head
from shared.domain.seats import counted_by_use, ends_it, gives_back, seats
from shared.domain.windows import RENEWAL_RUNS, Room, renewing, renews_on, room, term_ends

NAME = "reduction_window_closed"


def look_for(look: Look) -> Finding | RuledOut:
    head, complains = look.head, look.reading.cause == NAME
    if head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    reason = _no_reduction(look, head)
    if reason is not None:
        return _contradicted(look, reason) if complains else RuledOut(NAME, reason)
    if shows_head(look):
        # What is there already needs no window; a message about it is from before.
        return _contradicted(look, "the provider shows it done") if complains else RuledOut(NAME, "the provider has it")
    if renewing(look):
        # Renewal opens a new window by itself; the operation that runs meanwhile has a cause of its own.
        return (
            _renewal(look) if complains else RuledOut(NAME, "the term is just ending, and a new window opens with it")
        )
    if ends_it(look):
        return _cancellation(look, complains)
    return _reduction(look, head, complains)


def _no_reduction(look: Look, head: Change) -> str | None:
    if head.source is ChangeSource.PROVIDER:
        return "the change came from the provider, which has let it through already"
    if ends_it(look):
        return None
    if counted_by_use(look):
        return "the quantity of a usage-based subscription is no number of seats"
    return None if gives_back(head) else "the change gives no seats back"


def _reduction(look: Look, head: Change, complains: bool) -> Finding | RuledOut:
    wanted, free = abs(seats(head) or Decimal(0)), room(look)
    if look.evidence.subscription.reduction_behavior is ReductionBehavior.DISALLOWED:
        return _closed(look, head, "its Quantity Reduction Behavior is Disallowed", free)
    if free is None:
        if complains:
            return _closed(look, head, look.reading.means, None)
        return RuledOut(NAME, "nothing that was read says when seats may be given back")
    if free.seats is None or free.seats >= wanted:
        if not complains:
            return RuledOut(NAME, _open(free, wanted))
        if free.by_provider:
            return with_a_yes(look, NAME, "Seats could not be given back then; they can be now.", _facts(look, free))
        return _closed(look, head, look.reading.means, free)
    return _closed(look, head, _why_closed(free, wanted), free)


def _open(free: Room, wanted: Decimal) -> str:
    who = "the provider takes" if free.by_provider else "Work 365's rule for the subscription lets one give"
    until = f" until {free.until.isoformat()}" if free.until is not None else ""
    return f"{who} {wanted} seats back{until}"


def _why_closed(free: Room, wanted: Decimal) -> str:
    since = f" since {free.closed_on.isoformat()}" if free.closed_on is not None else ""
    if not free.seats:
        return f"the window in which that is allowed is closed{since}"
    return f"the provider takes only {free.seats} of {wanted} seats back now"


def _closed(look: Look, head: Change, why: str, free: Room | None) -> Finding:
    number = abs(seats(head) or Decimal(0))
    invoiced_or_followed = head.archived or look.chain.behind or look.evidence.scheduled
    person = bool(invoiced_or_followed)
    next_step = _next_step(look, free)
    if person:
        next_step = f"Something follows this change, so decide about all of it together. {next_step}"
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON if person else Disposition.APPROVE,
        confidence=_sure(free, number),
        sentence=f"{number} seats cannot be given back now: {why}.",
        next_step=next_step,
        who="billing administrator",
        proof=(*_facts(look, free), *(complaint(look) if look.reading.cause == NAME else ())),
        against=_against(look, free, number),
    )


def _sure(free: Room | None, number: Decimal) -> Confidence:
    """Certain when the provider, read now, said it itself; Work 365's rule and a message are from before."""
    said = free is not None and free.by_provider and free.seats is not None and free.seats < number
    return Confidence.CERTAIN if said else Confidence.LIKELY


def _next_step(look: Look, free: Room | None) -> str:
    """Both ways out with their dates, and what the seats cost until then."""
    renewal, cost = renews_on(look), cost_of_waiting(look)
    day = f"on {renewal}" if renewal is not None else "at the renewal, whose date is not known"
    days = look.evidence.subscription.reduction_window_days
    window = f"the next window opens {day}" + (f" for {days} days" if days else "")
    price = ""
    if cost is not None and cost.amount is not None:
        price = f" Until then the seats cost {cost.amount} {cost.currency or ''}".rstrip() + " per billing period."
    part = ""
    if free is not None and free.by_provider and free.seats:
        until = f" until {free.until.isoformat()}" if free.until is not None else ""
        part = f" The provider takes {free.seats} back{until}, but a change is never split."
    return f"Set the change to On Renewal ({day}), or retrigger it in the open window: {window}.{price}{part}"


def _cancellation(look: Look, complains: bool) -> Finding | RuledOut:
    """A cancellation is closed by the provider's own date or word. Nothing about seats says when one may cancel."""
    shown = look.at_provider()
    until = shown.cancellation_until if shown is not None else None
    refused = shown is not None and shown.actions is not None and "cancel" not in shown.actions
    over = until is not None and until <= look.now
    if not (complains or over or refused or _too_many(look, until)):
        known = f"it may be cancelled until {until.isoformat()}" if until else "when it may be cancelled was not read"
        return RuledOut(NAME, f"the change ends the subscription, and {known}")
    open_still = until is not None and until > look.now and not refused
    where = f"provider_subscription:{shown.id}" if shown is not None else "provider"
    proof = (
        look.change_fact("Quantity", look.head.quantity if look.head else None),
        look.fact("may be cancelled until", until.isoformat() if until else None, where),
        *(complaint(look) if complains else ()),
    )
    renewal = renews_on(look)
    day = f"on {renewal}" if renewal is not None else "at the end of its term"
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.CERTAIN if (over or refused) and not open_still else Confidence.LIKELY,
        sentence="The subscription cannot be cancelled now: the window for it is closed.",
        next_step=f"Turn auto-renew off, so that it ends {day}, and date the change accordingly.",
        who="billing administrator",
        proof=proof,
        against=proof[1:2] if open_still else (),
    )


def _too_many(look: Look, until: datetime | None) -> bool:
    """Seats down to none, where seats are not given back; the provider's date for cancelling goes before that."""
    if not gives_back(look.head) or until is not None:
        return False
    free, wanted = room(look), abs(seats(look.head) or Decimal(0))
    return free is not None and free.seats is not None and free.seats < wanted


def _renewal(look: Look) -> Finding:
    end = term_ends(look) or look.now
    return Finding(
        cause=NAME,
        disposition=Disposition.WAIT,
        confidence=Confidence.LIKELY,
        sentence="Seats could not be given back; the term is ending just now, and a new window opens with the renewal.",
        next_step="Nothing to do yet: it is looked at again when the renewal is through.",
        who="no one",
        proof=(*complaint(look), look.fact("the term ends", end.isoformat(), _where(look))),
        until=look.after(max(end, look.now), RENEWAL_RUNS),
    )


def _contradicted(look: Look, reason: str) -> Finding:
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LIKELY,
        sentence=f"The provider refuses to change the seats now ({look.reading.means}), yet {reason}.",
        next_step="Look at the subscription at the provider: what may be changed now, and from when on.",
        who="billing administrator",
        proof=complaint(look),
        against=(look.change_fact("Quantity", look.head.quantity if look.head else None),),
    )


def _facts(look: Look, free: Room | None) -> tuple[Fact, ...]:
    subscription, where = look.evidence.subscription, _where(look)
    by_provider: tuple[Fact, ...] = ()
    if free is not None and free.by_provider:
        by_provider = (look.fact("seats that may be given back now", free.seats, where),)
    return (
        look.change_fact("Quantity", look.head.quantity if look.head else None),
        *by_provider,
        look.fact("Quantity Reduction Behavior", subscription.reduction_behavior, f"subscription:{subscription.id}"),
        look.fact("Quantity Reduction Window", subscription.reduction_window_days, f"subscription:{subscription.id}"),
        *_date("the term ends", term_ends(look), look, where),
        *_date("the window closed", free.closed_on if free is not None else None, look, where),
    )


def _date(what: str, moment: datetime | None, look: Look, where: str) -> tuple[Fact, ...]:
    return (look.fact(what, moment.isoformat(), where),) if moment is not None else ()


def _against(look: Look, free: Room | None, number: Decimal) -> tuple[Fact, ...]:
    """Where Work 365's rule and the provider disagree."""
    subscription = look.evidence.subscription
    if subscription.reduction_behavior is ReductionBehavior.ALLOWED:
        return (look.fact("Quantity Reduction Behavior", "allowed", f"subscription:{subscription.id}"),)
    if free is not None and free.by_provider and (free.seats is None or free.seats >= number):
        return (look.fact("seats that may be given back now", free.seats, _where(look)),)
    return ()


def _where(look: Look) -> str:
    shown = look.at_provider()
    return f"provider_subscription:{shown.id}" if shown is not None else f"subscription:{look.evidence.subscription.id}"
