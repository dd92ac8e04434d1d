"""The real app in processes of its own, over a cloud in this process that a test can look into and strike with.

`running(world, folder)` starts the storage emulator (a process), the cloud (a thread: Dataverse, Partner Center,
sign-in and control, over real HTTP) and the app (host and worker, processes). Nothing is known here of the app's
inside: it is asked over HTTP and queues, and looked at through storage, the cloud and the log.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from drill.gate import Gate
from local.app_settings import app_settings
from local.azurite import Azurite, connection_string, start_azurite
from local.dataverse.faults import Answer, Callback, Fault, Match
from local.dataverse.records import ORGANIZATION_ID
from local.dataverse.traffic import Write
from local.functions_host import FunctionsHost, HostOptions
from local.partner_center.model import Order
from local.worlds.identities import APP_USER_ID
from local.worlds.reading import parse_world
from shared.adapters.tables.client import Tables
from shared.adapters.tables.holds import TableHolds
from shared.domain.surge import Watch
from tests.host.app_cloud import CloudThread
from tests.host.functions_host_kit import DEADLINE, WORKER_PYTHON, TestQueue

ROOT = Path(__file__).parents[2]
QUEUES = ("diagnose", "remediate", "notify", "operate", "deliver")
NEVER = "0 0 0 1 1 *"
"""A schedule for what a test does by hand."""

SIGN_INS = "sign-ins.json"
CANARY = "canary-c0ffee-of-the-webhook"
NO_HARM: dict[str, list[Any]] = {"engine": [], "forbidden": [], "left_not_applicable": []}

# Conditions are waited for, whatever the machine; these only say how soon they may come.
_TIMES = {
    "WORK365_JOB_CYCLE_SECONDS": "0.2",
    # A change that was just retriggered has this long before it counts as stuck once more, on slow machines too.
    "UNSTUCK_GRACE_SECONDS": "60",
    "UNSTUCK_STABLE_SECONDS": "0",
    "UNSTUCK_LOOK_AGAIN_SECONDS": "2",
    "SWEEP_SCHEDULE": NEVER,
    "WAKE_SCHEDULE": "* * * * * *",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.2",
    "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:00",
}
_CYCLE_SECONDS = 0.2
_HIDDEN_SECONDS = 3

PROVIDERS = """
providers:
  microsoft: {name: Microsoft CSP, connector: microsoft_csp}
  distributor: {name: Distributor, type: manual}
"""


def world(name: str, groups: str) -> str:
    """A world file of these groups, with a provider `microsoft` and one that is done by hand, `distributor`."""
    return f"name: {name}\nabout: Made for a test.\n{PROVIDERS}\nsubscriptions:\n{groups}"


def eventually[T](look: Callable[[], T | None], what: str, instead: Callable[[], object] = lambda: "") -> T:
    """The first answer that is not None or False; the test fails with what is there `instead` if none comes in time."""
    deadline = time.monotonic() + DEADLINE
    while (began := time.monotonic()) < deadline:
        if found := look():
            return found
        # Looking costs the app work that it should be doing: it gets twice as long for itself.
        time.sleep(max(0.05, 2 * (time.monotonic() - began)))
    raise AssertionError(f"never happened: {what}; instead: {instead()}")


def missed(group: str, count: int = 1) -> str:
    """A group whose second change, two seats more, lost its trigger: freed by a retrigger, and nothing else wrong."""
    return f"""
  - group: {group}
    count: {count}
    provider: microsoft
    product: e3
    changes:
      - {{type: create, quantity: 10, created: -90d}}
      - {{type: update, quantity: 2, created: -2h, status: awaiting_provisioning}}
    expect: {{cause: trigger_missed, outcome: resolved, may_write: [2]}}
