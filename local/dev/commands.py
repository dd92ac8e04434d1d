"""What `dev.py` does once its environment stands: reads the command line and hands over."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from local.dev.checks import run_checks
from local.dev.locks import write_locks

if TYPE_CHECKING:
    from drill.kill_points import KillPoints


def run(root: Path, arguments: Sequence[str]) -> int:
    """Carries out one command line and returns its exit code."""
    command, *rest = arguments
    if command == "test":  # everything behind it is pytest's
        return run_checks(root, rest)
    given = _parser().parse_args(arguments)
    if command == "lock":
        return write_locks(root, upgrade=given.upgrade)
    if command == "bench":
        return _scale(as_json=given.json) if given.scale else _bench(as_json=given.json)
    if command == "drill":
        return _drill(given, as_json=given.json)
    if command == "setup":
        print("everything is set up", file=sys.stderr)
        return 0
    # Imported late: the other commands must work while the local cloud does not.
    from local.demo.command import run_demo
    from local.up import run_up

    return run_demo(given) if command == "demo" else run_up(given)


def _bench(*, as_json: bool) -> int:
    """Measures, and fails if a target is missed."""
    from bench.diagnosis import measure  # late: it loads the whole corpus

    measured = measure()
    print(json.dumps({"bench": {"diagnosis": measured.as_json()}}) if as_json else measured)
    return 0 if measured.good else 1


def _scale(*, as_json: bool) -> int:
    """Counts requests and prints the model of cost and limits built on them."""
    from bench.counting import count  # late: it loads the local cloud
    from bench.scale import report

    counted = asyncio.run(count())
    print(json.dumps({"bench": {"scale": asdict(counted)}}) if as_json else report(counted))
    return 0


def _drill(given: argparse.Namespace, *, as_json: bool) -> int:
    """Rehearses failures, and fails if one is not stood."""
    from drill import rehearsal  # late: it loads the whole simulation

    count = rehearsal.SCHEDULES if given.schedules is None else given.schedules
    rehearsed = rehearsal.rehearse(count, given.seed, told=rehearsal.progress)
    real = _rehearse_kills(given.points, given.stages) if given.real else None
    if as_json:
        print(json.dumps(real.added_to(rehearsed.as_json()) if real else rehearsed.as_json()))
    else:
        rehearsal.show(rehearsed)
        print(real or "", end="\n" if real else "")
    return 0 if rehearsed.good and (real is None or real.good) else 1


def _rehearse_kills(points: int | None, stages: int) -> "KillPoints":
    from drill.kill_points import rehearse_kills  # late: it loads the app's host and the whole local cloud
    from drill.rehearsal import progress

    return rehearse_kills(points, max(1, stages), progress)


def _count(text: str) -> int:
    """A number that is not negative."""
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev.py")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="make the environments")
    lock = commands.add_parser("lock", help="write the two lock files anew")
    lock.add_argument("--upgrade", action="store_true", help="take the newest versions of everything")
    drill = commands.add_parser("drill", help="a rehearsal of failures: every guard, failpoint, ablation; many stories")
    drill.add_argument("--schedules", type=_count, metavar="N", help="how many stories are played (default: 2000)")
    drill.add_argument(
        "--real", action="store_true", help="also kill and freeze the real app at every request that it sends (hours)"
    )
    drill.add_argument("--points", type=_count, metavar="N", help="with --real: only at so many, spread over all")
    drill.add_argument(
        "--stages", type=_count, default=1, metavar="N", help="with --real: so many apps side by side (default: 1)"
    )
    drill.add_argument("--seed", type=_count, default=0, metavar="S", help="the number of the first (default: 0)")
    bench = commands.add_parser("bench", help="measurements, each with its target")
    bench.add_argument("--scale", action="store_true", help="what a month costs, and which limit binds, by size")
    for measuring in (bench, drill):
        measuring.add_argument("--json", action="store_true", help="one JSON object on standard output")
    _add_demo(commands.add_parser("demo", help="the main job from end to end, then everything stops again"))
    _add_up(commands.add_parser("up", help="the local stack, until Ctrl-C"))
    return parser


def _add_stack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the result as one JSON object, last on standard output")
    parser.add_argument(
        "--mode",
        choices=("observe", "approve", "auto"),
        default="auto",
        help="how far the app may go by itself (default: auto)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an app setting that differs from the local stack's; may be repeated",
    )
    parser.add_argument(
        "--engine-cycle", type=float, metavar="SECONDS", help="how often the local Work 365 runs its jobs (default: 1)"
    )


def _add_up(parser: argparse.ArgumentParser) -> None:
    _add_stack(parser)
    parser.add_argument("--world", metavar="FILE", help="a world file, or the name of one in local/worlds")


def _add_demo(parser: argparse.ArgumentParser) -> None:
    _add_stack(parser)
    parser.add_argument(
        "--world", action="append", metavar="FILE", help="a world file or name; repeated: one after the other"
    )
    parser.add_argument(
        "--deadline",
        type=float,
        metavar="SECONDS",
        help="how long one world may take (default: 300, with --faults 900)",
    )
    parser.add_argument(
        "--kill-worker",
        type=int,
        metavar="N",
        help="kill the app's worker N times in each world, at random moments (default: 0, with --faults now and then)",
    )
    parser.add_argument(
        "--faults",
        action="store_true",
        help="have Dataverse, Partner Center and storage fail now and then: throttled, cut off, changed in between",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the faults and random moments (default: 1)")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="also write the closing screen as a picture")
