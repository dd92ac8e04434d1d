"""$batch on the local Dataverse (dataverse.md 1.6)."""

import uuid
from collections.abc import Iterator

import pytest

from local.dataverse.web_api import Options
from tests.contract.local_dataverse import (
    BASE,
    USER,
    Answer,
    Dataverse,
    changeset,
    multipart,
    nav,
    part,
    row_url,
    rows_url,
    split_batch,
)

LONG = "x" * 4001


@pytest.fixture
def dataverse() -> Iterator[Dataverse]:
    with Dataverse() as environment:
        yield environment


def accounts(dataverse: Dataverse, *names: str) -> list[str]:
    return [dataverse.records.create("account", {"name": name}, by=USER) for name in names]


def names(dataverse: Dataverse) -> list[str]:
    return [row["name"] for row in dataverse.records.find("account")]


def statuses(answers: list[Answer]) -> list[int]:
    return [answer.status for answer in answers]


def test_answers_come_in_the_order_of_requests(dataverse: Dataverse) -> None:
    ids = accounts(dataverse, "A", "B", "C")
    outer, answers = dataverse.batch(*(part("GET", f"{row_url('account', id)}?$select=name") for id in reversed(ids)))
    assert outer.status == 200
    assert outer.headers["content-type"].startswith("multipart/mixed; boundary=batchresponse_")
    assert [answer.json["name"] for answer in answers] == ["C", "B", "A"]


def test_the_answers_bytes_are_multipart_with_crlf(dataverse: Dataverse) -> None:
    accounts(dataverse, "A")
    outer, _ = dataverse.batch(part("GET", "accounts?$select=name"))
    boundary = outer.headers["content-type"].partition("boundary=")[2]
    assert "\n" not in outer.text.replace("\r\n", "")
    head, _, rest = outer.text.partition("\r\n\r\n")
    assert head == f"--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary"
    inner, _, body = rest.partition("\r\n\r\n")
    assert inner.startswith("HTTP/1.1 200 OK\r\n")
    assert "OData-Version: 4.0" in inner
    assert "REQ_ID: " in inner
    assert body.endswith(f"\r\n--{boundary}--\r\n")


def test_reads_and_writes_run_one_after_the_other(dataverse: Dataverse) -> None:
    (id,) = accounts(dataverse, "A")
    url = row_url("account", id)
    _, answers = dataverse.batch(
        part("GET", url), part("PATCH", url, {"name": "B"}, If_Match="*"), part("GET", f"{url}?$select=name")
    )
    assert statuses(answers) == [200, 204, 200]
    assert answers[2].json["name"] == "B"


def test_headers_of_each_part_are_its_own(dataverse: Dataverse) -> None:
    ids = accounts(dataverse, "A", "B")
    etags = [row["etag"] for row in dataverse.records.find("account")]
    _, answers = dataverse.batch(
        part("PATCH", row_url("account", ids[0]), {"name": "a"}, If_Match=etags[0], Prefer="return=representation"),
        part("PATCH", row_url("account", ids[1]), {"name": "b"}, If_Match=etags[0]),
        go_on=True,
    )
    assert statuses(answers) == [200, 412]
    assert answers[0].headers["Preference-Applied"] == "return=representation"
    assert answers[1].error[1] == "0x80060882"
    assert names(dataverse) == ["a", "B"]


def test_without_continue_on_error_the_first_failure_ends_the_batch(dataverse: Dataverse) -> None:
    outer, answers = dataverse.batch(
        part("POST", "accounts", {"name": "A"}),
        part("POST", "accounts", {"name": LONG}),
        part("POST", "accounts", {"name": "C"}),
    )
    assert outer.status == 400
    assert statuses(answers) == [204, 400]
    assert answers[-1].error[1] == "0x80044331"
    # What ran before the failure stays.
    assert names(dataverse) == ["A"]