"""


@dataclass(frozen=True)
class Stuck:
    """One subscription of the world, and its changes that the app may write."""

    id: str
    group: str
    changes: tuple[str, ...]
    cause: str | None
    outcome: str

    @property
    def change(self) -> str:
        """The first that may be written."""
        return self.changes[0]

    @property
    def case(self) -> str:
        """The id of its first case."""
        return f"{self.id}-1"


@dataclass
class App:
    """The app that runs, and everything around it."""

    folder: Path
    storage: Azurite
    cloud: CloudThread
    host: FunctionsHost
    settings: Mapping[str, str]
    api: httpx.Client
    """Speaks to the app with a function key; all its answers are kept."""
    answers: list[str] = field(default_factory=list)

    # ------------------------------------------------------------------ the world

    def all(self, group: str | None = None) -> list[Stuck]:
        """Its subscriptions, or those of one group."""
        expected = self.cloud.ask(lambda cloud: list(cloud.environment.built.expectations))
        found = [Stuck(e.subscription_id, e.group, e.may_write, e.cause, e.outcome) for e in expected]
        return [one for one in found if group in (None, one.group)]

    def one(self, group: str) -> Stuck:
        """The only subscription of a group."""
        [found] = self.all(group)
        return found

    def change(self, id: str) -> dict[str, Any]:
        """A License Change Log as it is now."""
        found = self.cloud.ask(lambda cloud: cloud.environment.records.get("license_change_log", id))
        assert found is not None
        return found

    def status(self, stuck: Stuck) -> str:
        """The Provisioning Status of its first writable change."""
        return str(self.change(stuck.change)["provisioning_status"])

    def written(self, change_id: str | None = None) -> list[Write]:
        """What the app has written to Dataverse, all of it or that of one change."""
        writes = self.cloud.ask(lambda cloud: list(cloud.environment.traffic.writes))
        return [w for w in writes if w.user == APP_USER_ID and change_id in (None, w.id)]

    def statuses_written(self, change_id: str) -> list[str]:
        """The Provisioning Statuses that the app gave to a change, in order."""
        return [w.changes["provisioning_status"][1] for w in self.written(change_id)]

    def orders(self, change_id: str) -> list[Order]:
        """What the provider was really ordered to do for a change."""
        orders = self.cloud.ask(lambda cloud: list(cloud.environment.provider.orders))
        return [order for order in orders if order.change_id == change_id]

    def harm(self) -> dict[str, Any]:
        """What must not have happened; equals NO_HARM when nothing did."""
        answer: dict[str, Any] = self.control("GET", "/harm").json()
        return answer

    # ------------------------------------------------------------------ what goes wrong

    def fault(self, answer: Answer, *, times: int | None = 1, after: int = 0, **match: Any) -> None:
        """Something goes wrong at Dataverse for requests that match."""
        fault = Fault(answer, Match(**match), times=times, after=after)
        self.cloud.ask(lambda cloud: cloud.environment.faults.add(fault))

    def at(self, call: Callable[[], object], **match: Any) -> None:
        """`call` happens once, right after the commit of a request that matches and before its answer goes out."""
        self.fault(Callback(call), **match)

    def no_faults(self) -> None:
        """Nothing goes wrong any more."""
        self.control("DELETE", "/faults")

    def control(self, method: str, path: str, **what: Any) -> httpx.Response:
        """Asks the control endpoint."""
        url = self.cloud.urls["control"] + path
        return httpx.request(method, url, timeout=DEADLINE, **what).raise_for_status()

    # ------------------------------------------------------------------ the app

    def sweep(self) -> httpx.Response:
        return self.api.post("/sweeps")

    def diagnose(self, stuck: Stuck) -> httpx.Response:
        return self.api.post("/diagnoses", json={"subscription_id": stuck.id})

    def case(self, case_id: str) -> dict[str, Any] | None:
        """A case as the app shows it; None while there is none, or nobody to ask."""
        answer = self.api.get(f"/cases/{case_id}")
        found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
        return found or None

    def until(self, case_id: str, *states: str) -> dict[str, Any]:
        """Waits until a case is in one of these states."""

        def there() -> dict[str, Any] | None:
            case = self.case(case_id)
            return case if case is not None and case["state"] in states else None

        return eventually(
            there, f"case {case_id} {' or '.join(states)}", lambda: json.dumps(self.case(case_id), indent=1)
        )

    def cases(self, **query: str) -> list[dict[str, Any]]:
        """All cases of a list, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self.api.get("/cases", params={**query, **({"cursor": cursor} if cursor else {})})
            found += page.raise_for_status().json()["cases"]
            cursor = page.json()["next_cursor"]
            if cursor is None:
                return found

    def worker(self) -> dict[str, Any]:
        """Process id of the worker now, and how many there have been."""
        url = f"{self.host.url}/admin/local/worker"
        found: dict[str, Any] = httpx.get(
            url, headers={"x-functions-key": self.host.master_key}, timeout=DEADLINE
        ).json()
        return found

    def log(self) -> str:
        """Everything that host and worker have logged."""
        assert self.host.options.log is not None
        return self.host.options.log.read_text("utf-8")

    @contextmanager
    def second_instance(self, name: str) -> "Iterator[App]":
        """The same app once more, on the same storage and cloud, in a host and worker of its own."""
        with _host(self.folder, name, self.settings) as host:
            second = replace(self, host=host, api=httpx.Client())
            with _client(second) as second.api:
                yield second

    # ------------------------------------------------------------------ storage

    def queue(self, name: str) -> TestQueue:
        return TestQueue(self.storage.connection_string, name)

    def all_queues_empty(self) -> bool:
        """Whether no message is left, hidden ones and those of the poison queues included."""
        return not any(self.queue(name + poison).count() for name in QUEUES for poison in ("", "-poison"))

    def rows(self) -> list[dict[str, Any]]:
        """Every row of every table."""
        with TableServiceClient.from_connection_string(self.storage.connection_string) as service:
            tables = [service.get_table_client(table.name) for table in service.list_tables()]
            return [dict(row) for table in tables for row in table.list_entities()]

    def messages(self) -> list[str]:
        """The text of every message that can be seen now."""
        with QueueServiceClient.from_connection_string(self.storage.connection_string) as service:
            queues = [service.get_queue_client(queue.name) for queue in service.list_queues()]
            return [str(message.content) for queue in queues for message in queue.peek_messages(32)]

    # ------------------------------------------------------------------ secrets

    def secrets(self) -> dict[str, str]:
        """What nobody may ever read anywhere, by what it is."""
        account_key = self.storage.connection_string.partition("AccountKey=")[2].partition(";")[0]
        tokens = {f"token {number}": token for number, token in enumerate(self.cloud.tokens)}
        return {
            "storage key": account_key,
            "master key": self.host.master_key,
            "host key": self.host.host_key,
            "identity header": self.settings["IDENTITY_HEADER"],
            "webhook": CANARY,
            **tokens,
        }

    def leaks(self) -> list[str]:
        """Where a secret can be read: in logs, answers, rows or messages."""
        places = {
            **{file.name: file.read_text("utf-8", "replace") for file in self.folder.glob("*.log")},
            "an answer": "\n".join(self.answers),
        }
        if self.storage.is_running:
            places |= {"a row": json.dumps(self.rows(), default=str), "a message": "\n".join(self.messages())}
        secrets = self.secrets()
        return [f"{what} in {place}" for place, text in places.items() for what, it in secrets.items() if it in text]


