"""Move a reduction whose window is closed to the renewal, with which the next window opens."""

from shared.domain.action import Action, Risk, WhyNot
from shared.domain.actions.preconditions import head_of
from shared.domain.amendment import CHANGE, Amendment, Asked, Column, text_of
from shared.domain.evidence import Change, ProvisioningStatus
from shared.domain.look import Look
from shared.domain.policy import Level
from shared.domain.safety import shows_head
from shared.domain.seats import ends_it, gives_back
from shared.domain.windows import renewing, renews_on

NAME = "move_to_renewal"


def propose(look: Look, asked: Asked | None) -> Amendment | WhyNot:  # noqa: ARG001
    head, day = head_of(look), renews_on(look)
    if isinstance(head, WhyNot):
        return head
    if (reason := _refused(look, head)) is not None:
        return WhyNot(reason)
    if day is None:
        return WhyNot("when the subscription renews is not known: set its End Date, or move the change by hand")
    if head.effective_date is not None and head.effective_date >= day:
        return WhyNot(f"its Effective Date is {head.effective_date} already, and the renewal {day}")
    columns = [Column("effective_date", text_of(head.effective_date), day.isoformat())]
    if head.status is ProvisioningStatus.FAILED:
        columns.append(Column("provisioning_status", head.status, ProvisioningStatus.AWAITING))
    return Amendment(CHANGE, head.id, tuple(columns))


def _refused(look: Look, head: Change) -> str | None:
    if not gives_back(head):
        return "the change gives no seats back"
    if ends_it(look):
        return "it ends the subscription: turn auto-renew off instead"
    if shows_head(look):
        return "the provider has taken these seats back already: mark it Provisioned instead"
    if look.chain.behind or look.evidence.scheduled:
        return "something follows this change: decide about all of it together"
    if renewing(look):
        return "the term is just ending: the new window opens with the renewal, by itself"
    return None


ACTION = Action(
    name=NAME,
    title="Move the reduction to the renewal",
    changes="License Change Log: Effective Date to the first day of the next term, and Failed Provisioning back to "
    "Awaiting Provisioning",
    risk=Risk.MEDIUM,
    freest=Level.APPROVE,
    verified="The change is read with that date; it is looked at again when the date has come.",
    undone="Date and status before are put back, until the day has come.",
    propose=propose,
)
