#!/usr/bin/env python3
"""Backup and restore of the ledger: all tables into files, and back into empty ones.

    python infra/ledger.py backup  --account NAME --to FOLDER
    python infra/ledger.py verify  --from FOLDER
    python infra/ledger.py restore --account NAME --from FOLDER

Needs the packages of requirements.txt (.venv-app/bin/python after `python3 dev.py setup`) and the Azure CLI, signed in
as somebody with the role Storage Table Data Reader (backup) or Contributor (restore) on the account. For a storage
emulator, put its connection string into UNSTUCK_LEDGER_CONNECTION and leave --account out.

Stop the app before both: a backup of a running app may lack a case that was saved meanwhile (verify names it), and a
restore under a running app would be written over. Restoring refuses tables that hold rows.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError
from azure.data.tables import TableServiceClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from infra.ledger_check import check
from infra.ledger_files import (
    BackupUnreadable,
    Part,
    contents,
    file_of,
    line_of,
    rows,
    sum_of,
    write_contents,
)

CONNECTION = "UNSTUCK_LEDGER_CONNECTION"
NOT_OURS = ("AzureFunctions", "$")
"""What the Functions host and the service keep in the same account begins with these."""
CALLBACKS = "webhooks"
"""Left out: it holds the addresses of flows, and whoever has one may start the flow. Flows subscribe anew."""
_ROWS, _BYTES = 100, 2_000_000
"""What one transaction may hold: the service's own limits, the second with room to spare."""


def main(arguments: Sequence[str]) -> int:
    """Carries out one command: 0 when all is well, 1 when something is wrong with the backup or the account."""
    given = _parser().parse_args(arguments)
    try:
        return _COMMANDS[given.command](given)
    except (BackupUnreadable, AzureError, OSError) as error:
        print(f"ledger.py: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1


def backup(given: argparse.Namespace) -> int:
    """All tables into files."""
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupUnreadable(f"{folder} is not empty: a backup gets a folder of its own.")
    with _service(given.account) as service:
        names = sorted(
            table.name for table in service.list_tables() if not table.name.startswith((*NOT_OURS, CALLBACKS))
        )
        # The index first: a case that moves meanwhile is then found by its older row, and put right by the app.
        names.sort(key=lambda name: name == "cases")
        parts = [_export(service, name, folder) for name in names]
    write_contents(folder, parts)
    return verify(given)


def verify(given: argparse.Namespace) -> int:
    """Sums, hashes and index of a backup."""
    parts = contents(given.folder)
    for part in parts:
        print(f"{part.table}: {part.rows} rows")
    found = check(given.folder, {part.table for part in parts})
    print(f"{found.cases} cases, {found.events} events, {len(found.broken)} broken")
    print("".join(f"BROKEN {each}\n" for each in found.broken), end="")
    print("".join(f"not listed, diagnose it by hand: {each}\n" for each in found.not_listed), end="")
    return 1 if found.broken else 0


def restore(given: argparse.Namespace) -> int:
    """Files into empty tables. Everything is checked before the first row is written."""
    parts = contents(given.folder)
    with _service(given.account) as service:
        for part in parts:
            table = service.create_table_if_not_exists(part.table)
            if any(True for _ in table.list_entities(results_per_page=1)):
                raise BackupUnreadable(
                    f"Table {part.table} holds rows. Restore into an account whose tables are empty."
                )
        for part in parts:
            table = service.get_table_client(part.table)
            for some in _transactions(rows(given.folder, part.table)):
                table.submit_transaction([("create", row) for row in some])
            print(f"{part.table}: {part.rows} rows restored")
    return 0


def _export(service: TableServiceClient, name: str, folder: Path) -> Part:
    count = 0
    with file_of(folder, name).open("w", encoding="utf-8") as file:
        for row in service.get_table_client(name).list_entities():
            file.write(line_of(row) + "\n")
            count += 1
    return Part(name, count, sum_of(file_of(folder, name)))


def _transactions(every: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows of one partition each, as many as fit into one transaction."""
    for _, partition in groupby(every, key=lambda row: row["PartitionKey"]):
        some: list[dict[str, Any]] = []
        taken = 0
        for row in partition:
            weight = len(json.dumps(row, default=str))
            if some and (len(some) == _ROWS or taken + weight > _BYTES):
                yield some
                some, taken = [], 0
            some.append(row)
            taken += weight
        yield some


def _service(account: str | None) -> TableServiceClient:
    if account is None:
        connection = os.environ.get(CONNECTION)
        if not connection:
            raise BackupUnreadable(f"Give --account, or a connection string in {CONNECTION}.")
        return TableServiceClient.from_connection_string(connection)
    from azure.identity import AzureCliCredential  # slow to import, and not needed for an emulator

    return TableServiceClient(f"https://{account}.table.core.windows.net", credential=AzureCliCredential())


_COMMANDS = {"backup": backup, "verify": verify, "restore": restore}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ledger.py", description="Backup and restore of the ledger.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, folder in (("backup", "--to"), ("verify", "--from"), ("restore", "--from")):
        command = commands.add_parser(name)
        command.add_argument(folder, type=Path, required=True, dest="folder", metavar="FOLDER")
        if name != "verify":
            command.add_argument("--account", metavar="NAME", help="name of the storage account")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
