"""Copies the solution source with your connector's name in it, ready for `pac solution pack`.

    python -m flows.prepare --connector NAME --to FOLDER

The name is the connector's own in your environment, such as shared_unstuck-5f0123456789abcdef; its page's address shows
it. Each environment gives another one.
"""

import argparse
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from flows.source import FOLDER

_NAME = re.compile(r"shared_[A-Za-z0-9.-]{1,100}")
_API = re.compile(r"(/apis/)shared_unstuck(?=[\"<])")
_REFERENCE = re.compile(r"(\"api\": \{\s*\"name\": \")shared_unstuck(?=\")")


def with_connector(text: str, name: str) -> str:
    """A file of the source that names this connector. What a flow calls its reference to it stays as it is."""
    return _REFERENCE.sub(rf"\g<1>{name}", _API.sub(rf"\g<1>{name}", text))


def main(arguments: Sequence[str]) -> int:
    """Writes the copy. The exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.prepare")
    parser.add_argument("--connector", required=True, help="the connector's own name, beginning with shared_")
    parser.add_argument("--to", type=Path, required=True, help="a folder that is not there yet")
    given = parser.parse_args(arguments)
    if not _NAME.fullmatch(given.connector):
        parser.error(f"--connector: {given.connector!r} is no name of a connector: it begins with shared_")
    if given.to.exists():
        parser.error(f"--to: {given.to} is there already")
    shutil.copytree(FOLDER, given.to)
    for path in [each for each in given.to.rglob("*") if each.suffix in (".json", ".xml")]:
        path.write_text(with_connector(path.read_text("utf-8"), given.connector), "utf-8")
    print(f"{given.to}: pac solution pack --zipfile UnstuckFlows.zip --folder {given.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
