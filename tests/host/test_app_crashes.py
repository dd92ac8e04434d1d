"""The worker is killed, or frozen and waked again, at the worst moments: nothing is lost and nothing done twice."""

import json
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from local.demo.judging import Expected, SeenCase, judge
from tests.host.app_kit import NO_HARM, App, Stuck, eventually, missed, running, world

pytestmark = [
    pytest.mark.host,
    pytest.mark.azurite,
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
]

FIRST = ["not_applicable"]
ONCE = [*FIRST, "awaiting_provisioning"]


@dataclass
class Strike:
    """Does something to the worker once, from within Dataverse, and notes how far the retrigger was then."""

    app: App
    stuck: Stuck
    deed: Callable[[], None]
    written: list[str] = field(default_factory=list)
    """Statuses that the app had written to the change."""
    noted: bool = False
    """Whether its case already said that the first write was confirmed."""
    happened: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> None:
        self.deed()
        events = [row for row in self.app.rows() if row["PartitionKey"] == self.stuck.id]
        self.noted = any(row.get("kind") == "not_applicable_set" for row in events)
        self.written = self.app.statuses_written(self.stuck.change)
        self.happened.set()


def after_the_first_write(strike: Strike) -> None:
    """Dataverse has committed Not Applicable, and the app has not heard of it."""
    strike.app.at(strike, row_id=strike.stuck.change, method="PATCH")


def between_the_writes(strike: Strike) -> None:
    """Not Applicable is confirmed and noted; the evidence has been read again, and its answer is on the way."""

    def first_write() -> None:
        strike.app.at(strike, purpose="remediate", method="POST", part=False)

    strike.app.at(first_write, row_id=strike.stuck.change, method="PATCH")


def after_the_second_write(strike: Strike) -> None:
    """Dataverse has committed Awaiting Provisioning, and the app has not heard of it."""
    strike.app.at(strike, row_id=strike.stuck.change, method="PATCH", after=1)


