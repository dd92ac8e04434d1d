"""`dev.py lock`: resolves what requirements/*.in ask for and writes the lock files with hashes."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# No host of a registry may get into the lock files: every machine brings its own.
_UV = (
    "-m",
    "uv",
    "pip",
    "compile",
    "--quiet",
    "--generate-hashes",
    "--universal",
    "--python-version=3.13",
    "--no-header",
    "--no-emit-index-url",
)


def write_locks(root: Path, *, upgrade: bool) -> int:
    """Locks what is deployed, then what development adds on top of exactly that, and checkov. The exit code of uv.

    Pins that are there stay where they still fit, unless `upgrade` asks for the newest of everything.
    """
    app, dev, checkov = "requirements.txt", "requirements/dev.txt", "requirements/checkov.txt"
    more = ("--upgrade",) if upgrade else ()
    return (
        _compile(root, "requirements/app.in", app, more)
        or _compile(root, "requirements/dev.in", dev, (*more, "--constraints", app))
        or _compile(root, "requirements/checkov.in", checkov, more)
    )


def _compile(root: Path, wanted: str, lock: str, more: Sequence[str]) -> int:
    done = subprocess.run([sys.executable, *_UV, *more, wanted, "--output-file", lock], cwd=root, check=False)  # noqa: S603  our own command
    print(f"{lock}: {'written' if done.returncode == 0 else 'not written'}", file=sys.stderr)
    return done.returncode
