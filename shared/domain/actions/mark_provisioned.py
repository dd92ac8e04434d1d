"""Mark the head Provisioned, with the day on which it really was: the reduction window counts from it."""

from datetime import datetime, timedelta

from shared.domain.action import Action, Need, Risk, WhyNot
from shared.domain.actions.preconditions import head_of
from shared.domain.amendment import CHANGE, Amendment, Asked, Column, text_of
from shared.domain.causes.already_applied import applied_on
from shared.domain.evidence import Change, ProviderType
from shared.domain.look import Look
from shared.domain.policy import Level
from shared.domain.safety import shows_head

NAME = "mark_provisioned"
OFFERED_BY = "already_applied"
"""Where the provider has the change already, a person confirms just that, whatever was complained about."""
WHEN = "provisioned_on"


def propose(look: Look, asked: Asked | None) -> Amendment | WhyNot:
    """Rule 9: on a provider that Work 365 drives only where the provider, read now, shows it."""
    head = head_of(look, half_done_too=True)
    if isinstance(head, WhyNot):
        return head
    if (reason := _not_there(look, asked)) is not None:
        return WhyNot(reason)
    when = _when(look, head, asked)
    if isinstance(when, WhyNot):
        return when
    return Amendment(
        CHANGE,
        head.id,
        (
            Column("provisioning_status", head.status, "provisioned"),
            Column("actual_provisioned_on", text_of(head.actual_provisioned_on), text_of(when)),
        ),
    )


def _not_there(look: Look, asked: Asked | None) -> str | None:
    """Why nobody can say that the change is provisioned; None when somebody does."""
    provider = look.evidence.subscription.provider
    kind = provider.type if provider is not None else None
    if kind is ProviderType.MANUAL:
        return None if asked is not None else "only a person can say that a manual provider has done it"
    if kind not in (ProviderType.AUTOMATIC, ProviderType.REST):
        return f"the provider is {kind or 'not known'}: nothing is provisioned there for this change"
    reading = look.evidence.provider
    if reading is None or not reading.readable:
        why = reading.problem if reading is not None else "it has not been asked"
        return f"the provider cannot be read now ({why}): on an automatic provider nobody's word is enough"
    if not shows_head(look):
        return "the provider, read now, does not show this change: see what is missing there first"
    return None


def _when(look: Look, head: Change, asked: Asked | None) -> datetime | WhyNot:
    told = asked.value(WHEN) if asked is not None else ""
    if not told:
        fact = applied_on(look)
        if fact is None:
            return WhyNot(f"when it was provisioned is not known: ask for {NAME} with {WHEN}")
        return _possible(look, head, datetime.fromisoformat(fact.value))
    try:
        when = datetime.fromisoformat(told)
    except ValueError:
        return WhyNot(f"{WHEN}: should be a moment with a time zone such as 2026-11-20T14:30:00Z")
    if when.tzinfo is None:
        return WhyNot(f"{WHEN}: needs a time zone, such as 2026-11-20T14:30:00Z")
    return _possible(look, head, when)


def _possible(look: Look, head: Change, when: datetime) -> datetime | WhyNot:
    """The moment, if the change can have been provisioned then: windows and invoices count from it."""
    if head.created_on is None:
        return WhyNot("when the change was made could not be read, so nothing is known about when it was provisioned")
    if when > look.now:
        return WhyNot(f"{WHEN}: lies in the future ({when.isoformat()})")
    if when < head.created_on - timedelta(days=1):
        made = head.created_on.date()
        return WhyNot(f"{WHEN}: {when.isoformat()} is before the change was made ({made}): ask for {NAME} with {WHEN}")
    return when


ACTION = Action(
    name=NAME,
    title="Mark the change Provisioned",
    changes="License Change Log: Provisioning Status to Provisioned, Actual Provisioned On",
    risk=Risk.HIGH,
    freest=Level.APPROVE,
    verified="The change is read as Provisioned, and its subscription follows and stays so.",
    undone="The status and date before are put back, where that cannot order again: not while Work 365 would call the "
    "provider for it.",
    propose=propose,
    needs=(Need(WHEN, "When it was really provisioned, where the evidence does not say it.", "2026-11-20T14:30:00Z"),),
)
