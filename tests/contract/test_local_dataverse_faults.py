"""What the local Dataverse does to a caller on purpose."""

from collections.abc import Iterator

import httpx
import pytest

from local.dataverse.faults import (
    Callback,
    CutAfter,
    CutBefore,
    Delay,
    Empty,
    EndlessPages,
    Fault,
    Held,
    Html,
    Match,
    RepeatedPage,
    ShortPages,
    Status,
    TruncatedNextLink,
)
from tests.contract.local_dataverse import USER, Dataverse, changeset, part, row_url

REMEDIATE = {"User-Agent": "unstuck/0.1 (remediate)"}


@pytest.fixture
def dataverse() -> Iterator[Dataverse]:
    with Dataverse() as environment:
        yield environment


def accounts(dataverse: Dataverse, *names: str) -> list[str]:
    """The addresses of new accounts."""
    return [row_url("account", dataverse.records.create("account", {"name": n}, by=USER)) for n in names]


def names(dataverse: Dataverse) -> list[str]:
    return [row["name"] for row in dataverse.records.find("account")]


# ---- Answers in Dataverse's place


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "0x8005F101"),
        (403, "0x80040220"),
        (404, "0x80040217"),
        (412, "0x80060882"),
        (429, "0x80072322"),
        (500, "0x80040216"),
        (503, "0x8004a104"),
    ],
)
def test_an_error_status_comes_with_dataverses_body_and_does_nothing(
    dataverse: Dataverse, status: int, code: str
) -> None:
    (url,) = accounts(dataverse, "A")
    armed = dataverse.faults.add(Fault(Status(status, retry_after=7 if status == 429 else None)))
    answer = dataverse.patch(url, {"name": "B"})
    assert answer.error[:2] == (status, code)
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
    assert names(dataverse) == ["A"]
    assert armed.fired == 1
    assert dataverse.patch(url, {"name": "B"}).status == 204


def test_code_and_message_can_be_chosen(dataverse: Dataverse) -> None:
    dataverse.faults.add(Fault(Status(400, "0x80040265", "Work 365 says no.")))
    assert dataverse.get("accounts").error == (400, "0x80040265", "Work 365 says no.")


@pytest.mark.parametrize(
    ("answer", "status", "content"), [(Html(502), 502, "<html"), (Html(200), 200, "<html"), (Empty(200), 200, "")]
)
def test_something_other_than_json(dataverse: Dataverse, answer: Html | Empty, status: int, content: str) -> None:
    dataverse.faults.add(Fault(answer))
    got = dataverse.get("accounts")
    assert got.status == status
    assert content in got.text
    assert not got.headers.get("content-type", "").startswith("application/json")


