"""The demo as its user meets it: one JSON object last, and an exit code that tells the truth."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEMO = "import sys; from pathlib import Path; from local.dev.commands import run; sys.exit(run(Path(), sys.argv[1:]))"
PATIENCE_SECONDS = 400

pytestmark = [pytest.mark.host, pytest.mark.azurite]


def demo(world: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the JSON object, and what was shown."""
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", DEMO, "demo", "--json", "--world", str(world), *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stderr


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The world of docs/worlds.md."""
    example = re.search(r"```yaml\n(.*?)```", (ROOT / "docs/worlds.md").read_text("utf-8"), re.DOTALL)
    assert example is not None
    file = tmp_path / "small.yaml"
    file.write_text(example.group(1), encoding="utf-8")
    return file


def test_the_example_of_the_documentation_ends_as_it_says_though_the_worker_is_killed(
    small: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "demo.svg"
    code, result, shown = demo(small, "--kill-worker", "2", "--svg", str(picture))
    assert code == 0, shown
    assert {key: result[key] for key in ("subscriptions", "stuck", "outcomes", "by_cause")} == {
        "subscriptions": 4,
        "stuck": 4,
        "outcomes": {"resolved": 4, "waiting": 0, "awaiting_approval": 0, "needs_person": 0, "escalated": 0},
        "by_cause": {"manual_provider": 1, "trigger_missed": 3},
    }
    wrong = ("wrong_cause", "wrong_outcome", "harmful_actions", "left_not_applicable")
    assert [result[key] for key in wrong] == [0, 0, 0, 0]
    assert set(result["dataverse_requests"]) == {"sweep", "diagnose", "remediate", "other"}
    assert result["seconds"] > 0
    assert "Every subscription ended as its world says" in shown
    assert "trigger_missed" in picture.read_text("utf-8")


def test_a_world_that_does_not_end_as_it_says_fails_and_says_which(small: Path) -> None:
    text = small.read_text("utf-8").replace("outcome: resolved, may_write: [2]", "outcome: escalated")
    small.write_text(text, encoding="utf-8")
    code, result, shown = demo(small, "--deadline", "25")
    assert code == 1
    assert result["wrong_outcome"] == 3
    assert result["harmful_actions"] > 0, "the world allows no write, and the app has written"
    assert "(missed): trigger_missed, " in shown
    assert "expected trigger_missed, escalated" in shown


def test_with_faults_it_ends_the_same_and_says_what_went_wrong(small: Path) -> None:
    code, result, shown = demo(small, "--faults", "--seed", "1")
    assert code == 0, shown
    assert result["by_cause"] == {"manual_provider": 1, "trigger_missed": 3}
    assert result["outcomes"]["resolved"] == 4
    wrong = ("wrong_cause", "wrong_outcome", "harmful_actions", "left_not_applicable")
    assert [result[key] for key in wrong] == [0, 0, 0, 0]
    assert result["faults"]["429 to a read"] > 0
    assert result["faults"]["storage busy"] > 0
    assert sum(result["faults"].values()) >= 10
    assert "(seed 1)" in shown
