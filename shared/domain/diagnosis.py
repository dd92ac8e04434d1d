"""Diagnosis: every cause is looked for, the findings are ranked, and the most cautious disposition wins."""

import re
from dataclasses import dataclass

from shared.domain.causes import CAUSES, already_applied, trigger_missed, unknown
from shared.domain.chain import UNPROVISIONED
from shared.domain.evidence import SubscriptionStatus
from shared.domain.finding import Disposition, Finding, RuledOut
from shared.domain.look import Look, strictest

RULE_VERSION = "1"
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
    found: list[Finding] = []
    out: list[RuledOut] = []
    for look_for in CAUSES.values():
        verdict = look_for(look)
        (found if isinstance(verdict, Finding) else out).append(verdict)  # type: ignore[arg-type]
    if all(f.cause == "prior_change_blocking" and not f.cured for f in found):
        # Nothing explains the head itself, and a chain is only as understood as its head.
        found.append(unknown.nothing_fits(look, [o for o in out if o.cause == trigger_missed.NAME]))
        out = [o for o in out if o.cause != unknown.NAME]
    head = look.head
    return Diagnosis(head.id if head else None, _disposition(look, found), tuple(found), tuple(out))


def nothing_stuck(look: Look) -> bool:
    """No unprovisioned change, no overdue scheduled change, and the subscription does not await provisioning."""
    scheduled_late = any(
        s.status == "merge_failed" or (s.effective_date is not None and s.effective_date < look.today)
        for s in look.evidence.scheduled
    )
    unsure = look.evidence.unread or any(c.status is None and not c.archived for c in look.evidence.changes)
    return (
        look.head is None
        and look.intent is None
        and not scheduled_late
        and not unknown.of_ours(look)
        and not any(c.archived and c.status in UNPROVISIONED for c in look.evidence.changes)
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
    """The reasoning as a short list: what was ruled out and why, then what remains."""
    ruled_out = [f"Ruled out {out.cause}: {out.reason}." for out in diagnosis.ruled_out]
    return [*ruled_out, *(f"Holds: {f.cause}. {f.sentence}" for f in diagnosis.findings)]
