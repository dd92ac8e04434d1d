"""Kill points: every request that the real app's worker sends on its way, stopped at, and the worker killed or frozen.

Once the world is freed with nobody disturbed, to learn the way. Then, at each request of that way:

killed   SIGKILL before the request arrives, or once it was carried out and before the answer; another worker starts
frozen   the whole instance sleeps there; another one finishes; then it wakes, and what it was about to send arrives

Each time everything must end as the world says, ordered once, with nothing left at Not Applicable and whole ledgers.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from typing import Any

import httpx
from azure.core.exceptions import AzureError

from drill.gate import Armed, Moment, Point, Step
from drill.stage import Stage, eventually, staged
from local.demo.judging import Expected, SeenCase, judge
from shared.adapters.tables import events
from shared.adapters.tables.client import Found
from shared.adapters.tables.held import current
from shared.domain.case import Case, first_broken

type Told = Callable[[str], None]

_TRIES = 3

WORLD = """
name: kill-points
about: A little of everything that the app does, so that it is soon freed.
providers:
  microsoft: {name: Microsoft CSP, connector: microsoft_csp}
  renewed: {name: Microsoft CSP Austria, connector: microsoft_csp, verified: -20h, consent: -20h}
subscriptions:
  - group: two-writes
    provider: microsoft
    product: e3
    changes:
      - {type: create, quantity: 10, created: -90d}
      - {type: update, quantity: 2, created: -2h, status: awaiting_provisioning}
    expect: {cause: trigger_missed, outcome: resolved, may_write: [2]}
  - group: one-write
    provider: renewed
    product: e3
    changes:
      - {type: create, quantity: 10, created: -90d}
      - type: update
        quantity: 5
        created: -2d
        status: failed_provisioning
        message: {code: AADSTS700082, values: ["2026-05-04T07:12:45.1862935Z"]}
    expect: {cause: consent_expired, outcome: resolved, may_write: [2]}
  - group: chain
    provider: microsoft
    product: business_basic
    changes:
      - {type: create, quantity: 10, created: -90d}
      - {type: update, quantity: 3, created: -3h, status: awaiting_provisioning}
      - {type: update, quantity: 4, created: -2h, status: awaiting_provisioning}
    expect: {cause: prior_change_blocking, outcome: resolved, may_write: [2, 3]}
  - group: later
    provider: microsoft
    product: e3
    changes:
      - {type: create, quantity: 10, created: -90d}
      - {type: update, quantity: 3, created: -2h, effective: +20d, status: awaiting_provisioning}
    expect: {cause: future_effective_date, outcome: waiting}
  - group: riddle
    provider: microsoft
    product: e3
    changes:
      - {type: create, quantity: 3, created: -9d}
      - {type: update, quantity: 1, created: -1d, status: failed_provisioning, message: Nobody knows this.}
    expect: {cause: unknown, outcome: needs_person}
  - group: healthy
    about: Its last job shows that Work 365 is at work.
    provider: microsoft
    product: e3
    changes:
      - {type: create, quantity: 10, created: -30m}
