"""The whole stack as processes: one line when all answer, and nothing left behind whatever ends it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120
UP = "import sys; from pathlib import Path; from local.dev.commands import run; sys.exit(run(Path(), sys.argv[1:]))"

pytestmark = [
    pytest.mark.host,
    pytest.mark.azurite,
    pytest.mark.skipif(sys.platform == "win32", reason="looks at processes and signals as POSIX has them"),
]


class Running:
    """`dev.py up --json` and everything that it has started."""

    def __init__(self, world: str) -> None:
        self.process = subprocess.Popen(  # noqa: S603  our own interpreter
            [sys.executable, "-c", UP, "up", "--json", "--world", world],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        self.line: dict[str, Any] = json.loads(line)
        self.family = descendants(self.process.pid)

    @property
    def headers(self) -> dict[str, str]:
        return {"x-functions-key": self.line["api_key"]}

    def end(self, number: int) -> tuple[int, str]:
        """Sends a signal; the exit code and what else was on standard output."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, rest


def processes() -> dict[int, tuple[int, str]]:
    """Parent and command line of every process that is not a zombie."""
    listed = subprocess.run(["ps", "-axo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)  # noqa: S607  wherever it is
    rows = [line.split(None, 3) for line in listed.stdout.splitlines()]
    return {int(row[0]): (int(row[1]), row[3]) for row in rows if len(row) == 4 and not row[2].startswith("Z")}


def descendants(pid: int) -> set[int]:
    found, parents = {pid}, {child: parent for child, (parent, _) in processes().items()}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.1)


def is_gone(running: Running) -> None:
    """Waits until no process of the family is left."""
    until(lambda: not running.family & set(processes()))


@pytest.fixture
def running() -> Iterator[Running]:
    one = Running("empty")
    yield one
    if one.process.poll() is None:
        one.process.kill()
        one.process.communicate()
    is_gone(one)


def test_up_says_where_everything_is_and_all_of_it_answers(running: Running) -> None:
    assert set(running.line) == {"api", "api_key", "dataverse", "storage", "partner_center", "control"}
    assert running.line["api"].endswith("/api")
    assert httpx.get(f"{running.line['api']}/health").json()["mode"] == "auto"
    assert httpx.get(f"{running.line['api']}/cases").status_code == 401
    assert httpx.get(f"{running.line['api']}/cases", headers=running.headers).json()["cases"] == []
    assert httpx.get(f"{running.line['dataverse']}/api/data/v9.2/WhoAmI").status_code == 401
    assert httpx.get(f"{running.line['control']}/worlds/current").json()["name"] == "empty"
    assert len(running.family) >= 4, "cloud, storage, host and worker"
    code, rest = running.end(signal.SIGTERM)
    assert (code, rest) == (0, "")
    is_gone(running)


def test_ctrl_c_stops_everything(running: Running) -> None:
    assert running.end(signal.SIGINT) == (0, "")
    is_gone(running)


def test_nothing_outlives_a_stack_that_was_killed(running: Running) -> None:
    running.end(signal.SIGKILL)
    is_gone(running)


def test_a_part_that_dies_ends_the_stack_and_a_host_that_dies_is_started_again(running: Running) -> None:
    commands = {pid: processes()[pid][1] for pid in running.family}
    [host] = [pid for pid, command in commands.items() if "-m local.functions_host" in command]
    os.kill(host, signal.SIGKILL)
    until(lambda: host not in processes())
    until(lambda: _answers(f"{running.line['api']}/health"))
    running.family |= descendants(running.process.pid)
    [cloud] = [pid for pid, command in commands.items() if "-m local.cloud" in command]
    os.kill(cloud, signal.SIGKILL)
    _, said = running.process.communicate(timeout=PATIENCE_SECONDS)
    assert running.process.returncode == 1
    assert "the cloud has ended" in said
    is_gone(running)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.HTTPError:
        return False


WORLD = """
name: later
about: Loaded while everything runs.
providers:
  microsoft: {name: Microsoft CSP, connector: microsoft_csp}
subscriptions:
  - group: riddle
    provider: microsoft
    product: e3
    changes:
      - {type: create, quantity: 3, created: -9d}
      - {type: update, quantity: 1, created: -1d, status: failed_provisioning, message: Nobody knows this.}
    expect: {cause: unknown, outcome: needs_person}
"""


def test_another_world_replaces_the_first_one_whole(running: Running) -> None:
    control, api = running.line["control"], running.line["api"]
    with httpx.Client(timeout=PATIENCE_SECONDS) as client:
        assert client.post(f"{control}/worlds", content="name: x").status_code == 422
        other_zone = WORLD.replace("about:", "work365: {time_zone: Asia/Tokyo}\nabout:")
        assert client.post(f"{control}/worlds", content=other_zone).status_code == 409
        [expected] = client.post(f"{control}/worlds", content=WORLD).json()["subscriptions"]

        def cases() -> list[Any]:
            found: list[Any] = client.get(f"{api}/cases", headers=running.headers).json().get("cases", [])
            return found

        until(lambda: cases() and cases()[0]["state"] == "needs_person")
        assert [case["subscription_id"] for case in cases()] == [expected["subscription_id"]]
        until(lambda: client.get(f"{control}/notifications").json()["notifications"])
        assert client.get(f"{control}/harm").json() == {"engine": [], "forbidden": [], "left_not_applicable": []}
        assert client.get(f"{control}/traffic").json()["dataverse"]["sweep"] >= 1
        client.post(f"{control}/worlds", content=WORLD.replace("name: later", "name: again")).raise_for_status()
        ids = {expected["subscription_id"]}
        until(lambda: (found := cases()) and not ids & {case["subscription_id"] for case in found})
