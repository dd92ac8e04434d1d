"""The copy of the source that names somebody's own connector."""

from pathlib import Path

import pytest

from flows.prepare import main
from flows.source import FOLDER, read

NAME = "shared_unstuck-5f0123456789abcdef"


def test_every_mention_of_the_connector_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    to = tmp_path / "made"
    assert main(["--connector", NAME, "--to", str(to)]) == 0
    made, before = read(to), read()
    ours = {name: each for name, each in made.connection_references.items() if "unstuck-" in each}
    assert set(ours) == {"unstuck_ApproversConnection", "unstuck_RequestersConnection"}
    for flow in made.flows:
        references = flow.document["properties"]["connectionReferences"]
        assert {each["api"]["name"] for each in references.values()} <= {NAME, "shared_teams"}
    for path in FOLDER.rglob("*.*ml"):
        assert (to / path.relative_to(FOLDER)).read_text("utf-8").replace(NAME, "shared_unstuck") == path.read_text(
            "utf-8"
        )
    assert '/apis/shared_unstuck"' not in "".join(path.read_text("utf-8") for path in to.glob("Workflows/*.json"))
    assert [flow.id for flow in made.flows] == [flow.id for flow in before.flows]


@pytest.mark.parametrize("name", ["unstuck", "shared_", "shared_a/b", 'shared_"', "shared_<"])
def test_what_is_no_name_is_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--connector", name, "--to", str(tmp_path / "made")])
    assert "is no name of a connector" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--connector", NAME, "--to", str(tmp_path)])
    assert "is there already" in capsys.readouterr().err
