"""Names and addresses of customers stand only where docs/ledger.md says that they do (P24).

Input: stuck subscriptions whose every free text holds a canary, through everything that may happen to them. Output:
every row on Azurite, every queue message, every log line, all news. Not faked: the workflow and the tables.
"""

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables.aio import TableServiceClient

from local.azurite import Azurite
from shared.adapters.messages import encode
from shared.adapters.tables import TableCaseStore
from shared.adapters.tables.alarms import TableAlarms
from shared.adapters.tables.breakers import TableBreakers
from shared.adapters.tables.budgets import TableLimits
from shared.adapters.tables.client import Tables
from shared.adapters.tables.grounds import content_of
from shared.adapters.tables.holds import TableHolds
from shared.adapters.tables.pauses import TableMutes, TablePauses
from shared.adapters.tables.webhooks import TableWebhooks
from shared.domain.evidence import ProvisioningStatus
from shared.domain.policy import Caps
from shared.domain.webhook import Webhook
from shared.errors import Unreachable
from shared.ports import StatusWrite, WriteResult
from shared.workflow.diagnose import diagnose_subscriptions
from shared.workflow.park import park
from shared.workflow.purge import purge
from shared.workflow.sweep import sweep
from shared.workflow.wake import wake
from shared.workflow.watch import watch
from tests.builders import DAY, HOUR, MICROSOFT, NOW, change, provisioned, subscription
from tests.workflow_kit import LONG_AGO, Town

pytestmark = [pytest.mark.anyio, pytest.mark.azurite]

CANARIES = {
    "customer": "Zaunkoenig Bakeries",
    "e-mail": "ann.zaunkoenig@bakeries.example",
    "subscription": "Zaunkoenig's Office",
    "change": "Zaunkoenig plus five",
}
PAGE = (
    (Path(__file__).parents[2] / "docs/ledger.md")
    .read_text("utf-8")
    .partition("## Names of customers")[2]
    .partition("\n## ")[0]
)
NAMED = {
    table: set(re.findall(r"`(\w+)`", columns))
    for table, columns in re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE)
}
"""By table, the columns that the docs say hold names."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class RealTables(Town):
    """The town with every table on Azurite."""

    real: Tables

    @property
    def controls(self) -> dict[str, Any]:
        return {
            "limits": TableLimits(self.real),
            "breakers": TableBreakers(self.real),
            "pauses": TablePauses(self.real),
            "mutes": TableMutes(self.real),
            "holds": TableHolds(self.real),
            "alarms": TableAlarms(self.real),
            "webhooks": TableWebhooks(self.real),
            "callbacks": self.callbacks,
        }


@pytest.fixture
async def service(azurite: Azurite) -> AsyncIterator[TableServiceClient]:
    async with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        async for table in service.list_tables():
            await service.delete_table(table.name)
        yield service


@pytest.fixture
async def town(azurite: Azurite, service: TableServiceClient) -> AsyncIterator[Town]:
    town = RealTables()
    town.real = Tables.connect(azurite.connection_string)
    town.store = TableCaseStore(town.real, town.clock)  # type: ignore[assignment]
    town.limits = {"caps": Caps(changes=2)}
    await town.ctx.holds.change(lambda watch: (replace(watch, stock_taken_on=LONG_AGO, stock_told=True), None))
    yield town
    await town.real.close()


def stuck(town: Town, number: int, message: str = "", **values: Any) -> str:
    """A subscription of the canaries' customer; its id."""
    id_, at = f"11111111-0000-0000-0000-{number:012d}", f"44444444-0000-0000-0000-{number:012d}"
    own = subscription(
        id=id_, name=CANARIES["subscription"], customer_name=CANARIES["customer"], provider_subscription_id=at
    )
    old, new = (f"2222222{kind}-0000-0000-0000-{number:012d}" for kind in (1, 2))
    named = {"name": CANARIES["change"], "message": message, **values}
    town.stuck(provisioned(old), change(new, **named), of=own)
    return id_


