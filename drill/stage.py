"""The real app over the local cloud, behind a gate: one or two instances that can be killed, frozen and waked.

An instance is a Functions host with its worker. Storage emulator, Dataverse, Work 365, Partner Center and the gate stay
up from one rehearsal to the next; only the world in them begins anew.
"""

import asyncio
import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from drill.gate import Armed, Gate, Kind
from local.app_settings import app_settings
from local.azurite import Azurite, connection_string, start_azurite
from local.child import ROOT
from local.dataverse.records import ORGANIZATION_ID
from local.dev.environments import APP, interpreter
from local.functions_host import FunctionsHost, HostOptions
from local.worlds.reading import parse_world
from tests.host.app_cloud import CloudThread
from tests.host.app_kit import swept_long_ago

PATIENCE_SECONDS = 180.0
"""After this long a rehearsal has failed: no statement about speed, only about never."""

TIMERS = ("sweep", "wake")
_CYCLE_SECONDS = 0.1
# Everything that is waited for is short; but a retrigger on a slow machine must not count as abandoned again and again.
_TIMES = {
    "WORK365_JOB_CYCLE_SECONDS": "0.2",
    "UNSTUCK_GRACE_SECONDS": "60",
    "UNSTUCK_STABLE_SECONDS": "0",
    "UNSTUCK_LOOK_AGAIN_SECONDS": "3",
    "UNSTUCK_ACTION_LIMIT_SECONDS": "5",
    "SWEEP_SCHEDULE": "*/5 * * * * *",
    "WAKE_SCHEDULE": "* * * * * *",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.1",
    "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:00",
}


@dataclass
class Instance:
    """One Functions host with its worker."""

    host: FunctionsHost
    worker: int = 0
    """The process id of its worker when it was last looked for. One that sleeps cannot be asked."""

    def look(self) -> None:
        """Finds its worker, once it has one."""
        self.worker = eventually(lambda: self._admin("GET", "local/worker").json()["pid"], "a worker is up")

    def kill_worker(self) -> None:
        """As a crash would. The host starts another one."""
        os.kill(self.worker, signal.SIGKILL)

    def freeze(self) -> None:
        """As a machine that falls asleep: host and worker notice nothing themselves."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """The other way round."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.host.pid is not None  # noqa: S101  it is up
        for pid in (self.worker, self.host.pid):
            os.kill(pid, number)

    def timers(self, what: str) -> None:
        """`stop` or `start` its schedules."""
        for name in TIMERS:
            self._admin("POST", f"local/timers/{name}/{what}")

    def sweep(self) -> None:
        """At once, whatever the schedule says."""
        self._admin("POST", "functions/sweep", json={"input": ""})

    def _admin(self, method: str, path: str, **what: Any) -> httpx.Response:
        headers = {"x-functions-key": self.host.master_key}
        url = f"{self.host.url}/admin/{path}"
        return httpx.request(method, url, headers=headers, timeout=PATIENCE_SECONDS, **what).raise_for_status()


class Stage:
    """The cloud with its gate, and the instances."""

    def __init__(
        self, world: str, storage: Azurite, cloud: CloudThread, gate: Gate, instances: tuple[Instance, Instance]
    ) -> None:
        self._world = world
        self._storage = storage
        self.cloud = cloud
        self._gate = gate
        self.active, self.asleep = instances

    def begin(self, armed: Armed | None = None) -> None:
        """The world anew, with nothing left of the one before, and its first sweep."""
        self.active.look()
        self.active.timers("stop")
        eventually(self.quiet, "everything that was under way is done")
        self.control("POST", "/worlds", content=self._world)
        asyncio.run(swept_long_ago(self._storage.connection_string))  # nothing in it is stock
        self.cloud.ask(lambda _: self._gate.begin(armed))
        self.active.timers("start")
        self.active.sweep()

    def quiet(self, held: int = 0) -> bool:
        """Whether no request is under way but those that are held, and no message is left, hidden ones included."""
        return self.cloud.ask(lambda _: self._gate.under_way) <= held and not self._messages()

    def go_on(self) -> None:
        """What was stopped at the gate goes on."""
        self.cloud.ask(lambda _: self._gate.go_on())

    def seen(self) -> dict[Kind, int]:
        """How many requests of each kind there were since the world began."""
        return self.cloud.ask(lambda _: dict(self._gate.seen))

    def control(self, method: str, path: str, **what: Any) -> Any:
        """What the control endpoint answers."""
        url = self.cloud.urls["control"] + path
        return httpx.request(method, url, timeout=PATIENCE_SECONDS, **what).raise_for_status().json()

    def rows(self, table: str) -> Sequence[dict[str, Any]]:
        """Every row of a table, none while there is no such table."""
        with TableServiceClient.from_connection_string(self._storage.connection_string) as service:
            try:
                return [dict(row) for row in service.get_table_client(table).list_entities()]
            except ResourceNotFoundError:
                return []

    def change_over(self) -> None:
        """Who is active falls asleep, and the other one wakes up."""
        self.active.freeze()
        self.asleep.wake()
        self.active, self.asleep = self.asleep, self.active

    def wake_all(self) -> None:
        """Nobody sleeps any more, and nothing is held."""
        self.asleep.wake()
        self.go_on()

    def _messages(self) -> int:
        with QueueServiceClient.from_connection_string(self._storage.connection_string) as service:
            queues = [service.get_queue_client(queue.name) for queue in service.list_queues()]
            return sum(queue.get_queue_properties().approximate_message_count or 0 for queue in queues)


@contextmanager
def staged(world: str) -> Iterator[Stage]:
    """A stage with two instances, one of them asleep."""
    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="unstuck-drill-")))
        storage, gate = parts.enter_context(start_azurite()), Gate()
        cloud = CloudThread(parse_world(world, "the drill's world"), _CYCLE_SECONDS, gate.before)
        parts.enter_context(cloud)
        cloud.tell({"storage": storage.connection_string})
        said = {**cloud.urls, "identity_header": cloud.identity_header, "organization_id": ORGANIZATION_ID}
        through = connection_string({**storage.urls, **{name: cloud.urls[name] for name in ("Queue", "Table")}})
        zone = cloud.ask(lambda it: it.environment.world.work365.time_zone)
        settings = folder / "settings.json"
        values = app_settings(said, through, zone, "auto", _TIMES)
        settings.write_text(json.dumps({"IsEncrypted": False, "Values": values}), encoding="utf-8")
        first, second = (_host(settings, folder / f"instance-{number}.log") for number in (1, 2))
        instances = Instance(parts.enter_context(first)), Instance(parts.enter_context(second))
        stage = Stage(world, storage, cloud, gate, instances)
        stage.asleep.look()
        stage.asleep.freeze()
        parts.callback(stage.wake_all)  # who sleeps cannot stop in order
        yield stage


def eventually[T](look: Callable[[], T | None], what: str, instead: Callable[[], object] = lambda: "") -> T:
    """The first answer that is not None or False. AssertionError when none comes in time, with what is `instead`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (began := time.monotonic()) < deadline:
        if found := look():
            return found
        # Looking costs the app work that it should be doing: it gets twice as long for itself.
        time.sleep(max(0.2, 2 * (time.monotonic() - began)))
    raise AssertionError(f"never happened: {what}; instead: {instead()}")


def _host(settings: Path, log: Path) -> FunctionsHost:
    return FunctionsHost(
        HostOptions(
            app_dir=ROOT,
            worker_python=interpreter(ROOT / APP),
            settings=settings,
            log=log,
            visibility_seconds=3,
            worker_back_off_seconds=0.1,
            lease_seconds=2,
        )
    )
