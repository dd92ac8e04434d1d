"""What can go wrong in the host itself. A failing function is not among it: that is an `Outcome`.

HostError
├── CannotStart         the app or its settings are wrong; the host exits with code 3
└── WorkerUnavailable   no worker came up in time to take an invocation
"""


class HostError(Exception):
    """Anything the host raises on purpose."""


class CannotStart(HostError):
    """The app does not index, or what it asks for is refused, missing or left out of this host."""


class WorkerUnavailable(HostError):
    """No worker came up in time to take an invocation."""
