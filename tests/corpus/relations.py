"""Add-ons and their parents, children of bundles, parents in circles."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from shared.domain.evidence import Change, ChangeType, Related
from shared.domain.evidence import SubscriptionStatus as Status
from tests.builders import DAY, HOUR, NOW, PARENT, SUBSCRIPTION
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, Case, case
from tests.corpus.parts import (
    FAILED,
    MINUTE,
    NOTHING,
    PAX8,
    PAX8_ACCOUNT,
    failed,
    of_parent,
    old,
    parent,
    scheduled,
    see,
    stuck,
    sub,
)

CHILD = '{"code":27009,"description":"can\u2019t enable a child subscription, when the parent isn\u2019t Active"}'
_ADDON = sub(parent_id=PARENT, name="Audio Conferencing")
_CREATE = of_parent(change_type=ChangeType.CREATE)
_BUNDLE = parent(status=Status.ACTIVE, provider=NOTHING, account=None)


def _done(**values: Any) -> Change:
    """The base's first order, provisioned."""
    return old(id="23232323-0000-0000-0000-000000000009", **values)


def _waits(id: str, why: str, of: Related) -> Case:
    return case(id, why, see(subscription=_ADDON, parent=of), "parent_not_provisioned", WAIT, waits_for=PARENT)


def _free(id: str, why: str, of: Related) -> Case:
    return case(id, why, see(subscription=_ADDON, parent=of), "trigger_missed", AUTO, never=["parent_not_provisioned"])


