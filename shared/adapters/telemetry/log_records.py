"""The app's log, sent with its spans: each record with the case and the trace that it belongs to, and no token."""

import logging
import time
import traceback
from collections.abc import Callable

from opentelemetry import trace
from opentelemetry._logs import Logger, LogRecord, SeverityNumber

from shared.adapters.web.answers import clean

_SEVERITY = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}
_NOT_OURS = ("opentelemetry", "azure", "urllib3", "requests", "httpx", "msal")
"""Loggers of those who send: what they say of sending would have to be sent."""


class SentLog(logging.Handler):
    """Hands every record of the app to OpenTelemetry. `case` gives the id of the case in hand, empty for none."""

    def __init__(self, logger: Logger, case: Callable[[], str]) -> None:
        super().__init__(logging.INFO)
        self._logger = logger
        self._case = case

    def emit(self, record: logging.LogRecord) -> None:
        """Sends what the record says. Its lines become one, and tokens are taken out."""
        if record.name.split(".")[0] in _NOT_OURS:
            return
        try:
            self._logger.emit(self._sent(record))
        except Exception:  # noqa: BLE001  (a record that cannot be sent must not stop what is being done)
            self.handleError(record)

    def _sent(self, record: logging.LogRecord) -> LogRecord:
        context = trace.get_current_span().get_span_context()
        named = {
            "logger": record.name,
            "case_id": self._case(),
            "correlation_id": trace.format_trace_id(context.trace_id) if context.is_valid else "",
            **_error(record),
        }
        return LogRecord(
            timestamp=int(record.created * 1e9),
            observed_timestamp=time.time_ns(),
            severity_text=record.levelname,
            severity_number=_SEVERITY.get(record.levelno, SeverityNumber.INFO),
            body=clean(record.getMessage()),
            attributes={name: value for name, value in named.items() if value},
        )


def _error(record: logging.LogRecord) -> dict[str, str]:
    """The type of what was raised, its text and where, without the texts of what it was raised from."""
    kind, error, where = record.exc_info or (None, None, None)
    if kind is None:
        return {}
    frames = "".join(traceback.format_tb(where))
    return {
        "exception.type": kind.__name__,
        "exception.message": clean(str(error)),
        "exception.stacktrace": "\n".join(clean(line) for line in frames.splitlines()),
    }
