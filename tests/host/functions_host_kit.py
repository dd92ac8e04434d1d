"""Starting a sample app on the local host, and waiting for what it does."""

import base64
import json
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from local.functions_host import FunctionsHost, HostOptions

ROOT = Path(__file__).parents[2]
APPS = Path(__file__).parent / "apps"
WORKER_PYTHON = ROOT / ".venv-app" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

DEADLINE = 90.0
"""Seconds after which a test gives up: no statement about speed, only about never."""


def options(app: str | Path, folder: Path, values: dict[str, str], **more: Any) -> HostOptions:
    """Options for an app of `apps`, or of any folder, with these app settings."""
    settings = folder / f"settings-{uuid.uuid4().hex}.json"
    settings.write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    return HostOptions(app_dir=APPS / app, worker_python=WORKER_PYTHON, settings=settings, **more)


def host(app: str | Path, folder: Path, values: dict[str, str], **more: Any) -> FunctionsHost:
    """A host that is not started yet; `with` starts it."""
    more.setdefault("log", folder / "host.log")
    return FunctionsHost(options(app, folder, values, **more))


def log_of(running: FunctionsHost) -> Path:
    """The file that host and worker log to."""
    assert running.options.log is not None
    return running.options.log


def eventually[T](look: Callable[[], T | None], what: str) -> T:
    """The first answer that is not None or False; the test fails if there is none in time."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"never happened: {what}")


class TestQueue:
    """One queue as a test sees it: JSON in, JSON out, base64 on the wire."""

    __test__ = False

    def __init__(self, connection: str, name: str) -> None:
        self.client = QueueClient.from_connection_string(connection, name)

    def send(self, body: str, ttl: int | None = None) -> None:
        self.client.send_message(base64.b64encode(body.encode()).decode(), time_to_live=ttl)

    def take(self) -> str | None:
        """The next message, removed; None if there is none, or no queue yet."""
        try:
            message = self.client.receive_message()
        except ResourceNotFoundError:
            return None
        if message is None:
            return None
        self.client.delete_message(message)
        return base64.b64decode(message.content).decode()

    def next(self, what: str) -> Any:
        """The next message, waited for."""
        return json.loads(eventually(self.take, what))

    def count(self) -> int:
        """Messages in it, hidden ones too."""
        return self.client.get_queue_properties().approximate_message_count or 0
