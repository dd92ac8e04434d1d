"""A queue message carries the span that it was sent in; it decides nothing, so nothing about it fails a message."""

import json

import pytest

from shared.adapters.messages import DiagnoseMessage, decode, diagnose_messages, encode, notify_messages
from shared.adapters.messages import remediate_messages as to_remediate

A = "11111111-1111-1111-1111-111111111111"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_all_messages_of_one_sending_carry_its_span() -> None:
    ids = [f"11111111-1111-1111-1111-{n:012d}" for n in range(1_001)]
    cases = [f"{i}-1" for i in ids]
    for sent in (diagnose_messages(ids, TRACE), notify_messages(ids, TRACE), to_remediate(cases, TRACE)):
        assert len(sent) > 1
        assert {message.traceparent for message in sent} == {TRACE}
        assert decode(type(sent[0]), encode(sent[0])) == sent[0]


def test_without_a_span_a_message_is_what_it_was_before() -> None:
    (message,) = diagnose_messages([A])
    assert encode(message) == f'{{"version":1,"subscription_ids":["{A}"]}}'
    assert decode(DiagnoseMessage, encode(message)).traceparent == ""


@pytest.mark.parametrize(
    "garbled",
    [
        "",
        "nonsense",
        None,
        7,
        ["x"],
        {"a": 1},
        TRACE.upper(),
        f"{TRACE}-more",
        f"{TRACE}\n",
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "x" * 10_000,
    ],
)
def test_a_span_that_makes_no_sense_counts_as_none(garbled: object) -> None:
    text = json.dumps({"version": 1, "subscription_ids": [A], "traceparent": garbled})
    read = decode(DiagnoseMessage, text)
    assert (read.subscription_ids, read.traceparent) == ((A,), "")
