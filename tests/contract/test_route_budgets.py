"""What each route of the HTTP API may ask of Table Storage: counted for every route, through its own entrypoint.

Input: the app's HTTP functions over real tables on Azurite, one request for each route. Output: requests to storage.
Faked: Work 365, the provider, the queues and the news. That lists cost the same with thousands of cases is shown by
test_ten_thousand_cases.py.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import pytest

from local.azurite import start_azurite
from shared.adapters.tables.holds import TableHolds
from shared.adapters.tables.operations import TableOperations
from shared.adapters.tables.store import TableCaseStore
from shared.domain.case import FINAL, State
from shared.domain.operation import Operation
from shared.domain.policy import Mode
from shared.domain.surge import Hold, Watch
from shared.entrypoints.routes import ROUTES
from shared.ports import SweepReceipt
from tests.builders import NOW, TENANT
from tests.contract.storage_requests import CountedTransport, StorageRequest, counted
from tests.entrypoint_kit import Front
from tests.workflow_kit import LONG_AGO, Town

pytestmark = [pytest.mark.anyio, pytest.mark.azurite]

NAUGHT = "0" * 32
HOLD = "20261122T120000.000000Z"

CASES = 5
"""Cases there are: a page reads each that it shows."""

OPEN_STATES = len(State) - len(FINAL)

type Budget = Mapping[str, int]

CHANGED = {"put caseindex": 2, "delete caseindex": 2}
"""A case whose state or labels change: two index rows are written before it, the two old ones go afterwards."""

GUARDED = {"query pauses": 1, "get holds": 1, "query breakers": 2, "get breakers": 1, "transact breakers": 1}
"""What a diagnosis asks before it decides, and how the provider's answer is counted."""

SAVED = {"get cases": 1, "transact cases": 1}
LABELLED = {**SAVED, **CHANGED}
CONTROLS = {"query pauses": 2, "get holds": 1}
"""Pauses, mutes, and the hold of a surge."""

READY_AGAIN = {"query caseindex": 1, "get cases": 1}
"""What is ready is asked again: one page of that state, here of one case."""

BUDGETS: Mapping[str, Budget] = {
    "GetHealth": {"query sweeps": 3, "query caseindex": 1, "query pauses": 1, "get holds": 1, "get alarms": 1},
    "GetSwagger": {},
    "GetOperation": {"get operations": 1},
    "StartSweep": {
        "query pauses": 1,
        "get holds": 2,
        "transact holds": 1,
        "query caseindex": 1,  # all open cases, by thousands
        "put sweeps": 1,
    },
    "ListSweeps": {"query sweeps": 1},
    "GetSweep": {"query sweeps": 1},
    "ListCases": {"query caseindex": 1, "get cases": CASES},
    "GetCase": {"get cases": 1, "query cases": 1},
    "GetTimeline": {"get cases": 1, "query cases": 1},
    "GetEvidence": {"get cases": 1},
    "GetEscalation": {"get cases": 1},
    "Diagnose": {**GUARDED, "get cases": 2, "transact cases": 1, "put caseindex": 3, "query cases": 1},
    "GetPlan": {"get cases": 1},
    "ListApprovals": {"query caseindex": 1, "get cases": CASES},
    "Remediate": LABELLED,
    "ListActions": {},
    "AskForAction": {**GUARDED, **SAVED, "query cases": 1},
    "WithdrawRequest": {  # saved, and diagnosed anew
        **GUARDED,
        "get cases": 2,
        "transact cases": 2,
        "put caseindex": 4,
        "delete caseindex": 4,
    },
    "ClaimCase": LABELLED,
    "AssignCase": LABELLED,
    "ReleaseCase": LABELLED,
    "AddNote": SAVED,
    "LinkTicket": SAVED,
    "UnlinkTicket": SAVED,
    "GetControls": CONTROLS,
    "AddPause": {**CONTROLS, "get pauses": 1, "transact pauses": 1},
    "EndPause": {**CONTROLS, **READY_AGAIN, "query pauses": 4, "delete pauses": 1},
    "AddMute": {**CONTROLS, "get pauses": 1, "transact pauses": 1},
    "EndMute": {**CONTROLS, **READY_AGAIN, "query pauses": 4, "delete pauses": 1},
    "GetBaseline": {"get holds": 1, "query caseindex": 5},  # and each case of the stock, 5,000 of a kind at most
    "DecideStock": {"get holds": 1, "query caseindex": 1},  # and each case that is meant: here none
    "ConfirmHold": {**CONTROLS, **READY_AGAIN, "get holds": 2, "transact holds": 1},
    "WhenACaseNeedsAPerson": {"query webhooks": 1, "put webhooks": 1},
    "ListWebhooks": {"query webhooks": 1},
    "EndWebhook": {"delete webhooks": 1},
    "GetPolicy": {},
    "ValidatePolicy": {},
    "CheckProvider": {"query breakers": 1, "get breakers": 1, "transact breakers": 1},
    "ExplainMessages": {},
    "GetSummary": {"query caseindex": OPEN_STATES + 1},
    "ListCauses": {},
    "ListStates": {},
    "ListProviders": {"query caseindex": OPEN_STATES + 1},
    "ListTargets": {"query caseindex": OPEN_STATES + 1},  # of subscriptions; of anything else nothing
}
"""By operation: what one request costs. Exactly: what costs less now is to be written down, too."""

