"""`dev.py test`: every check of the project, one line each, and pytest's own closing line last."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

# Run in this order, from the one that answers first.
CHECKS: dict[str, Sequence[str]] = {
    "ruff check": ("-m", "ruff", "check", "."),
    "ruff format": ("-m", "ruff", "format", "--check", "."),
    "mypy": ("-m", "mypy"),
    "lint-imports": ("-c", "from importlinter.cli import lint_imports_command as run; run()"),
}


def run_checks(root: Path, pytest_arguments: Sequence[str]) -> int:
    """All checks, or only pytest when it is given arguments. The exit code: 0 when everything passed."""
    failed = [] if pytest_arguments else [name for name in CHECKS if not _passes(root, name)]
    if failed:
        print(f"FAILED: {', '.join(failed)}; pytest runs all the same:", flush=True)
    tests = subprocess.run([sys.executable, "-m", "pytest", *pytest_arguments], cwd=root, check=False)  # noqa: S603  our own command
    return tests.returncode or int(bool(failed))


def _passes(root: Path, name: str) -> bool:
    """Whether a check passes; what it says is only shown when it does not."""
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603  our own command
        [sys.executable, *CHECKS[name]],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    passed = done.returncode == 0
    if not passed:
        print(done.stdout.rstrip())
    print(f"{name:<14}{'ok' if passed else 'FAILED'} ({time.monotonic() - began:.1f} s)", flush=True)
    return passed
