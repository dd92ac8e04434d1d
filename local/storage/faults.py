"""What storage does to a caller on a bad day: busy, failing, or an answer that never arrives."""

import re
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal["throttled", "server_error", "cut_before", "cut_after"]

# Status, and the service's code with its words.
_ERRORS: dict[FaultKind, tuple[int, str, str]] = {
    "throttled": (503, "ServerBusy", "The server is busy."),
    "server_error": (500, "InternalError", "Server encountered an internal error. Please try again after some time."),
}


@dataclass
class Fault:
    """Something that goes wrong with the next `times` requests that fit; `struck` counts those it went wrong with.

    `throttled` and `server_error` are answered without anything being done, `throttled` with `retry_after` seconds;
    `cut_before` ends the connection before it was done, `cut_after` once it was. `method` must fit all of the
    request's method, `path` be found in its path: both are regular expressions.
    """

    kind: FaultKind
    method: str = ".*"
    path: str = ""
    times: int = 1
    retry_after: int = 1
    struck: int = 0

    def strikes(self, method: str, path: str) -> bool:
        """Whether this request is hit; counts it if so."""
        fits = re.fullmatch(self.method, method) is not None and re.search(self.path, path) is not None
        if not fits or self.struck >= self.times:
            return False
        self.struck += 1
        return True

    def answer(self) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Status, headers and body of a refusal."""
        status, code, message = _ERRORS[self.kind]
        body = f'{{"odata.error":{{"code":"{code}","message":{{"lang":"en-US","value":"{message}"}}}}}}'
        headers = [(b"content-type", b"application/json"), (b"x-ms-error-code", code.encode())]
        if self.kind == "throttled":
            headers.append((b"retry-after", str(self.retry_after).encode()))
        return status, headers, body.encode()
