"""The app settings: read once, resolved in bindings, and all the environment that the worker gets."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from local.functions_host.errors import CannotStart

type Settings = Mapping[str, str]

# What an interpreter needs to run at all. Nothing else of this machine may leak into the app.
_INHERITED = (
    *("PATH", "HOME", "TMPDIR", "TMP", "TEMP", "LANG"),
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA"),
)

# 1000 threads for synchronous functions is what the real host sets when the app says nothing.
_DEFAULTS = {"PYTHON_THREADPOOL_THREAD_COUNT": "1000", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}


def load_settings(path: Path) -> Settings:
    """The `Values` of a file in the format of local.settings.json; every one of them must be text."""
    try:
        values = json.loads(path.read_text("utf-8"))["Values"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotStart(f"{path}: not a settings file with Values: {error!r}") from error
    wrong = [name for name, value in values.items() if not isinstance(value, str)]
    if wrong:
        raise CannotStart(f"{path}: these app settings are not text: {', '.join(wrong)}")
    return dict(values)


def worker_environment(settings: Settings) -> dict[str, str]:
    """The whole environment of the worker: the settings over the little that is inherited."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | _DEFAULTS | dict(settings)


def resolve(text: str, settings: Settings) -> str:
    """Fill in every %NAME% from the settings."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in settings:
            raise CannotStart(f"the app setting {match[1]} is missing; {text!r} needs it")
        return settings[match[1]]

    return re.sub(r"%([^%]+)%", value, text)


def connection_string(connection: str, settings: Settings) -> str:
    """The connection string that a binding names: AzureWebJobs<name> comes before <name>, as in the SDK."""
    for name in (f"AzureWebJobs{connection}", connection):
        if settings.get(name):
            return settings[name]
    raise CannotStart(f"the app setting {connection} is missing; it must hold a connection string")
