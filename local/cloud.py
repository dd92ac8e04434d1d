"""The process "cloud": Dataverse, Partner Center, sign-in and control, each on a port of its own, and Work 365.

`python -m local.cloud --options FILE` prints one line of JSON with its addresses when all of them answer, and ends
when its standard input does: it cannot outlive the program that started it.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from local.control.cloud import Cloud
from local.control.web_api import create_app as control_app
from local.dataverse.records import ORGANIZATION_ID
from local.dataverse.server import server_config
from local.sign_in import create_app as sign_in_app
from local.worlds.reading import WorldError, read_world

log = logging.getLogger("cloud")

_CANNOT_START = 3


@dataclass(frozen=True)
class CloudOptions:
    """What the process is told when it starts, as a JSON file."""

    world: str
    """The path of the first world's file."""

    cycle_seconds: float = 1.0
    """How often Work 365 runs its jobs."""

    def write(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> "CloudOptions":
        return cls(**json.loads(file.read_text(encoding="utf-8")))


class _Server(uvicorn.Server):
    """One of several servers in a process: signals are not its business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(options: CloudOptions) -> None:
    """Runs until standard input ends. Raises WorldError before anything is served."""
    world = read_world(Path(options.world))
    names = ("dataverse", "partner_center", "sign_in", "control", "Queue", "Table")
    sockets = {name: _listening() for name in names}
    urls = {name: f"http://127.0.0.1:{sock.getsockname()[1]}" for name, sock in sockets.items()}
    cloud = Cloud(world, lambda: datetime.now(UTC), options.cycle_seconds, urls["dataverse"])
    apps: dict[str, ASGIApp] = {
        "dataverse": _current(lambda: cloud.environment.dataverse),
        "partner_center": _current(lambda: cloud.environment.partner_center),
        "sign_in": sign_in_app(cloud.sign_in),
        "control": control_app(cloud),
        **cloud.storage_fronts,
    }
    servers = {name: _Server(server_config(app)) for name, app in apps.items()}
    for name, server in servers.items():
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup([sockets[name]])
    ready = {
        **urls,
        "identity_header": cloud.sign_in.identity_header,
        "organization_id": ORGANIZATION_ID,
    }
    print(json.dumps(ready), flush=True)
    await _until_first([cloud.run(), _standard_input_ends(), *(server.main_loop() for server in servers.values())])


async def _until_first(tasks: Sequence) -> None:  # type: ignore[type-arg]
    """Runs all until one ends, and raises what that one raised: a cloud with a part missing is none."""
    running = [asyncio.ensure_future(task) for task in tasks]
    done, pending = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()


def _current(find: Callable[[], ASGIApp]) -> ASGIApp:
    """The ASGI app of whatever world is loaded."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await find()(scope, receive, send)

    return app


def _listening() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


async def _standard_input_ends() -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        with contextlib.suppress(RuntimeError):  # the loop is closed: it is ending anyway
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, daemon=True).start()
    await ended.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.cloud", description="The local cloud's Microsoft side.")
    parser.add_argument("--options", type=Path, required=True, help="a JSON file, see CloudOptions")
    options = CloudOptions.read(parser.parse_args().options)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("azure", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        asyncio.run(serve(options))
    except WorldError as error:
        print(error, file=sys.stderr)
        return _CANNOT_START
    return 0


if __name__ == "__main__":
    sys.exit(main())
