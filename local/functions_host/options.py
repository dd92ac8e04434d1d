"""What the host is told when it starts, from Python or on the command line."""

import argparse
import ast
import inspect
import secrets
from collections.abc import Sequence
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path


def new_key() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, kw_only=True)
class HostOptions:
    """Everything one host needs to know. Every field is an option of `python -m local.functions_host`, too."""

    app_dir: Path
    """The folder with function_app.py and host.json; it comes first on the worker's import path."""

    worker_python: Path
    """The interpreter of the worker, of an environment with nothing but the deployed packages."""

    settings: Path
    """The app settings, in the format of local.settings.json: {"Values": {"NAME": "text"}}."""

    port: int = 0
    """The port for HTTP on 127.0.0.1; 0 takes any free one."""

    log: Path | None = None
    """The file that gets the log of host and worker (appended). Without one it goes to standard error."""

    master_key: str = field(default_factory=new_key)
    """The key for /admin and for functions of every level. Made up if not given."""

    host_key: str = field(default_factory=new_key)
    """The key for functions of level `function`. Made up if not given."""

    sign_ins: Path | None = None
    """A file of principals by bearer token (JSON). With it the host plays App Service's authentication, too."""

    visibility_seconds: int = 600
    """How long a queue message stays hidden while its handler runs, renewed at half of it. Azure: 600."""

    worker_back_off_seconds: float = 1.0
    """The pause before a worker that died is started again."""

    worker_start_seconds: float = 60.0
    """How long a worker may take to start, and how long a request waits for one that is being restarted."""

    stop_grace_seconds: float = 5.0
    """How long running handlers may go on after the host was told to stop."""

    lease_seconds: float = 15.0
    """How long a timer stays with a host that fell silent; renewed every 5 s or at a third of it. Azure: 15."""

    create_trigger_queues: bool = True
    """Create the queues of queue triggers. Azure does not: there a trigger waits until its queue exists."""

    stop_with_stdin: bool = False
    """Stop when standard input closes, so that the host cannot outlive the program that started it."""

    def arguments(self) -> list[str]:
        """These options as a command line."""
        return [_argument(name, value) for name, value in asdict(self).items() if value is not None]

    @classmethod
    def parse(cls, arguments: Sequence[str] | None = None) -> "HostOptions":
        """The options on a command line (None: the one of this process)."""
        parser = argparse.ArgumentParser(
            prog="python -m local.functions_host", description="Runs a Python function app without Azure."
        )
        helps = _docstrings(cls)
        for option in fields(cls):
            _add(parser, option, helps[option.name])
        given = vars(parser.parse_args(arguments))
        return cls(**{name: value for name, value in given.items() if value is not None})


def _argument(name: str, value: object) -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    if isinstance(value, Path):
        value = value.absolute()  # the host may run in another folder than the one who starts it
    return f"--{flag}={value}"  # one word, since a generated key may begin with a dash


def _add(parser: argparse.ArgumentParser, option: "Field[object]", text: str) -> None:
    flag = "--" + option.name.replace("_", "-")
    if option.type is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
        return
    required = option.default is MISSING and option.default_factory is MISSING
    kind = option.type if option.type in (int, float, str) else Path
    parser.add_argument(flag, type=kind, required=required, help=text)


def _docstrings(cls: type) -> dict[str, str]:
    """The text under each field, so that the help says what the source says."""
    definition = ast.parse(inspect.getsource(cls)).body[0]
    assert isinstance(definition, ast.ClassDef)  # noqa: S101  a class is all this is called with
    return {
        name.target.id: text.value.value.replace("%", "%%")
        for name, text in pairwise(definition.body)
        if isinstance(name, ast.AnnAssign)
        and isinstance(name.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
