"""One invocation from its trigger to its outputs."""

import base64
import json
import logging
import secrets
import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta

from azure.core.exceptions import AzureError

from local.functions_host.metadata import Function
from local.functions_host.outcome import Datum, Failed, Outcome, Succeeded
from local.functions_host.storage import Storage
from local.functions_host.supervisor import Supervisor

_log = logging.getLogger("host.invoker")


class Invoker:
    """Runs functions on the worker and writes what they put into their queue outputs."""

    def __init__(self, supervisor: Supervisor, storage: Storage, timeout: timedelta | None) -> None:
        self._supervisor = supervisor
        self._storage = storage
        self._timeout = timeout.total_seconds() if timeout else None

    async def run(
        self,
        function: Function,
        trigger: Datum,
        metadata: Mapping[str, Datum] | None = None,
        trace_parent: str = "",
    ) -> Outcome:
        """Run one function. It has only succeeded when its outputs are written."""
        frame = {
            "id": str(uuid.uuid4()),
            "name": function.name,
            "function_id": function.function_id,
            "inputs": [(function.trigger.name, trigger)],
            "metadata": dict(metadata or {}),
            "trace_parent": trace_parent or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
        }
        outcome = await self._supervisor.invoke(frame, self._timeout)
        if isinstance(outcome, Succeeded):
            outcome = await self._written(function, outcome)
        if not isinstance(outcome, Succeeded):
            _log.warning("%s %s: %s", function.name, frame["id"], outcome)
        return outcome

    async def _written(self, function: Function, outcome: Succeeded) -> Outcome:
        values = dict(outcome.outputs)
        if outcome.returned:
            values["$return"] = outcome.returned
        try:
            for binding in function.outputs:
                if binding.kind == "queue" and binding.name in values:
                    for body in messages(values[binding.name]):
                        await self._storage.queue(binding).send(body)
        except (AzureError, UnicodeDecodeError) as error:
            return Failed(f"{function.name}: an output could not be written: {error}")
        return outcome


def messages(datum: Datum) -> Iterator[bytes]:
    """The queue messages in one output: a JSON array is as many messages as it has items."""
    if datum["type"] == "bytes":
        yield base64.b64decode(datum["value"])
        return
    value = json.loads(datum["value"]) if datum["type"] == "json" else datum["value"]
    for item in value if isinstance(value, list) else [value]:
        yield (item if isinstance(item, str) else json.dumps(item)).encode()
