"""A subscription's own status, which follows its changes, and changes that are marked Provisioned by hand."""

from local.dataverse.records import Record
from local.work365_engine.desk import PROVISIONED, SUBSCRIPTION, Desk
from local.work365_engine.ordering import provider_subscription, running_total


def settle(desk: Desk, change: Record) -> None:
    """Once nothing of a subscription is unprovisioned any more, it is Provisioned (or Suspended by its change)."""
    subscription = desk.row(SUBSCRIPTION, change["subscription"])
    if subscription is None or desk.unprovisioned(subscription["id"]):
        return
    status = "suspended" if change["change_type"] == "deactivate" else PROVISIONED
    if subscription["status"] != status:
        desk.write(SUBSCRIPTION, subscription["id"], {"status": status})


def judge_mark(desk: Desk, change: Record) -> None:
    """Someone else than Work 365 said that a change is provisioned: write it down where that is not true."""
    subscription = desk.row(SUBSCRIPTION, change["subscription"])
    provider = desk.row("provider", subscription["provider"]) if subscription else None
    if subscription is None or provider is None:
        return
    if provider["type"] == "manual" and change["id"] not in desk.options.done_by_hand:
        desk.harmed("manual_not_done", change, f"marked Provisioned, but not done at {provider['name']}")
    if provider["type"] in ("automatic", "rest") and not _is_at_provider(desk, change, subscription):
        desk.harmed("marked_without_provider", change, f"marked Provisioned, but {provider['name']} does not show it")


def _is_at_provider(desk: Desk, change: Record, subscription: Record) -> bool:
    if any(order.change_id == change["id"] for order in desk.provider.orders):
        return True
    there = provider_subscription(desk, subscription)
    if there is None:
        return False
    if change["change_type"] in ("activate", "deactivate"):
        return there.status == ("active" if change["change_type"] == "activate" else "suspended")
    return there.status == "active" and there.quantity == running_total(desk, change, subscription)