"""


def silent(line: str) -> None:
    """Nobody wants to know how far it has come."""


@dataclass(frozen=True, slots=True)
class KillPoints:
    """How many points there were, and at how many all ended well."""

    kill_points: int = 0
    kill_points_survived: int = 0
    frozen_points: int = 0
    frozen_points_survived: int = 0
    trouble: tuple[str, ...] = ()
    """What did not end well, each in one line."""

    def __add__(self, other: "KillPoints") -> "KillPoints":
        return KillPoints(
            self.kill_points + other.kill_points,
            self.kill_points_survived + other.kill_points_survived,
            self.frozen_points + other.frozen_points,
            self.frozen_points_survived + other.frozen_points_survived,
            self.trouble + other.trouble,
        )

    @property
    def good(self) -> bool:
        """Whether every point was survived, and there was one of each sort."""
        survived = (self.kill_points_survived, self.frozen_points_survived)
        return survived == (self.kill_points, self.frozen_points) and all(survived)

    def as_json(self) -> dict[str, object]:
        """By name, the trouble as a list."""
        return {**asdict(self), "trouble": list(self.trouble)}

    def added_to(self, told: Mapping[str, object]) -> dict[str, object]:
        """What another rehearsal tells, and this; the trouble of both."""
        other = told.get("trouble")
        return {**told, **self.as_json(), "trouble": [*(other if isinstance(other, list) else []), *self.trouble]}

    def __str__(self) -> str:
        killed = f"killed at {self.kill_points} points, {self.kill_points_survived} survived"
        frozen = f"frozen at {self.frozen_points}, {self.frozen_points_survived} survived"
        return "\n".join((f"the real app: {killed}; {frozen}", *self.trouble))


def rehearse_kills(most: int | None = None, stages: int = 1, told: Told = silent) -> KillPoints:
    """Kills and freezes at every point, or at `most` of each sort, spread over all of them.

    `stages` are used side by side, each with an app and a cloud of its own. `told` hears how far it has come, from
    processes of their own.
    """
    with staged(WORLD) as stage:
        points = _spread(_on_the_way(stage), most)
        told(f"{len(points)} points to be killed and to be frozen at")
        if stages == 1:
            return _portion(stage, points, told)
    with ProcessPoolExecutor(stages, get_context("spawn")) as pool:
        handed = [pool.submit(_on_a_stage, points[first::stages], told) for first in range(stages)]
        return sum((each.result() for each in handed), KillPoints())


def _on_a_stage(points: Sequence[Point], told: Told) -> KillPoints:
    with staged(WORLD) as stage:
        return _portion(stage, points, told)


def _portion(stage: Stage, points: Sequence[Point], told: Told) -> KillPoints:
    found = KillPoints()
    for number, point in enumerate(points, 1):
        began = time.monotonic()
        dead, late = _trouble("killed", _killed_at, stage, point), _trouble("frozen", _frozen_at, stage, point)
        found += KillPoints(1, int(dead is None), 1, int(late is None), tuple(filter(None, (dead, late))))
        told(f"{number} of {len(points)}, {time.monotonic() - began:.1f} s: {dead or late or point}")
    return found


def _trouble(what: str, at: Callable[[Stage, Point], None], stage: Stage, point: Point) -> str | None:
    try:
        at(stage, point)
    except (AssertionError, httpx.HTTPError, AzureError) as error:  # the last two: a part of the stage is gone
        return f"{what} at {point}: {error or type(error).__name__}"
    return None


def _on_the_way(stage: Stage) -> list[Point]:
    """All points of an undisturbed way: before each request, and after each one that changes something.

    The way is gone twice: what only sometimes happens, since timers tick when they tick, is no point.
    """
    ways = []
    for _ in range(2):
        stage.begin()
        _ends_well(stage)
        ways.append(stage.seen())
    steps = [Step(kind, n) for kind, count in ways[0].items() for n in range(1, min(count, ways[1].get(kind, 0)) + 1)]
    moments = (Moment.BEFORE, Moment.AFTER)
    return [Point(step, moment) for step in steps for moment in moments if step.kind.effect or moment is Moment.BEFORE]


def _spread(points: Sequence[Point], most: int | None) -> list[Point]:
    """`most` of them, as far apart as can be; all of them for None."""
    if most is None or most >= len(points):
        return list(points)
    return [points[(2 * number + 1) * len(points) // (2 * most)] for number in range(most)]


def _killed_at(stage: Stage, point: Point) -> None:
    """AssertionError where not everything ends well."""
    _come_to(stage, point, lambda where: Armed(where, stage.active.kill_worker, let_go=False))
    _ends_well(stage)


def _frozen_at(stage: Stage, point: Point) -> None:
    """AssertionError where not everything ends well."""
    _come_to(stage, point, lambda where: Armed(where, stage.change_over, let_go=True))
    try:
        try:
            _ends_well(stage, held=1)
        finally:
            stage.wake_all()
        _ends_well(stage)
    finally:
        stage.asleep.freeze()


def _come_to(stage: Stage, point: Point, arm: Callable[[Point], Armed]) -> None:
    """Waits until the worker has come to the point. Its way may be shorter once, since timers tick when they tick.

    Where it is shorter again and again, the worker is met at the request of this kind before that one.
    """
    step = point.step
    for number in (*[step.number] * _TRIES, *range(step.number - 1, 0, -1)):
        if _comes_to(stage, arm(replace(point, step=replace(step, number=number)))):
            return
    raise AssertionError("the worker never comes there")


def _comes_to(stage: Stage, armed: Armed) -> bool:
    stage.begin(armed)
    expected = _expected(stage)
    over = "the worker comes there, or all is over"
    eventually(lambda: armed.reached or (not _unlike(stage, expected) and stage.quiet()), over)
    return armed.reached


def _ends_well(stage: Stage, held: int = 0) -> None:
    """Waits until all is as the world says and nothing moves any more. AssertionError when that does not come."""
    expected = _expected(stage)
    eventually(lambda: not _unlike(stage, expected), "all is as the world says", lambda: _unlike(stage, expected))
    # What is late may still come: a message that its worker did not finish, the answer that was held.
    eventually(lambda: stage.quiet(held), "nothing is under way any more")
    eventually(lambda: not _unlike(stage, expected), "all stays as the world says", lambda: _unlike(stage, expected))
    wrong = [*_harm(stage), *_ordered_otherwise(stage), *_broken(stage.rows("cases"))]
    assert not wrong, "; ".join(wrong)  # noqa: S101  this is a test


def _expected(stage: Stage) -> list[Expected]:
    return [Expected.of(one) for one in stage.control("GET", "/worlds/current")["subscriptions"]]


def _unlike(stage: Stage, expected: Sequence[Expected]) -> list[str]:
    cases = map(_seen, _cases(stage.rows("cases")))
    return [verdict.text for verdict in judge(expected, cases) if not verdict.as_expected]


def _harm(stage: Stage) -> Iterator[str]:
    """What the local Work 365 and the world's own rules hold against the app."""
    for what, found in stage.control("GET", "/harm").items():
        yield from (f"{what}: {one}" for one in found)


