"""Microsoft's storage emulator, started on free ports and with nothing kept on disk."""

import queue
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

_HERE = Path(__file__).parent
_SCRIPT = _HERE / "node_modules/azurite/dist/src/azurite.js"
_SERVICES = ("Blob", "Queue", "Table")
_UP = re.compile(r"Azurite (\w+) service is successfully listening at (http://\S+)")

# The account and key are published by Microsoft for every emulator; they open nothing.
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class AzuriteDidNotStart(Exception):
    """It is not installed (npm ci in local/azurite), or it did not answer in time."""


class Azurite:
    """One emulator. It ends with `stop`, and with this process whatever happens to it."""

    def __init__(self, within_seconds: float = 60) -> None:
        node = shutil.which("node")
        if node is None or not _SCRIPT.exists():
            raise AzuriteDidNotStart("node and `npm ci` in local/azurite are needed for the storage emulator")
        ports = [f"--{service.lower()}Port=0" for service in _SERVICES]
        flags = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent", "--loose"]
        self._process = subprocess.Popen(  # noqa: S603  a pinned script and our own arguments
            [node, "--require", str(_HERE / "until_stdin_closes.js"), str(_SCRIPT), *ports, *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._found: queue.Queue[tuple[str, str] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.urls = self._wait(within_seconds)

    @property
    def connection_string(self) -> str:
        """For the app setting AzureWebJobsStorage and for every client of the SDK."""
        return connection_string(self.urls)

    @property
    def is_running(self) -> bool:
        """False once it has died, for whatever reason."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it; everything in it is gone."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if self._process.stdout:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _read(self) -> None:
        """Read all it ever says: it takes free ports itself and says which, and a full pipe would stop it."""
        for line in self._process.stdout or ():
            if match := _UP.search(line):
                self._found.put((match[1], match[2]))
        self._found.put(None)

    def _wait(self, within_seconds: float) -> dict[str, str]:
        urls: dict[str, str] = {}
        while len(urls) < len(_SERVICES):
            try:
                found = self._found.get(timeout=within_seconds)
            except queue.Empty:
                found = None
            if found is None:
                self.stop()
                raise AzuriteDidNotStart("the storage emulator did not come up")
            urls[found[0]] = found[1]
        return urls


def connection_string(urls: Mapping[str, str]) -> str:
    """The emulator's account at these addresses, by service (Blob, Queue, Table): its own, or those of a way to it."""
    endpoints = "".join(f"{name}Endpoint={url}/{_ACCOUNT};" for name, url in urls.items())
    return f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_KEY};{endpoints}"


def start_azurite(within_seconds: float = 60) -> Azurite:
    """An emulator that answers."""
    return Azurite(within_seconds)