# How to strike at this moment, and how far the retrigger is then.
MOMENTS: dict[str, tuple[Callable[[Strike], None], tuple[list[str], bool]]] = {
    "after-the-first-write": (after_the_first_write, (FIRST, False)),
    "between-the-writes": (between_the_writes, (FIRST, True)),
    "after-the-second-write": (after_the_second_write, (ONCE, True)),
}
# Of those that wake up, one is about to write on evidence that is old by then, and one has only something to note.
WAKES = ("between-the-writes", "after-the-second-write")
KILLED, ASLEEP = [missed(f"killed-{name}", 2) for name in MOMENTS], [missed(f"asleep-{name}") for name in WAKES]
WORLD = world("crashes", "".join(KILLED + ASLEEP))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app in auto mode, with little patience for workers that fell silent."""
    folder = tmp_path_factory.mktemp("crashes")
    with running(WORLD, folder, UNSTUCK_ACTION_LIMIT_SECONDS="5") as app:
        yield app


def strike_at(moment: str, strike: Strike, *others: Stuck) -> None:
    """Has them all retriggered together, and strikes at this moment."""
    arm, so_far = MOMENTS[moment]
    arm(strike)
    ids = [one.id for one in (strike.stuck, *others)]
    strike.app.queue("diagnose").send(json.dumps({"subscription_ids": ids}))
    eventually(strike.happened.is_set, "the strike")
    assert (strike.written, strike.noted) == so_far


def freed_once(app: App, stuck: Stuck) -> None:
    """Provisioned by exactly two writes and one order, and by nothing else."""
    assert app.status(stuck) == "provisioned"
    assert app.statuses_written(stuck.change) == ONCE
    assert [order.delta for order in app.orders(stuck.change)] == [2]
    assert app.case(f"{stuck.id}-2") is None
    assert app.harm() == NO_HARM


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_worker_killed_in_the_middle_of_a_retrigger_loses_nothing_and_repeats_nothing(app: App, moment: str) -> None:
    first, second = app.all(f"killed-{moment}")
    before = app.worker()
    strike_at(moment, Strike(app, first, lambda: os.kill(before["pid"], signal.SIGKILL)), second)
    eventually(lambda: app.worker()["starts"] == before["starts"] + 1, "another worker is started")
    for stuck in (first, second):
        case = app.until(stuck.case, "resolved")
        assert case["attempts"] == 1
        freed_once(app, stuck)


def signal_both(app: App, worker: int, number: signal.Signals) -> None:
    """The whole instance, host and worker, as a machine that falls asleep or wakes up: it notices nothing itself."""
    assert app.host.pid is not None
    for pid in (worker, app.host.pid):
        os.kill(pid, number)


@pytest.mark.parametrize("moment", WAKES)
def test_an_instance_that_slept_through_anothers_retrigger_does_nothing_a_second_time(app: App, moment: str) -> None:
    stuck, worker = app.one(f"asleep-{moment}"), app.worker()["pid"]
    strike = Strike(app, stuck, lambda: signal_both(app, worker, signal.SIGSTOP))
    try:
        strike_at(moment, strike)
        with app.second_instance(f"beside-{moment}") as second:
            second.until(stuck.case, "resolved")
            freed_once(second, stuck)
    finally:
        signal_both(app, worker, signal.SIGCONT)
    eventually(lambda: f"{stuck.case} was saved by another worker first" in app.log(), "the sleeper sees it is late")
    assert app.worker()["pid"] == worker, "it is the one that slept"
    freed_once(app, stuck)
    assert (app.case(stuck.case) or {})["state"] == "resolved"


MIXED = world(
    "mixed",
    missed("missed", 3)
    + """
  - group: half-toggled
    provider: microsoft
    product: e3
    changes:
      - {type: create, quantity: 10, created: -90d}
      - {type: update, quantity: 2, created: -2h, status: not_applicable, half_toggled: true}
    expect: {cause: half_toggled, outcome: resolved, may_write: [2]}

  - group: two-in-a-row
    provider: microsoft
    product: business_basic
    changes:
      - {type: create, quantity: 10, created: -90d}
      - {type: update, quantity: 3, created: -3h, status: awaiting_provisioning}
      - {type: update, quantity: 4, created: -2h, status: awaiting_provisioning}
    expect: {cause: prior_change_blocking, outcome: resolved, may_write: [2, 3]}

  - group: first-order
    provider: microsoft
    product: e5
    changes:
      - {type: create, quantity: 10, created: -7h, status: awaiting_provisioning}
    expect: {cause: trigger_missed, outcome: resolved, may_write: [1]}

  - group: by-hand
    provider: distributor
    product: backup
    changes:
      - {type: create, quantity: 4, created: -2d, status: awaiting_provisioning}
    expect: {cause: manual_provider, outcome: needs_person}

  - group: later
    provider: microsoft
    product: e3
    changes:
      - {type: create, quantity: 10, created: -90d}
      - {type: update, quantity: 3, created: -2h, effective: +20d, status: awaiting_provisioning}
    expect: {cause: future_effective_date, outcome: waiting}

  - group: healthy
    provider: microsoft
    product: e3
    changes:
      - {type: create, quantity: 10, created: -90d}
""",
)
KILLS = 3


def test_a_world_ends_as_it_says_whenever_the_worker_is_killed(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("mixed")
    chance = random.Random(7)  # noqa: S311  for a rehearsal, not for secrets
    often = {"UNSTUCK_ACTION_LIMIT_SECONDS": "3", "SWEEP_SCHEDULE": "*/2 * * * * *"}
    with running(MIXED, folder, **often) as app:
        told = app.control("GET", "/worlds/current").json()["subscriptions"]
        expected = [Expected.of(one) for one in told]
        killed: list[int] = []

        def kill() -> None:
            pid = app.worker()["pid"]
            if len(killed) == KILLS:  # two requests that were answered at once may both have been struck
                return
            if pid is not None and pid not in killed:  # a request of one that is dead already may still be answered
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            again()

        def again() -> None:
            """After so many requests more, those within a $batch included: however fast they come."""
            app.at(kill, after=chance.randint(1, 20))

        again()

        def wrong() -> list[str]:
            try:
                cases = {case["id"]: case for state in ("", "resolved") for case in app.cases(state=state)}
            except httpx.HTTPStatusError as error:  # whoever is asked dies now and then
                return [str(error)]
            verdicts = judge(expected, map(SeenCase.of, cases.values()))
            return [verdict.text for verdict in verdicts if not verdict.as_expected]

        eventually(lambda: len(killed) == KILLS, "all kills")
        eventually(lambda: not wrong(), "everything is as the world says", wrong)
        assert app.harm() == NO_HARM
        for group in ("missed", "half-toggled", "two-in-a-row", "first-order"):
            for stuck in app.all(group):
                assert [len(app.orders(change)) for change in stuck.changes] == [1] * len(stuck.changes)
