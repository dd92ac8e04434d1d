"""POST /api/messages/explain: what goes in, what comes out, and what is refused by name."""

import json
from typing import Any

import azure.functions as func
import pytest

from shared.domain.provider_errors import read_message
from shared.entrypoints.messages import LONGEST_BODY, LONGEST_TEXT, MOST_MESSAGES
from tests.entrypoint_kit import BY_OPERATION, Front

CONSENT = {"error": "invalid_grant", "error_description": "AADSTS700082: The refresh token has expired"}


@pytest.fixture(scope="module")
def function() -> Any:
    return Front()


def ask(function: Any, body: object) -> func.HttpResponse:
    answer = function.asks("ExplainMessages", body)
    assert isinstance(answer.response, func.HttpResponse)
    return answer.response


def explained(function: Any, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    answer = ask(function, {"messages": list(messages)})
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found = json.loads(answer.get_body())
    assert list(found) == ["messages"]
    rows: list[dict[str, Any]] = found["messages"]
    return rows


def refused(function: Any, body: object, status: int = 400) -> dict[str, Any]:
    answer = ask(function, body)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    problem: dict[str, Any] = json.loads(answer.get_body())
    assert problem["status"] == status
    assert problem["detail"]
    return problem


def test_it_is_in_the_table_under_its_route() -> None:
    route = BY_OPERATION["ExplainMessages"]
    assert (route.method, route.path, route.function) == ("POST", "messages/explain", "http_explain_messages")


def test_messages_are_explained_in_their_order(function: Any) -> None:
    rows = explained(
        function,
        {"text": json.dumps(CONSENT)},
        {"text": "Nobody has seen this before"},
        {"text": "", "code": 800082},
        {"text": "x", "status": 429},
        {"text": "x", "code": None, "status": None},
    )
    assert [row["cause"] for row in rows] == [
        "consent_expired",
        "unknown",
        "provider_operation_pending",
        "provider_unavailable",
        "unknown",
    ]


def test_an_explanation_says_all_that_the_catalogue_does(function: Any) -> None:
    (row,) = explained(function, {"text": "Rate limit is exceeded. Try again in 57 seconds.", "code": "429"})
    reading = read_message("Rate limit is exceeded. Try again in 57 seconds.", code="429")
    assert row == {
        "cause": "provider_unavailable",
        "waiting": "T",
        "wait_seconds": 57,
        "sentence": reading.sentence,
        "who": "no one",
        "matched": "HTTP 429",
        "link": reading.link,
        "text": None,
    }


@pytest.mark.parametrize(
    "text", ["", "Nobody knows <script>alert(1)</script> this\x00\x1b[31m", "\u00e9\U0001f600 " * 20_000]
)
def test_what_is_unknown_keeps_its_whole_text(function: Any, text: str) -> None:
    (row,) = explained(function, {"text": text})
    assert (row["cause"], row["waiting"], row["matched"], row["text"]) == ("unknown", "H", "", text)


def test_half_a_character_at_the_end_of_a_text_that_was_cut_off_is_no_error(function: Any) -> None:
    (row,) = explained(function, {"text": "cut \ud83d"})
    assert row["text"] == "cut \ufffd"


def test_the_longest_text_and_the_most_messages_fit(function: Any) -> None:
    (row,) = explained(function, {"text": "x" * (LONGEST_TEXT - 7) + " 800082"})
    assert row["cause"] == "unknown"
    assert len(explained(function, *[{"text": "AADSTS50076"}] * MOST_MESSAGES)) == MOST_MESSAGES


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"text": "x"}] * (MOST_MESSAGES + 1)}, "messages"),
        ({"messages": {"text": "x"}}, "messages"),
        ({"messages": ["x"]}, "messages.0"),
        ({"messages": [{"text": "x"}, {"code": "1"}]}, "messages.1.text"),
        ({"messages": [{"text": None}]}, "messages.0.text"),
        ({"messages": [{"text": 7}]}, "messages.0.text"),
        ({"messages": [{"text": "x" * (LONGEST_TEXT + 1)}]}, "messages.0.text"),
        ({"messages": [{"text": "x", "code": True}]}, "messages.0.code"),
        ({"messages": [{"text": "x", "code": 1.5}]}, "messages.0.code"),
        ({"messages": [{"text": "x", "code": "1" * 201}]}, "messages.0.code"),
        ({"messages": [{"text": "x", "status": 99}]}, "messages.0.status"),
        ({"messages": [{"text": "x", "status": "soon"}]}, "messages.0.status"),
        ({"messages": [{"text": "x", "status": True}]}, "messages.0.status"),
        ({"messages": [{"text": "x", "colour": 1}]}, "messages.0.colour"),
        ({"messages": [{"text": "x"}], "language": "en"}, "language"),
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"\xff\xfe", "body"),
        (b"[" * 100_000, "body"),
        (b'{"messages": ' + b"9" * 5_000 + b"}", "body"),
    ],
)
def test_what_is_wrong_is_named(function: Any, body: object, field: str) -> None:
    assert refused(function, body)["field"] == field


def test_a_body_that_is_too_long_is_refused_before_it_is_read(function: Any) -> None:
    assert f"{LONGEST_BODY:,}" in refused(function, b" " * (LONGEST_BODY + 1), 413)["detail"]
