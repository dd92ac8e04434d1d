"""Who may call the local Dataverse, and how often (dataverse.md 2.1, 2.3, 3)."""

import uuid
from collections.abc import Iterator

import pytest

from local.dataverse.access import Access
from local.dataverse.faults import Delay, Fault
from tests.contract.local_dataverse import USER, Dataverse, collection, nav, part, row_url, rows_url

BEARER = "Authorization"
SUBS = rows_url("subscription")
CHANGES = collection("license_change_log", "subscription")


@pytest.fixture
def dataverse() -> Iterator[Dataverse]:
    with Dataverse() as environment:
        yield environment


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer unknown", "Basic token"])
def test_without_a_known_token_there_is_a_challenge(dataverse: Dataverse, header: str) -> None:
    answer = dataverse.get("WhoAmI", **{BEARER: header})
    assert answer.error[:2] == (401, "0x80040204")
    assert answer.headers["www-authenticate"].startswith("Bearer authorization_uri=")
    assert "resource_id=" in answer.headers["www-authenticate"]


def test_a_revoked_token_has_expired_and_a_new_one_works(dataverse: Dataverse) -> None:
    dataverse.access.revoke("token")
    assert dataverse.get("WhoAmI").error[:2] == (401, "0x8005F101")
    dataverse.access.grant("fresh", USER)
    assert dataverse.get("WhoAmI", **{BEARER: "Bearer fresh"}).json["UserId"] == USER


def test_a_good_token_of_nobody_here_is_forbidden(dataverse: Dataverse) -> None:
    dataverse.access.grant("stranger", str(uuid.uuid4()))
    assert dataverse.get("WhoAmI", **{BEARER: "Bearer stranger"}).error == (
        403,
        "0x80072560",
        "The user is not a member of the organization.",
    )


def test_a_disabled_user_is_forbidden(dataverse: Dataverse) -> None:
    dataverse.records.update("system_user", USER, {"is_disabled": True}, by=USER)
    assert dataverse.get("WhoAmI").error[:2] == (403, "0x80040225")


def test_a_user_without_roles_is_forbidden_where_roles_are_required(dataverse: Dataverse) -> None:
    strict = Access(dataverse.records, roles_required=True)
    strict.grant("token", USER)
    with pytest.raises(Exception, match="not been assigned any roles"):
        strict.user_of("token")
    dataverse.records.grant_role(USER, "Reader")
    assert strict.user_of("token") == USER


@pytest.mark.parametrize(
    "url",
    [
        rows_url("license_change_log"),
        f"{rows_url('license_change_log')}/$count",
        f"{SUBS}?$expand={CHANGES}",
        f"{SUBS}?$filter={CHANGES}/any(l:l/statecode eq 0)",
        f"{rows_url('work365_job')}?$filter={nav('work365_job', 'license_change_log')}/statecode eq 0",
    ],
)
def test_a_missing_privilege_is_named_wherever_the_table_is_read(dataverse: Dataverse, url: str) -> None:
    assert dataverse.get(url).status == 200
    dataverse.access.deny(USER, "license_change_log", "Read")
    status, code, message = dataverse.get(url).error
    assert (status, code) == (403, "0x80040220")
    assert "is missing prvReadwork365_licensechangelog privilege" in message
    assert USER in message
    # Other tables can still be read.
    assert dataverse.get(SUBS).status == 200
    dataverse.access.allow(USER, "license_change_log", "Read")
    assert dataverse.get(url).status == 200


def test_reading_and_writing_are_different_privileges(dataverse: Dataverse) -> None:
    id = dataverse.records.create("account", {"name": "A"}, by=USER)
    dataverse.access.deny(USER, "account", "Write")
    assert "prvWriteaccount" in dataverse.patch(row_url("account", id), {"name": "B"}).error[2]
    assert dataverse.send("POST", "accounts", {"name": "C"}).status == 204
    dataverse.access.deny(USER, "account", "Create")
    assert "prvCreateaccount" in dataverse.send("POST", "accounts", {"name": "D"}).error[2]
    assert "prvCreateaccount" in dataverse.patch(row_url("account", str(uuid.uuid4())), {}, etag=None).error[2]
    dataverse.access.deny(USER, "account", "Delete")
    assert "prvDeleteaccount" in dataverse.send("DELETE", row_url("account", id)).error[2]
    assert sorted(row["name"] for row in dataverse.records.find("account")) == ["A", "C"]


def test_a_missing_privilege_fails_one_part_of_a_batch(dataverse: Dataverse) -> None:
    dataverse.access.deny(USER, "workflow", "Read")
    _, answers = dataverse.batch(part("GET", "accounts"), part("GET", "workflows"), part("GET", SUBS), go_on=True)
    assert [answer.status for answer in answers] == [200, 403, 200]


# ---- Service protection


def test_too_many_requests_in_the_window_until_it_has_passed() -> None:
    with Dataverse(limited=True, requests=3, window_seconds=300) as dataverse:
        left = []
        for _ in range(3):
            left.append(dataverse.get("accounts").headers["x-ms-ratelimit-burst-remaining-xrm-requests"])
            dataverse.clock.move(seconds=10)
        assert left == ["2", "1", "0"]
        refused = dataverse.get("accounts")
        assert refused.error == (
            429,
            "0x80072322",
            "Number of requests exceeded the limit of 3 over time window of 300 seconds.",
        )
        assert refused.headers["retry-after"] == "270"
        dataverse.clock.move(seconds=269)
        assert dataverse.get("accounts").status == 429
        dataverse.clock.move(seconds=1)
        assert dataverse.get("accounts").status == 200


def test_who_keeps_sending_waits_longer() -> None:
    with Dataverse(limited=True, requests=1, window_seconds=60) as dataverse:
        dataverse.get("accounts")
        waits = [int(dataverse.get("accounts").headers["retry-after"]) for _ in range(3)]
        assert waits == [60, 65, 70]
        dataverse.clock.move(seconds=60)
        dataverse.get("accounts")
        assert dataverse.get("accounts").headers["retry-after"] == "60"


def test_a_throttled_batch_is_answered_in_plain_json() -> None:
    with Dataverse(limited=True, requests=2) as dataverse:
        many = [part("GET", "accounts")] * 50
        outer, answers = dataverse.batch(*many)
        assert len(answers) == 50
        dataverse.batch(*many)
        outer, _ = dataverse.batch(*many)
        assert outer.headers["content-type"].startswith("application/json")
        assert outer.error[:2] == (429, "0x80072322")


def test_limits_are_each_users_own() -> None:
    with Dataverse(limited=True, requests=1) as dataverse:
        other = dataverse.records.create("system_user", {"name": "Ann", "is_disabled": False}, by=USER)
        dataverse.access.grant("ann", other)
        assert dataverse.get("accounts").status == 200
        assert dataverse.get("accounts").status == 429
        assert dataverse.get("accounts", **{BEARER: "Bearer ann"}).status == 200


def test_only_so_many_requests_at_once() -> None:
    with Dataverse(limited=True, concurrent=2) as dataverse:
        dataverse.faults.add(Fault(Delay(0.5), times=2))
        answers = dataverse.together(*[("GET", "accounts")] * 3)
        assert sorted(answer.status for answer in answers) == [200, 200, 429]
        (refused,) = [answer for answer in answers if answer.status == 429]
        assert refused.error == (429, "0x80072326", "Number of concurrent requests exceeded the limit of 2.")
        assert dataverse.get("accounts").status == 200
