"""A rehearsal of failures: every guard, every failpoint, every ablation, and as many stories as are wanted.

Nothing of it touches the network, a disk or the clock, so the same seed gives the same result on every machine.
Processes are started afresh rather than forked: an ablation must not be seen by the others, nor threads be copied.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context

from rich.console import Console
from rich.table import Table

from drill import failpoints, stories
from drill.failpoints import Failpoint
from drill.stories import Played
from tests.guard_kit import all_guards, bites
from tests.model.ablations import ABLATIONS, caught
from tests.model.play import Kind

SCHEDULES = 2_000
"""Enough for a coffee; the promise is measured over far more."""

type Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a drill has found."""

    guards: int
    guards_that_bite: int
    failpoints: int
    failpoints_survived: int
    ablations: int
    ablations_caught: int
    schedules: int
    violations: int
    seed: int
    seconds: float
    """For all of it."""
    schedules_per_second: float
    """All processes together."""
    trouble: tuple[str, ...] = ()
    """What did not bite, survive or get caught, each in one line; the smallest failing history last."""
    happened: frozenset[str] = field(default=frozenset(), repr=False)
    """Kinds of events that the stories led to."""

    @property
    def good(self) -> bool:
        return (
            self.violations == 0
            and self.guards == self.guards_that_bite
            and self.failpoints == self.failpoints_survived
            and self.ablations == self.ablations_caught
        )

    def as_json(self) -> dict[str, object]:
        told = asdict(self)
        del told["happened"]
        return {**told, "trouble": list(self.trouble)}


def rehearse(schedules: int = SCHEDULES, seed: int = 0, told: Told | None = None) -> Rehearsed:
    """Everything once, in as many processes as there are processors. `told` hears how far it has come."""
    say = told or (lambda _: None)
    began = time.perf_counter()
    guards = sorted(all_guards(), key=lambda guard: guard.__name__)
    toothless = [guard.__name__ for guard in guards if not bites(guard)]
    trouble = [f"guard {name} does not bite" for name in toothless]
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_quiet) as pool:
        missed = _ablations(pool, say)
        survived, fatal = _failpoints(pool, say)
        playing = time.perf_counter()
        played = list(_stories(pool, schedules, seed, say))
        took = time.perf_counter() - playing
        broken = [each for portion in played for each in portion.broken]
        history = [pool.submit(stories.smallest, broken).result()] if broken else []
    trouble += [f"{name} is taken away, and no story misses it" for name in missed]
    trouble += [*fatal, *history]
    return Rehearsed(
        guards=len(guards),
        guards_that_bite=len(guards) - len(toothless),
        failpoints=survived + len(fatal),
        failpoints_survived=survived,
        ablations=len(ABLATIONS),
        ablations_caught=len(ABLATIONS) - len(missed),
        schedules=schedules,
        violations=len(broken),
        seed=seed,
        seconds=round(time.perf_counter() - began, 1),
        schedules_per_second=round(schedules / took, 1) if schedules else 0.0,
        trouble=tuple(trouble),
        happened=frozenset(kind for portion in played for kind in portion.happened),
    )


def _quiet() -> None:
    """The workflow logs every trouble of a thousand plays with its traceback."""
    logging.disable(logging.CRITICAL)


def _ablations(pool: ProcessPoolExecutor, say: Told) -> list[str]:
    """Names of those that no story missed."""
    handed = {pool.submit(_caught, number): number for number in range(len(ABLATIONS))}
    missed = [handed[done] for done in _as_they_end(handed, "ablations", say) if not done.result()]
    return [ABLATIONS[number].without.__name__ for number in sorted(missed)]


def _caught(number: int) -> bool:
    return caught(ABLATIONS[number])


def _failpoints(pool: ProcessPoolExecutor, say: Told) -> tuple[int, list[str]]:
    """How many were survived, and what became of the others."""
    points = [point for each in pool.map(_on_the_way, Kind) for point in each]
    portions = [points[first : first + stories.CHUNK] for first in range(0, len(points), stories.CHUNK)]
    handed = [pool.submit(_died_at, portion) for portion in portions]
    fatal = [line for done in _as_they_end(handed, "failpoints", say) for line in done.result()]
    return len(points) - len(fatal), sorted(fatal)


def _on_the_way(kind: Kind) -> list[Failpoint]:
    return list(failpoints.failpoints(kind))


def _died_at(points: Sequence[Failpoint]) -> list[str]:
    return [line for point in points if (line := failpoints.trouble(point)) is not None]


def _stories(pool: ProcessPoolExecutor, schedules: int, seed: int, say: Told) -> Iterator[Played]:
    handed = [pool.submit(stories.play, numbers) for numbers in stories.chunks(schedules, seed)]
    for done in _as_they_end(handed, "portions of the stories", say):
        yield done.result()


def _as_they_end[T](handed: Iterable[Future[T]], what: str, say: Told) -> Iterator[Future[T]]:
    all_of_them = list(handed)
    for number, done in enumerate(as_completed(all_of_them), start=1):
        yield done
        if number * 10 // len(all_of_them) > (number - 1) * 10 // len(all_of_them):
            say(f"{what}: {number} of {len(all_of_them)}")


def progress(line: str) -> None:
    """How far it has come, on standard error."""
    print(line, file=sys.stderr, flush=True)


def show(rehearsed: Rehearsed) -> None:
    """A table, and below it what went wrong."""
    table = Table("what", "of", "well", "")
    for what, of, well, means in (
        ("guards", rehearsed.guards, rehearsed.guards_that_bite, "each says no, alone, to what it is there for"),
        ("failpoints", rehearsed.failpoints, rehearsed.failpoints_survived, "a worker dies there, and all ends well"),
        (
            "ablations",
            rehearsed.ablations,
            rehearsed.ablations_caught,
            "a protection is missing, and a story finds it",
        ),
        ("schedules", rehearsed.schedules, rehearsed.schedules - rehearsed.violations, "no promise is broken"),
    ):
        table.add_row(what, f"{of:,}", f"{well:,}", means)
    console = Console(highlight=False)
    console.print(table)
    for line in rehearsed.trouble:
        console.print(line, markup=False, soft_wrap=True)
    played = f"stories {rehearsed.seed} to {rehearsed.seed + rehearsed.schedules - 1}, " if rehearsed.schedules else ""
    rate = f"{rehearsed.schedules_per_second} schedules a second in {os.cpu_count() or 1} processes"
    console.print(f"{played}{rehearsed.seconds} s, {rate}")
