"""What the app wrote, held against what its world allows. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from local.dataverse.traffic import Write
from local.worlds.built import Expectation

CHANGE, JOB = "license_change_log", "work365_job"
_MAY_SET = frozenset({"not_applicable", "awaiting_provisioning"})


@dataclass(frozen=True)
class Forbidden:
    """A write that the world does not allow, and why."""

    on: datetime
    table: str
    id: str
    why: str


def forbidden_writes(
    writes: Iterable[Write],
    expectations: Sequence[Expectation],
    app_user: str,
    change_of_job: Callable[[str], str | None],
) -> list[Forbidden]:
    """The writes of the app's user that go beyond its world's `may_write`."""
    allowed = frozenset(change for e in expectations for change in e.may_write)
    found = []
    for write in writes:
        why = _why_not(write, allowed, change_of_job) if write.user == app_user else None
        if why is not None:
            found.append(Forbidden(write.on, write.table, write.id, why))
    return found


def _why_not(write: Write, allowed: frozenset[str], change_of_job: Callable[[str], str | None]) -> str | None:
    if write.kind == "deleted":
        return "nothing is ever deleted"
    if write.table == JOB:  # a job of a change that may be written may be created or scheduled anew
        return None if change_of_job(write.id) in allowed else "a job of a change that must not be written"
    if write.table != CHANGE or write.kind == "created":
        return f"{write.kind} a row of {write.table}"
    others = sorted(set(write.changes) - {"provisioning_status"})
    if others:
        return f"wrote {', '.join(others)}"
    if write.id not in allowed:
        return "this change must not be written"
    _, after = write.changes.get("provisioning_status", (None, "not_applicable"))
    return None if after in _MAY_SET else f"set Provisioning Status to {after}"


def left_not_applicable(
    writes: Iterable[Write],
    expectations: Sequence[Expectation],
    app_user: str,
    status_of: Callable[[str], str | None],
) -> list[str]:
    """Changes that the app set to Not Applicable, now or in an earlier run, and that still stand there."""
    ours = {change for e in expectations for change in e.set_by_app}
    for write in writes:
        _, after = write.changes.get("provisioning_status", (None, None))
        if write.user == app_user and write.table == CHANGE and after == "not_applicable":
            ours.add(write.id)
    return sorted(change for change in ours if status_of(change) == "not_applicable")
