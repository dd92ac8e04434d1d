"""Every guard bites: for each there is one way here to trip it, and it alone says no.

Guards are found by reflection: one that is added and not tripped here fails the test (the seed of promise P25).
"""

from dataclasses import replace

import pytest

from shared.domain import guards
from shared.domain.guards import FIRST, SECOND, STILL, Guard, first_no
from shared.domain.pause import Scope
from shared.domain.situation import DATAVERSE, Share
from tests.builders import (
    HOUR,
    NOW,
    SUBSCRIPTION,
    look,
    subscription,
)
from tests.guard_kit import OPEN, PAUSE, TRIPPED, all_guards, calm_but, half_done, question, refusals

STOP_HALF_DONE = {"mode", "organization", "controls", "pause", "evidence_age", "breaker", "second_write"}
"""Guards that stop even the second write of a retrigger."""


def test_every_guard_is_asked_and_has_a_way_to_trip_it() -> None:
    assert all_guards() == set(TRIPPED) == {*FIRST, *SECOND, *STILL}


def test_nothing_stands_against_what_is_in_order() -> None:
    assert first_no(FIRST, question()) is None
    assert first_no(STILL, question()) is None
    assert first_no(SECOND, half_done()) is None


@pytest.mark.parametrize("guard", TRIPPED, ids=lambda guard: guard.__name__)
def test_it_bites_alone_and_says_what_to_do(guard: Guard) -> None:
    said = refusals(guard)
    assert list(said) == [guard.__name__], "the others let it pass"
    assert len(said[guard.__name__]) > 20


BEGINNING = [
    guards.provider_breaker,
    guards.quiet,
    guards.surge,
    guards.silence,
    guards.baseline,
    guards.mute,
    guards.caps,
]


@pytest.mark.parametrize("guard", BEGINNING, ids=lambda guard: guard.__name__)
def test_what_is_half_done_is_finished_all_the_same(guard: Guard) -> None:
    asked = TRIPPED[guard]()
    policy = asked.look.policy
    half = half_done(asked.situation, policy=policy)
    assert guard(replace(half, share=asked.share)) is None


@pytest.mark.parametrize("guard", [guards.pause, guards.controls, guards.evidence_age, guards.dataverse_breaker])
def test_these_stop_the_second_write_too(guard: Guard) -> None:
    no = first_no(SECOND, half_done(TRIPPED[guard]().situation))
    assert no is not None
    assert no.guard in STOP_HALF_DONE


def test_a_yes_lets_a_person_overrule_recurrence_and_no_pause() -> None:
    asked = TRIPPED[guards.recurrence]()
    assert asked.plan is not None
    said = replace(asked.case, approved_digest=asked.plan.digest, approved_by="Ann", approved_on=NOW)
    assert first_no(FIRST, replace(asked, case=said)) is None
    paused = replace(asked, case=said, situation=calm_but(pauses=(PAUSE,)))
    assert getattr(first_no(FIRST, paused), "guard", None) == "pause"


@pytest.mark.parametrize("target", [SUBSCRIPTION.upper(), "66666666-0000-0000-0000-000000000001"])
def test_a_pause_meets_its_subscription_or_customer(target: str) -> None:
    scope = Scope.SUBSCRIPTION if target == SUBSCRIPTION.upper() else Scope.CUSTOMER
    assert guards.pause(question(situation=calm_but(pauses=(replace(PAUSE, scope=scope, target=target),)))) is not None


@pytest.mark.parametrize("scope", [Scope.ENVIRONMENT, Scope.PROVIDER, Scope.CUSTOMER, Scope.SUBSCRIPTION])
def test_a_pause_of_something_else_is_none_and_one_that_is_over_neither(scope: Scope) -> None:
    elsewhere = replace(PAUSE, scope=scope, target="99999999-0000-0000-0000-00000000ffff")
    over = replace(PAUSE, until=NOW)
    assert guards.pause(question(situation=calm_but(pauses=(elsewhere, over)))) is None


def test_what_is_not_known_might_be_what_is_paused() -> None:
    nameless = look(subscription=subscription(customer_id=None))
    wish = replace(PAUSE, scope=Scope.CUSTOMER, target="66666666-0000-0000-0000-000000000001")
    assert guards.pause(question(nameless, calm_but(pauses=(wish,)))) is not None


def test_a_breaker_that_cannot_be_read_counts_as_open_and_a_probe_passes() -> None:
    broken = calm_but(broken={DATAVERSE: "the row makes no sense"})
    assert guards.dataverse_breaker(question(situation=broken)) is not None
    half_open = calm_but(breakers={DATAVERSE: replace(OPEN, open_until=NOW)})
    assert guards.dataverse_breaker(question(situation=half_open)) is None
    lost = Share(taken=frozenset({DATAVERSE}))
    assert guards.dataverse_breaker(question(situation=half_open, share=lost)) is not None
    probing = calm_but(breakers={DATAVERSE: replace(OPEN, open_until=NOW, probe_until=NOW + HOUR)})
    won = Share(probes=frozenset({DATAVERSE}))
    assert guards.dataverse_breaker(question(situation=probing)) is not None
    assert guards.dataverse_breaker(question(situation=probing, share=won)) is None
