"""Undo an action: put back what stood in the row before, if nobody has written over it since (promise P18)."""

from shared.domain.action import Action, Need, Risk, WhyNot
from shared.domain.actions.preconditions import unread, waits
from shared.domain.amendment import CHANGE, Amendment, Asked, Done, holds
from shared.domain.chain import in_order
from shared.domain.evidence import LIVE_JOBS, Change, ProviderType, ProvisioningStatus
from shared.domain.look import Look
from shared.domain.policy import Level
from shared.domain.seats import touches_none

NAME = "undo"
WHICH = "number"


def propose(look: Look, asked: Asked | None) -> Amendment | WhyNot:
    which = asked.value(WHICH) if asked is not None else ""
    done = _done(look, which)
    if isinstance(done, WhyNot):
        return done
    if done.undone_on is not None:
        return WhyNot(f"it was undone on {done.undone_on.isoformat()}")
    if done.amendment is None:
        return WhyNot("it cannot be undone: what Work 365 orders is an order")
    if look.intent is not None:
        return WhyNot("something of ours is still open on this subscription: it is settled first")
    if (missing := unread(look)) is not None:
        return WhyNot(missing)
    if not holds(look.evidence, done.amendment):
        return WhyNot("the row does not show any more what was set then: somebody has changed it since")
    if (later := _set_again(look, int(which))) is not None:
        return WhyNot(f"action {later} has set it again since: undo that one")
    back = done.amendment.inverse()
    reason = _under_way(look) or _settled(look, done.amendment) or _orders(look, back) or _too_late(look, done)
    return WhyNot(reason) if reason is not None else back


def _done(look: Look, number: str) -> Done | WhyNot:
    if not (number.isascii() and number.isdigit() and 1 <= int(number[:9]) <= len(look.done)):
        known = f"1 to {len(look.done)}" if look.done else "nothing: no action of this case can be undone"
        return WhyNot(f"{WHICH}: should be the number of an action that was done ({known})")
    return look.done[int(number) - 1]


def _set_again(look: Look, number: int) -> int | None:
    """The number of a later action on the same columns of the same row that was not undone; None when there is none."""
    later = enumerate(look.done[number:], start=number + 1)
    return next((n for n, d in later if d.undone_on is None and _overlap(d, look.done[number - 1])), None)


def _overlap(one: Done, other: Done) -> bool:
    if one.amendment is None or other.amendment is None or one.amendment.row_id != other.amendment.row_id:
        return False
    return bool({c.name for c in one.amendment.columns} & {c.name for c in other.amendment.columns})


def _under_way(look: Look) -> str | None:
    """Work 365 acts on what the row shows while a job runs; one that waits for a later moment has not looked yet."""
    live = [job for job in look.evidence.jobs if job.status is None or job.status in LIVE_JOBS]
    if any(not waits(look, job) for job in live):
        return "a job of the subscription is still live: wait until it has ended"
    return None


def _settled(look: Look, amendment: Amendment) -> str | None:
    """Why the change itself is beyond undoing; None for a row of the subscription."""
    change = _change(look, amendment.row_id)
    if change is None:
        return None
    sets = {c.name: c for c in amendment.columns}
    if change.archived and "status" not in sets:
        return "the change has been archived since: it is invoiced and is never written"
    status, day = sets.get("provisioning_status"), sets.get("effective_date")
    if change.status is ProvisioningStatus.PROVISIONED and (status is None or status.after != change.status):
        return "the change has been provisioned since"
    if status is not None and status.before == ProvisioningStatus.NOT_APPLICABLE:
        return "before, the change stood at the Not Applicable of our own half-done retrigger"
    if day is not None and (day.before or "") < (day.after or "") <= look.today.isoformat():
        return "the day that the change was moved to has come"
    return None


def _change(look: Look, change_id: str) -> Change | None:
    return next((c for c in look.evidence.changes if c.id == change_id), None)


def _orders(look: Look, back: Amendment) -> str | None:
    """Why putting a status back would have Work 365 order; None when it would not."""
    status = next((c for c in back.columns if c.name == "provisioning_status"), None)
    if status is None or status.after != ProvisioningStatus.AWAITING:
        return None
    provider, change = look.evidence.subscription.provider, _change(look, back.row_id)
    if change is not None and touches_none(change):
        return None
    if provider is not None and provider.type is ProviderType.MANUAL:
        return None
    return "at Awaiting Provisioning Work 365 would order it at once: set it back by hand, if that is what you want"


def _too_late(look: Look, done: Done) -> str | None:
    """Why the time for it is over: what rested on it has been provisioned."""
    ordered = in_order(look.evidence.changes)
    first = next((n for n, c in enumerate(ordered) if c.id == done.change_id), 0)
    later = ordered[first + 1 :] if done.amendment is not None and done.amendment.table == CHANGE else ordered[first:]
    if any(c.status is ProvisioningStatus.PROVISIONED for c in later):
        return "a change that rests on it has been provisioned since"
    return None


ACTION = Action(
    name=NAME,
    title="Undo what was done",
    changes="The columns that the action set, back to the values before it",
    risk=Risk.HIGH,
    freest=Level.APPROVE,
    verified="The row is read with the values before, and the case is judged anew.",
    undone="By doing the action again.",
    propose=propose,
    needs=(Need(WHICH, "The number of the action in the case's list of what was done, from 1.", "1"),),
    asked_only=True,
)
