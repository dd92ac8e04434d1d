"""The level that holds for a case: cause, action, exemptions, and the mode above all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.policy import CEILING, Exemption, Level, Mode, Policy, strictest_level
from tests.builders import DAY, NOW

PROVIDER, CUSTOMER, OTHER = "55555555-0000-0000-0000-000000000001", "66666666-0000-0000-0000-00000000000a", "someone"
CAUSE = "trigger_missed"
AUTO = Policy(mode=Mode.AUTO)
OFF, SUGGEST, APPROVE = Level.OFF, Level.SUGGEST, Level.APPROVE


def exempt(level: Level, until: timedelta = DAY, **names: str) -> Exemption:
    return Exemption(level, "because", NOW + until, **names)


def level(
    policy: Policy, cause: str | None = CAUSE, provider: str | None = PROVIDER, customer: str = CUSTOMER
) -> Level:
    return policy.level(cause, "retrigger", provider, customer, NOW)


@pytest.mark.parametrize(("mode", "most"), CEILING.items())
def test_the_mode_is_the_ceiling(mode: Mode, most: Level) -> None:
    assert level(Policy(mode=mode)) is most
    raised = Policy(mode=mode, causes={CAUSE: OFF}, exemptions=(exempt(Level.AUTO, customer_id=CUSTOMER),))
    assert level(raised) is most


@pytest.mark.parametrize("of_cause", Level)
@pytest.mark.parametrize("of_action", Level)
def test_the_stricter_of_cause_and_action_holds(of_cause: Level, of_action: Level) -> None:
    policy = replace(AUTO, causes={CAUSE: of_cause}, actions={"retrigger": of_action})
    order = [*Level]
    assert level(policy) is min(of_cause, of_action, key=order.index)


def test_what_is_not_named_is_auto() -> None:
    assert level(replace(AUTO, causes={"unknown": OFF}, actions={"other": OFF})) is Level.AUTO
    assert level(replace(AUTO, causes={CAUSE: OFF}), cause=None) is Level.AUTO


@pytest.mark.parametrize(
    ("exemptions", "expected"),
    [
        ([exempt(OFF, provider_id=PROVIDER)], OFF),
        ([exempt(Level.AUTO, customer_id=CUSTOMER)], Level.AUTO),
        ([exempt(Level.AUTO, customer_id=CUSTOMER.upper())], Level.AUTO),
        ([exempt(OFF, customer_id=OTHER)], APPROVE),
        ([exempt(OFF, cause="unknown")], APPROVE),
        ([exempt(OFF, provider_id=PROVIDER), exempt(SUGGEST, provider_id=PROVIDER, customer_id=CUSTOMER)], SUGGEST),
        ([exempt(Level.AUTO, provider_id=PROVIDER), exempt(SUGGEST, customer_id=CUSTOMER)], SUGGEST),
        ([exempt(Level.AUTO, provider_id=PROVIDER, cause=CAUSE), exempt(OFF, cause=CAUSE)], Level.AUTO),
        ([exempt(OFF, timedelta(0), cause=CAUSE)], APPROVE),
        ([exempt(OFF, timedelta(microseconds=1), cause=CAUSE)], OFF),
    ],
    ids=[
        "lowers",
        "raises",
        "id in capitals",
        "of another",
        "of another cause",
        "more specific",
        "as specific: strictest",
        "specific upwards",
        "expired now",
        "not expired yet",
    ],
)
def test_exemptions(exemptions: Sequence[Exemption], expected: Level) -> None:
    assert level(replace(AUTO, causes={CAUSE: APPROVE}, exemptions=tuple(exemptions))) is expected


def test_what_is_not_known_is_covered_by_nothing_that_names_it() -> None:
    policy = replace(AUTO, causes={CAUSE: SUGGEST}, exemptions=(exempt(Level.AUTO, provider_id=PROVIDER),))
    assert level(policy, provider=None) is SUGGEST


levels = st.sampled_from(Level)
exemptions = st.builds(
    Exemption,
    levels,
    st.just("x"),
    st.sampled_from([NOW - DAY, NOW, NOW + DAY]),
    st.sampled_from([None, PROVIDER, OTHER]),
    st.sampled_from([None, CUSTOMER, OTHER]),
    st.sampled_from([None, CAUSE, "unknown"]),
)


@given(st.sampled_from(Mode), levels, levels, st.lists(exemptions, max_size=5))
def test_nothing_raises_above_the_mode_and_the_order_of_exemptions_is_none(
    mode: Mode, cause: Level, action: Level, some: list[Exemption]
) -> None:
    policy = Policy(mode=mode, causes={CAUSE: cause}, actions={"retrigger": action}, exemptions=tuple(some))
    found = level(policy)
    assert strictest_level(found, CEILING[mode]) is found
    assert found is level(replace(policy, exemptions=tuple(reversed(some))))