def may_sign_in(folder: Path, principals: Mapping[str, Mapping[str, Any]]) -> None:
    """The host of this folder plays App Service's authentication for these principals, by token."""
    (folder / SIGN_INS).write_text(json.dumps(principals), encoding="utf-8")


@contextmanager
def running(world_text: str, folder: Path, *, mode: str | None = "auto", **settings: str) -> Iterator[App]:
    """The app over this world, which was swept for the first time long ago: nothing in it is stock.

    `mode` None: the setting is not there at all. `settings` win over all others.

    At the end no secret may be found anywhere, whatever the tests in between did.
    """
    with start_azurite() as storage:
        asyncio.run(swept_long_ago(storage.connection_string))
        with _running(world_text, folder, storage, mode, settings) as app:
            yield app


@contextmanager
def running_first(world_text: str, folder: Path, **settings: str) -> Iterator[App]:
    """The app over a world in which nobody has ever swept."""
    with start_azurite() as storage, _running(world_text, folder, storage, "auto", settings) as app:
        yield app


@contextmanager
def running_first_behind(gate: Gate, world_text: str, folder: Path, **settings: str) -> Iterator[App]:
    """The same behind a gate, which sees everything that the app asks for and changes, its storage included."""
    with start_azurite() as storage, _running(world_text, folder, storage, "auto", settings, gate) as app:
        yield app


