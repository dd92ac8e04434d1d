"""The real app's worker killed, and its whole instance frozen, at requests spread over all that it sends.

Input: a small world on the local stack, and a gate on the network before it. Output: how everything ends. Not faked:
the app, its worker, the host, storage, and the wire between them. `dev.py drill --real` does so at every request.
"""

import sys

import pytest

from drill.gate import Kind, kind_of
from drill.kill_points import KillPoints, rehearse_kills

MOST = 3


@pytest.mark.host
@pytest.mark.azurite
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_wherever_the_worker_is_killed_or_frozen_all_ends_as_it_should() -> None:
    rehearsed = rehearse_kills(MOST)
    assert rehearsed.trouble == ()
    assert rehearsed == KillPoints(MOST, MOST, MOST, MOST)
    assert rehearsed.good


def test_a_drill_in_which_nothing_was_survived_or_nothing_was_tried_is_not_good() -> None:
    assert not KillPoints().good
    assert not KillPoints(2, 2, 2, 1, ("frozen at this: that",)).good
    assert not (KillPoints(1, 1, 1, 1) + KillPoints(1, 0, 1, 1)).good


def test_its_numbers_stand_beside_those_of_the_simulation_with_the_trouble_of_both() -> None:
    told = KillPoints(2, 1, 2, 2, ("killed at this: that",)).added_to({"guards": 7, "trouble": ["another"]})
    assert told == {
        "guards": 7,
        "kill_points": 2,
        "kill_points_survived": 1,
        "frozen_points": 2,
        "frozen_points_survived": 2,
        "trouble": ["another", "killed at this: that"],
    }


STORAGE, WEB_API = "/devstoreaccount1", "/api/data/v9.2"
ROW = "(PartitionKey='a',RowKey='b')"
SAVES = b"--b\r\nPUT http://127.0.0.1:1/devstoreaccount1/cases(PartitionKey='a',RowKey='b') HTTP/1.1\r\n"
READS, WRITES = (b"--b\r\n\r\n%s x HTTP/1.1\r\n" % method for method in (b"GET", b"PATCH"))


@pytest.mark.parametrize(
    ("service", "method", "path", "body", "kind"),
    [
        ("Table", "POST", f"{STORAGE}/$batch", SAVES, Kind("Table POST cases, a transaction", effect=True)),
        ("Table", "GET", f"{STORAGE}/cases{ROW}", b"", Kind("Table GET cases, one row", effect=False)),
        ("Table", "GET", f"{STORAGE}/caseindex()", b"", Kind("Table GET caseindex, rows", effect=False)),
        ("Table", "GET", f"{STORAGE}/hostlocks{ROW}", b"", None),
        ("Queue", "POST", f"{STORAGE}/remediate/messages", b"", Kind("Queue POST remediate", effect=True)),
        ("Queue", "GET", f"{STORAGE}/remediate/messages", b"", None),
        ("Queue", "DELETE", f"{STORAGE}/remediate/messages/1", b"", None),
        ("dataverse", "GET", f"{WEB_API}/rows", b"", Kind("Dataverse GET rows", effect=False)),
        ("dataverse", "POST", f"{WEB_API}/$batch", READS, Kind("Dataverse $batch that reads", effect=False)),
        ("dataverse", "POST", f"{WEB_API}/$batch", WRITES, Kind("Dataverse $batch that writes", effect=True)),
        ("control", "POST", "/notifications", b"{}", Kind("webhook POST", effect=True)),
        ("control", "GET", "/harm", b"", None),
    ],
)
def test_a_request_is_told_by_what_it_asks_or_changes(
    service: str, method: str, path: str, body: bytes, kind: Kind | None
) -> None:
    assert kind_of(service, method, path, body) == kind
