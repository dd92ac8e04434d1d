"""The client against the local Dataverse, which knows nothing of it: pages, expansion, versions, bad days.

Waits are virtual on our side; the local service runs in process, and on a real port where a connection is cut.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from local.dataverse.access import Access
from local.dataverse.faults import (
    Answer,
    CutAfter,
    CutBefore,
    Empty,
    EndlessPages,
    Fault,
    Faults,
    Html,
    Match,
    RepeatedPage,
    Status,
    TruncatedNextLink,
)
from local.dataverse.records import Records
from local.dataverse.traffic import Traffic
from local.dataverse.web_api import Options, create_app
from shared.adapters.dataverse import odata
from shared.adapters.dataverse.client import Dataverse
from shared.adapters.dataverse.parts import Get, Part, Patch, Row, etag
from shared.adapters.web.transport import HttpTransport
from shared.errors import (
    Forbidden,
    Garbled,
    NotFound,
    OutcomeUnknown,
    Refused,
    ServiceTrouble,
    SignInRefused,
    SourceError,
    Throttled,
    Unreachable,
    VersionConflict,
)
from tests.contract.local_dataverse import collection, name, nav, option, row_url, rows_url
from tests.contract.local_live_server import live
from tests.contract.web_kit import BASE, Tokens, VirtualTime

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
USER = "11111111-1111-4111-8111-111111111111"
SUBSCRIPTIONS = 12


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class World:
    """A local Dataverse with some subscriptions, each with one change, and a client of it."""

    records: Records
    faults: Faults
    traffic: Traffic
    subscriptions: list[str]
    changes: list[str]
    access: Access
    time: VirtualTime
    tokens: Tokens
    app: Starlette

    @property
    def dataverse(self) -> Dataverse:
        return self.client(BASE, HttpTransport(httpx.ASGITransport(self.app)))

    def client(self, base: str, transport: HttpTransport) -> Dataverse:
        return Dataverse(
            base, tokens=self.tokens, transport=transport, product="unstuck/0.1.0", timing=self.time.timing()
        )

    async def patches(self) -> list[Part]:
        """Every change set to Not Applicable, each with the version read just now."""
        return [
            Patch(row_url(LOG, row[ID]), {STATUS: NOT_APPLICABLE}, etag(row["@odata.etag"]))
            for row in await self.read()
        ]

    async def read(self, page_size: int = 5_000) -> list[Row]:
        path = odata.query(rows_url(LOG), select=[ID, STATUS], orderby=[ID])
        return await self.dataverse.get_pages(path, purpose="sweep", max_page_size=page_size)

    def stored(self) -> list[str]:
        rows = [self.records.get(LOG, change) for change in self.changes]
        return [str(row["provisioning_status"]) for row in rows if row is not None]


LOG = "license_change_log"
ID = name(LOG, "id")
STATUS = name(LOG, "provisioning_status")
AWAITING = "awaiting_provisioning"
NOT_APPLICABLE = option(LOG, "provisioning_status", "not_applicable")


@pytest.fixture
def world() -> Iterator[World]:
    records = Records(clock=lambda: NOW)
    access, faults, traffic = Access(records), Faults(), Traffic(lambda: NOW)
    records.create("system_user", {"name": "unstuck", "is_disabled": False}, id=USER, by=USER)
    access.grant("token-1", USER)
    subscriptions = [records.create("subscription", {"name": f"s {n}"}, by=USER) for n in range(SUBSCRIPTIONS)]
    changes = [
        records.create(LOG, {"subscription": each, "provisioning_status": AWAITING}, by=USER) for each in subscriptions
    ]
    app = create_app(records, access=access, faults=faults, traffic=traffic)
    yield World(records, faults, traffic, subscriptions, changes, access, VirtualTime(), Tokens(), app)
    records.close()


async def test_all_pages_of_a_table(world: World) -> None:
    rows = await world.read(page_size=5)
    assert sorted(row[ID] for row in rows) == sorted(world.changes)
    assert world.traffic.requests["sweep"] == 3


async def test_a_query_with_everything_in_it(world: World) -> None:
    logs = collection(LOG, "subscription")
    stuck = odata.compare(f"x/{STATUS}", "eq", option(LOG, "provisioning_status", AWAITING))
    subscription_id = name("subscription", "id")
    wanted = [UUID(each) for each in world.subscriptions[:4]]
    path = odata.query(
        rows_url("subscription"),
        select=[subscription_id],
        filter=odata.all_of(odata.any_row(logs, stuck), odata.in_(subscription_id, wanted)),
        expand=[odata.Expand(logs, [STATUS], orderby=["createdon asc"])],
        orderby=["createdon desc", subscription_id],
    )
    rows = await world.dataverse.get_pages(path, purpose="diagnose", max_page_size=3)
    assert sorted(row[subscription_id] for row in rows) == sorted(world.subscriptions[:4])
    assert [len(row[logs]) for row in rows] == [1, 1, 1, 1]
    assert not any("nextLink" in key for row in rows for key in row)


async def test_pages_of_nested_collections(world: World) -> None:
    logs, back = collection(LOG, "subscription"), str(nav(LOG, "subscription"))
    for _ in range(4):
        world.records.create(LOG, {"subscription": world.subscriptions[0]}, by=USER)
    path = odata.query(rows_url("subscription"), expand=[odata.Expand(logs, [ID], expand=[odata.Expand(back)])])
    rows = await world.dataverse.get_pages(path, purpose="diagnose", max_page_size=2)
    assert sorted(len(row[logs]) for row in rows) == [1] * 11 + [5]


@pytest.mark.parametrize(
    "text", ["O'Bryan & Söhne", "a+b=c%20#1?/x", "100% 'sure'", '"quoted" \\ back', "日本 \U0001f600"]
)
async def test_any_text_is_found_again(world: World, text: str) -> None:
    wanted = world.records.create("subscription", {"name": text}, by=USER)
    path = odata.query(rows_url("subscription"), filter=odata.compare(name("subscription", "name"), "eq", text))
    rows = await world.dataverse.get_pages(path, purpose="sweep")
    assert [row[name("subscription", "id")] for row in rows] == [wanted]


async def test_a_batch_of_writes_changes_what_it_says_and_returns_new_versions(world: World) -> None:
    results = await world.dataverse.batch(await world.patches(), purpose="remediate")
    assert [result.error for result in results] == [None] * SUBSCRIPTIONS
    assert world.stored() == ["not_applicable"] * SUBSCRIPTIONS
    fresh = {row[ID]: row["@odata.etag"] for row in await world.read()}
    assert {(result.body or {})[ID]: result.etag for result in results} == fresh
    assert {write.purpose for write in world.traffic.writes} == {"remediate"}


async def test_a_change_made_in_between_is_not_overwritten(world: World) -> None:
    parts = await world.patches()
    edited = world.changes[0]
    world.records.update(LOG, edited, {"provisioning_status": "provisioned"}, by=USER)
    results = await world.dataverse.batch(parts, purpose="remediate")
    conflicts = [part.path for part, result in zip(parts, results, strict=True) if result.error is not None]
    assert conflicts == [row_url(LOG, edited)]
    assert {type(result.error) for result in results} == {VersionConflict, type(None)}
    assert world.stored() == ["provisioned"] + ["not_applicable"] * (SUBSCRIPTIONS - 1)


async def test_a_row_that_is_gone_is_not_created(world: World) -> None:
    missing = row_url(LOG, "99999999-9999-4999-8999-999999999999")
    with pytest.raises(NotFound):
        await world.dataverse.patch(missing, {STATUS: NOT_APPLICABLE}, etag=etag('W/"1"'), purpose="remediate")
    [result] = await world.dataverse.batch(
        [Patch(missing, {STATUS: NOT_APPLICABLE}, etag('W/"1"'))], purpose="remediate"
    )
    assert isinstance(result.error, NotFound)
    assert len(await world.read()) == SUBSCRIPTIONS


async def test_who_we_are(world: World) -> None:
    assert (await world.dataverse.who_am_i(purpose="health")).user_id == USER


async def test_an_environment_with_small_batches(world: World) -> None:
    world.app = create_app(world.records, Options(max_batch=5), access=world.access, faults=world.faults)
    results = await world.dataverse.batch([Get(rows_url(LOG)) for _ in range(12)], purpose="diagnose")
    assert [len(result.rows) for result in results] == [SUBSCRIPTIONS] * 12


async def test_a_denied_table_is_named_and_leaves_the_rest_readable(world: World) -> None:
    world.access.deny(USER, "workflow", "Read")
    workflows, logs = await world.dataverse.batch([Get(rows_url("workflow")), Get(rows_url(LOG))], purpose="diagnose")
    assert isinstance(workflows.error, Forbidden)
    assert "prvRead" in workflows.error.message
    assert len(logs.rows) == SUBSCRIPTIONS


async def test_an_expired_token_is_renewed(world: World) -> None:
    world.access.revoke("token-1")
    world.access.grant("token-2", USER)
    assert len(await world.read()) == SUBSCRIPTIONS


BAD: list[tuple[Answer, type[SourceError], type[SourceError]]] = [
    (Status(401), SignInRefused, SignInRefused),
    (Status(403), Forbidden, Forbidden),
    (Status(404), NotFound, NotFound),
    (Status(412), VersionConflict, VersionConflict),
    (Status(429, retry_after=300), Throttled, Throttled),
    (Status(500), ServiceTrouble, OutcomeUnknown),
    (Status(503), ServiceTrouble, OutcomeUnknown),
    (Html(502), ServiceTrouble, OutcomeUnknown),
    (Html(200), Garbled, OutcomeUnknown),
    (Empty(), Garbled, OutcomeUnknown),
    (CutBefore(), Unreachable, OutcomeUnknown),
    (CutAfter(), Unreachable, OutcomeUnknown),
]


@pytest.mark.parametrize(("bad", "read", "written"), BAD, ids=[str(case[0]) for case in BAD])
async def test_every_bad_answer(world: World, bad: Answer, read: type[SourceError], written: type[SourceError]) -> None:
    parts = await world.patches()
    world.faults.add(Fault(bad, Match(part=False), times=None))
    with pytest.raises(SourceError) as caught:
        await world.read()
    assert type(caught.value) is read
    [error] = {type(result.error) for result in await world.dataverse.batch(parts, purpose="remediate")}
    assert error is written
    assert world.stored() == (["not_applicable"] if bad == CutAfter() else [AWAITING]) * SUBSCRIPTIONS


@pytest.mark.parametrize("bad", [EndlessPages(), TruncatedNextLink(), RepeatedPage()], ids=str)
async def test_pages_that_are_not_right_are_no_rows(world: World, bad: Answer) -> None:
    world.faults.add(Fault(bad, times=None))
    with pytest.raises((Garbled, Refused)):
        await world.read(page_size=5)


async def test_a_second_page_that_is_refused_is_no_rows(world: World) -> None:
    world.faults.add(Fault(Status(429, retry_after=300), Match(target="skiptoken"), times=None))
    with pytest.raises(Throttled) as caught:
        await world.read(page_size=5)
    assert caught.value.retry_after == 300


async def test_what_passes_is_waited_for(world: World) -> None:
    world.faults.add(Fault(Status(429, retry_after=7)))
    world.faults.add(Fault(Status(503)))
    assert len(await world.read()) == SUBSCRIPTIONS
    assert world.time.slept == [7.0, 0.5]


async def test_one_bad_part_leaves_the_others(world: World) -> None:
    world.faults.add(Fault(Status(500), Match(row_id=world.changes[3], part=True)))
    results = await world.dataverse.batch(await world.patches(), purpose="remediate")
    errors = [result.error for result in results if result.error is not None]
    assert [type(error) for error in errors] == [OutcomeUnknown]
    assert world.stored().count("not_applicable") == SUBSCRIPTIONS - 1


async def test_a_connection_cut_after_the_commit_leaves_the_outcome_unknown(world: World) -> None:
    """On a real port, with the batch committed and its answer lost."""
    parts = await world.patches()
    world.faults.add(Fault(CutAfter(), Match(part=False)))
    transport = HttpTransport()
    async with live(world.app) as base:
        results = await world.client(base, transport).batch(parts, purpose="remediate")
        await transport.aclose()
    assert {type(result.error) for result in results} == {OutcomeUnknown}
    assert world.stored() == ["not_applicable"] * SUBSCRIPTIONS
    assert world.traffic.requests["remediate"] == 1


async def test_links_lead_through_a_real_server(world: World) -> None:
    transport = HttpTransport()
    async with live(world.app) as base:
        path = odata.query(rows_url(LOG), select=[ID])
        rows = await world.client(base, transport).get_pages(path, purpose="sweep", max_page_size=5)
        await transport.aclose()
    assert sorted(row[ID] for row in rows) == sorted(world.changes)
