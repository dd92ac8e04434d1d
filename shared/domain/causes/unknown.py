"""Something no rule explains. It is never retriggered by itself: a person reads it, with the full text."""

from collections.abc import Sequence

from shared.domain.chain import in_order
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look

NAME = "unknown"


def look_for(look: Look) -> Finding | RuledOut:
    reasons = [*_unread(look), *_unmapped(look), *_message(look), *_late_job(look), *of_ours(look), *_no_change(look)]
    if not reasons:
        return RuledOut(NAME, "everything that was read is understood")
    return finding(reasons)


def finding(reasons: Sequence[tuple[str, Fact]]) -> Finding:
    """The finding for what is not understood; each reason is a sentence and its evidence."""
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LOW,
        sentence=f"This is not understood well enough to act: {'; '.join(text for text, _ in reasons)}.",
        next_step="Read the evidence below and decide; nothing is done by itself.",
        who="support engineer",
        proof=tuple(fact for _, fact in reasons),
    )


def nothing_fits(look: Look, ruled_out: Sequence[RuledOut]) -> Finding:
    """The finding when every cause was ruled out, trigger_missed included."""
    where = f"subscription:{look.evidence.subscription.id}"
    return finding([(out.reason, look.fact(out.cause, "ruled out", where)) for out in ruled_out[-1:]])


def contradicted(look: Look, ruled_out: Sequence[RuledOut]) -> Finding:
    """The finding when the message speaks of a cause that the rest of the evidence denies."""
    why = "; ".join(out.reason for out in ruled_out) or "no rule looks for it"
    text = f"its message speaks of {look.reading.cause} ({look.reading.means}), yet: {why}"
    return finding([(text, look.change_fact("Provisioning Message", look.message))])


def _unread(look: Look) -> list[tuple[str, Fact]]:
    where = f"subscription:{look.evidence.subscription.id}"
    return [(f"{what} could not be read", look.fact("not read", what, where)) for what in look.evidence.unread]


def _unmapped(look: Look) -> list[tuple[str, Fact]]:
    return [
        (f"the schema map does not know the value {value} of {where}", look.fact("unmapped value", value, where))
        for where, value in sorted(look.evidence.unmapped.items())
    ]


def _message(look: Look) -> list[tuple[str, Fact]]:
    if not look.message or look.reading.cause is not None or look.head is None:
        return []
    fact = look.change_fact("Provisioning Message", look.message)
    return [("its provisioning message is not one that a rule knows", fact)]


def _late_job(look: Look) -> list[tuple[str, Fact]]:
    late = [
        job
        for job in look.live_jobs
        if job.status is None
        or look.now >= look.after(job.scheduled_for or job.modified_on or look.now, look.policy.job_normal_time)
    ]
    return [
        (
            f"its job has been {job.status or 'in a state that is not known'} for longer than is normal",
            look.fact("job state", job.status, f"work365_job:{job.id}"),
        )
        for job in late
    ]


def of_ours(look: Look) -> list[tuple[str, Fact]]:
    """Changes at Not Applicable that concern us, although no retrigger of ours is open on them."""
    mine = look.intent.change_id if look.intent is not None else None
    tried = {attempt.change_id for attempt in look.attempts}
    us = look.evidence.own_user_id
    out = []
    for change in look.at_not_applicable():
        if change.id == mine:
            continue
        fact = look.change_fact("Provisioning Status", change.status, change)
        if us is not None and change.modified_by == us:
            out.append(("we set a change to Not Applicable and have no record of why", fact))
        elif change.id in tried:
            out.append(("a change that we retriggered was set to Not Applicable by someone", fact))
        elif change.id in look.dropped:
            out.append(("a change that we gave up retriggering stands at Not Applicable, perhaps by our write", fact))
    return out


def _no_change(look: Look) -> list[tuple[str, Fact]]:
    """Nothing seems unprovisioned, and whether that is so could not be read."""
    if look.head is not None or look.intent is not None:
        return []
    unclear = [c for c in in_order(look.evidence.changes) if c.status is None and not c.archived]
    text = "the Provisioning Status of one of its changes could not be read"
    return [(text, look.change_fact("Provisioning Status", c.status, c)) for c in unclear[:1]]