def test_with_continue_on_error_the_rest_runs_and_the_whole_is_200(dataverse: Dataverse) -> None:
    outer, answers = dataverse.batch(
        part("POST", "accounts", {"name": LONG}),
        part("GET", "nothing"),
        part("POST", "accounts", {"name": "C"}),
        go_on=True,
    )
    assert outer.status == 200
    assert outer.headers["preference-applied"] == "odata.continue-on-error"
    assert statuses(answers) == [400, 404, 204]
    assert names(dataverse) == ["C"]


def test_a_changeset_succeeds_together(dataverse: Dataverse) -> None:
    _, answers = dataverse.batch(
        changeset(
            part("POST", "accounts", {"name": "A"}, content_id="1"),
            part("POST", "accounts", {"name": "B"}, content_id="2"),
        ),
        part("GET", "accounts/$count"),
    )
    assert statuses(answers) == [204, 204, 200]
    assert [answer.headers.get("Content-ID") for answer in answers] == ["1", "2", None]
    assert answers[2].text == "2"


@pytest.mark.parametrize("go_on", [False, True])
def test_a_changeset_fails_together_and_answers_once(dataverse: Dataverse, go_on: bool) -> None:
    heard: list[object] = []
    dataverse.records.subscribe(heard.append)
    outer, answers = dataverse.batch(
        changeset(part("POST", "accounts", {"name": "A"}), part("POST", "accounts", {"name": LONG})),
        part("POST", "accounts", {"name": "C"}),
        go_on=go_on,
    )
    assert (outer.status, statuses(answers)) == ((200, [400, 204]) if go_on else (400, [400]))
    assert names(dataverse) == (["C"] if go_on else [])
    # Nobody hears of what was rolled back.
    assert len(heard) == len(dataverse.traffic.writes) == len(names(dataverse))


def test_content_ids_stand_for_rows_made_before(dataverse: Dataverse) -> None:
    bind = f"{nav('subscription', 'customer')}@odata.bind"
    _, answers = dataverse.batch(
        changeset(
            part("POST", "accounts", {"name": "A"}, content_id="1"),
            part("POST", rows_url("subscription"), {bind: "$1"}, content_id="2"),
            part("PATCH", "$1", {"name": "B"}).replace("/api/data/v9.2/$1", "$1"),
        )
    )
    assert statuses(answers) == [204, 204, 204]
    account = dataverse.records.find("account")[0]
    assert account["name"] == "B"
    assert dataverse.records.find("subscription")[0]["customer"] == account["id"]


def test_a_reference_forward_is_refused(dataverse: Dataverse) -> None:
    bind = f"{nav('subscription', 'customer')}@odata.bind"
    outer, answers = dataverse.batch(
        changeset(
            part("POST", rows_url("subscription"), {bind: "$1"}, content_id="2"),
            part("POST", "accounts", {"name": "A"}, content_id="1"),
        )
    )
    assert outer.status == 400
    assert answers[0].error[2] == "Content-ID Reference: '$1' does not exist in the batch context."
    assert names(dataverse) == []


def test_addresses_may_be_absolute_from_the_root_or_relative(dataverse: Dataverse) -> None:
    accounts(dataverse, "A")
    root = part("GET", "accounts/$count")
    _, answers = dataverse.batch(
        root,
        root.replace("/api/data/v9.2/", BASE),
        root.replace("/api/data/v9.2/", ""),
        root.replace("/api/data/v9.2/", "/elsewhere/"),
        go_on=True,
    )
    assert statuses(answers) == [200, 200, 200, 404]


