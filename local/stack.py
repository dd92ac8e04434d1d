"""The whole local stack: storage, cloud and Functions host as processes of their own, started and stopped together.

All of them end when their standard input closes, so nothing outlives this process, not even when it is killed.
"""

import json
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

import httpx

from local.app_settings import app_settings
from local.azurite import Azurite, connection_string, start_azurite
from local.child import ROOT, Child, ChildDidNotStart
from local.cloud import CloudOptions
from local.dev.environments import APP, interpreter
from local.functions_host.options import HostOptions
from local.worlds.reading import read_world

_RUNS_KEPT = 20
_PATIENCE_SECONDS = 60
# A host that dies again and again is not restarted for ever: so often in so many seconds, with these pauses.
_RESTARTS, _WITHIN_SECONDS, _PAUSES = 5, 60.0, (0.2, 0.5, 1.0, 2.0, 4.0)


class StackFailed(Exception):
    """A part of the stack did not start, or has died; the message says which, and where its log is."""


@dataclass(frozen=True)
class StackOptions:
    """How to set a stack up."""

    world: Path
    """The file of the world that is loaded first."""

    mode: str = "auto"
    """UNSTUCK_MODE: observe, approve or auto."""

    settings: Mapping[str, str] = field(default_factory=dict)
    """App settings that differ from the local stack's."""

    cycle_seconds: float = 1.0
    """How often the local Work 365 runs its jobs."""

    through_cloud: bool = False
    """Whether the app comes to its storage past the cloud, where something may go wrong on the way."""

    visibility_seconds: int = 5
    """How long a queue message stays hidden while it is worked on. Azure: 600."""

    app_dir: Path = ROOT
    """The folder of function_app.py."""

    worker_python: Path = field(default_factory=lambda: interpreter(ROOT / APP))
    """The Python of the environment that holds what is deployed, and nothing else."""


@dataclass(frozen=True)
class Addresses:
    """Where everything is. `api` includes /api; `api_key` may call every route."""

    api: str
    api_key: str
    dataverse: str
    storage: str
    partner_center: str
    control: str


