"""Diagnosis: every cause is looked for, the findings are ranked, and the most cautious disposition wins."""

import re
from dataclasses import dataclass, replace

from shared.domain.causes import CAUSES, already_applied, trigger_missed, unknown
from shared.domain.costs import cost_of_waiting
from shared.domain.evidence import SubscriptionStatus
from shared.domain.finding import Confidence, Cost, Disposition, Finding, RuledOut
from shared.domain.look import Look, strictest
from shared.domain.scheduled import overdue
from shared.domain.seats import billed_without

RULE_VERSION = "2"
"""Raised whenever a rule decides differently on the same evidence."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is known about one subscription. `findings` are in the order in which they must be solved."""

    change_id: str | None
    disposition: Disposition | None
    """None when nothing is stuck."""
    findings: tuple[Finding, ...]
    ruled_out: tuple[RuledOut, ...]
    rule_version: str = RULE_VERSION

    @property
    def healthy(self) -> bool:
        return self.disposition is None

    @property
    def first(self) -> Finding | None:
        return self.findings[0] if self.findings else None

    @property
    def cause(self) -> str | None:
        return self.findings[0].cause if self.findings else None


def diagnose(look: Look) -> Diagnosis:
    """Same look, same diagnosis. Raises nothing for odd evidence: what is not understood is `unknown`."""
    if nothing_stuck(look):
        return Diagnosis(None, None, (), (RuledOut("all", "no change of the subscription is unprovisioned"),))
    verdicts = [look_for(look) for look_for in CAUSES.values()]
    found = [verdict for verdict in verdicts if isinstance(verdict, Finding)]
    out = [verdict for verdict in verdicts if isinstance(verdict, RuledOut)]
    if (enough := _enough(found)) is not None:
        # It says that nothing else is wrong.
        found = [finding for finding in found if finding.cause != trigger_missed.NAME]
        out.append(RuledOut(trigger_missed.NAME, f"{enough.cause} holds"))
    if (gap := _unexplained(look, found, out)) is not None:
        found.append(gap)
        out = [o for o in out if o.cause != unknown.NAME]
    found.sort(key=lambda finding: finding.advice)
    cost = cost_of_waiting(look)
    head = look.head
    return Diagnosis(
        head.id if head else None,
        _disposition(look, found),
        tuple(_told(look, finding, cost) for finding in found),
        tuple(out),
    )


def _told(look: Look, finding: Finding, cost: Cost | None) -> Finding:
    """The finding with what waiting costs. What could not be read might speak against it: nothing is certain then."""
    sure = Confidence.LIKELY if look.gaps and finding.confidence is Confidence.CERTAIN else finding.confidence
    return finding if cost is None and sure is finding.confidence else replace(finding, cost=cost, confidence=sure)


def _enough(found: list[Finding]) -> Finding | None:
    """A finding beside a missed trigger that says more; None when there is none, or no missed trigger."""
    if all(finding.cause != trigger_missed.NAME for finding in found):
        return None
    quiet = _ABOUT_OTHERS | {trigger_missed.NAME}
    return next((f for f in found if f.cause not in quiet and not f.advice), None)


def _unexplained(look: Look, found: list[Finding], out: list[RuledOut]) -> Finding | None:
    """What is left open: nothing explains the head, or its message speaks of a cause that the evidence denies."""
    says = look.reading.cause
    held_by_scheduled = any(f.cause in _ABOUT_OTHERS and f.disposition is Disposition.PERSON for f in found)
    if look.head is not None and says is not None and all(f.cause != says for f in found):
        return unknown.contradicted(look, [o for o in out if o.cause == says])
    if held_by_scheduled:
        return None
    if all(f.advice or (f.cause in _ABOUT_OTHERS and not f.cured) for f in found):
        return unknown.nothing_fits(look, [o for o in out if o.cause == trigger_missed.NAME])
    return None


_ABOUT_OTHERS = frozenset({"prior_change_blocking"})
"""Findings about other changes than the head: a chain is only as understood as its head."""


def nothing_stuck(look: Look) -> bool:
    """No unprovisioned change, no overdue scheduled change, and the subscription does not await provisioning."""
    unsure = look.evidence.unread or any(c.status is None and not c.archived for c in look.evidence.changes)
    return (
        look.head is None
        and look.intent is None
        and not overdue(look)
        and not unknown.of_ours(look)
        and not billed_without(look)
        and not unsure
        and look.evidence.subscription.status not in (None, SubscriptionStatus.AWAITING)
    )


def _disposition(look: Look, found: list[Finding]) -> Disposition:
    """The most cautious of all (rule 5 included).

    But what waits by design waits, whatever comes after it; and where the provider has the change already, a person
    confirms just that, whatever was complained about before.
    """
    disposition = found[0].disposition
    if disposition is Disposition.WAIT or found[0].cause == already_applied.NAME:
        return disposition
    for finding in found[1:]:
        if not finding.advice:
            disposition = strictest(disposition, finding.disposition)
    if same_text_again(look):
        return Disposition.PERSON
    return disposition


def same_text_again(look: Look) -> bool:
    """The change says after our retrigger what it said before it: retriggering does not help (rule 5)."""
    attempt = look.last_attempt()
    return attempt is not None and bool(look.message) and gist(look.message) == gist(attempt.message_before)


def gist(message: str) -> str:
    """The beginning of a message, without what changes from try to try: ids, times and counters."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "#", message[:2_000].casefold()).strip()[:1_000]


def explain(diagnosis: Diagnosis) -> list[str]:
    """The reasoning as a short list: what was ruled out and why, each reason once, then what remains."""
    causes_of: dict[str, list[str]] = {}
    for out in diagnosis.ruled_out:
        causes_of.setdefault(out.reason, []).append(out.cause)
    ruled_out = [f"Ruled out {', '.join(causes)}: {reason}." for reason, causes in causes_of.items()]
    holds = [f"{'Advice' if f.advice else 'Holds'}: {f.cause}. {f.sentence}" for f in diagnosis.findings]
    return [*ruled_out, *holds]
