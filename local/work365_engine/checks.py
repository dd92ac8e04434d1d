"""What Work 365 looks at before it calls the provider; docs/local-work365.md says on which fact each check rests."""

from dataclasses import dataclass
from datetime import datetime

from local.dataverse.records import Record
from local.work365_engine.desk import (
    AWAITING,
    FAILED,
    NOT_APPLICABLE,
    SCHEDULED,
    SUBSCRIPTION,
    Desk,
    is_unprovisioned,
    place,
)

# Verbatim from Work 365 (KA-01222), curly quotes included.
PRIOR_CHANGES = (
    "There are one or more prior License Change Logs for this Subscription that are either "
    "Awaiting Provisioning or have Failed Provisioning."
)
NO_ACCOUNT = (
    "Account does not exist for Subscription. Specify the Account and change the state to "
    "‘Awaiting Provisioning’ to retry the sync."  # noqa: RUF001
)
# The conditions are documented, their wording is not.
NO_SUBSCRIPTION = "The License Change Log has no Subscription."
NO_PART_NUMBER = "Provider Part Number is not specified on the Product."
INACTIVE_PROVIDER = "The Provider is inactive."
INACTIVE_PRODUCT = "The Product is inactive."
NO_REDUCTION = "Quantity Reduction Behavior of the Subscription is Disallowed."
NO_ADDONS = "Add-on subscriptions are not supported by this Provider."
NO_LINKED = "Linked Subscription is not specified."


@dataclass(frozen=True)
class Target:
    """Where a change is to be ordered. `subscription` is the linked one where the change works through it."""

    change: Record
    subscription: Record
    provider: Record
    account: Record
    parent: Record | None
    part_number: str

    @property
    def tenant_id(self) -> str:
        """The provider's id of the customer; empty where nobody filled it."""
        return str(self.account["provider_specific_id"] or "").lower()


@dataclass(frozen=True)
class Go:
    """Nothing stands against calling the provider."""

    target: Target


@dataclass(frozen=True)
class Later:
    """Not yet: not before `until`, or (None) until something else is done."""

    until: datetime | None


@dataclass(frozen=True)
class Stop:
    """No call. The change gets `change_status` (None: stays) and `message`, the job ends accordingly."""

    message: str
    change_status: str | None = FAILED

    @property
    def job_status(self) -> str:
        return "failed" if self.change_status == FAILED else "not_applicable"


type Verdict = Go | Later | Stop


def look(desk: Desk, change: Record) -> Verdict:
    """Everything that Work 365 asks before the call, in its order."""
    if change["provisioning_status"] != AWAITING:
        return Stop("The License Change Log is not Awaiting Provisioning.", None)
    subscription = desk.row(SUBSCRIPTION, change["subscription"])
    if subscription is None:
        return Stop(NO_SUBSCRIPTION)
    due = due_at(desk, change, subscription)
    if due > desk.clock():
        return Later(due)
    if change["change_type"] == "update" and not change["quantity"]:
        # A change of price alone is an audit entry: there is nothing to tell the provider.
        return Stop("Nothing to provision.", NOT_APPLICABLE)
    provider = desk.row("provider", subscription["provider"])
    if provider is None:
        return Stop(NO_ACCOUNT)
    by_type = _by_provider_type(provider)
    if by_type is not None:
        return by_type
    if _is_held_up(desk, change):
        return Stop(PRIOR_CHANGES)
    if provider["type"] == "linked_subscription":
        return _through_linked(desk, change, subscription)
    return _target(desk, change, subscription, provider)


def due_at(desk: Desk, change: Record, subscription: Record) -> datetime:
    """When the later of effective date and start date begins in Work 365's time zone; in the past without both."""
    days = [day for day in (change["effective_date"], subscription["start_date"]) if day is not None]
    return desk.starts(max(days)) if days else change["created_on"]


def _by_provider_type(provider: Record) -> Stop | None:
    if provider["state"] == "inactive":
        return Stop(INACTIVE_PROVIDER)
    if provider["type"] == "manual":
        return Stop(f"{provider['name']} is a manual provider: waiting for a person.", None)
    if provider["type"] == "do_nothing":
        return Stop("Nothing to provision.", NOT_APPLICABLE)
    return None


def _is_held_up(desk: Desk, change: Record) -> bool:
    """Earlier changes come first, and so do scheduled ones that could not be merged or should have been by now."""
    earlier = [other for other in desk.chain(change["subscription"]) if place(other) < place(change)]
    return any(map(is_unprovisioned, earlier)) or _has_overdue_scheduled(desk, change)


def _has_overdue_scheduled(desk: Desk, change: Record) -> bool:
    day = place(change)[0]
    waiting = desk.records.find(SCHEDULED, subscription=change["subscription"], status=("pending", "merge_failed"))
    return any(
        other["effective_date"] is not None
        and other["effective_date"] <= day
        and (other["status"] == "merge_failed" or desk.starts(other["effective_date"]) <= desk.clock())
        for other in waiting
    )


def _through_linked(desk: Desk, change: Record, subscription: Record) -> Verdict:
    """A change of a linked subscription is applied at the other one, once that one has nothing open itself."""
    linked = desk.row(SUBSCRIPTION, subscription["linked"])
    provider = desk.row("provider", linked["provider"]) if linked else None
    if linked is None or provider is None or provider["type"] == "linked_subscription":
        return Stop(NO_LINKED)
    if desk.unprovisioned(linked["id"]):
        return Later(None)
    return _by_provider_type(provider) or _target(desk, change, linked, provider)


def _target(desk: Desk, change: Record, subscription: Record, provider: Record) -> Verdict:
    account = _provider_account(desk, subscription)
    if account is None:
        return Stop(NO_ACCOUNT)
    if subscription["reduction_behavior"] == "disallowed" and (change["quantity"] or 0) < 0:
        return Stop(NO_REDUCTION)
    parent = _addon_parent(desk, subscription)
    if parent is not None and provider["connector"] == "pax8":
        # Pax8's connector has no add-on support (docs, providers).
        return Stop(NO_ADDONS)
    product = desk.row("product", subscription["product"])
    if product is not None and product["state"] != "active":
        return Stop(INACTIVE_PRODUCT)
    part_number = product["provider_part_number"] if product else None
    if not part_number and change["change_type"] == "create":
        return Stop(NO_PART_NUMBER)
    return Go(Target(change, subscription, provider, account, parent, part_number or ""))


def _provider_account(desk: Desk, subscription: Record) -> Record | None:
    """The one on the subscription. Work 365 guesses none, not even where the customer has a single one.

    Whose account it is gets filled along with the billing contract (KA-01222): without customer or contract in
    force there is none.
    """
    if not _is_in_force(desk, "account", subscription["customer"]):
        return None
    if not _is_in_force(desk, "billing_contract", subscription["billing_contract"]):
        return None
    account = desk.row("provider_account", subscription["provider_account"])
    return account if account is not None and account["state"] == "active" else None


def _is_in_force(desk: Desk, table: str, id: str | None) -> bool:
    row = desk.row(table, id)
    return row is not None and row["state"] == "active"


def _addon_parent(desk: Desk, subscription: Record) -> Record | None:
    """The base subscription of an add-on. The parent of a bundle (Do Nothing) only holds its children together."""
    parent = desk.row(SUBSCRIPTION, subscription["parent"])
    provider = desk.row("provider", parent["provider"]) if parent else None
    return None if provider is not None and provider["type"] == "do_nothing" else parent
