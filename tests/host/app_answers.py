"""What an answer of the app must be like."""

import hashlib
import json
from datetime import datetime
from typing import Any

import httpx


def problem(answer: httpx.Response, status: int, field: str | None = None) -> dict[str, Any]:
    """The answer as a problem document (RFC 9457) that says what is wrong, and in which field if it is one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body.get("field") == field
    return body


def kinds(case: dict[str, Any]) -> list[str]:
    """What has happened to a case, in order."""
    return [event["kind"] for event in case["timeline"]]


def broken_links(timeline: list[dict[str, Any]]) -> list[int]:
    """Numbers of the events whose hash does not cover them and the one before (docs/ledger.md)."""
    broken, previous = [], ""
    for number, event in enumerate(timeline, start=1):
        on = datetime.fromisoformat(event["on"]).isoformat()
        content = [number, on, event["by"], event["kind"], event["text"], event["details"], previous]
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        if (event["sequence"], event["hash"]) != (number, digest):
            broken.append(number)
        previous = event["hash"]
    return broken
