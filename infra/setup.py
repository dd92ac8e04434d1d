#!/usr/bin/env python3
"""Sets up what Bicep cannot: registrations in Entra ID, and the app's user in Dataverse.

    python3 infra/setup.py registration --name "Unstuck test" [--app-url URL] [--with-cli]
    python3 infra/setup.py trust      --client-id ID --identity-principal-id ID
    python3 infra/setup.py dataverse  --url URL --organization-id ID --identity-client-id ID [--run-job KIND]
    python3 infra/setup.py connector  --client-id ID --name "Unstuck connector" [--redirect URL ...]

Needs the Azure CLI, signed in (`az login`). Each command may be repeated: what is there stays as it is. With
--dry-run it asks questions only and prints what it would do. docs/operations.md has the order.
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from infra.az import Cloud, Runner, Trouble, run_az
from infra.dataverse_access import SCHEMA_MAP, DataverseAccess
from infra.directory import Directory


def main(arguments: Sequence[str], run: Runner = run_az, say: Callable[[str], None] = print) -> int:
    """Carries out one command. 0 when it is done, 1 when a person has to do something first."""
    given = _parser().parse_args(arguments)
    cloud = Cloud(run, say, dry_run=given.dry_run)
    try:
        COMMANDS[given.command](given, cloud)
    except Trouble as trouble:
        print(f"setup.py: {trouble}", file=sys.stderr)
        return 1
    if not cloud.changes:
        say("nothing to change")
    return 0


def _registration(given: argparse.Namespace, cloud: Cloud) -> None:
    client_id = Directory(cloud).api(given.name, given.app_url, with_cli=given.with_cli)
    cloud.note(f"UNSTUCK_API_CLIENT_ID={client_id or '(known once it is made)'}")


def _trust(given: argparse.Namespace, cloud: Cloud) -> None:
    Directory(cloud).trust(given.client_id, given.identity_principal_id)


def _dataverse(given: argparse.Namespace, cloud: Cloud) -> None:
    access = DataverseAccess(cloud, given.url, given.schema_map)
    access.set_up(given.identity_client_id, given.organization_id, given.run_job)


def _connector(given: argparse.Namespace, cloud: Cloud) -> None:
    client_id = Directory(cloud).connector(given.name, given.client_id, given.redirect)
    cloud.note(f"connector client id: {client_id or '(known once it is made)'}; add it to signIn.callers")


COMMANDS = {"registration": _registration, "trust": _trust, "dataverse": _dataverse, "connector": _connector}


def _guid(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not an id such as 00000000-0000-0000-0000-000000000000")
    return text.lower()


def _https(text: str) -> str:
    if not re.fullmatch(r"https://[\w.-]+(/[\w./-]*)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not an https address")
    return text


def _name(text: str) -> str:
    if not 0 < len(text.strip()) <= 120:
        raise argparse.ArgumentTypeError("a name has 1 to 120 characters")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="setup.py", description="Entra ID and Dataverse for Unstuck.")
    commands = parser.add_subparsers(dest="command", required=True)
    registration = commands.add_parser("registration", help="the app's own registration, with its roles")
    registration.add_argument("--name", type=_name, required=True)
    registration.add_argument("--app-url", type=_https, help="the app's address, once it is deployed")
    registration.add_argument("--with-cli", action="store_true", help="people may use the Azure CLI to call the app")
    trust = commands.add_parser("trust", help="lets the managed identity speak for the registration")
    trust.add_argument("--client-id", type=_guid, required=True)
    trust.add_argument("--identity-principal-id", type=_guid, required=True)
    dataverse = commands.add_parser("dataverse", help="application user and security role")
    dataverse.add_argument("--url", type=_https, required=True)
    dataverse.add_argument("--organization-id", type=_guid, required=True)
    dataverse.add_argument("--identity-client-id", type=_guid, required=True)
    dataverse.add_argument("--run-job", choices=("next_cycle", "job_row", "workflow"), default="next_cycle")
    dataverse.add_argument("--schema-map", type=Path, default=SCHEMA_MAP)
    connector = commands.add_parser("connector", help="the Power Automate connector's registration")
    connector.add_argument("--name", type=_name, required=True)
    connector.add_argument("--client-id", type=_guid, required=True, help="of the app's own registration")
    connector.add_argument("--redirect", type=_https, action="append", default=[], metavar="URL")
    for each in (registration, trust, dataverse, connector):
        each.add_argument("--dry-run", action="store_true", help="print what would be done, and do nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