# fmt: off
CASES = [
    _waits(
        "the parent's first order waits", "its own Create is unprovisioned", parent(_CREATE, status=Status.AWAITING),
    ),
    _waits(
        "the parent's first order failed", "a failed Create is unprovisioned too",
        parent(replace(_CREATE, status=FAILED, message="Tenant not found"), status=Status.AWAITING),
    ),
    _waits(
        "the parent is being activated", "its Activate is unprovisioned",
        parent(of_parent(change_type=ChangeType.ACTIVATE), status=Status.SUSPENDED),
    ),
    _waits("the parent lacks seats", "an increase of the parent is missing", parent(of_parent(quantity=Decimal(10)))),
    _waits("the parent awaits provisioning", "not active, whatever its changes say", parent(status=Status.AWAITING)),
    _waits(
        "the parent awaits a first order for next week", "its status is what the add-on needs",
        parent(replace(_CREATE, effective_date=date(2026, 11, 29)), status=Status.AWAITING),
    ),
    case(
        "the provider wants the parent first, and it still waits", "the code, while it still holds",
        see(old(), failed(CHILD), subscription=_ADDON, parent=parent(_CREATE, status=Status.AWAITING)),
        "parent_not_provisioned", WAIT, waits_for=PARENT,
    ),
    case(
        "base seats not met, and the base's increase waits", "the base goes first",
        see(
            old(), failed('{"code":"10018","description":"Base offer seat quantity has not been met"}'),
            subscription=_ADDON, parent=parent(of_parent(quantity=Decimal(10))),
        ),
        "parent_not_provisioned", WAIT, waits_for=PARENT,
    ),
    case(
        "the parent was provisioned since", "the complaint is older than its repair: cured",
        see(
            old(), failed(CHILD), subscription=_ADDON,
            parent=parent(_done(actual_provisioned_on=NOW - 10 * MINUTE)),
        ),
        "parent_not_provisioned", AUTO,
    ),
    case(
        "the parent was provisioned before the complaint", "an older repair cures nothing",
        see(
            old(), failed(CHILD), subscription=_ADDON,
            parent=parent(_done(actual_provisioned_on=NOW - 2 * HOUR)),
        ),
        "parent_not_provisioned", PERSON,
    ),
    case(
        "when the parent was provisioned is not known", "without a date nothing is cured",
        see(old(), failed(CHILD), subscription=_ADDON, parent=parent(_done(actual_provisioned_on=None))),
        "parent_not_provisioned", PERSON,
    ),
    case(
        "the wrong parent", "the add-on does not belong to the parent that was named",
        see(
            old(), failed('{"code":800029,"description":"The add-on isn\u2019t related to the specified parent"}'),
            subscription=_ADDON, parent=parent(),
        ),
        "parent_not_provisioned", PERSON,
    ),
    case(
        "a bundle for a parent", "the provider wants a real base, and this one is virtual",
        see(old(), failed(CHILD), subscription=_ADDON, parent=_BUNDLE), "parent_not_provisioned", PERSON,
    ),
    case(
        "no parent at all", "the provider asks for one that Work 365 does not have", see(old(), failed(CHILD)),
        "parent_not_provisioned", PERSON,
    ),
    case(
        "add-ons at Pax8", "that connector cannot provision add-ons",
        see(
            subscription=replace(_ADDON, provider=PAX8, account=PAX8_ACCOUNT), parent=parent(provider=PAX8),
            provider=None,
        ),
        "parent_not_provisioned", PERSON,
    ),
    case(
        "the parent is suspended", "not in force, and nothing is under way for it",
        see(subscription=_ADDON, parent=parent(status=Status.SUSPENDED)), "parent_not_provisioned", PERSON, WAIT,
    ),
    case(
        "the parent is cancelled", "not in force, and it will not be",
        see(subscription=_ADDON, parent=parent(status=Status.CANCELLED)), "parent_not_provisioned", PERSON,
    ),
    case(
        "the parent's state could not be read", "not known is not active",
        see(subscription=_ADDON, parent=parent(status=None)), ("parent_not_provisioned", "unknown"), PERSON, WAIT,
    ),
    case(
        "the parent could not be read", "403 is not fine",
        see(subscription=_ADDON, parent=None, unread=("parents (403)",)), ("unknown", "parent_not_provisioned"),
        PERSON,
    ),
    case(
        "the parent is missing without a word", "missing is not known, never fine",
        see(subscription=_ADDON, parent=None), ("unknown", "parent_not_provisioned"), PERSON, APPROVE, WAIT,
        never=["trigger_missed"],
    ),
    case(
        "its own parent", "a data error: it would wait for itself for ever",
        see(subscription=sub(parent_id=SUBSCRIPTION), parent=Related(sub(parent_id=SUBSCRIPTION), (stuck(),))),
        "parent_not_provisioned", PERSON,
    ),
    case(
        "its own parent, at rest", "a data error even where nothing waits",
        see(
            subscription=sub(parent_id=SUBSCRIPTION, status=Status.PROVISIONED),
            parent=Related(sub(parent_id=SUBSCRIPTION, status=Status.PROVISIONED), (old(), stuck())),
        ),
        "parent_not_provisioned", PERSON,
    ),
    case(
        "each other's parent", "a circle of two",
        see(
            subscription=_ADDON, ancestors=(SUBSCRIPTION,),
            parent=parent(_CREATE, status=Status.AWAITING, parent_id=SUBSCRIPTION),
        ),
        "parent_not_provisioned", PERSON,
    ),
    case(
        "a circle further up", "it is among its own ancestors",
        see(
            subscription=_ADDON, ancestors=("11111111-0000-0000-0000-000000000077", SUBSCRIPTION),
            parent=parent(_CREATE, status=Status.AWAITING, parent_id="11111111-0000-0000-0000-000000000077"),
        ),
        "parent_not_provisioned", PERSON,
    ),
    _free("the parent is in force", "active and nothing of it is open", parent(_done())),
    _free("the parent's label is Active", "both labels mean that it is in force", parent(status=Status.ACTIVE)),
    _free(
        "the parent has a change for next month", "its future changes hold nothing back",
        parent(of_parent(effective_date=date(2026, 12, 22))),
    ),
    _free(
        "the parent has a price change", "its price changes hold nothing back",
        parent(of_parent(quantity=Decimal(0))),
    ),
    _free("the parent gives seats back", "not missing seats", parent(of_parent(quantity=Decimal(-2)))),
    _free(
        "the parent's old invoiced failure", "archived changes do not block",
        parent(of_parent(archived=True, status=FAILED)),
    ),
    _free("a bundle's child", "a bundle's child is not an add-on", _BUNDLE),
    _free(
        "a bundle's child while the bundle awaits", "the bundle has nothing to provision",
        parent(_CREATE, status=Status.AWAITING, provider=NOTHING, account=None),
    ),
    case(
        "an add-on and its bundle-mate", "grandparents are bundles: only the parent counts",
        see(
            subscription=_ADDON, ancestors=("11111111-0000-0000-0000-000000000055",),
            parent=parent(_done(), parent_id="11111111-0000-0000-0000-000000000055"),
        ),
        "trigger_missed", AUTO, never=["parent_not_provisioned"],
    ),
    case(
        "an add-on for next week whose parent waits", "both wait: its own date first",
        see(
            old(), stuck(effective_date=date(2026, 11, 29)), subscription=_ADDON,
            parent=parent(_CREATE, status=Status.AWAITING),
        ),
        "future_effective_date", WAIT, also=["parent_not_provisioned"],
    ),
    case(
        "an add-on behind an unmerged change and a waiting parent", "the parent goes first, then its own chain",
        see(
            subscription=_ADDON, parent=parent(_CREATE, status=Status.AWAITING),
            scheduled=(scheduled("merge_failed", date(2026, 11, 1)),),
        ),
        "parent_not_provisioned", WAIT, also=["prior_change_blocking"],
    ),
    case(
        "the parent's first order of last week, cured by name only", "active in Work 365, the complaint is newer",
        see(
            old(), failed(CHILD, 10), subscription=_ADDON,
            parent=parent(_done(actual_provisioned_on=NOW - 7 * DAY)),
        ),
        "parent_not_provisioned", PERSON,
    ),
]
