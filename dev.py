#!/usr/bin/env python3
"""Everything a developer does here, as one program.

    python3 dev.py demo  [--json] [--world FILE]   the main job from end to end on this machine
    python3 dev.py up    [--json] [--world FILE]   the same, staying up until Ctrl-C
    python3 dev.py test  [pytest arguments]        all checks; with arguments only pytest
    python3 dev.py bench [--json] [--scale]        measurements; --scale: cost and limits by size
    python3 dev.py drill [--json] [--schedules N] [--seed S] [--real]   a rehearsal of failures
    python3 dev.py lock                            writes the two lock files anew
    python3 dev.py setup                           only makes the environments

The first use makes .venv, .venv-app and node_modules in local/azurite, and for `test` .venv-checkov and node_modules in
tests/client, too; later ones only check that they fit the lock files. `python3 dev.py COMMAND --help` tells more.
"""

# This file and what it imports from local/dev run on whatever Python a machine has, before our own is there:
# standard library only, and no syntax newer than Python 3.8 (tests/unit/test_dev_bootstrap.py).
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from local.dev.environments import DEV, environments, interpreter, prepare  # noqa: E402
from local.dev.pythons import SetUpError, find_python  # noqa: E402

COMMANDS = ("demo", "up", "test", "bench", "drill", "lock", "setup")


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0 if arguments else 2
    if arguments[0] not in COMMANDS:
        print(f"dev.py: there is no command {arguments[0]!r}; there are {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        made = prepare(ROOT, environments(ROOT, tests=arguments[0] in ("test", "setup")), find_python)
    except SetUpError as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return 3
    if made or Path(sys.prefix) != ROOT / DEV:
        return _again_in(ROOT / DEV, arguments)
    from local.dev.commands import run

    return run(ROOT, arguments)


def _again_in(environment: Path, arguments: list[str]) -> int:  # noqa: RET503  execv does not return
    """This program once more, by the environment's own Python."""
    command = [str(interpreter(environment)), str(ROOT / "dev.py"), *arguments]
    if sys.platform == "win32":  # there execv would end this process at once, which a shell takes for the end
        return subprocess.call(command)  # noqa: S603  our own interpreter and program
    os.execv(command[0], command)  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
