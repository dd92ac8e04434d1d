"""Actions beyond the retrigger, from asking to done: what is saved, what is remembered, what goes wrong."""

from dataclasses import replace

import pytest

from shared.domain.case import Case, State
from shared.domain.evidence import ProviderType, ProvisioningStatus
from shared.workflow.approve import remediate_case
from shared.workflow.ask import ask
from tests.builders import HOUR, MICROSOFT, NOW, STUCK, SUBSCRIPTION, subscription
from tests.workflow_kit import Town

pytestmark = pytest.mark.anyio

DONE_ON = (NOW - HOUR).isoformat()


async def asked(town: Town, action: str, reason: str = "", **values: str) -> Case:
    stored = await town.store.load(SUBSCRIPTION)
    assert stored is not None
    return await ask(town.ctx, stored, action, values, by="Ann", reason=reason)


async def yes(town: Town, by: str = "Bob") -> None:
    stored = await town.store.load(SUBSCRIPTION)
    assert stored is not None
    assert stored.case.plan is not None
    await remediate_case(town.ctx, stored, stored.case.plan.digest, by)
    await town.drain()


@pytest.fixture
def manual() -> Town:
    """A change at a manual provider, which a person has made there."""
    town = Town()
    own = subscription(provider=replace(MICROSOFT, type=ProviderType.MANUAL, connector=None))
    town.stuck(of=own)
    return town


async def test_a_manual_completion_is_asked_for_planned_said_yes_to_and_saved(manual: Town) -> None:
    await manual.sweep()
    case = await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
    assert case.state is State.AWAITING_APPROVAL
    assert case.plan is not None
    assert manual.work365.amendments == [], "nothing is saved before somebody says yes"
    await yes(manual)
    assert manual.work365.change(STUCK).status is ProvisioningStatus.PROVISIONED
    assert manual.work365.change(STUCK).actual_provisioned_on == NOW - HOUR
    await manual.pass_time(HOUR)
    assert await manual.state() is State.RESOLVED


async def test_undone_it_is_as_it_was(manual: Town) -> None:
    await manual.sweep()
    before = manual.work365.change(STUCK)
    await asked(manual, "mark_provisioned", provisioned_on=DONE_ON)
    await yes(manual)
    await asked(manual, "undo", number="1")
    await yes(manual)
    after = manual.work365.change(STUCK)
    assert (after.status, after.actual_provisioned_on) == (before.status, before.actual_provisioned_on)
    assert (await manual.case()).done[0].undone_on is not None
