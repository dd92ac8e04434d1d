"""The host's end of the connection to one worker. The frames are described in worker.py."""

import asyncio
import json
import struct
from typing import Any

from local.functions_host.outcome import Failed, Lost, Outcome, Succeeded

type Frame = dict[str, Any]

_LENGTH = struct.Struct(">I")


async def read_frame(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; None when the other end is gone."""
    try:
        (size,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        frame: Frame = json.loads(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return frame


class Connection:
    """A worker that has said hello. Every invocation it was given ends, at the latest when it dies."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._waiting: dict[str, asyncio.Future[Outcome]] = {}
        self._gone = False

    async def indexed(self) -> Frame | None:
        """The first frame after hello: what the worker found in the app."""
        return await read_frame(self._reader)

    async def invoke(self, frame: Frame) -> Outcome:
        """Send one invocation and wait for its end. Giving up waiting does not stop the handler."""
        if self._gone:
            return Lost("the worker died before it could take the invocation")
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting[frame["id"]] = outcome
        data = json.dumps({"kind": "invoke", **frame}).encode()
        self._writer.write(_LENGTH.pack(len(data)) + data)
        try:
            return await outcome
        finally:
            self._waiting.pop(frame["id"], None)

    async def run(self) -> None:
        """Hand out results until the worker is gone; then all that still wait have lost theirs."""
        while (frame := await read_frame(self._reader)) is not None:
            self._end(frame["id"], _outcome(frame))
        self._gone = True
        for invocation in list(self._waiting):
            self._end(invocation, Lost("the worker died while it ran the function"))

    def close(self) -> None:
        """End the connection, and with it the worker."""
        self._writer.close()

    def _end(self, invocation: str, outcome: Outcome) -> None:
        waiting = self._waiting.pop(invocation, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(outcome)


def _outcome(frame: Frame) -> Outcome:
    if frame["ok"]:
        return Succeeded(frame["return"], [(name, datum) for name, datum in frame["outputs"] if datum])
    return Failed(frame["error"])
