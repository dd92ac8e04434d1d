"""Making the environments once, and knowing when they no longer fit the lock files. Runs on Python 3.8.

Each environment carries a stamp: a hash of its lock files and of the Python that made it. It is written last, so
that one whose making was interrupted is made again.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Sequence  # noqa: UP035  the Python that runs this may be older than ours

from local.dev.only_one import only_one
from local.dev.pythons import SetUpError, find_npm

DEV = ".venv"
APP = ".venv-app"
CHECKOV = ".venv-checkov"
"""On its own: it pins a hundred packages, some to versions that others here cannot live with."""
STAMP = ".unstuck-stamp"
_LAST_LINES = 15


@dataclass(frozen=True)
class Environment:
    """A folder that is made from lock files."""

    name: str
    folder: Path
    locks: tuple[Path, ...]
    proof: Path
    """What is there once it is made; an interpreter that was uninstalled leaves a dangling link."""
    make: Callable[[Environment, Path], Sequence[Sequence[str]]]
    """The commands that make it, given the Python to make it from."""

    def stamp(self) -> str:
        """What the stamp must be: other lock files, or another machine, and it is made again."""
        digest = hashlib.sha256(sys.platform.encode())
        for lock in self.locks:
            digest.update(lock.read_bytes())
        return digest.hexdigest()

    def is_ready(self) -> bool:
        """Whether it was made to its end from today's lock files."""
        mark = self.folder / STAMP
        return self.proof.exists() and mark.is_file() and mark.read_text(encoding="utf-8") == self.stamp()


def environments(root: Path, *, tests: bool) -> list[Environment]:
    """What development needs, what is deployed, and the storage emulator.

    Tests want two more: a public generator of clients, and checkov.
    """
    dev, app, checkov = root / DEV, root / APP, root / CHECKOV
    always = [
        Environment(DEV, dev, (root / "requirements" / "dev.txt",), interpreter(dev), _python_environment),
        Environment(APP, app, (root / "requirements.txt",), interpreter(app), _python_environment),
        _of_node("azurite", root / "local" / "azurite", "azurite"),
    ]
    for_tests = [
        _of_node("client", root / "tests" / "client", "@hey-api/openapi-ts"),
        Environment(
            CHECKOV, checkov, (root / "requirements" / "checkov.txt",), interpreter(checkov), _python_environment
        ),
    ]
    return always + (for_tests if tests else [])


def _of_node(name: str, folder: Path, package: str) -> Environment:
    """What npm installs beside a package.json."""
    modules = folder / "node_modules"
    return Environment(
        name, modules, (folder / "package-lock.json",), modules / package / "package.json", _node_modules
    )


def interpreter(environment: Path) -> Path:
    """The Python inside an environment."""
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def prepare(root: Path, wanted: Sequence[Environment], find_python: Callable[[], Path]) -> bool:
    """Makes what is missing or stale, and says whether anything was. Raises SetUpError.

    Two at the same time do not disturb each other: the second one waits, and finds the work done.
    """
    if all(environment.is_ready() for environment in wanted):
        return False
    place = root / ".local"
    place.mkdir(exist_ok=True)
    with only_one(place / "setup.lock", lambda: _say("another dev.py is setting up; waiting for it")):
        stale = [environment for environment in wanted if not environment.is_ready()]
        if not stale:
            return True
        python = find_python()
        _say(f"setting up {', '.join(environment.name for environment in stale)} with {python}; this is done once")
        with ThreadPoolExecutor(len(stale)) as pool:
            made = [pool.submit(_make, environment, python, place / "logs") for environment in stale]
        for outcome in made:
            outcome.result()
    return True


def _make(environment: Environment, python: Path, logs: Path) -> None:
    began = time.monotonic()
    mark = environment.folder / STAMP
    if mark.exists():
        mark.unlink()
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"setup-{environment.name.lstrip('.')}.log"
    with log.open("w", encoding="utf-8") as output:
        for command in environment.make(environment, python):
            output.write(f"$ {' '.join(command)}\n")
            output.flush()
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)  # noqa: S603  our own command
            if done.returncode != 0:
                raise SetUpError(_failure(environment, log))
    mark.write_text(environment.stamp(), encoding="utf-8")
    _say(f"{environment.name} is ready ({time.monotonic() - began:.0f} s)")


def _python_environment(environment: Environment, python: Path) -> Sequence[Sequence[str]]:
    pip = (
        str(environment.proof),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--require-hashes",
    )
    return (
        (str(python), "-m", "venv", "--clear", str(environment.folder)),
        *((*pip, "-r", str(lock)) for lock in environment.locks),
    )


def _node_modules(environment: Environment, _: Path) -> Sequence[Sequence[str]]:
    # npm ci empties the folder first and takes exactly what package-lock.json pins, by its hashes.
    return ((find_npm(), "ci", "--no-audit", "--no-fund", "--prefix", str(environment.folder.parent)),)


def _failure(environment: Environment, log: Path) -> str:
    last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
    return "\n".join([f"setting up {environment.name} failed. The end of {log}:", *(f"    {line}" for line in last)])


def _say(text: str) -> None:
    print(f"dev.py: {text}", file=sys.stderr, flush=True)
