"""Finding the Python and the Node that the environments are made from. Runs on Python 3.8."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator, Sequence  # noqa: UP035  the Python that runs this may be older than ours

OLDEST_PYTHON = (3, 13)
OLDEST_NODE = 20

# Says its version and where it really is; an interpreter without these modules cannot make an environment.
_PROBE = "import sys, venv, ensurepip; print(*sys.version_info[:2], getattr(sys, '_base_executable', sys.executable))"


class SetUpError(Exception):
    """Something this machine lacks, or a step that failed. The message says what to do about it."""


def find_python() -> Path:
    """A Python that the environments can be made from: the running one if it will do, else one that is installed.

    Raises SetUpError.
    """
    too_old = []
    for command in _candidates():
        found = _probe(command)
        if found is None:
            continue
        version, executable = found
        if version >= OLDEST_PYTHON:
            return executable
        too_old.append(f"{'.'.join(map(str, version))} ({executable})")
    raise SetUpError(_python_is_missing(too_old))


def _candidates() -> Iterator[Sequence[str]]:
    yield (sys.executable,)
    if sys.platform == "win32":
        yield from (("py", f"-3.{minor}") for minor in range(13, 20))
    yield from ((f"python3.{minor}",) for minor in range(13, 20))
    yield from (("python3",), ("python",))


def _probe(command: Sequence[str]) -> tuple[tuple[int, int], Path] | None:
    """The version and the path of an interpreter; None when there is none, or one that cannot make environments."""
    if shutil.which(command[0]) is None:
        return None
    try:
        asked = subprocess.run([*command, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  our own command
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = asked.stdout.strip().split(" ", 2)
    if asked.returncode != 0 or len(said) != 3:
        return None
    return (int(said[0]), int(said[1])), Path(said[2])


def _python_is_missing(too_old: Sequence[str]) -> str:
    oldest = ".".join(map(str, OLDEST_PYTHON))
    found = f" (found only {', '.join(dict.fromkeys(too_old))})" if too_old else ""
    return (
        f"Python {oldest} or newer with venv is needed{found}. Get it from your system's packages (Debian and Ubuntu: "
        f"apt install python{oldest} python{oldest}-venv; macOS: brew install python@{oldest}; Windows: winget "
        f"install Python.Python.{oldest}), from python.org, or with `uv python install {oldest}` or `pyenv install "
        f"{oldest}`, and run this again."
    )


def find_npm() -> str:
    """npm of a Node that is new enough for the storage emulator. Raises SetUpError."""
    node, npm = shutil.which("node"), shutil.which("npm")
    version = _node_version(node) if node else None
    if node is None or npm is None or version is None or version < OLDEST_NODE:
        has = f"found {version}" if version else "found none"
        raise SetUpError(
            f"Node {OLDEST_NODE} or newer with npm is needed for the storage emulator ({has}). Get it from your "
            f"system's packages (Debian and Ubuntu: apt install nodejs npm; macOS: brew install node; Windows: "
            f"winget install OpenJS.NodeJS.LTS) or from nodejs.org, and run this again."
        )
    return npm


def _node_version(node: str) -> int | None:
    asked = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  our own command
    said = re.match(r"v(\d+)\.", asked.stdout)
    return int(said.group(1)) if said else None
