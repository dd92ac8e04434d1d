"""The committed files of the connector: by Microsoft's own schemas where they are there, by its rules for icons."""

import copy
import json
import os
from pathlib import Path
from typing import Any

import json5
import pytest
from jsonschema.validators import validator_for
from PIL import Image, ImageChops

from connector import prepare
from connector.document import Document
from connector.icon import brand_color, drawn
from connector.lint import COMMITTED, problems
from connector.table import README, readme_with, table

FOLDER = COMMITTED.parent
SCHEMAS = Path(os.environ.get("MICROSOFT_SCHEMAS") or FOLDER.parents[1] / "shared" / "reference" / "schemas")
API_APP, CONNECTOR_APP = "11111111-2222-4333-8444-555555555555", "66666666-7777-4888-8999-aaaaaaaaaaaa"


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _by_schema(document: Any, name: str) -> list[str]:
    """What Microsoft's schema of this name finds wrong."""
    path = SCHEMAS / name
    if not path.exists():
        pytest.skip(f"Microsoft's {name} is not here; it is in microsoft/PowerPlatformConnectors, folder schemas")
    schema: Any = json5.loads(path.read_text("utf-8"))
    return [f"{[*e.absolute_path]}: {e.message[:200]}" for e in validator_for(schema)(schema).iter_errors(document)]


def test_the_swagger_document_is_one_by_microsofts_schema() -> None:
    assert _by_schema(_read(COMMITTED), "apiDefinition.swagger.schema.json") == []


@pytest.mark.parametrize("name", ["apiProperties.json", "apiProperties.key.json"])
def test_the_properties_are_so_by_microsofts_schema(name: str) -> None:
    properties = copy.deepcopy(_read(FOLDER / name))
    token = properties["properties"]["connectionParameters"].get("token")
    if token is not None:
        # The schema is older than this mode, which new connectors have to name, and than signing in on behalf of.
        assert token["oAuthSettings"]["redirectMode"] == "GlobalPerConnector"
        token["oAuthSettings"]["redirectMode"] = "Global"
        del token["oAuthSettings"]["customParameters"]["enableOnbehalfOfLogin"]
    assert _by_schema(properties, "paconn-apiProperties.schema.json") == []


def test_microsofts_schema_sees_a_fault() -> None:
    properties = {"iconBrandColor": "#123456", "wings": 2, "capabilities": [], "connectionParameters": {}}
    assert _by_schema({"properties": properties}, "paconn-apiProperties.schema.json") != []


def test_signing_in_is_by_entra_on_behalf_of_the_caller() -> None:
    parameters = _read(FOLDER / "apiProperties.json")["properties"]["connectionParameters"]
    settings = parameters["token"]["oAuthSettings"]
    assert (settings["identityProvider"], settings["scopes"]) == ("aad", ["user_impersonation"])
    assert settings["customParameters"]["enableOnbehalfOfLogin"] == {"value": "true"}
    assert settings["properties"]["IsOnbehalfofLoginSupported"] is True
    assert "clientSecret" not in settings


def test_the_icon_is_as_connectors_want_it() -> None:
    icon = Image.open(FOLDER / "icon.png")
    assert icon.format == "PNG"
    assert icon.width == icon.height
    assert 100 <= icon.width <= 230
    assert (FOLDER / "icon.png").stat().st_size < 1_000_000
    background = Image.new("RGB", icon.size, brand_color())
    box = ImageChops.difference(icon.convert("RGB"), background).getbbox()
    assert box is not None
    assert max(box[2] - box[0], box[3] - box[1]) <= 0.7 * icon.width
    assert brand_color() not in ("#007ee5", "#ffffff")


def test_the_icon_is_the_one_that_is_drawn() -> None:
    assert ImageChops.difference(Image.open(FOLDER / "icon.png").convert("RGB"), drawn()).getbbox() is None


def test_the_readme_has_every_operation() -> None:
    text = README.read_text("utf-8")
    made = table(Document(_read(COMMITTED)))
    assert readme_with(text, made) == text, "run python -m connector.table"
    with pytest.raises(ValueError, match="needs the lines"):
        readme_with("nothing", made)


class TestPreparing:
    def test_both_registrations_and_the_host_are_put_in(self, tmp_path: Path) -> None:
        to = tmp_path / "made"
        names = ["--host", "Unstuck.example.net", "--connector-app", CONNECTOR_APP, "--api-app", API_APP]
        assert prepare.main([*names, "--to", str(to)]) == 0
        settings = _read(to / "apiProperties.json")["properties"]["connectionParameters"]["token"]["oAuthSettings"]
        assert settings["clientId"] == CONNECTOR_APP
        assert settings["customParameters"]["resourceUri"]["value"] == f"api://{API_APP}"
        assert "00000000-0000" not in (to / "apiProperties.json").read_text("utf-8")
        swagger = _read(to / "apiDefinition.swagger.json")
        assert swagger["host"] == "unstuck.example.net"
        assert problems(swagger) == []
        assert (to / "icon.png").read_bytes() == (FOLDER / "icon.png").read_bytes()

    def test_the_key_variant_signs_in_by_key(self, tmp_path: Path) -> None:
        to = tmp_path / "made"
        assert prepare.main(["--host", "unstuck.example.net", "--key", "--to", str(to)]) == 0
        swagger = _read(to / "apiDefinition.swagger.json")
        assert swagger["securityDefinitions"]["api_key"]["name"] == "x-functions-key"
        assert swagger["security"] == [{"api_key": []}]
        assert problems(swagger) == []
        assert _read(to / "apiProperties.json") == _read(FOLDER / "apiProperties.key.json")

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            (["--host", "https://unstuck.example.net", "--key"], "is no host name"),
            (["--host", "unstuck.example.net/api", "--key"], "is no host name"),
            (["--host", "unstuck.example.net"], "--connector-app and --api-app"),
            (["--host", "unstuck.example.net", "--connector-app", "me", "--api-app", API_APP], "is no client id"),
        ],
    )
    def test_what_makes_no_sense_is_named_and_nothing_is_written(
        self, arguments: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        to = tmp_path / "made"
        with pytest.raises(SystemExit):
            prepare.main([*arguments, "--to", str(to)])
        assert named in capsys.readouterr().err
        assert not to.exists()

    def test_nothing_is_written_over(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "mine.txt").write_text("mine")
        with pytest.raises(SystemExit):
            prepare.main(["--host", "unstuck.example.net", "--key", "--to", str(tmp_path)])
        assert "is not empty" in capsys.readouterr().err
        assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]
