"""Answers that throttle or refuse us are counted by the client that got them, alone or inside a batch."""

import httpx
import pytest

from shared.adapters.dataverse.client import Dataverse
from shared.adapters.dataverse.parts import Get
from shared.adapters.web.transport import HttpTransport
from shared.domain.signals import REFUSED, THROTTLED
from shared.errors import Forbidden, SignInRefused
from tests.contract.web_kit import BASE, Service, Step, Tokens, VirtualTime, answer, batch_answer, fault, page, part
from tests.fakes.telemetry import FakeTelemetry

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def seen() -> FakeTelemetry:
    return FakeTelemetry()


class NoToken(Tokens):
    async def __call__(self) -> str:
        raise SignInRefused("sign_in", "No token.")


def client(seen: FakeTelemetry, *steps: Step, tokens: Tokens | None = None) -> Dataverse:
    transport = HttpTransport(httpx.MockTransport(Service(list(steps))))
    timing = VirtualTime().timing()
    return Dataverse(BASE, tokens=tokens or Tokens(), transport=transport, product="x/1", timing=timing, telemetry=seen)


async def test_each_429_is_counted_though_the_next_try_goes_well(seen: FakeTelemetry) -> None:
    throttled = [fault(429, Retry_After="1"), fault(429, Retry_After="1")]
    await client(seen, *throttled, page([])).get_pages("accounts", purpose="sweep")
    assert seen.total(THROTTLED, source="dataverse") == 2
    assert seen.total(REFUSED) == 0


async def test_a_429_inside_a_batch(seen: FakeTelemetry) -> None:
    ok, no = part(200, {"value": []}), part(429, {"error": {"code": "", "message": "No."}}, Retry_After="1")
    await client(seen, batch_answer(ok, no)).batch([Get("accounts"), Get("contacts")], purpose="diagnose")
    assert seen.total(THROTTLED, source="dataverse") == 1


async def test_a_refusal_of_our_rights(seen: FakeTelemetry) -> None:
    with pytest.raises(Forbidden):
        await client(seen, fault(403)).get("accounts", purpose="sweep")
    assert seen.total(REFUSED, source="dataverse") == 1


async def test_a_refusal_inside_a_batch(seen: FakeTelemetry) -> None:
    no = part(403, {"error": {"code": "", "message": "No."}})
    await client(seen, batch_answer(no)).batch([Get("accounts")], purpose="diagnose")
    assert seen.total(REFUSED, source="dataverse") == 1


async def test_a_token_that_was_renewed_is_no_refusal_and_a_refused_new_one_is(seen: FakeTelemetry) -> None:
    await client(seen, fault(401), answer({})).get("accounts", purpose="sweep")
    assert seen.total(REFUSED) == 0
    with pytest.raises(SignInRefused):
        await client(seen, fault(401), fault(401)).get("accounts", purpose="sweep")
    assert seen.total(REFUSED, source="dataverse") == 1


async def test_no_token_for_dataverse_counts_as_refused_by_it(seen: FakeTelemetry) -> None:
    with pytest.raises(SignInRefused):
        await client(seen, tokens=NoToken()).get("accounts", purpose="sweep")
    assert seen.total(REFUSED, source="dataverse") == 1
