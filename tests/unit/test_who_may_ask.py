"""Who may ask what: every route, every role, and everybody who is nobody.

Input: headers as the platform hands them on. Output: let in, or which refusal. Not faked: the table, the gate and
the handlers; behind them stands an empty town.
"""

import asyncio
import base64
from itertools import product

import pytest

from shared.domain.role import Role
from shared.entrypoints.callers import PRINCIPAL, Gate
from shared.entrypoints.route import AnyRoute
from shared.entrypoints.routes import ROUTES
from tests.entrypoint_kit import ANN, BOB, KEYED, SIGNING_IN, TENANT, Front, principal

OTHER_TENANT = "aaaaaaaa-0000-4000-8000-000000000002"
BARE = Gate()
"""As deployed with nothing set: no authentication, no keys."""
NO_TENANT = Gate(signs_in=True)

_VALID = base64.b64encode(b'{"auth_typ": "aad", "claims": []}').decode()

NOBODIES: dict[str, tuple[Gate, dict[str, str], int]] = {
    "no identity": (SIGNING_IN, {}, 401),
    "no identity, nothing set up": (BARE, {}, 401),
    "a key where keys are not allowed": (SIGNING_IN, {"x-functions-key": "key"}, 401),
    "a principal while authentication is off": (BARE, principal("Approver"), 401),
    "a key and a principal while authentication is off": (KEYED, principal("Approver"), 401),
    "another tenant": (SIGNING_IN, principal("Approver", tenant=OTHER_TENANT), 403),
    "no tenant": (SIGNING_IN, principal("Approver", tenant=""), 403),
    "no tenant is let in": (NO_TENANT, principal("Approver"), 403),
    "no tenant is let in, and none is claimed": (NO_TENANT, principal("Approver", tenant=""), 403),
    "no role": (SIGNING_IN, principal(), 403),
    "a role in other letters": (SIGNING_IN, principal("approver", "APPROVER", "Approver "), 403),
    "no object id": (SIGNING_IN, principal("Approver", oid=""), 401),
    "another provider's principal": (SIGNING_IN, principal("Approver", auth_typ="github"), 401),
    "no base64": (SIGNING_IN, {PRINCIPAL: "é" * 10}, 401),
    "no JSON": (SIGNING_IN, {PRINCIPAL: base64.b64encode(b"{").decode()}, 401),
    "no claims at all": (SIGNING_IN, {PRINCIPAL: _VALID}, 403),
    "deeply nested": (SIGNING_IN, {PRINCIPAL: base64.b64encode(b"[" * 40_000).decode()}, 401),
    "empty": (SIGNING_IN, {PRINCIPAL: ""}, 401),
}


def path_of(route: AnyRoute) -> dict[str, str]:
    given = {"case_id": "11111111-2222-4333-8444-555555555555-1", "sweep_id": "0" * 32}
    given |= {
        "operation_id": "0" * 32,
        "pause_id": "none",
        "mute_id": "none",
        "hold_id": "none",
        "webhook_id": "0" * 32,
    }
    return {name: value for name, value in given.items() if f"{{{name}}}" in route.path}


async def status(front: Front, route: AnyRoute, headers: dict[str, str]) -> int:
    asked = await front.ask(route.operation, None, path=path_of(route), headers=headers)
    return asked.status


def test_every_route_lets_in_its_role_and_those_above_it_and_nobody_else(capsys: pytest.CaptureFixture[str]) -> None:
    async def walk() -> int:
        checked = 0
        for route, role in product(ROUTES, Role):
            for gate, headers in ((SIGNING_IN, principal(role)), (Gate(keys_as=role), {})):
                found = await status(Front(gate=gate), route, headers)
                let_in = route.role is None or role.holds(route.role)
                assert (found not in (401, 403)) is let_in, (route.operation, role, found)
                checked += 1
        for route, (name, (gate, headers, wanted)) in product(ROUTES, NOBODIES.items()):
            front = Front(gate=gate)
            found = await status(front, route, headers)
            assert (found == wanted) if route.role is not None else (found == 200), (route.operation, name, found)
            assert front.town.work365.reads == [], "nothing is read for nobody"
            assert front.town.tables.requests == [] or route.role is None
            checked += 1
        return checked

    checked = asyncio.run(walk())
    with capsys.disabled():
        print(f"\nroutes x roles x callers checked: {checked} ({len(ROUTES)} routes, {len(NOBODIES)} kinds of nobody)")
    assert checked == len(ROUTES) * (2 * len(Role) + len(NOBODIES))


