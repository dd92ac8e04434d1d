"""The provider already shows what the change asks for: retriggering it would order twice."""

from shared.domain.evidence import Change, ChangeSource, ChangeType, JobStatus, ProviderReading, ProviderSubscription
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.safety import shows_head
from shared.domain.seats import seats
from shared.domain.unlinked import is_product, unlinked
from shared.domain.windows import days_later

NAME = "already_applied"

_UNTOUCHED = (JobStatus.NOT_APPLICABLE, JobStatus.CANCELLED)
"""A job that ended so has not called the provider."""


def look_for(look: Look) -> Finding | RuledOut:
    head, reading = look.head, look.evidence.provider
    if head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    if reading is None:
        return RuledOut(NAME, "the provider has not been asked")
    if not reading.readable:
        return RuledOut(NAME, f"the provider could not be asked: {reading.problem}")
    if head.source is ChangeSource.PROVIDER:
        return RuledOut(NAME, "the change came from the provider, so it is there without having been ordered")
    shown = look.at_provider()
    if shown is None:
        return _unlinked_order(look, head, reading)
    if not shows_head(look):
        expected = look.chain.after if look.chain.after is not None else head.change_type
        return RuledOut(NAME, f"the provider shows {shown.quantity} seats ({shown.status}), not yet {expected}")
    return _linked(look, head, shown, reading)


def _linked(look: Look, head: Change, shown: ProviderSubscription, reading: ProviderReading) -> Finding:
    where = f"provider_subscription:{shown.id}"
    by_status = head.change_type in (ChangeType.ACTIVATE, ChangeType.DEACTIVATE)
    odd = not by_status and shown.status != "active"
    against = (Fact("status at the provider", str(shown.status), where, reading.read_on),) if odd else ()
    there = str(shown.status) if by_status else f"{shown.quantity} seats"
    when = applied_on(look)
    date = (
        f"Actual Provisioned On {when.value}" if when else "the date on which it was applied as Actual Provisioned On"
    )
    return Finding(
        cause=NAME,
        disposition=Disposition.APPROVE,
        confidence=Confidence.LIKELY if against else Confidence.CERTAIN,
        sentence=f"The provider already has this change ({there}); only Work 365 does not know.",
        next_step=f"Set the change to Provisioned with {date}: the reduction window counts from it. "
        "Do not retrigger it.",
        who="billing administrator",
        proof=(
            Fact("seats at the provider", str(shown.quantity), where, reading.read_on),
            look.change_fact("seats after this change", look.chain.after),
            look.change_fact("Provisioning Status", head.status),
            *((when,) if when else ()),
        ),
        against=against,
    )


def applied_on(look: Look) -> Fact | None:
    """When the provider took it on: its own date, else the window it gave these seats, else the last call's end.

    The fact's value is a moment in ISO 8601. None when nothing that was read says when.
    """
    head, shown, reading = look.head, look.at_provider(), look.evidence.provider
    if head is None or shown is None or reading is None:
        return None
    where = f"provider_subscription:{shown.id}"
    if head.change_type is ChangeType.CREATE:
        on = shown.created_on
        return Fact("ordered at the provider", on.isoformat(), where, reading.read_on) if on else None
    days = look.evidence.subscription.reduction_window_days
    bought = [b.until for b in shown.refundable or () if b.until is not None and b.quantity == seats(head)]
    if len(bought) == 1 and days is not None and 0 < days < 366:
        on = days_later(bought[0], -days, look.policy.time_zone)
        return Fact(f"{days} days before these seats' window closes", on.isoformat(), where, reading.read_on)
    ended = [j for j in look.jobs if j not in look.live_jobs and j.modified_on and j.status not in _UNTOUCHED]
    last = max(ended, key=lambda j: (j.modified_on or look.now, j.id), default=None)
    if last is None or last.modified_on is None:
        return None
    return look.fact("its last job ended", last.modified_on.isoformat(), f"work365_job:{last.id}")


def _unlinked_order(look: Look, head: Change, reading: ProviderReading) -> Finding | RuledOut:
    """A first order that went through although Work 365 saw no answer: it stands there without a row that links it."""
    subscription = look.evidence.subscription
    if subscription.provider_subscription_id or head.change_type is not ChangeType.CREATE:
        return RuledOut(NAME, "the provider does not show this subscription")
    found = unlinked(look)
    if found is None:
        return RuledOut(NAME, "which of the provider's subscriptions are already linked could not be read")
    if not found:
        return RuledOut(NAME, "the provider has no unlinked subscription of this product")
    best = min(found, key=lambda s: (len(_doubts(look, head, s)), s.id))
    doubts = _doubts(look, head, best)
    where = f"provider_subscription:{best.id}"
    ordered = best.created_on.isoformat() if best.created_on else "a date that the provider does not say"
    others = f" There are {len(found)} that it could be." if len(found) > 1 else ""
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LOW if doubts or len(found) > 1 else Confidence.LIKELY,
        sentence=f"The provider has a subscription of this product that nothing in Work 365 points to ({best.id}): "
        f"this first order may have gone through.{others}",
        next_step=f"If it is this order, link the subscription to {best.id} and set the change to Provisioned with "
        f"Actual Provisioned On {ordered}; if not, find out whose it is. Do not retrigger before.",
        who="billing administrator",
        proof=tuple(
            Fact("unlinked there", f"{s.quantity} seats, {s.status}", f"provider_subscription:{s.id}", reading.read_on)
            for s in found[:10]
        ),
        against=tuple(Fact("speaks against it", doubt, where, reading.read_on) for doubt in doubts),
    )


def _doubts(look: Look, head: Change, shown: ProviderSubscription) -> tuple[str, ...]:
    """What speaks against its being this very order."""
    wanted = seats(head)
    doubts = []
    if is_product(shown, look.evidence.subscription.part_number or "") is None:
        doubts.append("the provider does not say its product")
    if wanted is None or shown.quantity != wanted:
        doubts.append(f"it has {shown.quantity} seats, not {wanted}")
    if shown.created_on is None or head.created_on is None:
        doubts.append("when it was ordered is not known")
    elif shown.created_on < head.created_on:
        doubts.append(f"it is older ({shown.created_on.isoformat()}) than the change")
    return tuple(doubts)
