"""The part of host.json that this host heeds. Anything else in the file is ignored."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from local.functions_host.errors import CannotStart

_OVERRIDE = "azurefunctionsjobhost"
_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?")


def time_span(text: str) -> timedelta:
    """A .NET TimeSpan, "[d.]hh:mm[:ss[.f]]". As in .NET, "24:00:00" is 24 days: a first part past 23 is days."""
    match = _TIME_SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time span hh:mm:ss")
    days, first, second, third = (float(part or 0) for part in match.groups())
    if first >= 24:
        return timedelta(days=first, hours=second, minutes=third)
    return timedelta(days=days, hours=first, minutes=second, seconds=third)


@dataclass(frozen=True)
class QueueOptions:
    """extensions.queues: one block for all queues of the app."""

    batch_size: int = 16
    """Messages fetched together, run at the same time for one function on one host. At most 32."""

    new_batch_threshold: int = 8
    """Fetch again when so many or fewer are running. Default: half of batch_size for each processor."""

    max_dequeue_count: int = 5
    """The try after which a failing message goes to the poison queue."""

    visibility_timeout: timedelta = timedelta(0)
    """The pause before a message that failed shows again. Nothing to do with how long a handler may run."""

    max_polling_interval: timedelta = timedelta(minutes=1)
    """The longest pause between two looks at an empty queue."""

    base64: bool = True
    """Whether messages are base64 (messageEncoding base64, the default) or plain text (none)."""

    @classmethod
    def read(cls, block: Mapping[str, Any]) -> Self:
        batch = int(block.get("batchSize", cls.batch_size))
        threshold = block.get("newBatchThreshold", max(1, batch * (os.cpu_count() or 1) // 2))
        encoding = str(block.get("messageEncoding", "base64")).lower()
        options = cls(
            batch_size=batch,
            new_batch_threshold=int(threshold),
            max_dequeue_count=int(block.get("maxDequeueCount", cls.max_dequeue_count)),
            visibility_timeout=time_span(block.get("visibilityTimeout", "00:00:00")),
            max_polling_interval=time_span(block.get("maxPollingInterval", "00:01:00")),
            base64=encoding == "base64",
        )
        if not 1 <= batch <= 32 or options.max_dequeue_count < 1 or encoding not in ("base64", "none"):
            raise ValueError("extensions.queues: batchSize 1-32, maxDequeueCount from 1, messageEncoding base64|none")
        return options


@dataclass(frozen=True)
class HostJson:
    """What host.json says, with the defaults of the real host."""

    route_prefix: str = "api"
    """The first part of every HTTP route; may be empty."""

    function_timeout: timedelta | None = timedelta(minutes=30)
    """How long a handler may run before its worker is killed. None: for ever ("-1" in the file)."""

    queues: QueueOptions = QueueOptions()

    @classmethod
    def read(cls, app_dir: Path, settings: Mapping[str, str] | None = None) -> Self:
        """The host.json in this folder; one that is broken is refused, one that is missing means defaults.

        App settings named AzureFunctionsJobHost__a__b win over what the file says at a.b, as on Azure.
        """
        path = app_dir / "host.json"
        try:
            content = json.loads(path.read_text("utf-8")) if path.exists() else {}
            return cls._from(_overridden(content, settings or {}))
        except (ValueError, AttributeError, TypeError) as error:
            raise CannotStart(f"{path}: {error}") from error

    @classmethod
    def _from(cls, content: Mapping[str, Any]) -> Self:
        extensions = content.get("extensions", {})
        timeout = content.get("functionTimeout")
        return cls(
            route_prefix=extensions.get("http", {}).get("routePrefix", "api").strip("/"),
            function_timeout=cls.function_timeout if timeout is None else _timeout(timeout),
            queues=QueueOptions.read(extensions.get("queues", {})),
        )


def _overridden(content: dict[str, Any], settings: Mapping[str, str]) -> dict[str, Any]:
    """https://learn.microsoft.com/azure/azure-functions/functions-host-json#override-hostjson-values"""
    for name, value in settings.items():
        prefix, *path = name.split("__")
        if prefix.lower() != _OVERRIDE or not path:
            continue
        block = content
        *steps, last = path
        for step in steps:
            block = block.setdefault(step, {})
        block[last] = value
    return content


def _timeout(text: str) -> timedelta | None:
    return None if text == "-1" else time_span(text)