@pytest.mark.parametrize("limit", [250, 1000])
def test_a_batch_has_as_many_parts_as_the_environment_allows(limit: int) -> None:
    with Dataverse(Options(max_batch=limit)) as dataverse:
        get = part("GET", "accounts/$count")
        assert len(dataverse.batch(*[get] * limit)[1]) == limit
        outer, _ = dataverse.batch(*[get] * (limit - 1), changeset(*[part("POST", "accounts", {})] * 2))
        assert outer.error[0] == 400
        assert outer.error[2] == (
            "The current batch message contains too many parts. Only batch messages with a maximum number of "
            f"'{limit}' query operations, including changeset operations, are allowed."
        )
        assert names(dataverse) == []


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (multipart("batch_1", [part("GET", "accounts")]).replace("\r\n", "\n"), "CRLF"),
        (multipart("batch_1", [part("GET", "accounts")]).removesuffix("--batch_1--\r\n"), "not terminated"),
        (multipart("other", [part("GET", "accounts")]), "not terminated"),
        (multipart("batch_1", ["Content-Type: text/plain\r\n\r\nGET accounts HTTP/1.1"]), "application/http"),
        (multipart("batch_1", ["Content-Type: application/http\r\n\r\nhello"]), "Invalid request line"),
        (multipart("batch_1", [changeset(part("GET", "accounts"))]), "GET requests are not allowed"),
    ],
)
def test_a_malformed_batch_is_refused_whole(dataverse: Dataverse, body: str, complaint: str) -> None:
    headers = {"Content-Type": "multipart/mixed; boundary=batch_1"}
    answer = dataverse.send("POST", "$batch", body.encode(), headers)
    assert answer.error[0] == 400
    assert complaint in answer.error[2]


def test_a_batch_needs_its_content_type_and_has_no_batch_inside(dataverse: Dataverse) -> None:
    assert "multipart/mixed" in dataverse.send("POST", "$batch", b"{}").error[2]
    _, answers = dataverse.batch(part("POST", "$batch", {}))
    assert "cannot contain another" in answers[0].error[2]


def test_a_part_may_end_right_after_its_request_line(dataverse: Dataverse) -> None:
    accounts(dataverse, "A")
    bare = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET accounts HTTP/1.1\r\n"
    outer = dataverse.send(
        "POST",
        "$batch",
        multipart("batch_1", [bare, bare]).encode(),
        {"Content-Type": "multipart/mixed;boundary=batch_1"},
    )
    assert statuses(split_batch(outer)) == [200, 200]


def test_text_in_a_batch_is_utf_8(dataverse: Dataverse) -> None:
    _, answers = dataverse.batch(part("POST", "accounts", {"name": "Zoë ☂"}, Prefer="return=representation"))
    assert answers[0].json["name"] == "Zoë ☂" == names(dataverse)[0]


def test_requests_and_parts_are_counted_by_purpose_each_on_its_own(dataverse: Dataverse) -> None:
    dataverse.batch(*[part("GET", "accounts/$count")] * 3)
    dataverse.send("GET", "accounts", headers={"User-Agent": "unstuck/0.1.0 (diagnose)"})
    dataverse.send("GET", "nothing", headers={"User-Agent": "curl/8 (sweep)"})
    dataverse.send("GET", "accounts", headers={"User-Agent": "unstuck/0.1 (lunch)"})
    assert dataverse.traffic.requests == {"sweep": 1, "diagnose": 1, "other": 2}
    assert dataverse.traffic.parts == {"sweep": 3}
    calls = [(call.purpose, call.method, call.target, call.status, call.parts) for call in dataverse.traffic.calls]
    assert calls[:3] == [
        ("sweep", "POST", "$batch", 200, 3),
        ("diagnose", "GET", "accounts", 200, 0),
        ("other", "GET", "nothing", 404, 0),
    ]
    dataverse.traffic.reset()
    assert not dataverse.traffic.requests
    assert not dataverse.traffic.calls


def test_parts_after_a_failure_are_not_counted(dataverse: Dataverse) -> None:
    get = part("GET", "accounts/$count")
    dataverse.batch(get, part("GET", row_url("account", str(uuid.uuid4()))), get)
    assert dataverse.traffic.parts["sweep"] == 2
