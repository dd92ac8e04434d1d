"""What the tests of the case store share: cases to save, and stores that count, crash and pause.

Input: cases made by the domain's own `record`. Not faked: everything between the store and Azurite.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.adapters.tables.client import Found, Replace, Row, Tables
from shared.domain.amendment import SUBSCRIPTION, Amendment, Asked, Column, Done
from shared.domain.case import Case, Notification, Recorded, State, record
from shared.domain.diagnosis import Diagnosis
from shared.domain.evidence import ProvisioningStatus
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.intent import Attempt, Intent, Phase
from shared.domain.plan import Plan
from shared.domain.standing import Stock

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CHANGE = "22222222-0000-0000-0000-000000000001"


def subscription(number: int = 1) -> str:
    return f"11111111-0000-4000-8000-{number:012d}"


def opened(number: int = 1, *, on: datetime = NOW, case_number: int = 1, **values: Any) -> Recorded:
    """A case that has just been found, with its first event."""
    case = Case(subscription(number), case_number, on, due_on=on, **values)
    return record(case, on, by="sweep", kind="opened", text="Found.")


def moved(case: Case | Recorded, state: State, on: datetime = NOW, **changes: Any) -> Recorded:
    """The case with one more event, in another state."""
    details = {"to": state.value}
    return record(case, on, by="diagnose", kind="moved", text=f"Is {state}.", details=details, state=state, **changes)


def resolved(case: Case, on: datetime = NOW) -> Recorded:
    return moved(case, State.RESOLVED, on, due_on=None, resolved_on=on)


def fact(what: str = "Provisioning Status", value: str = "awaiting_provisioning") -> Fact:
    return Fact(what, value, f"license_change_log:{CHANGE}", NOW)


def diagnosis(*proof: Fact, **values: Any) -> Diagnosis:
    finding = Finding(
        "trigger_missed",
        Disposition.AUTO,
        Confidence.CERTAIN,
        "Nothing triggered it.",
        "Retrigger it.",
        "the app",
        proof=proof or (fact(),),
        against=(fact("a live job", "none"),),
        until=NOW + MINUTE,
        waits_for=subscription(2),
    )
    defaults: dict[str, Any] = {"findings": (finding,), "ruled_out": (RuledOut("unknown", "it is known"),)}
    return Diagnosis(CHANGE, Disposition.AUTO, **{**defaults, **values})


def intent(**values: Any) -> Intent:
    defaults: dict[str, Any] = {
        "by": "app",
        "written_on": NOW,
        "phase": Phase.INTENDED,
        "status_before": ProvisioningStatus.AWAITING,
        "etag_before": 'W/"100"',
    }
    return Intent(CHANGE, "digest", **{**defaults, **values})


def amendment() -> Amendment:
    return Amendment(SUBSCRIPTION, subscription(), (Column("customer", None, 'an "id"'),))


def amending() -> Intent:
    """An intent that saves a row, over a half-done retrigger."""
    half = intent(phase=Phase.NOT_APPLICABLE_SET, etag_after='W/"101"')
    return intent(action="mark_provisioned", amendment=amendment(), then="next", approved=True, over=half)


def full(case: Case) -> dict[str, Any]:
    """Every part of a case that can be set, set."""
    awaiting, not_applicable = ProvisioningStatus.AWAITING, ProvisioningStatus.NOT_APPLICABLE
    return {
        "due_on": NOW + timedelta(microseconds=1),
        "subscription_name": "Contoso Ünal: Microsoft 365 😀",
        "customer_name": 'O\'Brien & Söhne #1 + 100% "q" \\?/',
        "provider_name": "Microsoft",
        "cause": "trigger_missed",
        "first_cause": "not_stuck_yet",
        "disposition": Disposition.AUTO,
        "change_id": CHANGE,
        "summary": "It was never triggered.\nSecond line.",
        "next_step": "Wait.",
        "held_back": "The mode is observe.",
        "diagnosis": diagnosis(),
        "plan": Plan("retrigger", CHANGE, "trigger_missed", awaiting, (not_applicable, awaiting), "digest"),
        "approved_digest": "digest",
        "approved_by": "ann@contoso.example",
        "approved_on": NOW,
        "requested_by": ("ben@contoso.example",),
        "assignee": "Cleo [33333333-0000-4000-8000-000000000001]",
        "ticket": "INC-4711",
        "ticket_url": "https://tickets.example/INC-4711",
        "intent": intent(),
        "setbacks": 2,
        "attempts": (Attempt(CHANGE, NOW, "app", "AADSTS700082: expired"), Attempt(CHANGE, NOW, "app")),
        "provisioned_since": NOW - MINUTE,
        "resolved_on": NOW,
        "outgoing": (Notification("key-3", "needs_person", "Somebody must look.", NOW),),
        "told": ("key-1", "key-2"),
        "dropped": (CHANGE,),
        "fixed_before": (NOW - 3 * MINUTE, NOW - 2 * MINUTE),
        "asked": Asked("undo", "ann@contoso.example", "a mistake", NOW, (("number", "1"),)),
        "done": (
            Done("run_job", CHANGE, NOW - MINUTE, "ben@contoso.example"),
            Done("fill_customer", CHANGE, NOW - MINUTE, "ben@contoso.example", "why", amendment(), undone_on=NOW),
        ),
        "closed_before": (CHANGE,),
        "stock": Stock.ADOPTED,
        "change_created_on": NOW - 4 * MINUTE,
        "dismissed": (CHANGE,),
        "muted": "Ann wants it left alone.",
        "muted_until": NOW + MINUTE,
    }


class Crash(Exception):
    """The process is gone: nothing after this point happened."""


type Hook = Callable[[], Awaitable[None]]


@dataclass
class Failpoints:
    """What a store's requests run into: hooks that are awaited before or after a request, and may raise."""

    before: dict[str, Hook] = field(default_factory=dict)
    after: dict[str, Hook] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    """`put caseindex`, `transact cases` …, as they were begun."""

    def fail(self, when: str, request: str, error: Exception) -> None:
        """`when` is `before` or `after`; `request` a method and a table, as in `requests`."""

        async def fail() -> None:
            raise error

        (self.before if when == "before" else self.after)[request] = fail

    def clear(self) -> None:
        self.before.clear()
        self.after.clear()
        self.requests.clear()

    async def around[T](self, request: str, doing: Coroutine[Any, Any, T]) -> T:
        """Does it, with the hooks."""
        self.requests.append(request)
        try:
            if hook := self.before.get(request):
                await hook()
        except BaseException:
            doing.close()
            raise
        result = await doing
        if hook := self.after.get(request):
            await hook()
        return result


class WatchedTables(Tables):
    """The real tables, with failpoints around every request."""

    points: Failpoints

    async def get(self, table: str, partition: str, row: str) -> Found | None:
        return await self.points.around(f"get {table}", super().get(table, partition, row))

    async def query(self, table: str, where: str, parameters: Mapping[str, str], limit: int | None) -> list[Found]:
        return await self.points.around(f"query {table}", super().query(table, where, parameters, limit))

    async def put(self, table: str, row: Row) -> None:
        await self.points.around(f"put {table}", super().put(table, row))

    async def delete(self, table: str, partition: str, row: str, etag: str | None = None) -> None:
        await self.points.around(f"delete {table}", super().delete(table, partition, row, etag))

    async def transact(
        self,
        table: str,
        inserts: Sequence[Row],
        replace: Replace | None = None,
        *,
        puts: Sequence[Row] = (),
        deletes: Sequence[tuple[str, str]] = (),
    ) -> list[str]:
        doing = super().transact(table, inserts, replace, puts=puts, deletes=deletes)
        return await self.points.around(f"transact {table}", doing)