def _ordered_otherwise(stage: Stage) -> Iterator[str]:
    """Changes that were not ordered just once, or were although nothing should be ordered for them."""
    told = stage.control("GET", "/worlds/current")["subscriptions"]
    orders = [order.change_id for order in stage.cloud.ask(lambda cloud: list(cloud.environment.provider.orders))]
    freed = {change for one in told if one["outcome"] == "resolved" for change in one["may_write"]}
    for change in freed | set(orders):
        if orders.count(change) != (change in freed):
            yield f"change {change} was ordered {orders.count(change)} times"


def _broken(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Ledgers of which an event is missing or altered."""
    for case in _cases(rows):
        start = f"event|{case.number:06}|"
        mine = [r for r in rows if r["PartitionKey"] == case.subscription_id and r["RowKey"].startswith(start)]
        broken = first_broken([events.from_row(row) for row in sorted(mine, key=lambda row: row["RowKey"])], case)
        if broken is not None:
            yield f"the ledger of case {case.id} is broken at event {broken}"


def _cases(rows: Sequence[dict[str, Any]]) -> list[Case]:
    """The newest case of each subscription and the former ones."""
    return [current(Found(row, "")).case for row in rows if not row["RowKey"].startswith(("event|", "grounds|"))]


def _seen(case: Case) -> SeenCase:
    return SeenCase(
        case.id,
        case.subscription_id,
        case.subscription_name,
        case.state,
        case.cause,
        case.first_cause,
        case.summary,
        case.next_step,
    )
