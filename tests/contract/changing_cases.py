"""Cases that change while lists of them are read over HTTP, and what a list may and must show then.

Input: changes that a test chooses. Output: what the pages showed, held against what was true when they were read.
Not faked: the route, its handler and, on Azurite, everything down to storage.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from shared.domain.case import FINAL, MOVES, Case, Recorded, State
from shared.domain.standing import Stock
from shared.ports import CaseStore, Stored
from tests.contract.case_kit import NOW, moved, opened
from tests.entrypoint_kit import Front
from tests.workflow_kit import Town

CAUSES = ("trigger_missed", "manual_provider", "unknown")
PROVIDERS = ("Microsoft CSP", "Distributor")
PEOPLE = ("", "Ann", "Ben")
BEGIN = NOW - timedelta(days=30)
HALF_WAY = BEGIN + timedelta(days=7)

CUSTOMERS = 50
_PRIME = 7_919
STATES = tuple(state for state in State if state not in (State.REMEDIATING, State.UNSETTLED, State.OPEN))
"""Those in which a case can stand without an intent. A new case is `open`."""

KINDS = ("state", "state", "state", "cause", "assignee", "provider", "close", "reopen", "new")
"""What may happen to a case; moves from state to state are the most."""

type Change = tuple[int, str, int]
"""Which case, what happens to it, and which of several ways: all three are taken modulo what there is."""

type Wanted = Callable[[Case], bool]


def an_open(case: Case) -> bool:
    return case.state not in FINAL


FILTERS: Mapping[str, tuple[Mapping[str, str], Wanted]] = {
    "open": ({}, an_open),
    "state": ({"state": "waiting"}, lambda case: case.state is State.WAITING),
    "closed": ({"state": "resolved"}, lambda case: case.state is State.RESOLVED),
    "cause": ({"cause": "manual_provider"}, lambda case: an_open(case) and case.cause == "manual_provider"),
    "provider": ({"provider": "DISTRIBUTOR"}, lambda case: an_open(case) and case.provider_name == "Distributor"),
    "customer": ({"customer": "customer 7"}, lambda case: an_open(case) and case.customer_name == "Customer 7"),
    "assignee": ({"assignee": "ann"}, lambda case: an_open(case) and case.assignee == "Ann"),
    "before": ({"opened_before": HALF_WAY.isoformat()}, lambda case: an_open(case) and case.opened_on < HALF_WAY),
    "after": ({"opened_after": HALF_WAY.isoformat()}, lambda case: an_open(case) and case.opened_on >= HALF_WAY),
    "stock": ({"stock": "held"}, lambda case: an_open(case) and case.stock is Stock.HELD),
    "two": (
        {"state": "needs_person", "provider": "Distributor"},
        lambda case: case.state is State.NEEDS_PERSON and case.provider_name == "Distributor",
    ),
}
"""Every field of CasesQuery: what is asked for, and the cases that are meant, said once more in other words."""


def nth(number: int, of: int) -> Recorded:
    """One of `of` cases as they stand at the beginning: all states, and three cases found at each moment.

    Their order by age has nothing to do with their numbers, so the first hundred are a sample of all.
    """
    on = BEGIN + timedelta(days=14) * (number * _PRIME % of // 3) / max(of // 3, 1)
    state = STATES[number % len(STATES)]
    values: dict[str, Any] = {"resolved_on": NOW} if state is State.RESOLVED else {}
    return opened(
        number,
        on=on,
        state=state,
        cause=CAUSES[number % len(CAUSES)],
        provider_name=PROVIDERS[number // 5 % 2],
        customer_name=f"Customer {number // 11 % CUSTOMERS}",
        assignee=PEOPLE[number // 7 % 3],
        stock=Stock.HELD if number % 13 == 0 else Stock.NONE,
        **values,
    )


@dataclass
class Changing:
    """The cases of a store, changed one by one."""

    store: CaseStore
    newest: dict[str, Stored | Case]
    """By subscription; without a version until it is changed for the first time."""
    former: dict[str, Case] = field(default_factory=dict)
    """By id: closed cases whose subscription has a newer one."""
    watchers: list[Callable[[Case, Case | None], None]] = field(default_factory=list)
    """Called with every case that was saved, and with what it was before."""

    async def change(self, change: Change) -> None:
        """Does one thing to one case, where it can be done."""
        which, kind, way = change
        if kind == "new":
            number = len(self.newest)
            await self._save(opened(number, on=self._now(), cause=CAUSES[way % len(CAUSES)]), None)
            return
        stored = await self._stored([*self.newest][which % len(self.newest)])
        case = stored.case
        if kind == "reopen" and not an_open(case):
            number = int(case.subscription_id[-12:])
            await self._save(opened(number, on=self._now(), case_number=case.number + 1, cause="unknown"), None)
        elif kind != "reopen" and an_open(case):
            await self._save(_changed(case, kind, way), stored)

    def all(self) -> list[Case]:
        """Every case as it is now, former ones too."""
        return [*self.former.values(), *map(self.latest, self.newest)]

    def latest(self, subscription_id: str) -> Case:
        """The newest case of a subscription as it is now."""
        known = self.newest[subscription_id]
        return known.case if isinstance(known, Stored) else known

    def _now(self) -> datetime:
        """A case that is found now is the newest of all."""
        return NOW + timedelta(seconds=len(self.newest))

    async def _stored(self, subscription_id: str) -> Stored:
        known = self.newest[subscription_id]
        if isinstance(known, Stored):
            return known
        stored = await self.store.load(subscription_id)
        assert stored is not None
        return stored

    async def _save(self, recorded: Recorded, stored: Stored | None) -> None:
        saved = await self.store.save(recorded, stored.version if stored else None)
        if recorded.case.number > 1 and stored is None:
            replaced = self.latest(saved.case.subscription_id)
            self.former[replaced.id] = replaced
        self.newest[saved.case.subscription_id] = saved
        for watcher in self.watchers:
            watcher(saved.case, stored.case if stored else None)


def _changed(case: Case, kind: str, way: int) -> Recorded:
    match kind:
        case "state":
            return moved(case, _next(case.state, way))
        case "close":
            return moved(case, State.RESOLVED, due_on=None, resolved_on=NOW)
        case "cause":
            return moved(case, case.state, cause=CAUSES[way % len(CAUSES)])
        case "provider":
            return moved(case, case.state, provider_name=PROVIDERS[way % len(PROVIDERS)])
        case _:
            return moved(case, case.state, assignee=PEOPLE[way % len(PEOPLE)])


def _next(state: State, way: int) -> State:
    """An open state to which the case may go."""
    ways = [each for each in STATES if each in MOVES[state] and each not in FINAL]
    return ways[way % len(ways)]


@dataclass
class Walk:
    """One list from its first page to its last, while cases change."""

    name: str
    cases: Changing
    all_the_time: set[str] = field(default_factory=set)
    at_any_time: set[str] = field(default_factory=set)
    meanwhile: dict[str, list[Case]] = field(default_factory=dict)
    """What each case was since the page that is being read was asked for."""
    shown: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.query, self.wanted = FILTERS[self.name]
        self.all_the_time = {case.id for case in self.cases.all() if self.wanted(case)}
        self.at_any_time = set(self.all_the_time)

    async def walk(self, limit: int, between: Callable[[int], Sequence[Change]]) -> int:
        """Reads it page by page, with these changes after each; the number of pages."""
        front = Front(Town(store=cast(Any, self.cases.store)))
        self.cases.watchers.append(self._saw)
        cursor: str | None = None
        page = 0
        try:
            while page == 0 or cursor is not None:
                page += 1
                self.meanwhile.clear()
                query = {**self.query, "limit": str(limit), **({"cursor": cursor} if cursor else {})}
                answer = await front.ask("ListCases", query=query)
                assert answer.status == 200, answer.json
                found, cursor = answer.json["cases"], answer.json["next_cursor"]
                assert len(found) == limit or (cursor is None and len(found) < limit), "only the last page is short"
                self._check(found)
                for change in between(page) if cursor else ():
                    await self.cases.change(change)
        finally:
            self.cases.watchers.remove(self._saw)
        self._settle()
        return page

    def _saw(self, case: Case, before: Case | None) -> None:
        self.meanwhile.setdefault(case.id, [before] if before else []).append(case)
        if self.wanted(case):
            self.at_any_time.add(case.id)
        else:
            self.all_the_time.discard(case.id)

    def _check(self, found: list[dict[str, Any]]) -> None:
        """Each case of a page is shown as it was at one moment while that page was read, and was wanted then."""
        for each in found:
            now = self.cases.former.get(each["id"]) or self.cases.latest(each["subscription_id"])
            right = [case for case in self.meanwhile.get(each["id"], [now]) if _says(each, case)]
            assert right, f"{self.name} shows {each['id']} as it never was"
            assert any(map(self.wanted, right)), f"{self.name} shows {each['id']} although it is not that"
        self.shown += found

    def _settle(self) -> None:
        ids = [each["id"] for each in self.shown]
        assert len(set(ids)) == len(ids), f"{self.name} shows a case twice"
        assert self.all_the_time - set(ids) == set(), f"{self.name} misses cases that were in it all the time"
        assert set(ids) - self.at_any_time == set(), f"{self.name} shows cases that were never in it"
        places = [(datetime.fromisoformat(each["opened_on"]), each["id"]) for each in self.shown]
        assert places == sorted(places), f"{self.name} is not in its order"


def _says(shown: Mapping[str, Any], case: Case) -> bool:
    named = ("id", "state", "cause", "provider_name", "customer_name", "assignee")
    return all(shown[name] == getattr(case, name) for name in named)
