"""The command line: `python -m local.functions_host --app-dir DIR --worker-python PATH --settings FILE`.

Prints one line of JSON when the app is ready and nothing else on standard output. Exit codes: 0 told to stop,
2 wrong arguments, 3 the app cannot start.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import threading
import time
from typing import IO

from local.functions_host.errors import CannotStart
from local.functions_host.host import Host
from local.functions_host.options import HostOptions

_CANNOT_START = 3


def main() -> int:
    options = HostOptions.parse()
    with contextlib.ExitStack() as stack:
        log: IO[str] = sys.stderr
        if options.log is not None:
            log = stack.enter_context(options.log.open("a", encoding="utf-8"))
        _log_to(log)
        try:
            asyncio.run(_run(options, log))
        except CannotStart as error:
            print(error, file=sys.stderr)
            return _CANNOT_START
    return 0


async def _run(options: HostOptions, log: IO[str]) -> None:
    stop = asyncio.Event()
    _stop_on_signals(stop)
    if options.stop_with_stdin:
        _stop_with_stdin(stop)
    host = Host(options, log)
    stopping = asyncio.create_task(stop.wait())
    starting = asyncio.create_task(host.start())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            print(json.dumps(starting.result()), flush=True)
            await stopping
    finally:
        starting.cancel()
        stopping.cancel()
        await asyncio.wait({starting, stopping})
        await host.stop()


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


def _stop_with_stdin(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        with contextlib.suppress(RuntimeError):  # the loop is closed: it is stopping anyway
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, daemon=True).start()


def _log_to(stream: IO[str]) -> None:
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s [-] %(message)s")
    formatter.converter = time.gmtime
    formatter.default_time_format, formatter.default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ"
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("azure").setLevel(logging.WARNING)  # the host's own polling, not the app's requests


if __name__ == "__main__":
    sys.exit(main())