class Stack:
    """One running stack. Use it in a `with` block."""

    addresses: Addresses

    def __init__(self, options: StackOptions, say: Callable[[str], None] | None = None) -> None:
        self._options = options
        self._say = say or (lambda text: print(text, file=sys.stderr, flush=True))
        self._parts = ExitStack()
        self._stopping = threading.Event()
        self._problem: str | None = None
        self._host: Child | None = None
        self.logs = _new_log_folder(ROOT / ".local" / "logs")

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def check(self) -> None:
        """Raises StackFailed when a part has died and was not brought back."""
        if self._problem is not None:
            raise StackFailed(f"{self._problem}; logs are in {self.logs}")

    def stop(self) -> None:
        """Stops everything, the app first. Returns when nothing is left."""
        self._stopping.set()
        self._parts.close()

    def _start(self) -> None:
        self._say(f"logs are in {self.logs}")
        with ThreadPoolExecutor(2) as pool:
            storage, cloud = pool.submit(start_azurite, _PATIENCE_SECONDS), pool.submit(self._start_cloud)
            # Both are looked at before either may fail, so that none is left behind.
            results = [storage.exception(), cloud.exception()]
            if storage.exception() is None:
                self._azurite: Azurite = storage.result()
                self._parts.callback(self._azurite.stop)
        problem = next((error for error in results if error is not None), None)
        if problem is not None:
            raise StackFailed(f"{problem}; logs are in {self.logs}") from problem
        said = self._cloud.said
        self._tell({"storage": self._azurite.connection_string})
        host = self._start_host(self._host_options(said))
        self.addresses = Addresses(
            api=f"{host.said['url'].rstrip('/')}/api",
            api_key=host.said["master_key"],
            dataverse=said["dataverse"],
            storage=self._azurite.connection_string,
            partner_center=said["partner_center"],
            control=said["control"],
        )
        self._tell({"host": {"url": host.said["url"], "key": host.said["master_key"]}})
        self._watch()
        self._wait_until_all_answer()

    def _start_cloud(self) -> None:
        folder = Path(self._parts.enter_context(tempfile.TemporaryDirectory(prefix="unstuck-")))
        self._settings_file = folder / "settings.json"
        options = folder / "cloud.json"
        CloudOptions(str(self._options.world.absolute()), self._options.cycle_seconds).write(options)
        log = self._parts.enter_context((self.logs / "cloud.log").open("ab"))
        self._cloud = Child("local.cloud", ["--options", str(options)], log)
        self._parts.callback(self._cloud.stop)
        self._cloud.ready()

    def _host_options(self, said: Mapping[str, str]) -> HostOptions:
        options = self._options
        zone = read_world(options.world).work365.time_zone
        settings = app_settings(said, self._way_to_storage(said), zone, options.mode, options.settings)
        self._settings_file.write_text(json.dumps({"IsEncrypted": False, "Values": settings}), encoding="utf-8")
        return HostOptions(
            app_dir=options.app_dir,
            worker_python=options.worker_python,
            settings=self._settings_file,
            log=self.logs / "host.log",
            master_key=secrets.token_urlsafe(32),
            visibility_seconds=options.visibility_seconds,
        )

    def _way_to_storage(self, said: Mapping[str, str]) -> str:
        """The connection string that the app gets."""
        fronts = {name: said[name] for name in ("Queue", "Table") if self._options.through_cloud}
        return connection_string({**self._azurite.urls, **fronts})

    def _start_host(self, options: HostOptions) -> Child:
        """The first host takes any free port; the ones after it take the same again."""
        self._host_arguments = options.arguments()
        host = self._new_host(self._host_arguments)
        port = httpx.URL(host.said["url"]).port
        self._host_arguments = [*self._host_arguments, f"--port={port}"]
        self._parts.callback(self._stop_host)
        return host

    def _new_host(self, arguments: list[str]) -> Child:
        with (self.logs / "host.log").open("ab") as log:
            self._host = Child("local.functions_host", [*arguments, "--stop-with-stdin"], log)
        try:
            return self._host.ready()
        except ChildDidNotStart as error:
            raise StackFailed(f"{error}: {_last_lines(self.logs / 'host.log')}") from error

    def _stop_host(self) -> None:
        if self._host is not None:
            self._host.stop()

    def _watch(self) -> None:
        watcher = threading.Thread(target=self._keep_watch, daemon=True)
        watcher.start()
        # Before the host is stopped, or it would be taken for dead and started again.
        self._parts.callback(watcher.join)

    def _keep_watch(self) -> None:
        restarts: list[float] = []
        while not self._stopping.wait(0.2) and self._problem is None:
            if self._cloud.exit_code is not None:
                self._problem = f"the cloud has ended with exit code {self._cloud.exit_code}"
            elif not self._azurite.is_running:
                self._problem = "the storage emulator has ended"
            elif self._host is not None and self._host.exit_code is not None:
                self._restart(restarts)

    def _restart(self, restarts: list[float]) -> None:
        now = time.monotonic()
        restarts[:] = [moment for moment in restarts if now - moment < _WITHIN_SECONDS]
        if len(restarts) >= _RESTARTS:
            self._problem = f"the Functions host has died {_RESTARTS} times within {_WITHIN_SECONDS:.0f} s"
            return
        pause = _PAUSES[len(restarts)]
        restarts.append(now)
        self._say(f"the Functions host has died; starting it again in {pause} s")
        if self._stopping.wait(pause):
            return
        try:
            self._new_host(self._host_arguments)
        except StackFailed as error:
            self._say(str(error))

    def _tell(self, what: object) -> None:
        """Tells the control endpoint where another part is."""
        answer = httpx.put(f"{self._cloud.said['control']}/stack", json=what, timeout=_PATIENCE_SECONDS)
        answer.raise_for_status()

    def _wait_until_all_answer(self) -> None:
        """An answer is an answer: without a token, Dataverse and Partner Center say 401."""
        said = self._cloud.said
        urls = [
            f"{self.addresses.api}/health",
            f"{said['dataverse']}/api/data/v9.2/WhoAmI",
            f"{said['partner_center']}/v1/customers/none",
            f"{said['control']}/",
        ]
        for url in urls:
            try:
                httpx.get(url, timeout=_PATIENCE_SECONDS)
            except httpx.HTTPError as error:
                raise StackFailed(f"{url} does not answer: {error}; logs are in {self.logs}") from error


def _new_log_folder(logs: Path) -> Path:
    """A folder of this run's own; the oldest runs' are removed."""
    runs = sorted(logs.glob("run-*")) if logs.is_dir() else []
    for old in runs[: max(0, len(runs) - _RUNS_KEPT + 1)]:
        shutil.rmtree(old, ignore_errors=True)
    folder = logs / f"run-{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    folder.mkdir(parents=True)
    return folder


def _last_lines(log: Path, count: int = 12) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])
