"""Requests through the Azure CLI, which has the person's sign-in. Nothing is sent in a dry run but questions."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

GRAPH = "https://graph.microsoft.com"


class Trouble(Exception):
    """Something that a person has to do first; the text says what."""


class Ran(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


type Runner = Callable[[Sequence[str]], Ran]
"""Runs `az` with these arguments."""


def run_az(arguments: Sequence[str]) -> Ran:
    """The real `az`. Raises Trouble when it is not installed."""
    program = shutil.which("az")
    if program is None:
        raise Trouble("The Azure CLI is not installed, or not on the PATH. Install it, then run `az login`.")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603  no shell
    return Ran(done.returncode, done.stdout, done.stderr)


class Cloud:
    """Reads and writes JSON. Each write is told in one line, and only told in a dry run.

    All methods raise Trouble with what to ask for when the signed-in person may not do it.
    """

    def __init__(self, run: Runner, say: Callable[[str], None], *, dry_run: bool) -> None:
        self._run, self._say, self.dry_run = run, say, dry_run
        self.changes = 0

    def note(self, text: str) -> None:
        """Tells something that is no change."""
        self._say(text)

    def tenant(self) -> str:
        """The tenant that the person is signed in to."""
        account = self._az(["account", "show", "--output", "json"])
        return str(account["tenantId"])

    def get(self, url: str, resource: str) -> Any:
        """What is at an address, None when nothing is."""
        return self._rest("get", url, resource, None)

    def write(self, what: str, method: str, url: str, resource: str, body: Mapping[str, Any]) -> Any:
        """Sends `body`; None in a dry run, and when the answer is empty. `what` reads like "application X created"."""
        self.changes += 1
        self._say(f"{'would be done' if self.dry_run else 'done'}: {what}")
        return None if self.dry_run else self._rest(method, url, resource, body)

    def _rest(self, method: str, url: str, resource: str, body: Mapping[str, Any] | None) -> Any:
        arguments = ["rest", "--method", method, "--url", url, "--resource", resource]
        if body is None:
            return self._az(arguments)
        with tempfile.TemporaryDirectory() as folder:  # a body on the command line does not survive every shell
            file = Path(folder) / "body.json"
            file.write_text(json.dumps(body), encoding="utf-8")
            return self._az([*arguments, "--headers", "Content-Type=application/json", "--body", f"@{file}"])

    def _az(self, arguments: list[str]) -> Any:
        ran = self._run(arguments)
        if ran.code == 0:
            return json.loads(ran.out) if ran.out.strip() else None
        if re.search(r"\bNot Found\(|\b404\b", ran.err) and arguments[:3] == _GET:
            return None
        raise Trouble(_advice(arguments, ran.err))


_GET = ["rest", "--method", "get"]


def _advice(arguments: Sequence[str], said: str) -> str:
    where = arguments[arguments.index("--url") + 1] if "--url" in arguments else " ".join(arguments)
    detail = " ".join(said.split())[:500]
    if "az login" in said or "AADSTS" in said:
        return f"You are not signed in, or the sign-in has expired: run `az login`. ({detail})"
    denied = re.search(r"Authorization_RequestDenied|Insufficient privileges|Forbidden|\b403\b|\b401\b", said)
    if denied and where.startswith(GRAPH):
        return (
            "You may not change app registrations in this directory. Ask for the Entra role Application Administrator "
            "(or Cloud Application Administrator), or have somebody who has it run this same command: what is there "
            f"already stays as it is. ({where}: {detail})"
        )
    if denied:
        return (
            "You may not change users and roles in this Dataverse environment. Ask for the security role System "
            "Administrator there, or have somebody who has it run this same command: what is there already stays as "
            f"it is. ({where}: {detail})"
        )
    return f"The Azure CLI failed at {where}: {detail}"
