"""Faults from JSON, as the control endpoint takes them."""

from typing import Any

import pytest

from local.dataverse.faults import (
    CutAfter,
    Delay,
    Fault,
    Held,
    Match,
    Status,
    fault_from_json,
)


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"answer": {"kind": "cut_after"}}, Fault(CutAfter())),
        (
            {
                "answer": {"kind": "status", "status": 429, "retry_after": 7},
                "match": {"purpose": "sweep", "method": "GET", "target": "accounts", "row_id": "x", "part": True},
                "times": None,
                "after": 2,
            },
            Fault(Status(429, retry_after=7), Match("GET", "accounts", "sweep", "x", True), None, 2),
        ),
        ({"answer": {"kind": "delay", "seconds": 0.5}, "times": 3}, Fault(Delay(0.5), times=3)),
        ({"answer": {"kind": "held"}, "times": None}, Fault(Held(), times=None)),
    ],
)
def test_a_fault_from_json(document: dict[str, Any], fault: Fault) -> None:
    assert fault_from_json(document) == fault


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({}, "needs an answer with a kind"),
        ({"answer": "status"}, "needs an answer with a kind"),
        ({"answer": {"kind": "explode"}}, "one of status, html"),
        ({"answer": {"kind": "status"}}, "answer: .*status"),
        ({"answer": {"kind": "status", "status": "429"}}, "answer: status cannot be '429'"),
        ({"answer": {"kind": "empty", "colour": "red"}}, "answer has no 'colour'"),
        ({"answer": {"kind": "empty"}, "match": {"colour": "red"}}, "match has no 'colour'"),
        ({"answer": {"kind": "empty"}, "match": []}, "match must be an object"),
        ({"answer": {"kind": "empty"}, "match": {"target": "("}}, "no regular expression"),
        ({"answer": {"kind": "empty"}, "times": "often"}, "fault: times cannot be 'often'"),
        ({"answer": {"kind": "empty"}, "time": 1}, "fault has no 'time'"),
    ],
)
def test_what_is_no_fault_is_refused_by_name(document: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        fault_from_json(document)
