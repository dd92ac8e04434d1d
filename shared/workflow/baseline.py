"""The stock: counted and told of as a whole, and adopted or dismissed in bulk by a person.

Deciding writes nothing to Dataverse, so no hourly cap applies to it. What is adopted is retriggered within the caps.
"""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.baseline import adopted, dismissed, stuck_ids, undecidable
from shared.domain.case import Case, Recorded, State, subscription_of
from shared.domain.look import Look
from shared.domain.standing import Standing, Stock
from shared.domain.surge import Watch
from shared.errors import CaseUnreadable, NotPossible, SourceError
from shared.ports import CaseFilter, News, Stored
from shared.workflow.context import Context
from shared.workflow.diagnose import save
from shared.workflow.together import all_of

log = logging.getLogger(__name__)

KIND = "stock"

AT_ONCE = 500
"""Cases that are decided on by one call."""

COUNTED = 5_000
"""Cases that are looked at to count the others, so that an answer does not take minutes."""

SKIPPED_SHOWN = 100

_PAGE = 500


class Decision(StrEnum):
    """What a person can do with the stock."""

    ADOPT = "adopt"
    DISMISS = "dismiss"


@dataclass(frozen=True, slots=True)
class StockFilter:
    """Which cases of the stock are meant; None or empty means any."""

    cause: str | None = None
    provider: str | None = None
    """Name of the provider in Work 365."""
    customer: str | None = None
    """Name of the customer."""
    created_before: datetime | None = None
    """The case's change was created before this. A change without that time is not."""
    case_ids: tuple[str, ...] = ()

    def wants(self, case: Case) -> bool:
        """Whether a case of the stock is meant, as far as its list does not say so already."""
        if self.case_ids and case.id not in self.case_ids:
            return False
        made = case.change_created_on
        return self.created_before is None or (made is not None and made < self.created_before)

    @property
    def listed(self) -> CaseFilter:
        """The list that holds the cases that are meant, and perhaps others."""
        return CaseFilter(
            stock=Stock.HELD, cause=self.cause, provider=self.provider, customer=self.customer, open_only=True
        )


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of one call."""

    decided: int
    skipped: Mapping[str, str]
    """Why these cases were left as they are, by id; some of them where there are many."""
    remaining: int
    """Cases that are meant and were not reached."""
    more: bool
    """Whether not all of the remaining were counted."""


@dataclass
class Counted:
    """Cases of one kind by cause."""

    count: int = 0
    by_cause: Counter[str] = field(default_factory=Counter)
    oldest: datetime | None = None
    """When the oldest of their changes was created."""
    more: bool = False
    """Whether there are more than were counted."""


@dataclass(frozen=True, slots=True)
class StockShown:
    """The stock as it is now. `taken_on` is None before the first complete sweep."""

    taken_on: datetime | None
    told: bool
    held: Counted
    adopted: Counted
    dismissed: Counted


async def stock(ctx: Context) -> StockShown:
    """When the stock was taken and what became of it. Raises SourceError and CaseUnreadable."""
    watch = await ctx.holds.read()
    wanted = (StockFilter().listed, CaseFilter(stock=Stock.ADOPTED), CaseFilter(state=State.DISMISSED))
    held, taken_in, left = [await _counted(ctx, each) for each in wanted]
    return StockShown(watch.stock_taken_on, watch.stock_told, held, taken_in, left)


async def decide_stock(
    ctx: Context, decision: Decision, wanted: StockFilter, *, by: str, reason: str, limit: int = AT_ONCE
) -> Decided:
    """Adopts or dismisses up to `limit` held cases that are meant, oldest first; the same call again does the next.

    Raises NotPossible when there is no stock yet, SourceError when Dataverse or storage fail: what was decided until
    then stays decided.
    """
    if not by.strip() or not reason.strip():
        raise NotPossible("a decision needs a name and a reason: both stay on each case")
    taken_on = (await ctx.holds.read()).stock_taken_on
    if taken_on is None:
        raise NotPossible("no sweep has been complete yet, so there is no stock: sweep first")
    deciding = _Deciding(ctx, decision, taken_on, by.strip(), reason.strip())
    rest, seen, more = 0, 0, False
    async for page in _pages(ctx, wanted):
        if seen >= COUNTED and deciding.decided >= limit:
            more = True
            break
        seen += len(page)
        meant = [case for case in page if wanted.wants(case)]
        now = meant[: max(limit - deciding.decided, 0)]
        await deciding.decide(now)
        rest += len(meant) - len(now)
    log.warning("%s decided on %d cases of the stock: %s (%s)", by, deciding.decided, decision, reason)
    return Decided(deciding.decided, deciding.skipped, rest, more)


@dataclass
class _Deciding:
    """One call, page by page."""

    ctx: Context
    decision: Decision
    taken_on: datetime
    by: str
    reason: str
    decided: int = 0
    skipped: dict[str, str] = field(default_factory=dict)

    async def decide(self, cases: Sequence[Case]) -> None:
        if not cases:
            return
        ids = [case.subscription_id for case in cases]
        stored = await self.ctx.store.load_many(ids)
        looks = await self._looks(stored) if self.decision is Decision.DISMISS else {}
        moves: dict[str, Recorded] = {}
        for i, each in stored.items():
            move = self._move(each.case, looks.get(i))
            if isinstance(move, str):
                self._skip(each.case.id, move)
            else:
                moves[i] = move
        saved = await all_of(save(self.ctx, move, stored[i]) for i, move in moves.items())
        done = [after.case.subscription_id for after in saved if after is not None]
        for i in moves.keys() - set(done):
            self._skip(moves[i].case.id, "it was changed by someone else at the same moment")
        self.decided += len(done)
        if done and self.decision is Decision.ADOPT:
            await self.ctx.queues.diagnose(done)

    async def _looks(self, stored: Mapping[str, Stored]) -> dict[str, Look]:
        """What is stuck in them now: that is what is dismissed, and nothing that turns up later."""
        got = await self.ctx.work365.read_evidence(tuple(stored), purpose="diagnose")
        now, standing = self.ctx.clock.now(), Standing(self.taken_on)
        return {i: Look(each, now, self.ctx.policy, standing=standing) for i, each in got.evidence.items()}

    def _move(self, case: Case, look: Look | None) -> Recorded | str:
        """The case as it is decided on, or why it is not."""
        now = self.ctx.clock.now()
        if self.decision is Decision.ADOPT:
            if not case.open or case.stock is not Stock.HELD:
                return "it is not held as a part of the stock"
            return adopted(case, now, now + self.ctx.policy.action_time_limit, self.by, self.reason)
        if look is None or (why := undecidable(case, look, self.taken_on)):
            return why if look is not None else "Dataverse does not show its subscription any more"
        return dismissed(case, stuck_ids(look), now, self.by, self.reason)

    def _skip(self, case_id: str, why: str) -> None:
        if len(self.skipped) < SKIPPED_SHOWN:
            self.skipped[case_id] = why


async def tell_of_stock(ctx: Context) -> None:
    """Tells people of the stock, all of it in one message, once every case of it can have been diagnosed.

    News that was not delivered is told at a later sweep. Raises nothing: a sweep is complete without it.
    """
    try:
        watch = await ctx.holds.read()
        taken_on, now = watch.stock_taken_on, ctx.clock.now()
        if taken_on is None or watch.stock_told or now - taken_on < ctx.policy.look_again:
            return
        held = await _counted(ctx, StockFilter().listed)
        if held.count:
            await ctx.notifier.tell([_news(taken_on, held)])
        await ctx.holds.change(lambda before: (_told(before, taken_on), None))
    except (SourceError, CaseUnreadable) as error:
        log.warning("Whether people know of the stock is not sure, they are told at a later sweep: %s", error)


def _told(watch: Watch, taken_on: datetime) -> Watch:
    return replace(watch, stock_told=True) if watch.stock_taken_on == taken_on else watch


def _news(taken_on: datetime, held: Counted) -> News:
    causes = ", ".join(f"{number} {cause}" for cause, number in held.by_cause.most_common())
    count = f"{'more than ' if held.more else ''}{held.count:,}"
    since = f", the oldest since {held.oldest.date().isoformat()}" if held.oldest is not None else ""
    return News(
        key=f"{KIND}:{taken_on.isoformat()}",
        kind=KIND,
        case_id="",
        text=f"{count} subscriptions were stuck before this app first looked{since} ({causes}): nothing is begun.",
        next_step="Adopt those that shall be freed, dismiss the others: GET baseline, POST baseline/decisions.",
        who="billing administrator",
        details={"held": str(held.count), "taken_on": taken_on.isoformat()},
    )


async def _counted(ctx: Context, wanted: CaseFilter) -> Counted:
    counted, cursor = Counted(), None
    while True:
        page = await ctx.store.list_cases(wanted, _PAGE, cursor)
        counted.count += len(page.cases)
        counted.by_cause.update(case.cause or "not diagnosed yet" for case in page.cases)
        counted.oldest = _earliest([counted.oldest, *(case.change_created_on for case in page.cases)])
        cursor = page.cursor
        if cursor is None or counted.count >= COUNTED:
            counted.more = cursor is not None
            return counted


def _earliest(times: Iterable[datetime | None]) -> datetime | None:
    return min((time for time in times if time is not None), default=None)


async def _pages(ctx: Context, wanted: StockFilter) -> AsyncIterator[Sequence[Case]]:
    """The held cases that may be meant, oldest first."""
    if wanted.case_ids:
        stored = await ctx.store.load_many(list(dict.fromkeys(subscription_of(i) for i in wanted.case_ids)))
        listed = wanted.listed
        yield [s.case for s in stored.values() if _in_list(s.case, listed)]
        return
    cursor = None
    while True:
        page = await ctx.store.list_cases(wanted.listed, _PAGE, cursor)
        yield page.cases
        cursor = page.cursor
        if cursor is None:
            return


def _in_list(case: Case, listed: CaseFilter) -> bool:
    """Whether a case that was named by its id is what the other fields ask for, too."""
    named = ((listed.cause, case.cause), (listed.provider, case.provider_name), (listed.customer, case.customer_name))
    return all(wanted is None or wanted.casefold() == (found or "").casefold() for wanted, found in named)