async def everything(town: Town) -> None:
    """Freed, refused, left to a person, parked, asked for by hand, unreadable, out, resolved, and opened once more."""
    said = f"Something odd happened to {CANARIES['e-mail']} of {CANARIES['customer']}."
    ids = [stuck(town, n) for n in range(4)]
    ids += [stuck(town, 4, said), stuck(town, 5, f"AADSTS65001 {said}"), stuck(town, 6, quantity=None)]

    def refuse(write: StatusWrite) -> WriteResult | None:
        third = write.change_id.endswith("3")
        return WriteResult(write.change_id, refused=True, reason=f"a plug-in says: {said}") if third else None

    town.work365.before_write = refuse
    await town.ctx.webhooks.put(Webhook("0" * 32, "https://a.logic.azure.com/x", "whoever asks", town.clock.now()))
    await town.sweep()
    await diagnose_subscriptions(town.ctx, ids[:5], by="whoever asks")
    for _ in range(6):
        for change_id in [i for held in town.work365.held.values() for i in held.changes if i.endswith(("0", "1"))]:
            if town.work365.change(change_id).status is ProvisioningStatus.AWAITING:
                town.work365.provision(change_id)
        await town.pass_time(HOUR)
        await watch(town.ctx)
    await park(town.ctx, ids[5:], "diagnose")
    await town.drain()
    town.work365.unavailable = Unreachable("dataverse", "Dataverse did not answer.")
    for _ in range(3):
        town.clock.advance(HOUR)
        await sweep(town.ctx)
        await wake(town.ctx)
        town.queues.lose_all()
        await watch(town.ctx)
    town.work365.unavailable = None
    town.work365.held[ids[0]].subscription = replace(
        town.work365.held[ids[0]].subscription, provider=replace(MICROSOFT, name="Microsoft")
    )


async def places(service: TableServiceClient) -> set[tuple[str, str]]:
    """Table and column of every canary; a text that goes on in a second column counts as one."""
    found = set()
    async for table in service.list_tables():
        async for row in service.get_table_client(table.name).list_entities():
            for column, value in row.items():
                if _holds_one(_plain(row, column, value)):
                    found.add((table.name, re.sub(r"_\d+$", "", column)))
    return found


def _plain(row: Any, column: str, value: object) -> object:
    """A column's value; of packed ones what they hold together."""
    return content_of(row) if column == "content_1" else value


def _holds_one(value: object) -> bool:
    return any(canary.casefold() in str(value).casefold() for canary in CANARIES.values())


async def test_rows_hold_names_only_where_the_docs_say_so(town: Town, service: TableServiceClient) -> None:
    await everything(town)
    found = await places(service)
    assert {(table, column) for table, column in found if column not in NAMED.get(table, ())} == set()
    assert {("cases", "customer_name"), ("cases", "content"), ("caseindex", "customer")} <= found, "it does find them"


async def test_no_log_and_no_queue_message_names_anybody(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await everything(town)
    assert len(caplog.messages) > 10
    assert [said for said in caplog.messages if _holds_one(said)] == []
    assert town.queues.sent
    sent = [*town.queues.sent, *(message for message, _ in town.queues.deliveries)]
    assert town.queues.deliveries
    assert [encode(message) for message in sent if _holds_one(encode(message))] == []


async def test_news_names_a_customer_only_where_it_is_about_their_case(town: Town) -> None:
    await everything(town)
    told = town.notifier.told
    assert {news.kind for news in told} >= {"needs_person", "parked", "standstill"}
    assert [news for news in told if not news.case_id and _holds_one(news)] == []
    named = ("key", "who", "kind", "case_id")
    parts = {name for news in told for name in (*news.details, *named) if _holds_one(_part(news, name))}
    assert parts == {"customer", "subscription"}


def _part(news: Any, name: str) -> object:
    return news.details.get(name) if name in news.details else getattr(news, name, "")


async def test_what_was_purged_names_nobody(town: Town, service: TableServiceClient) -> None:
    await everything(town)
    town.clock.advance(500 * DAY)
    assert await purge(town.ctx) > 0
    open_ones = set(await town.store.open_cases())
    cases = service.get_table_client("cases")
    left = [row async for row in cases.list_entities() if row["PartitionKey"] not in open_ones]
    assert left, "the newest of a subscription leaves its number"
    assert [row for row in left if _holds_one(dict(row))] == []
    assert town.clock.now() > NOW
