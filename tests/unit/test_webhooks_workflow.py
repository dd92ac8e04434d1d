"""Flows that have subscribed are called when a case needs a person, and called again when that comes to nothing.

Input: stuck subscriptions in a town of fakes, and webhooks. Not faked: the workflow, the rows of the webhooks.
"""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.notifier import _rendered
from shared.domain.case import State
from shared.domain.policy import Mode
from shared.domain.webhook import WAITS, Delivery, Webhook, id_of
from shared.entrypoints.webhooks import CallBody
from shared.errors import OutcomeUnknown, Refused, SourceError, Throttled, Unreachable
from shared.workflow.deliver import deliver, deliver_later
from tests.builders import HOUR, NOW, STUCK, SUBSCRIPTION, change, provisioned
from tests.unit.test_webhook import GOOD
from tests.workflow_kit import Town

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def refused(status: int) -> SourceError:
    return Refused("webhook", "The webhook refused the news.", status=status)


async def subscribed(town: Town, by: str = "Ann", **wanted: object) -> Webhook:
    webhook = Webhook(id_of(by, GOOD), GOOD, by, NOW, **wanted)  # type: ignore[arg-type]
    await town.ctx.webhooks.put(webhook)
    return webhook


async def town_with_a_case(mode: Mode = Mode.APPROVE) -> Town:
    """A case that waits for a yes, and everybody told who was to be told."""
    town = Town(mode=mode)
    await subscribed(town)
    town.stuck(provisioned(), change())
    await town.sweep()
    return town


async def deliver_all(town: Town) -> None:
    """What is owed now, and nothing that comes later."""
    for message, _ in [town.queues.deliveries.popleft() for _ in range(len(town.queues.deliveries))]:
        await deliver(town.ctx, message.delivery)


async def test_a_flow_is_called_with_what_the_case_says() -> None:
    town = await town_with_a_case()
    await deliver_all(town)
    [(url, news)] = town.callbacks.called
    said = _rendered(news)
    body = CallBody.model_validate({**said.pop("details"), **said}, strict=True, extra="forbid")
    case = await town.case()
    assert (url, body.case_id, body.kind) == (GOOD, case.id, "awaiting_approval")
    assert case.plan is not None
    assert (body.plan_digest, body.text) == (case.plan.digest, case.summary)
    assert not town.queues.deliveries


async def test_each_that_wants_it_is_called_once() -> None:
    town = Town(mode=Mode.APPROVE)
    for by, wanted in {"Ann": {}, "Bob": {"state": State.AWAITING_APPROVAL}, "Cid": {"state": State.ESCALATED}}.items():
        await subscribed(town, by, **wanted)
    town.stuck(provisioned(), change())
    await town.sweep()
    await town.sweep()
    await deliver_all(town)
    assert len(town.callbacks.called) == 2


async def test_nothing_is_owed_where_nobody_has_subscribed() -> None:
    town = Town(mode=Mode.APPROVE)
    town.stuck(provisioned(), change())
    await town.sweep()
    assert town.notifier.told
    assert not town.queues.deliveries


async def test_news_that_was_overtaken_is_not_told() -> None:
    town = await town_with_a_case()
    [(message, _)] = town.queues.deliveries
    town.work365.provision(STUCK)
    await town.pass_time(HOUR)
    assert await town.state() is not State.AWAITING_APPROVAL
    assert not await deliver(town.ctx, message.delivery)
    assert town.callbacks.called == []


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("webhook", "no way"),
        OutcomeUnknown("webhook", "no answer", status=502),
        refused(404),
        refused(403),
    ],
)
async def test_a_call_that_comes_to_nothing_is_made_again_until_it_arrives(error: SourceError) -> None:
    town = await town_with_a_case()
    town.callbacks.failing = error
    await deliver_all(town)
    [(message, after)] = town.queues.deliveries
    assert (message.tries, after) == (1, WAITS[0])
    [webhook] = (await town.ctx.webhooks.read()).webhooks.values()
    assert (webhook.failed_on, bool(webhook.failure)) == (town.clock.now(), True)
    town.callbacks.failing = None
    await deliver_all(town)
    assert len(town.callbacks.called) == 1
    [webhook] = (await town.ctx.webhooks.read()).webhooks.values()
    assert (webhook.failed_on, webhook.failure) == (None, "")


async def test_a_flow_says_itself_when_to_call_again() -> None:
    town = await town_with_a_case()
    town.callbacks.failing = Throttled("webhook", "later", retry_after=1_800.0)
    await deliver_all(town)
    assert [after for _, after in town.queues.deliveries] == [timedelta(minutes=30)]


