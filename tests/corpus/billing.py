"""Billed and not delivered, entered twice, or nothing there at all."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from shared.domain.evidence import Change, ChangeSource, ChangeType
from shared.domain.evidence import SubscriptionStatus as Status
from tests.builders import DAY, NOW
from tests.corpus.case import AUTO, PERSON, Case, case, healthy
from tests.corpus.parts import (
    EARLIER,
    FAILED,
    MINUTE,
    NOT_APPLICABLE,
    PROVISIONED,
    later,
    offered,
    old,
    scheduled,
    seats,
    see,
    stuck,
    sub,
)

_REST = sub(status=Status.PROVISIONED)
_BILLED = stuck(5, id=EARLIER, archived=True, created_on=NOW - 40 * DAY, effective_date=date(2026, 10, 13))


def _twice(id: str, why: str, twin: Change) -> Case:
    return case(id, why, see(old(), stuck(), twin), "prior_change_blocking", PERSON, also=["possible_duplicate"])


def _once(id: str, why: str, other: Change) -> Case:
    return case(id, why, see(old(), stuck(), other), "prior_change_blocking", AUTO, never=["possible_duplicate"])


# fmt: off
CASES = [
    case(
        "invoiced and still awaiting", "archived, never provisioned: the customer pays for nothing",
        see(old(), _BILLED, subscription=_REST), "billed_not_provisioned", PERSON, never=["unknown"],
    ),
    case(
        "invoiced and failed", "archived, failed provisioning",
        see(old(), replace(_BILLED, status=FAILED, message="Tenant not found"), subscription=_REST),
        "billed_not_provisioned", PERSON,
    ),
    case(
        "an invoiced first order that never came", "billed from the first day",
        see(replace(_BILLED, change_type=ChangeType.CREATE, quantity=Decimal(20)), subscription=_REST),
        "billed_not_provisioned", PERSON,
    ),
    case(
        "two invoiced failures", "reported once, as one case",
        see(old(), _BILLED, replace(_BILLED, id="b2", status=FAILED), subscription=_REST), "billed_not_provisioned",
        PERSON,
    ),
    case(
        "an invoiced reduction that never came", "the customer is credited for seats that they still have",
        see(old(), replace(_BILLED, quantity=Decimal(-5)), subscription=_REST), "billed_not_provisioned", PERSON,
    ),
    case(
        "invoiced and missing, beside a missed trigger", "archived ones do not block, and are always reported",
        see(old(), _BILLED, stuck()), "billed_not_provisioned", PERSON,
    ),
    case(
        "invoiced and missing, while the subscription awaits", "that is why it awaits", see(old(), _BILLED),
        ("billed_not_provisioned", "no_change_log"), PERSON, also=["billed_not_provisioned"],
    ),
    case(
        "invoiced, missing, and a failed merge", "what was not merged goes first",
        see(old(), _BILLED, subscription=_REST, scheduled=(scheduled("merge_failed", date(2026, 11, 1)),)),
        "scheduled_change_not_applied", PERSON, also=["billed_not_provisioned"],
    ),
    healthy(
        "invoiced and provisioned", "that is how it should end",
        see(old(archived=True), stuck(status=PROVISIONED, archived=True), subscription=_REST),
        near="billed_not_provisioned",
    ),
    healthy(
        "invoiced, from the provider", "provider-sourced ones are not provisioned by anybody",
        see(old(), stuck(3, archived=True, status=NOT_APPLICABLE, source=ChangeSource.PROVIDER), subscription=_REST),
        near="billed_not_provisioned",
    ),
    case(
        "invoiced and provisioned, beside a missed trigger", "an invoice alone says nothing",
        see(old(archived=True), stuck()), "trigger_missed", AUTO, never=["billed_not_provisioned"],
    ),
    _twice("entered twice", "five seats, and five seats three minutes later", later(5, 57)),
    _twice("clicked twice", "the same second", later(5, 60)),
    _twice(
        "entered twice, the second failed", "its outcome does not make it another order", later(5, 57, status=FAILED),
    ),
    case(
        "entered twice, the first went through", "the second of two equal orders: is it wanted?",
        see(old(), stuck(id=EARLIER, status=PROVISIONED, created_on=NOW - 63 * MINUTE), stuck(), provider=seats(25)),
        "possible_duplicate", PERSON,
    ),
    case(
        "a reduction entered twice", "ten given back where five were meant",
        see(
            old(), stuck(-5, id=EARLIER, status=PROVISIONED, created_on=NOW - 62 * MINUTE), stuck(-5),
            provider=offered((10, DAY), quantity=15),
        ),
        "possible_duplicate", PERSON,
    ),
    case(
        "a portal order entered twice", "one source, two minutes, the same seats",
        see(
            old(), stuck(id=EARLIER, status=PROVISIONED, created_on=NOW - 62 * MINUTE, source=ChangeSource.PORTAL),
            stuck(source=ChangeSource.PORTAL), provider=seats(25),
        ),
        "possible_duplicate", PERSON,
    ),
    case(
        "equal, half an hour apart", "not within minutes: two orders",
        see(old(), stuck(id=EARLIER, status=PROVISIONED, created_on=NOW - 90 * MINUTE), stuck(), provider=seats(25)),
        "trigger_missed", AUTO, never=["possible_duplicate"],
    ),
    case(
        "equal, from portal and from Work 365", "two sources: not one form sent twice",
        see(
            old(), stuck(id=EARLIER, status=PROVISIONED, created_on=NOW - 62 * MINUTE, source=ChangeSource.PORTAL),
            stuck(), provider=seats(25),
        ),
        "trigger_missed", AUTO, never=["possible_duplicate"],
    ),
    case(
        "another number within minutes", "five, then six: two orders",
        see(old(), stuck(6, id=EARLIER, status=PROVISIONED, created_on=NOW - 62 * MINUTE), stuck(), provider=seats(26)),
        "trigger_missed", AUTO, never=["possible_duplicate"],
    ),
    case(
        "five up and five down within minutes", "a correction is not a duplicate",
        see(
            old(), stuck(-5, id=EARLIER, status=PROVISIONED, created_on=NOW - 62 * MINUTE), stuck(),
            provider=seats(15),
        ),
        "trigger_missed", AUTO, never=["possible_duplicate"],
    ),
    _once("two different ones in a row", "five, then two", later(2, 58)),
    _once("equal ones, twenty minutes apart", "not within minutes", later(5, 40)),
    case(
        "awaits without any change", "no change log at all", see(old()), "no_change_log", PERSON,
        never=["trigger_missed", "unknown"],
    ),
    case(
        "awaits with an empty change log", "not even the first order",
        replace(see(), evidence=replace(see().evidence, changes=())), "no_change_log", PERSON,
    ),
    case(
        "awaits, all provisioned", "two changes, both done",
        see(old(), stuck(status=PROVISIONED), provider=seats(25)), "no_change_log", PERSON,
    ),
    case(
        "awaits, and the only other change came from the provider", "a provider-sourced change awaits nothing",
        see(old(), stuck(3, status=NOT_APPLICABLE, source=ChangeSource.PROVIDER), provider=seats(23)),
        "no_change_log", PERSON,
    ),
    case(
        "awaits, and a scheduled change is for next week", "what is scheduled is no change log yet",
        see(old(), scheduled=(scheduled("pending", date(2026, 11, 29)),)), "no_change_log", PERSON,
    ),
    case(
        "awaits, and the scheduled change is overdue", "the reason is known",
        see(old(), scheduled=(scheduled("pending", date(2026, 11, 20)),)), "scheduled_change_not_applied", PERSON,
    ),
    case("awaits with a change", "the change log is there", see(), "trigger_missed", AUTO, never=["no_change_log"]),
    healthy("at rest without any change", "nothing is asked for", see(old(), subscription=_REST), near="no_change_log"),
]
