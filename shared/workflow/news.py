"""What people are told of a case, in words that may leave the app."""

from shared.domain.case import NOT_DONE, Case
from shared.domain.retrigger import HELD_BACK
from shared.ports import News


def news_of(case: Case, *, key: str, kind: str, text: str) -> News:
    """The news with what the case says now. `text` is what is told of a change that is held back or was not done."""
    diagnosis, held = case.diagnosis, kind in (HELD_BACK, NOT_DONE)
    who = next((f.who for f in diagnosis.findings if f.disposition is diagnosis.disposition), "") if diagnosis else ""
    return News(
        key=key,
        kind=kind,
        case_id=case.id,
        text=text if held else case.summary,
        next_step=case.held_back or case.next_step if held else case.next_step,
        who=who,
        details={
            "subscription_id": case.subscription_id,
            "subscription": case.subscription_name,
            "customer": case.customer_name,
            "provider": case.provider_name,
            "cause": case.cause or "",
            "change_id": case.change_id or "",
            "plan_digest": case.plan.digest if case.plan else "",
        },
    )
