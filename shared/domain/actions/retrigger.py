"""Retrigger the head: have Work 365 take it up anew."""

from shared.domain import intent
from shared.domain.action import Action, Risk
from shared.domain.policy import Level

RETRIGGER = Action(
    name=intent.RETRIGGER,
    title="Retrigger the change",
    changes="License Change Log: Provisioning Status to Not Applicable and back to Awaiting Provisioning, two saves",
    risk=Risk.HIGH,
    freest=Level.AUTO,
    verified="Change and subscription are read as Provisioned, and stay so.",
    undone="It cannot be: the status is what it was before, and what Work 365 orders then is an order. "
    "Give the seats back by a change of their own.",
)

RESET_FAILED = Action(
    name=intent.RESET_FAILED,
    title="Set the failed change back to Awaiting Provisioning",
    changes="License Change Log: Provisioning Status from Failed Provisioning to Awaiting Provisioning, one save",
    risk=Risk.HIGH,
    freest=Level.AUTO,
    verified="Change and subscription are read as Provisioned, and stay so.",
    undone="It cannot be: what Work 365 orders then is an order. Give the seats back by a change of their own.",
)
