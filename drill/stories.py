"""Stories by the thousand, in processes beside each other, and the smallest one that breaks a promise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tests.model.play import EVERYTHING, Play, Story
from tests.model.promises import Violation
from tests.model.stories import shortest, story

CHUNK = 25
"""Stories that a process is handed at once."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A story that broke a promise: its seed is the number it is made from."""

    seed: int
    how: str


@dataclass(frozen=True, slots=True)
class Played:
    """What some stories led to."""

    stories: int
    broken: tuple[Broken, ...]
    happened: frozenset[str]
    """The kinds of all events on the way: stories in which nothing happens find nothing."""


def chunks(schedules: int, seed: int) -> Iterator[Sequence[int]]:
    """The numbers of the stories, in handy portions."""
    end = seed + schedules
    return (range(first, min(first + CHUNK, end)) for first in range(seed, end, CHUNK))


def play(numbers: Sequence[int]) -> Played:
    """Plays these stories, each to its end or to the first promise that it breaks."""
    broken: list[Broken] = []
    happened: set[str] = set()
    for number in numbers:
        staged = Play(EVERYTHING)
        try:
            staged.run(story(number))
        except Violation as violation:
            broken.append(Broken(number, str(violation)))
        rows = (row for partition in staged.town.store.cases.values() for row in partition.values())
        happened |= {row["kind"] for row in rows if "kind" in row}
    return Played(len(numbers), tuple(broken), frozenset(happened))


def smallest(broken: Sequence[Broken], most: int = 3) -> str:
    """The shortest history among the first stories that broke something, with the seed that it comes from."""
    found = [(each.seed, *_shortened(each.seed)) for each in sorted(broken, key=lambda b: b.seed)[:most]]
    seed, told, violation = min(found, key=lambda each: (len(each[1].acts), each[0]))
    acts = [f"  {act.name}({act.which}, {act.how}, {act.much})" for act in told.acts]
    return "\n".join([f"seed {seed}: {violation}", f"  {replace(told, acts=())}", *acts])


def _shortened(seed: int) -> tuple[Story, Violation]:
    told = story(seed)
    try:
        Play(EVERYTHING).run(told)
    except Violation as violation:
        return shortest(told, violation, EVERYTHING)
    raise AssertionError(f"story {seed} broke a promise once, and does not now")
