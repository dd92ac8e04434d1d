"""The worker process: Microsoft's own Python runtime, spoken to over a loopback connection.

Run as a script by an interpreter that has only the deployed packages, so it may import nothing but the
standard library and `azure_functions_runtime`; nothing of `local` is within its reach, as on Azure.

Its first line of standard input says where the host listens: {"port", "secret", "app_dir"}. A frame is four
bytes of length (big endian) and that much JSON:

    worker -> host   {"kind": "hello", "secret"}
    worker -> host   {"kind": "indexed", "functions": [...]}  or  {"kind": "failed", "error", "traceback"}
    host -> worker   {"kind": "invoke", "id", "name", "function_id", "inputs", "metadata", "trace_parent"}
    worker -> host   {"kind": "result", "id", "ok", "return", "outputs", "error", "traceback"}
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime  # type: ignore[import-untyped]
from azure_functions_runtime.bindings.datumdef import Datum  # type: ignore[import-untyped]
from azure_functions_runtime.native_invocation import invocation_request_native  # type: ignore[import-untyped]

type Frame = dict[str, Any]

_LENGTH = struct.Struct(">I")
_running: dict[str, str] = {}  # invocation id -> function name, for the log


class Link:
    """The connection to the host. Its end is the end of this process."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))

    def send(self, frame: Frame) -> None:
        data = json.dumps(frame).encode()
        self._socket.sendall(_LENGTH.pack(len(data)) + data)

    def frames(self) -> Iterator[Frame]:
        while head := self._read(_LENGTH.size):
            yield json.loads(self._read(*_LENGTH.unpack(head)))

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                return b""
            data += part
        return bytes(data)


class _Message(SimpleNamespace):
    """Any gRPC message: the runtime only fills in its fields and reads them back."""


class _BindingInfo(_Message):
    undefined, out, inout = 0, 1, 2  # inout is not supported, and the runtime says so itself


class _StatusResult(_Message):
    Failure, Success = 0, 1


# What the runtime takes from the gRPC module that Microsoft's proxy hands it.
_PROTOS = SimpleNamespace(
    BindingInfo=_BindingInfo,
    StatusResult=_StatusResult,
    FunctionMetadataResponse=_Message,
    RpcException=_Message,
    RpcFunctionMetadata=_Message,
    RpcRetryOptions=_Message,
    WorkerInitResponse=_Message,
    WorkerMetadata=_Message,
)


async def index(app_dir: str) -> Frame:
    """Let the runtime import function_app.py and check every function; say what it found."""
    runtime.start_threadpool_executor()
    init = _Message(capabilities={}, function_app_directory=app_dir)
    request = _Message(request=_Message(worker_init_request=init), properties={"host": "127.0.0.1", "protos": _PROTOS})
    answer = await runtime.worker_init_request(request)
    if answer.result.status != _StatusResult.Success:
        error = answer.result.exception
        return {"kind": "failed", "error": error.message, "traceback": error.stack_trace}
    found = (await runtime.functions_metadata_request(None)).function_metadata_results
    return {"kind": "indexed", "functions": [_described(function) for function in found or ()]}


def _described(function: Any) -> Frame:
    return {
        "name": function.name,
        "function_id": function.function_id,
        "bindings": [json.loads(binding) for binding in function.raw_bindings],
        "has_retry": function.retry_options is not None,
    }


async def invoke(frame: Frame, link: Link) -> None:
    """Run one function and send its result; the runtime turns an exception of the handler into one."""
    _running[frame["id"]] = frame["name"]
    runtime.invocation_id_cv.set(frame["id"])  # so that what the runtime itself says of it is named, too
    try:
        ok, returned, outputs, error, traceback = await invocation_request_native(
            frame["id"],
            frame["function_id"],
            [(name, _datum(value)) for name, value in frame["inputs"]],
            {name: _datum(value) for name, value in frame["metadata"].items()},
            trace_parent=frame["trace_parent"],
        )
    except asyncio.CancelledError as cancelled:  # the runtime lets it through, the host would wait for ever
        ok, returned, outputs, error, traceback = False, None, [], repr(cancelled), ""
    finally:
        del _running[frame["id"]]
    link.send(
        {
            "kind": "result",
            "id": frame["id"],
            "ok": ok,
            "return": _wire(returned),
            "outputs": [(name, _wire(datum)) for name, datum in outputs],
            "error": error,
            "traceback": traceback,
        }
    )


def _datum(wire: Frame) -> Any:
    kind, value = wire["type"], wire["value"]
    if kind == "bytes":
        return Datum(base64.b64decode(value), kind)
    if kind == "http":
        return Datum({name: _http_part(part) for name, part in value.items()}, kind)
    return Datum(value, kind)


def _http_part(part: Any) -> Any:
    if isinstance(part, str):
        return Datum(part, "string")
    return _datum(part) if "type" in part else {name: Datum(text, "string") for name, text in part.items()}


def _wire(datum: Any) -> Frame | None:
    if datum is None or datum.type is None:
        return None
    if datum.type == "bytes":
        return {"type": "bytes", "value": base64.b64encode(datum.value).decode()}
    if datum.type == "http":
        return {"type": "http", "value": _response(datum.value)}
    return {"type": datum.type, "value": datum.value}


def _response(value: Any) -> Frame:
    return {
        "status": int(value["status_code"].value),
        "headers": {name: header.value for name, header in value["headers"].items()},
        "cookies": [text for cookie in value["cookies"] or () for text in _set_cookies(cookie)],
        "body": _wire(value["body"]),
    }


def _set_cookies(cookie: SimpleCookie) -> Iterator[str]:
    for morsel in cookie.values():
        morsel["path"] = morsel["path"] or "/"  # ASP.NET's default, and the host is ASP.NET
        yield morsel.OutputString()


def _listen(link: Link, loop: asyncio.AbstractEventLoop) -> None:
    """Hand every frame to the loop, and die with the connection even if a handler blocks the loop."""
    tasks: set[asyncio.Task[None]] = set()

    def start(frame: Frame) -> None:
        task = loop.create_task(invoke(frame, link))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    try:
        for frame in link.frames():
            loop.call_soon_threadsafe(start, frame)
    finally:
        os._exit(0)


def _log_to_stderr() -> None:
    def named(record: logging.LogRecord) -> bool:
        record.__dict__["function"] = _running.get(runtime.invocation_id_cv.get() or "", "-")
        return True

    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s [%(function)s] %(message)s")
    formatter.converter = time.gmtime
    formatter.default_time_format, formatter.default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ"
    handler = logging.StreamHandler()
    handler.addFilter(named)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("azure.functions").setLevel(logging.WARNING)  # lists all bindings once for each function


async def _serve(link: Link, app_dir: str) -> None:
    loop = asyncio.get_running_loop()
    threading.Thread(target=_listen, args=(link, loop), daemon=True).start()
    link.send(await index(app_dir))
    await loop.create_future()  # the listening thread ends the process


def main() -> None:
    told = json.loads(sys.stdin.readline())
    os.chdir(told["app_dir"])
    sys.path.insert(0, told["app_dir"])
    _log_to_stderr()
    link = Link(told["port"])
    link.send({"kind": "hello", "secret": told["secret"]})
    asyncio.run(_serve(link, told["app_dir"]))


if __name__ == "__main__":
    main()