ONE_KEY = {"get idempotency": 3, "transact idempotency": 2}
"""What an Idempotency-Key adds: looking for it, taking it, and keeping the answer."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def asking() -> AsyncIterator[tuple[Front, CountedTransport]]:
    """The app's HTTP functions over tables of their own, in which every kind of thing is that a route can be about."""
    with start_azurite() as azurite:
        tables, transport = counted(azurite.connection_string)
        town = Town(mode=Mode.APPROVE, tables=cast(Any, tables))
        town.store = cast(Any, TableCaseStore(tables, town.clock))
        watch = Watch(stock_taken_on=LONG_AGO, stock_told=True, hold=Hold(HOLD, NOW, 60, 50, after_silence=False))
        await TableHolds(tables).change(lambda _: (watch, None))
        await TableOperations(tables).begin(Operation(NAUGHT, "StartSweep", "{}", "Ann", NOW))
        await town.store.save_receipt(SweepReceipt(NAUGHT, NOW, NOW, complete=True))
        try:
            yield Front(town), transport
        finally:
            await tables.close()


async def requested() -> dict[str, list[StorageRequest]]:
    """What one request to each route asks of storage, once all tables are there."""
    async with asking() as (front, transport):
        found: dict[str, list[StorageRequest]] = {}

        async def ask(operation: str, body: object = None, **more: Any) -> Any:
            transport.taken()
            answer = await front.ask(operation, body, **more)
            assert answer.status < 300, (operation, answer.response.get_body())
            found[operation] = [each for each in transport.taken() if not each.what.endswith(" Tables")]
            return answer.json

        ids = front.town.many(CASES)
        paths = [{"case_id": f"{each}-1"} for each in ids]
        for each in ids:  # the first makes the tables; the last is counted
            await ask("Diagnose", {"subscription_id": each})
        for operation in ("GetHealth", "GetSwagger", "ListSweeps", "ListCases", "ListApprovals", "ListActions"):
            await ask(operation)
        await ask("GetOperation", path={"operation_id": NAUGHT})
        await ask("GetSweep", path={"sweep_id": NAUGHT})
        for operation in ("GetCase", "GetTimeline", "GetEvidence", "GetEscalation", "GetPlan"):
            shown = await ask(operation, path=paths[0])
        await ask("Remediate", {"plan_digest": shown["plan"]["digest"]}, path=paths[0])
        await ask("AskForAction", {"action": "run_job", "reason": "why"}, path=paths[1])
        await ask("WithdrawRequest", path=paths[1])
        await ask("ClaimCase", path=paths[2])
        await ask("AssignCase", {"assignee": "Ben"}, path=paths[2])
        await ask("ReleaseCase", path=paths[2])
        await ask("LinkTicket", {"ticket": "x"}, path=paths[2])
        await ask("UnlinkTicket", path=paths[2])
        until = (NOW + timedelta(days=1)).isoformat()
        controls = await ask("AddPause", {"scope": "subscription", "target": ids[4], "reason": "x", "until": until})
        await ask("EndPause", path={"pause_id": controls["pauses"][0]["id"]})
        controls = await ask("AddMute", {"scope": "subscription", "target": ids[4], "reason": "x", "until": until})
        await ask("EndMute", path={"mute_id": controls["mutes"][0]["id"]})
        await ask("GetControls")
        await ask("ConfirmHold", path={"hold_id": HOLD})
        await ask("GetBaseline")
        await ask("DecideStock", {"decision": "adopt", "filter": {}, "reason": "x"})
        webhook = await ask("WhenACaseNeedsAPerson", {"callback_url": "https://a.logic.azure.com/x?sig=y"})
        await ask("ListWebhooks")
        await ask("EndWebhook", path={"webhook_id": webhook["id"]})
        await ask("GetPolicy")
        await ask("ValidatePolicy", {"policy": {}})
        await ask("CheckProvider", {"tenant_id": TENANT})
        await ask("ExplainMessages", {"messages": [{"text": "x"}]})
        await ask("AddNote", {"text": "x"}, path=paths[2], headers={"Idempotency-Key": "first-of-all"})
        await ask("AddNote", {"text": "x"}, path=paths[2], headers={"Idempotency-Key": "another-one"})
        found["with a key"] = found.pop("AddNote")
        await ask("AddNote", {"text": "x"}, path=paths[2])
        for operation in ("GetSummary", "ListCauses", "ListStates", "ListProviders"):
            await ask(operation)
        await ask("ListTargets", query={"scope": "subscription"})
        await ask("StartSweep")
        return found


async def test_every_route_keeps_to_its_budget() -> None:
    found = await requested()
    assert Counter(each.what for each in found.pop("with a key")) == {**SAVED, **ONE_KEY}
    assert found.keys() == {route.operation for route in ROUTES}, "every route is asked once"
    assert BUDGETS.keys() == found.keys(), "every route has a budget"
    table = "\n".join(f'    "{name}": {dict(Counter(each.what for each in found[name]))},' for name in found)
    for name, requests in found.items():
        scans = [each for each in requests if not each.one_partition]
        assert scans == [], f"{name} asks for rows without naming one partition"
        spent = Counter(each.what for each in requests)
        assert spent == Counter(BUDGETS[name]), f"{name} costs {dict(spent)}; all of them:\n{table}"
