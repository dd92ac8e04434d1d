"""The grounds of a decision as a row beside its case, and back: JSON, compressed, in a few columns of bytes."""

import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from shared.adapters.tables.keys import grounds_row, partition_of
from shared.adapters.tables.rows import Reader
from shared.adapters.tables.versions import GROUNDS
from shared.adapters.text import well_formed
from shared.domain.breaker import Breaker
from shared.domain.evidence import Evidence
from shared.domain.grounds import Grounds
from shared.domain.intent import Attempt, Intent
from shared.domain.look import Look
from shared.domain.policy import Policy

COLUMN_BYTES = 60_000
"""Bytes in one column; the limit is 65,536."""

MOST_COLUMNS = 10
"""More than any evidence that was seen; what is larger is not kept, and the row says how large it was."""

MOST_JSON = 50_000_000
"""Bytes that are unpacked: a row that somebody has put there does not fill the memory."""

_BY_HAND = frozenset({"quiet", "sweeps", "wakes", "time_zone"})
"""Of the policy: what no diagnosis reads, or what is no JSON."""

_POLICY: Mapping[str, TypeAdapter[Any]] = {
    name: TypeAdapter(hint) for name, hint in get_type_hints(Policy).items() if name not in _BY_HAND
}
_PARTS: Mapping[str, TypeAdapter[Any]] = {
    "evidence": TypeAdapter(Evidence),
    "now": TypeAdapter(datetime),
    "intent": TypeAdapter(Intent | None),
    "attempts": TypeAdapter(tuple[Attempt, ...]),
    "dropped": TypeAdapter(tuple[str, ...]),
    "fixed_before": TypeAdapter(tuple[datetime, ...]),
    "fixes": TypeAdapter(dict[str, Breaker]),
}


def to_row(subscription_id: str, number: int, grounds: Grounds) -> dict[str, Any]:
    """The row of a case's grounds. Too large for a row: without them, and with what they would have needed."""
    row: dict[str, Any] = {
        "PartitionKey": partition_of(subscription_id),
        "RowKey": grounds_row(number),
        "schema_version": GROUNDS,
        "rule_version": grounds.rule_version,
        "plan_digest": grounds.plan_digest,
        "policy_version": grounds.look.policy.version,
    }
    packed = zlib.compress(_json(grounds))
    if len(packed) > MOST_COLUMNS * COLUMN_BYTES:
        return without_content(row, len(packed))
    pieces = [packed[start : start + COLUMN_BYTES] for start in range(0, len(packed), COLUMN_BYTES)]
    return row | {f"content_{index}": piece for index, piece in enumerate(pieces, start=1)}


def without_content(row: Mapping[str, Any], bytes_: int) -> dict[str, Any]:
    """The row without what does not fit, and with how much it was."""
    short = {name: value for name, value in row.items() if not name.startswith("content_")}
    return {**short, "left_out": f"{bytes_:,} bytes are too many"}


def from_row(row: Mapping[str, Any]) -> Grounds | None:
    """The grounds in a row, None where they were too large. Raises CaseUnreadable naming what makes no sense."""
    read = Reader(row)
    read.version(GROUNDS)
    if read.text("left_out"):
        return None
    try:
        parts = _unpacked(row)
        policy = _policy(parts.pop("policy"))
        values = {name: adapter.validate_json(json.dumps(parts[name])) for name, adapter in _PARTS.items()}
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # Not what pydantic says: it would repeat the evidence.
        problem = "it is not what it should be" if isinstance(error, ValidationError) else str(error)
        raise read.fault("content", f"cannot be unpacked: {problem}") from None
    fixed_before, fixes = values.pop("fixed_before"), values.pop("fixes")
    rules, digest = read.text("rule_version") or "", read.text("plan_digest") or ""
    return Grounds(Look(policy=policy, **values), rules, digest, fixed_before, fixes)


def content_of(row: Mapping[str, Any]) -> str:
    """The JSON that a row holds, for those who read it by hand. Raises ValueError, TypeError or zlib.error."""
    packed = b"".join(row[f"content_{n}"] for n in range(1, MOST_COLUMNS + 1) if f"content_{n}" in row)
    unpacking = zlib.decompressobj()
    text = unpacking.decompress(packed, MOST_JSON)
    if not unpacking.eof:
        raise ValueError("it is cut, or too large")
    return text.decode()


def _unpacked(row: Mapping[str, Any]) -> dict[str, Any]:
    parts = json.loads(content_of(row))
    if not isinstance(parts, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004  (reported like any other)
    return parts


def _json(grounds: Grounds) -> bytes:
    look, policy = grounds.look, grounds.look.policy
    known = {"fixed_before": grounds.fixed_before, "fixes": dict(grounds.fixes)}
    parts = {name: known[name] if name in known else getattr(look, name) for name in _PARTS}
    dumped: dict[str, Any] = {name: _PARTS[name].dump_python(value, mode="json") for name, value in parts.items()}
    dumped["policy"] = {n: adapter.dump_python(getattr(policy, n), mode="json") for n, adapter in _POLICY.items()}
    dumped["policy"]["time_zone"] = str(policy.time_zone)
    return well_formed(json.dumps(dumped, ensure_ascii=False, separators=(",", ":"))).encode()


def _policy(parts: dict[str, Any]) -> Policy:
    """The policy as it was; what is not of this version has its default."""
    values = {name: _POLICY[name].validate_json(json.dumps(value)) for name, value in parts.items() if name in _POLICY}
    zone = UTC if parts["time_zone"] == "UTC" else ZoneInfo(parts["time_zone"])
    return Policy(time_zone=zone, **values)
