"""Earlier changes of the subscription hold back later ones: Work 365 provisions them in order."""

from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.safety import order_safety

NAME = "prior_change_blocking"


def look_for(look: Look) -> Finding | RuledOut:
    head = look.head
    if head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    scheduled = _scheduled_before(look)
    if scheduled:
        return Finding(
            cause=NAME,
            disposition=Disposition.PERSON,
            confidence=Confidence.CERTAIN,
            sentence="A scheduled change that should have been merged before this one was not.",
            next_step="Open the Scheduled License Change Log: mend or archive it, then retrigger this change.",
            who="billing administrator",
            proof=scheduled,
        )
    if look.reading.cause == NAME:
        return _cleared(look)  # it is first now, whatever still waits behind it
    if look.chain.behind:
        return _head_first(look)
    return RuledOut(NAME, "it is the first unprovisioned change and no scheduled change is overdue")


def _scheduled_before(look: Look) -> tuple[Fact, ...]:
    return tuple(
        look.fact("scheduled change", f"{s.name} {s.status}", f"scheduled_license_change_log:{s.id}")
        for s in sorted(look.evidence.scheduled, key=lambda s: s.id)
        if s.status == "merge_failed"
        or (s.status == "pending" and s.effective_date is not None and s.effective_date < look.today)
    )


def _head_first(look: Look) -> Finding:
    """The chain waits for its head; whatever the head needs is decided by the head's own causes."""
    head, behind = look.head, look.chain.behind
    name = head.name if head else ""
    waiting = "1 later change waits" if len(behind) == 1 else f"{len(behind)} later changes wait"
    return Finding(
        cause=NAME,
        disposition=Disposition.AUTO,  # says nothing by itself: the head's own cause decides
        confidence=Confidence.CERTAIN,
        sentence=f"{waiting} behind {name or 'an earlier one'}.",
        next_step="The earliest change is solved first; the others follow in order.",
        who="whoever the first change needs",
        proof=(
            look.change_fact("Provisioning Status of the first", head.status if head else None),
            *(look.change_fact("Provisioning Status behind it", change.status, change) for change in behind),
        ),
    )


def _cleared(look: Look) -> Finding:
    safety = order_safety(look)
    return Finding(
        cause=NAME,
        disposition=safety.disposition,
        confidence=Confidence.LIKELY,
        sentence="The earlier change that held this one back is out of the way.",
        next_step="; ".join(safety.objections) or "Nothing to do: the change is retriggered by this app.",
        who="this app" if safety.disposition is Disposition.AUTO else "billing administrator",
        proof=(look.change_fact("Provisioning Message", look.message[:500]), *safety.proof),
        cured=True,
    )