def test_roles_rise() -> None:
    assert [role.value for role in Role] == ["Reader", "Operator", "Approver"]
    held = {role: [other for other in Role if role.holds(other)] for role in Role}
    assert held == {
        Role.READER: [Role.READER],
        Role.OPERATOR: [Role.READER, Role.OPERATOR],
        Role.APPROVER: [Role.READER, Role.OPERATOR, Role.APPROVER],
    }


def test_only_these_want_no_role() -> None:
    assert {route.operation for route in ROUTES if route.role is None} == {"GetHealth", "GetSwagger"}


def test_only_approvers_let_the_app_write_to_dataverse() -> None:
    approving = {route.operation for route in ROUTES if route.role is Role.APPROVER}
    assert approving == {"Remediate", "ConfirmHold", "DecideStock"}


def test_what_changes_something_is_no_readers() -> None:
    quiet = {"ValidatePolicy", "ExplainMessages"}
    writing = {route.operation for route in ROUTES if route.method != "GET"}
    assert {route.operation for route in ROUTES if route.role is Role.READER and route.method != "GET"} == quiet
    assert quiet < writing


@pytest.mark.parametrize("keys_as", ["", "reader", "Owner", "Approver,Reader", " Approver"])
def test_a_setting_that_makes_no_sense_lets_no_key_in(keys_as: str) -> None:
    gate = Gate.of({"UNSTUCK_KEYS_ALLOWED_AS": keys_as, "UNSTUCK_TENANT_ID": "contoso"})
    assert (gate.keys_as, gate.tenant, gate.key_level, gate.signs_in) == (None, None, False, False)


@pytest.mark.parametrize(("said", "on"), [("True", True), ("true", True), ("False", False), ("1", False), ("", False)])
def test_authentication_is_on_when_the_platform_says_so(said: str, on: bool) -> None:
    assert Gate.of({"WEBSITE_AUTH_ENABLED": said, "UNSTUCK_TENANT_ID": TENANT.upper()}) == Gate(on, TENANT)


class TestWhoIsOnTheRecord:
    def test_who_signed_in_with_their_id(self) -> None:
        caller = SIGNING_IN.admit({k.lower(): v for k, v in principal("Reader").items()}, Role.READER)
        assert caller.identity == f"Ann [{ANN}]"

    def test_a_name_cannot_look_like_somebody_elses_id(self) -> None:
        headers = principal("Reader", name=f"Eve [{BOB}]\nunstuck")
        caller = SIGNING_IN.admit({k.lower(): v for k, v in headers.items()}, Role.READER)
        assert caller.identity == f"Eve {BOB}unstuck [{ANN}]"

    def test_who_signed_in_may_not_say_to_be_another(self) -> None:
        front = Front(gate=SIGNING_IN)
        body = {"scope": "everything", "reason": "r", "until": "2999-01-01T00:00:00Z", "by": "Bob"}
        front.asks("AddPause", body, headers=principal("Operator")).problem(400, "by")
        assert front.town.tables.rows.get("pauses", {}) == {}

    def test_with_a_key_the_name_is_marked_as_unchecked(self) -> None:
        caller = KEYED.admit({}, Role.APPROVER)
        assert caller.on_record(None) == "API key"
        assert caller.on_record(f"Bob [{BOB}]") == f"Bob {BOB} (with an API key)"


@pytest.mark.parametrize(
    ("more", "let_in"),
    [
        ({"Cookie": "AppServiceAuthSession=abc"}, False),
        ({"Cookie": "a=b; AppServiceAuthSession1=abc"}, False),
        ({"Cookie": "AppServiceAuthSession=abc", "X-Requested-With": "console"}, True),
        ({"Cookie": "AppServiceAuthSession=abc", "Authorization": "Bearer token"}, True),
        ({"Cookie": "theme=dark"}, True),
    ],
)
def test_a_browsers_session_alone_changes_nothing(more: dict[str, str], let_in: bool) -> None:
    """Another site may have a browser send a form to us, and the browser adds the cookie."""
    front = Front(gate=SIGNING_IN)
    asked = front.asks("StartSweep", None, headers={**principal("Operator"), **more})
    assert asked.status == (200 if let_in else 403)
    assert bool(front.town.store.receipts_kept) is let_in
    assert front.asks("ListCases", headers={**principal("Operator"), **more}).status == 200
