"""The running stack as the demo sees it: the app's own API and the control endpoint, over HTTP."""

import time
from collections.abc import Mapping
from typing import Any, Self

import httpx

from local.demo.judging import Expected, SeenCase
from local.demo.reasoning import Reasoning
from local.stack import Addresses

_PATIENCE_SECONDS = 100
_PAGE = 200
_LOOK_AGAIN_SECONDS = 1.0


class Watcher:
    """One stack. Every method raises httpx.HTTPError when it gets no good answer."""

    def __init__(self, addresses: Addresses) -> None:
        self._app = httpx.Client(
            base_url=addresses.api, headers={"x-functions-key": addresses.api_key}, timeout=_PATIENCE_SECONDS
        )
        self._control = httpx.Client(base_url=addresses.control, timeout=_PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._app.close()
        self._control.close()

    def load(self, text: str) -> None:
        """Replaces the world by the one in this text."""
        self._control.post("/worlds", content=text.encode()).raise_for_status()

    def expected(self) -> list[Expected]:
        """How each subscription of the current world should end."""
        told = self._control.get("/worlds/current").raise_for_status().json()
        return [Expected.of(one) for one in told["subscriptions"]]

    def sweep(self) -> None:
        """Asks the app for a sweep, rather than waiting for its timer."""
        self._app.post("/sweeps").raise_for_status()

    def adopt_stock(self) -> None:
        """Decides as a person would who has looked at what was stuck before: all of it shall be worked on."""
        wanted = {"decision": "adopt", "filter": {}, "by": "the demo", "reason": "everything here shall be freed"}
        while True:
            made = self._finished(self._app.post("/baseline/decisions", json=wanted)).json()
            if not made["decided"] or not made["remaining"]:
                return

    def _finished(self, answer: httpx.Response) -> httpx.Response:
        """The answer itself; of work that took long, the one that its address gives in the end."""
        while answer.raise_for_status().status_code == httpx.codes.ACCEPTED:
            time.sleep(_LOOK_AGAIN_SECONDS)
            answer = self._app.get(answer.headers["Location"])
        return answer

    def open_cases(self) -> dict[str, SeenCase]:
        """Every case by id that is not resolved."""
        return self._list({})

    def resolved_cases(self) -> dict[str, SeenCase]:
        """Every case by id that is resolved; none of them ever changes again."""
        return self._list({"state": "resolved"})

    def reasoning(self, case_id: str) -> Reasoning:
        """Why a case is what it is."""
        return Reasoning.of(self._app.get(f"/cases/{case_id}").raise_for_status().json())

    def harm(self) -> dict[str, Any]:
        """What must not have happened."""
        answer: dict[str, Any] = self._control.get("/harm").raise_for_status().json()
        return answer

    def requests(self) -> dict[str, int]:
        """Requests to Dataverse by purpose."""
        answer: dict[str, int] = self._control.get("/traffic").raise_for_status().json()["dataverse"]
        return answer

    def kill_worker(self) -> int:
        """Kills the app's worker process as a crash would; its process id."""
        pid: int = self._control.post("/worker/kill").raise_for_status().json()["pid"]
        return pid

    def throw(self, fault: Mapping[str, Any]) -> None:
        """Something goes wrong."""
        self._control.post("/faults", json=fault).raise_for_status()

    def struck(self) -> dict[str, int]:
        """How often what was thrown has struck, by its name."""
        answer: dict[str, int] = self._control.get("/faults").raise_for_status().json()["struck"]
        return answer

    def _list(self, wanted: dict[str, str]) -> dict[str, SeenCase]:
        found: dict[str, SeenCase] = {}
        cursor: str | None = None
        while True:
            query = {**wanted, "limit": str(_PAGE), **({"cursor": cursor} if cursor else {})}
            page = self._app.get("/cases", params=query).raise_for_status().json()
            for case in map(SeenCase.of, page["cases"]):
                found[case.id] = case
            cursor = page["next_cursor"]
            if cursor is None:
                return found
