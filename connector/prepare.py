"""Makes a folder that `paconn create` or `pac connector create` can register: the files here, with your names in them.

python -m connector.prepare --host HOST --connector-app ID --api-app ID --to FOLDER
python -m connector.prepare --host HOST --key --to FOLDER
"""

import argparse
import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

FOLDER = Path(__file__).parent

type Json = dict[str, Any]

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_KEY_DEFINITION = {"type": "apiKey", "in": "header", "name": "x-functions-key"}


def swagger_for(document: Json, host: str, *, key: bool) -> Json:
    """The swagger document for an app at `host`; with `key`, signing in is a function key."""
    made = {**document, "host": host}
    if key:
        made["securityDefinitions"] = {"api_key": _KEY_DEFINITION}
        made["security"] = [{"api_key": []}]
    return made


def properties_for(properties: Json, connector_app: str, api_app: str) -> Json:
    """apiProperties.json with the two app registrations in their places."""
    made: Json = json.loads(json.dumps(properties))
    settings = made["properties"]["connectionParameters"]["token"]["oAuthSettings"]
    settings["clientId"] = connector_app
    settings["properties"]["AzureActiveDirectoryResourceId"] = f"api://{api_app}"
    settings["customParameters"]["resourceUri"]["value"] = f"api://{api_app}"
    return made


def main(arguments: Sequence[str]) -> int:
    """Writes the folder. The exit code."""
    given = _parser().parse_args(arguments)
    if not given.key and not (given.connector_app and given.api_app):
        _parser().error("give --connector-app and --api-app, or --key for development")
    if given.to.exists() and any(given.to.iterdir()):
        _parser().error(f"--to: {given.to} is not empty")
    given.to.mkdir(parents=True, exist_ok=True)
    swagger = swagger_for(_read("apiDefinition.swagger.json"), given.host, key=given.key)
    properties = (
        _read("apiProperties.key.json")
        if given.key
        else properties_for(_read("apiProperties.json"), given.connector_app, given.api_app)
    )
    _write(given.to / "apiDefinition.swagger.json", swagger)
    _write(given.to / "apiProperties.json", properties)
    shutil.copyfile(FOLDER / "icon.png", given.to / "icon.png")
    print(f"{given.to}: ready to be registered")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m connector.prepare")
    parser.add_argument("--host", type=_host, required=True, help="the app's host, such as contoso.azurewebsites.net")
    parser.add_argument("--connector-app", type=_id, help="client id of the registration that the connector uses")
    parser.add_argument("--api-app", type=_id, help="client id of the registration that the function app answers for")
    parser.add_argument("--key", action="store_true", help="sign in with a function key: for development only")
    parser.add_argument("--to", type=Path, required=True, help="a folder that is empty or not there")
    return parser


def _host(text: str) -> str:
    if not _HOST.fullmatch(text.lower()):
        raise argparse.ArgumentTypeError(f"{text!r} is no host name: leave out the scheme and the path")
    return text.lower()


def _id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no client id") from None


def _read(name: str) -> Json:
    read: Json = json.loads((FOLDER / name).read_text("utf-8"))
    return read


def _write(path: Path, content: Json) -> None:
    path.write_text(json.dumps(content, indent=4, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
