"""`dev.py up`: the local stack, staying up until it is told to stop."""

import argparse
import json
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from local.app_settings import SettingRefused, parse_settings
from local.stack import Addresses, Stack, StackFailed, StackOptions
from local.worlds.reading import WorldError, find_world, read_world

DEFAULT_WORLD = "default"


class Stopped(BaseException):
    """The program was told to end. No Exception: nothing on the way may take it for a failure."""


def stop_on_signals() -> None:
    """SIGTERM (and a closed terminal) end the program as Ctrl-C does: in order, children included."""
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, _stop)


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  a signal handler's arguments
    raise Stopped


def stack_options(given: argparse.Namespace, world: Path) -> StackOptions:
    """The options of a stack from a command line. Raises WorldError, SettingRefused."""
    read_world(world)  # a broken world is said before anything is started
    cycle = {} if given.engine_cycle is None else {"cycle_seconds": given.engine_cycle}
    return StackOptions(world=world, mode=given.mode, settings=parse_settings(given.set), **cycle)


def run_up(given: argparse.Namespace) -> int:
    """Exit code 0 when it was told to stop, 1 when a part failed, 2 when it was asked for something that is not."""
    stop_on_signals()
    try:
        options = stack_options(given, find_world(given.world or DEFAULT_WORLD))
        with Stack(options) as stack:
            print(_line(stack.addresses, as_json=given.json), flush=True)
            print(_said(stack.addresses), file=sys.stderr, flush=True)
            while True:
                stack.check()
                time.sleep(0.5)
    except (KeyboardInterrupt, Stopped):
        print("stopped", file=sys.stderr)
        return 0
    except (WorldError, SettingRefused) as error:
        print(error, file=sys.stderr)
        return 2
    except StackFailed as error:
        print(error, file=sys.stderr)
        return 1


def _said(addresses: Addresses) -> str:
    """For people: what the examples in the docs begin with."""
    paste = f"export API={addresses.api} KEY={addresses.api_key}"
    return f"everything is up; Ctrl-C stops it. To ask it something from another shell, paste there:\n{paste}"


def _line(addresses: Addresses, *, as_json: bool) -> str:
    values = asdict(addresses)
    return json.dumps(values) if as_json else "  ".join(f"{name}={value}" for name, value in values.items())
