"""`dev.py demo`: everything started, the worlds run one after the other, everything stopped, the result shown."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path

import httpx
from rich.console import Console

from local.app_settings import SettingRefused
from local.demo.board import Board
from local.demo.drawing import draw_closing, draw_faults, draw_reasoning
from local.demo.faults import Where
from local.demo.judging import Summary
from local.demo.picture import save_picture
from local.demo.reasoning import Reasoning
from local.demo.running import Run, WorldRun
from local.demo.screens import Screen, screen_for
from local.demo.watching import Watcher
from local.stack import Stack, StackFailed
from local.up import Stopped, stack_options, stop_on_signals
from local.worlds.model import World
from local.worlds.reading import WorldError, find_world, read_world

DEFAULT_WORLDS = ("default", "consent-expired", "busy-plugins", "every-cause", "service-user", "automation-off")
_INTERRUPTED = 130
_KILLS_AMONG_FAULTS = 3
_DEADLINE, _DEADLINE_AMONG_FAULTS = 300, 900
_PLAIN_WIDTH = 110


def run_demo(given: argparse.Namespace) -> int:
    """Exit code 0 only if every subscription ended as its world says."""
    stop_on_signals()
    # With --json, standard output belongs to the result.
    console = Console(stderr=given.json)
    if not console.is_terminal:
        console = Console(stderr=given.json, width=_PLAIN_WIDTH)
    screen = screen_for(console)
    began = time.monotonic()
    try:
        files = [find_world(name) for name in given.world or DEFAULT_WORLDS]
        runs = _run_all(given, files, screen)
    except (KeyboardInterrupt, Stopped):
        screen.end()
        print("stopped", file=sys.stderr)
        return _INTERRUPTED
    except (WorldError, SettingRefused) as error:
        print(error, file=sys.stderr)
        return 2
    except (StackFailed, httpx.HTTPError) as error:
        screen.end()
        print(f"the demo could not go on: {error}", file=sys.stderr)
        return 1
    summary = sum((run.summary for run in runs), Summary())
    return _close(given, console, replace(summary, seconds=time.monotonic() - began), runs)


def _run_all(given: argparse.Namespace, files: list[Path], screen: Screen) -> list[Run]:
    """Worlds of one time zone share a stack: the app is told the zone when it starts."""
    worlds = [(file, read_world(file)) for file in files]
    runs: list[Run] = []
    for _, group in groupby(worlds, key=lambda pair: pair[1].work365.time_zone):
        runs += _run_together(given, list(group), screen)
    return runs


def _run_together(given: argparse.Namespace, worlds: list[tuple[Path, World]], screen: Screen) -> list[Run]:
    options = replace(stack_options(given, worlds[0][0]), through_cloud=given.faults)
    runs: list[Run] = []
    first = _board(worlds[0][1], "Starting storage emulator, Dataverse, Work 365, Partner Center and the app")
    screen.begin(first)
    try:
        with Stack(options, screen.say) as stack, Watcher(stack.addresses) as watcher:
            for number, (file, world) in enumerate(worlds):
                board = _board(world, "Loading the world") if number else first
                if number:
                    screen.begin(board)
                    watcher.load(file.read_text(encoding="utf-8"))
                show = partial(screen.show, board)
                faults = _faults(given, world, number)
                run = WorldRun(watcher, board, stack.check, show, _deadline(given), faults)
                runs.append(run.run(_kills(given, faults), given.seed + number))
                screen.say(_in_short(world.name, runs[-1]))
                board.phase = "Done; stopping everything" if number + 1 == len(worlds) else "Done"
                screen.show(board, [])
    finally:
        screen.end()
    return runs


def _faults(given: argparse.Namespace, world: World, number: int) -> Where | None:
    """What kind of faults a world gets: by turns, but plug-ins where they save anyway."""
    if not given.faults:
        return None
    plug_ins = world.work365.plugin_touch or (given.seed + number) % 2
    return Where.PLUG_INS if plug_ins else Where.LOST_ANSWERS


def _kills(given: argparse.Namespace, faults: Where | None) -> int:
    """How often the worker is killed in a world. One that dies loses answers, too."""
    if given.kill_worker is not None:
        return int(given.kill_worker)
    return _KILLS_AMONG_FAULTS if faults is Where.LOST_ANSWERS else 0


def _deadline(given: argparse.Namespace) -> float:
    """Seconds for one world. With faults the app waits before it tries again, up to minutes."""
    return float(given.deadline or (_DEADLINE_AMONG_FAULTS if given.faults else _DEADLINE))


def _shown(runs: Sequence[Run]) -> tuple[Reasoning, ...]:
    """The examples of the world that has most to tell."""
    return max((run.examples for run in runs), key=lambda some: sum(len(e.checked) for e in some), default=())


def _board(world: World, phase: str) -> Board:
    stuck = sum(group.count for group in world.subscriptions if group.expect.cause is not None)
    return Board(title=f"Unstuck - the world {world.name}", phase=phase, subscriptions=world.size, stuck=stuck)


def _in_short(name: str, run: Run) -> str:
    summary = run.summary
    mark = "✔" if run.good else "✘"
    return f"{mark} {name}: {summary.stuck} stuck of {summary.subscriptions}, {summary.seconds:.0f} s"


def _close(given: argparse.Namespace, console: Console, summary: Summary, runs: list[Run]) -> int:
    good = all(run.good for run in runs)
    unexpected = [text for run in runs for text in run.unexpected]
    if not all(run.in_time for run in runs):
        unexpected.insert(0, f"time was over after {_deadline(given):.0f} s (--deadline)")
    drawn = draw_closing(summary, unexpected, len(runs), good=good)
    for example in _shown(runs):
        console.print(draw_reasoning(example))
    console.print(drawn)
    if summary.faults is not None:
        console.print(draw_faults(summary.faults, given.seed))
    if given.svg:
        save_picture(drawn, given.svg)
    if given.json:
        print(json.dumps(summary.as_json()), flush=True)
    return 0 if good else 1