def test_a_page_from_a_part_replaces_the_whole_batch(dataverse: Dataverse) -> None:
    a, b = accounts(dataverse, "A", "B")
    dataverse.faults.add(Fault(Html(502), Match(row_id=b[-37:-1])))
    outer, _ = dataverse.batch(part("PATCH", a, {"name": "a"}), part("PATCH", b, {"name": "b"}))
    assert (outer.status, outer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    # What came before it had taken effect.
    assert names(dataverse) == ["a", "B"]


# ---- Which request, how often, from when


@pytest.mark.parametrize(
    ("match", "hits"),
    [
        (Match(), ["GET accounts", "PATCH A", "PATCH B"]),
        (Match(method="PATCH"), ["PATCH A", "PATCH B"]),
        (Match(method="P"), []),
        (Match(purpose="remediate"), ["PATCH B"]),
        (Match(purpose="remed"), []),
        (Match(target=r"^accounts\?\$top"), ["GET accounts"]),
        (Match(target="gone"), []),
        (Match(row_id="A"), ["PATCH A"]),
        (Match(part=True), []),
        (Match(part=False), ["GET accounts", "PATCH A", "PATCH B"]),
    ],
)
def test_a_fault_strikes_what_it_matches(dataverse: Dataverse, match: Match, hits: list[str]) -> None:
    a, b = accounts(dataverse, "A", "B")
    if match.row_id:
        match = Match(row_id=a[-37:-1].upper())
    dataverse.faults.add(Fault(Status(500), match, times=None))
    answers = {
        "GET accounts": dataverse.get("accounts?%24top=1"),
        "PATCH A": dataverse.patch(a, {}),
        "PATCH B": dataverse.send("PATCH", b, {}, REMEDIATE),
    }
    assert [key for key, answer in answers.items() if answer.status == 500] == hits


def test_a_fault_can_wait_strike_some_times_and_be_done(dataverse: Dataverse) -> None:
    armed = dataverse.faults.add(Fault(Status(500), times=2, after=1))
    assert [dataverse.get("accounts").status for _ in range(5)] == [200, 500, 500, 200, 200]
    assert armed.fired == 2


def test_faults_are_taken_back(dataverse: Dataverse) -> None:
    one = dataverse.faults.add(Fault(Status(500), times=None))
    dataverse.faults.add(Fault(Status(503), times=None))
    assert dataverse.get("accounts").status == 500
    dataverse.faults.remove(one)
    assert dataverse.get("accounts").status == 503
    dataverse.faults.clear()
    assert dataverse.get("accounts").status == 200


def test_one_part_of_a_batch_fails_and_the_others_do_not(dataverse: Dataverse) -> None:
    a, b, c = accounts(dataverse, "A", "B", "C")
    dataverse.faults.add(Fault(Status(412), Match(row_id=b[-37:-1], part=True)))
    _, answers = dataverse.batch(*(part("PATCH", url, {"name": "x"}) for url in (a, b, c)), go_on=True)
    assert [answer.status for answer in answers] == [204, 412, 204]
    assert names(dataverse) == ["x", "B", "x"]


def test_a_throttled_part_carries_retry_after(dataverse: Dataverse) -> None:
    dataverse.faults.add(Fault(Status(429, retry_after=3), Match(part=True)))
    _, answers = dataverse.batch(part("GET", "accounts"), go_on=True)
    assert (answers[0].status, answers[0].headers["Retry-After"]) == (429, "3")


def test_a_fault_in_a_changeset_undoes_all_of_it(dataverse: Dataverse) -> None:
    a, b = accounts(dataverse, "A", "B")
    dataverse.faults.add(Fault(Status(500), Match(row_id=b[-37:-1])))
    both = changeset(part("PATCH", a, {"name": "x"}), part("PATCH", b, {"name": "x"}))
    assert dataverse.batch(both)[0].status == 400
    assert names(dataverse) == ["A", "B"]
    dataverse.faults.add(Fault(CutAfter(), Match(row_id=a[-37:-1])))
    with pytest.raises(httpx.RemoteProtocolError):
        dataverse.batch(both)
    assert names(dataverse) == ["x", "x"]


# ---- Cuts, delays, callbacks


def test_a_cut_before_does_nothing(dataverse: Dataverse) -> None:
    (url,) = accounts(dataverse, "A")
    dataverse.faults.add(Fault(CutBefore()))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        dataverse.patch(url, {"name": "B"})
    assert names(dataverse) == ["A"]
    # The request was seen all the same.
    assert dataverse.traffic.requests["sweep"] == 1
    assert dataverse.traffic.calls[-1].status is None


def test_a_cut_after_has_done_it(dataverse: Dataverse) -> None:
    (url,) = accounts(dataverse, "A")
    dataverse.faults.add(Fault(CutAfter()))
    with pytest.raises(httpx.RemoteProtocolError):
        dataverse.patch(url, {"name": "B"})
    assert names(dataverse) == ["B"]
    assert len(dataverse.traffic.writes) == 1


def test_a_cut_within_a_batch_leaves_what_ran(dataverse: Dataverse) -> None:
    a, b, c = accounts(dataverse, "A", "B", "C")
    parts = [part("PATCH", url, {"name": "x"}) for url in (a, b, c)]
    dataverse.faults.add(Fault(CutBefore(), Match(row_id=b[-37:-1])))
    with pytest.raises(httpx.RemoteProtocolError):
        dataverse.batch(*parts)
    assert names(dataverse) == ["x", "B", "C"]
    dataverse.faults.add(Fault(CutAfter(), Match(row_id=b[-37:-1])))
    with pytest.raises(httpx.RemoteProtocolError):
        dataverse.batch(*parts)
    assert names(dataverse) == ["x", "x", "C"]


def test_what_strikes_after_a_commit_waits_for_one(dataverse: Dataverse) -> None:
    (url,) = accounts(dataverse, "A")
    seen: list[list[str]] = []
    armed = dataverse.faults.add(Fault(Callback(lambda: seen.append(names(dataverse))), Match(method="PATCH")))
    assert dataverse.patch(url, {"name": "B"}, etag='W/"0"').status == 412
    assert armed.fired == 0
    assert dataverse.patch(url, {"name": "B"}).status == 204
    assert dataverse.patch(url, {"name": "C"}).status == 204
    assert seen == [["B"]]


def test_a_batch_that_fails_as_a_whole_is_no_success(dataverse: Dataverse) -> None:
    armed = dataverse.faults.add(Fault(CutAfter(), Match(part=False)))
    assert dataverse.batch(part("GET", "nothing"))[0].status == 400
    assert armed.fired == 0
    with pytest.raises(httpx.RemoteProtocolError):
        dataverse.batch(part("GET", "accounts"))


def test_a_callback_runs_between_two_parts_of_a_batch(dataverse: Dataverse) -> None:
    a, b = accounts(dataverse, "A", "B")
    seen: list[list[str]] = []
    dataverse.faults.add(Fault(Callback(lambda: seen.append(names(dataverse))), Match(part=True)))
    dataverse.batch(*(part("PATCH", url, {"name": "x"}) for url in (a, b)))
    assert seen == [["x", "B"]]


def test_a_delay_comes_before_whatever_else_happens(dataverse: Dataverse) -> None:
    slow = dataverse.faults.add(Fault(Delay(0.01), times=None))
    dataverse.faults.add(Fault(Status(503)))
    assert [dataverse.get("accounts").status for _ in range(2)] == [503, 200]
    assert slow.fired == 2


def test_what_is_held_goes_on_once_the_fault_is_taken_away(dataverse: Dataverse) -> None:
    order: list[str] = []

    def let_go() -> None:
        order.append("systemusers")
        dataverse.faults.clear()

    held = dataverse.faults.add(Fault(Held(), Match(target="^accounts"), times=None))
    dataverse.faults.add(Fault(Callback(lambda: order.append("accounts")), Match(target="^accounts")))
    dataverse.faults.add(Fault(Callback(let_go), Match(target="^systemusers")))
    answers = dataverse.together(("GET", "accounts"), ("GET", "systemusers"))
    assert [answer.status for answer in answers] == [200, 200]
    assert (held.fired, order) == (1, ["systemusers", "accounts"])


# ---- Pages that go wrong


def pages(dataverse: Dataverse, at_most: int) -> list[list[str]]:
    """Names on the pages of all accounts, following links for a while."""
    found: list[list[str]] = []
    url: str | None = "accounts?$select=name"
    while url and len(found) < at_most:
        document = dataverse.get(url, "odata.maxpagesize=2").json
        found.append([row["name"] for row in document["value"]])
        url = document.get("@odata.nextLink")
    return found


def test_pages_without_an_end(dataverse: Dataverse) -> None:
    accounts(dataverse, "A", "B", "C")
    assert pages(dataverse, 9) == [["A", "B"], ["C"]]
    dataverse.faults.add(Fault(EndlessPages(), times=None))
    assert pages(dataverse, 9) == [["A", "B"]] * 9
    links = [dataverse.get("accounts").json["@odata.nextLink"]]
    links += [dataverse.get(links[0]).json["@odata.nextLink"]]
    assert links[0] != links[1]


def test_a_page_that_comes_twice(dataverse: Dataverse) -> None:
    accounts(dataverse, "A", "B", "C")
    dataverse.faults.add(Fault(RepeatedPage()))
    assert pages(dataverse, 9) == [["A", "B"], ["A", "B"], ["C"]]


def test_pages_shorter_than_asked_for(dataverse: Dataverse) -> None:
    accounts(dataverse, "A", "B", "C")
    armed = dataverse.faults.add(Fault(ShortPages(1), times=None))
    assert pages(dataverse, 9) == [["A"], ["B"], ["C"]]
    assert armed.fired == 2, "the last one is cut short by nobody"
    assert len(dataverse.get("accounts").json["value"]) == 3, "who asks for no pages gets everything at once"


def test_a_link_that_stops_in_the_middle(dataverse: Dataverse) -> None:
    accounts(dataverse, "A", "B", "C")
    whole = dataverse.get("accounts", "odata.maxpagesize=2").json["@odata.nextLink"]
    dataverse.faults.add(Fault(TruncatedNextLink()))
    link = dataverse.get("accounts", "odata.maxpagesize=2").json["@odata.nextLink"]
    assert whole.startswith(link)
    assert link != whole
    assert dataverse.get(link).error[2] == "Malformed XML in the Paging Cookie"


def test_page_faults_leave_other_answers_alone(dataverse: Dataverse) -> None:
    (url,) = accounts(dataverse, "A")
    armed = [dataverse.faults.add(Fault(kind, times=None)) for kind in (EndlessPages(), TruncatedNextLink())]
    assert "@odata.nextLink" not in dataverse.get(url).json
    assert dataverse.patch(url, {}).status == 204
    assert [one.fired for one in armed] == [0, 0]
