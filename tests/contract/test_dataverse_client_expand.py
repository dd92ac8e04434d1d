"""Expanded collections: the two kinds of link that Dataverse gives are told apart."""

from typing import Any

import pytest

from shared.adapters.dataverse.parts import Get
from shared.errors import Garbled
from tests.contract.web_kit import API, ID, Rig, answer, batch_answer, page, part, rig

pytestmark = pytest.mark.anyio

NEXT = "logs@odata.nextLink"
PLAIN = f"{API}subscriptions({ID})/logs?$select=n"
MORE = f"{API}subscriptions({ID})/logs?$select=n&$skiptoken=%3Ccookie%20/%3E"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def read(it: Rig) -> list[dict[str, Any]]:
    return await it.dataverse.get_pages("subscriptions?$expand=logs($select=n)", purpose="diagnose")


async def test_a_link_without_skiptoken_leads_nowhere_new_and_is_dropped() -> None:
    it = rig(page([{"id": 1, "logs": [{"n": 1}], NEXT: PLAIN}]))
    assert await read(it) == [{"id": 1, "logs": [{"n": 1}]}]
    assert len(it.service.requests) == 1


@pytest.mark.parametrize("link", [MORE, MORE.replace("$skip", "%24skip")])
async def test_a_link_with_skiptoken_is_followed(link: str) -> None:
    it = rig(
        page([{"id": 1, "logs": [{"n": 1}], NEXT: link}, {"id": 2, "logs": []}]),
        page([{"n": 2}], MORE + "2"),
        page([{"n": 3}]),
    )
    assert await read(it) == [{"id": 1, "logs": [{"n": 1}, {"n": 2}, {"n": 3}]}, {"id": 2, "logs": []}]


async def test_it_is_followed_further_down_too() -> None:
    inner = {"parent": {"id": 9, "logs": [{"n": 1}], NEXT: MORE}}
    it = rig(page([{"id": 1, "subs": [inner]}]), page([{"n": 2}]))
    assert await read(it) == [{"id": 1, "subs": [{"parent": {"id": 9, "logs": [{"n": 1}, {"n": 2}]}}]}]


async def test_a_single_row_and_a_part_of_a_batch_are_completed_as_well() -> None:
    row = {"id": 1, "logs": [{"n": 1}], NEXT: MORE}
    collection = {"value": [{"id": 1}], "@odata.nextLink": f"{API}subscriptions?$skiptoken=1"}
    it = rig(batch_answer(part(200, row), part(200, collection)), page([{"n": 2}]), page([{"id": 2}]))
    one, many = await it.dataverse.batch([Get(f"subscriptions({ID})"), Get("subscriptions", 50)], purpose="diagnose")
    assert one.body == {"id": 1, "logs": [{"n": 1}, {"n": 2}]}
    assert many.rows == [{"id": 1}, {"id": 2}]
    assert it.service.requests[2].headers["prefer"] == "odata.maxpagesize=50"


@pytest.mark.parametrize(
    "link", [MORE.replace("contoso", "evil"), MORE.replace("/logs?", "/others?"), MORE.replace("/api/data/v9.2", "")]
)
async def test_a_link_to_elsewhere_fails_the_read(link: str) -> None:
    it = rig(page([{"id": 1, "logs": [{"n": 1}], NEXT: link}]))
    with pytest.raises(Garbled):
        await read(it)


async def test_pages_of_a_collection_that_never_end_fail_the_read() -> None:
    it = rig(page([{"id": 1, "logs": [{"n": 1}], NEXT: MORE}]), page([{"n": 2}], MORE))
    with pytest.raises(Garbled, match="do not come to an end"):
        await read(it)


async def test_a_collection_that_may_have_been_cut_keeps_its_mark() -> None:
    it = rig(page([{"id": 1, "logs": [{"n": n} for n in range(5_000)], NEXT: PLAIN}]))
    assert (await read(it))[0][NEXT] == PLAIN


async def test_a_link_without_its_collection_is_not_an_empty_one() -> None:
    it = rig(answer({"value": [{"id": 1, NEXT: MORE}]}))
    with pytest.raises(Garbled):
        await read(it)