@contextmanager
def _running(
    world_text: str,
    folder: Path,
    storage: Azurite,
    mode: str | None,
    settings: Mapping[str, str],
    gate: Gate | None = None,
) -> Iterator[App]:
    with ExitStack() as parts:
        world = parse_world(world_text, "the test's world")
        cloud = CloudThread(world, _CYCLE_SECONDS, gate.before) if gate else CloudThread(world, _CYCLE_SECONDS)
        parts.enter_context(cloud)
        if gate is not None:
            through = connection_string({**storage.urls, **{name: cloud.urls[name] for name in ("Queue", "Table")}})
            settings = {"AzureWebJobsStorage": through, **settings}
        said = {**cloud.urls, "identity_header": cloud.identity_header, "organization_id": ORGANIZATION_ID}
        webhook = {"NOTIFY_WEBHOOK_URL": f"{cloud.urls['control']}/notifications?sig={CANARY}"}
        zone = cloud.ask(lambda it: it.environment.world.work365.time_zone)
        values = app_settings(said, storage.connection_string, zone, mode or "", {**_TIMES, **webhook, **settings})
        if mode is None:
            del values["UNSTUCK_MODE"]
        cloud.tell({"storage": storage.connection_string})
        host = parts.enter_context(_host(folder, "host", values))
        cloud.tell({"host": {"url": host.url, "key": host.master_key}})
        app = App(folder, storage, cloud, host, values, httpx.Client())
        app.api = parts.enter_context(_client(app))
        yield app
        assert app.leaks() == []


async def swept_long_ago(connection_string: str) -> None:
    """As an earlier run of the app has left it."""
    tables = Tables.connect(connection_string)
    swept = Watch(stock_taken_on=datetime.now(UTC) - timedelta(days=3_650), stock_told=True)
    await TableHolds(tables).change(lambda _: (swept, None))
    await tables.close()


def _host(folder: Path, name: str, values: Mapping[str, str]) -> FunctionsHost:
    settings = folder / f"{name}.settings.json"
    settings.write_text(json.dumps({"IsEncrypted": False, "Values": dict(values)}), encoding="utf-8")
    return FunctionsHost(
        HostOptions(
            app_dir=ROOT,
            worker_python=WORKER_PYTHON,
            settings=settings,
            log=folder / f"{name}.log",
            visibility_seconds=_HIDDEN_SECONDS,
            worker_back_off_seconds=0.1,
            lease_seconds=2,
            sign_ins=folder / SIGN_INS if (folder / SIGN_INS).exists() else None,
        )
    )


def _client(app: App) -> httpx.Client:
    def keep(answer: httpx.Response) -> None:
        answer.read()
        app.answers.append(f"{answer.request.url.path} {answer.status_code} {dict(answer.headers)}\n{answer.text}")

    app.api.close()
    return httpx.Client(
        base_url=f"{app.host.url}/api",
        headers={"x-functions-key": app.host.host_key},
        timeout=DEADLINE,
        event_hooks={"response": [keep]},
    )