async def test_after_a_day_a_call_is_given_up_and_the_webhook_says_so(caplog: pytest.LogCaptureFixture) -> None:
    town = await town_with_a_case()
    town.callbacks.failing = refused(403)
    with caplog.at_level(logging.ERROR):
        for _ in range(len(WAITS) + 1):
            assert len(town.queues.deliveries) == 1
            await deliver_all(town)
    assert not town.queues.deliveries
    [webhook] = (await town.ctx.webhooks.read()).webhooks.values()
    assert "refused" in webhook.failure
    assert webhook.id in caplog.text
    assert GOOD not in caplog.text


@pytest.mark.parametrize(("status", "calls"), [(410, 1), (404, len(WAITS) + 1)])
async def test_a_flow_that_is_gone_is_called_no_more(status: int, calls: int) -> None:
    town = await town_with_a_case()
    town.callbacks.failing = refused(status)
    for _ in range(calls):
        assert (await town.ctx.webhooks.read()).webhooks
        await deliver_all(town)
    assert not (await town.ctx.webhooks.read()).webhooks
    assert not town.queues.deliveries


async def test_who_has_unsubscribed_meanwhile_is_not_called() -> None:
    town = await town_with_a_case()
    [id_] = (await town.ctx.webhooks.read()).webhooks
    await town.ctx.webhooks.remove(id_)
    await deliver_all(town)
    assert town.callbacks.called == []


async def test_who_unsubscribes_while_a_call_fails_stays_away() -> None:
    town = await town_with_a_case()
    [id_] = (await town.ctx.webhooks.read()).webhooks
    ended = town.ctx.webhooks.ended
    await town.ctx.webhooks.remove(id_)
    await ended(id_, "no answer", NOW)
    assert not (await town.ctx.webhooks.read()).webhooks


async def test_a_row_that_makes_no_sense_keeps_nobody_else_from_being_called(caplog: pytest.LogCaptureFixture) -> None:
    town = Town(mode=Mode.APPROVE)
    await subscribed(town)
    other = await subscribed(town, "Bob")
    town.tables.edit("webhooks", "webhook", other.id, state="nonsense")
    town.stuck(provisioned(), change())
    with caplog.at_level(logging.ERROR):
        await town.sweep()
    await deliver_all(town)
    assert len(town.callbacks.called) == 1
    assert "state is 'nonsense'" in caplog.text
    assert GOOD not in caplog.text


async def test_flows_do_not_wait_for_a_webhook_that_is_out_and_are_called_once() -> None:
    town = Town(mode=Mode.APPROVE)
    await subscribed(town)
    town.stuck(provisioned(), change())
    town.notifier.unavailable = Unreachable("webhook", "no answer")
    with pytest.raises(Unreachable):
        await town.sweep()
    for _ in range(3):  # the host tries the message again
        await town.ctx.queues.notify([SUBSCRIPTION])
        with pytest.raises(Unreachable):
            await town.drain()
    await deliver_all(town)
    assert len(town.callbacks.called) == 1
    assert (await town.case()).outgoing, "people are still to be told"
    town.notifier.unavailable = None
    await town.pass_time(HOUR)
    await deliver_all(town)
    assert (len(town.notifier.told), len(town.callbacks.called)) == (1, 1)


async def test_what_could_not_even_be_tried_is_put_off_and_not_for_ever() -> None:
    town = Town()
    owed = Delivery("0" * 32, SUBSCRIPTION, "k", "needs_person", tries=1)
    assert await deliver_later(town.ctx, owed)
    [(message, after)] = town.queues.deliveries
    assert (message.tries, after) == (2, WAITS[1])
    assert not await deliver_later(town.ctx, replace(owed, tries=len(WAITS)))
    assert len(town.queues.deliveries) == 1


async def test_when_the_call_cannot_be_queued_people_are_told_again_and_nothing_is_lost() -> None:
    town = Town(mode=Mode.APPROVE)
    await subscribed(town)
    town.stuck(provisioned(), change())
    queued = town.queues.deliver

    async def fails(deliveries: object, after: timedelta = timedelta()) -> None:
        raise Unreachable("storage", "no way")

    town.queues.deliver = fails  # type: ignore[method-assign]
    with pytest.raises(Unreachable):
        await town.sweep()
    town.queues.deliver = queued  # type: ignore[method-assign]
    assert (await town.case()).outgoing, "it is still owed"
    await town.pass_time(HOUR)
    await deliver_all(town)
    assert len(town.callbacks.called) == 1
