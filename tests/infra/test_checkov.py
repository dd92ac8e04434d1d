"""Known security rules: checkov over every resource of the Bicep files, as they are written.

Input: the files, and copies with a fault. Output: the rules that are broken. Not faked: checkov, in its own process.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.dev.environments import CHECKOV, interpreter
from tests.infra.as_arm import template

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
SKIPPED = frozenset(yaml.safe_load((INFRA / "checkov.yaml").read_text("utf-8"))["skip-check"])

FAULTS = {
    "CKV_AZURE_3": ("modules/storage.bicep", "supportsHttpsTrafficOnly: true", "supportsHttpsTrafficOnly: false"),
    "CKV_AZURE_44": ("modules/storage.bicep", "'TLS1_2'", "'TLS1_0'"),
    "CKV_AZURE_34": ("modules/storage.bicep", "publicAccess: 'None'", "publicAccess: 'Blob'"),
    "CKV_AZURE_14": ("modules/app.bicep", "httpsOnly: true", "httpsOnly: false"),
    "CKV_AZURE_110": ("modules/vault.bicep", "enablePurgeProtection: true", "enablePurgeProtection: null"),
}
"""A fault that a rule names, for each kind of resource that holds something."""


def broken(made: dict[str, Any], folder: Path) -> tuple[set[str], int]:
    """The rules that a template breaks, none skipped, and how many checks it passes."""
    file = folder / "main.json"
    file.write_text(json.dumps(made), "utf-8")
    program = str(interpreter(ROOT / CHECKOV).with_name("checkov"))
    wanted = ["--framework", "arm", "--file", str(file), "--output", "json", "--skip-download"]
    done = subprocess.run([program, *wanted], capture_output=True, text=True, check=False)  # noqa: S603  our own program
    assert done.returncode in (0, 1), done.stderr
    said = json.loads(done.stdout)
    assert said["summary"]["parsing_errors"] == 0
    return {each["check_id"] for each in said["results"]["failed_checks"]}, said["summary"]["passed"]


def test_nothing_is_broken_but_what_is_skipped_for_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = template(INFRA)
    found, passed = broken(made, tmp_path)
    assert found - SKIPPED == set(), "mend it, or say in infra/checkov.yaml why it stays"
    assert SKIPPED - found == set(), "nothing breaks these any more: take them out of infra/checkov.yaml"
    with capsys.disabled():
        print(f"\ninfra: {passed} of checkov's checks passed by {len(made['resources'])} resources")


def test_a_fault_that_is_planted_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "infra"
    for file in INFRA.rglob("*.bicep"):
        copy = folder / file.relative_to(INFRA)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.read_text("utf-8"), "utf-8")
    for name, old, new in FAULTS.values():
        text = (folder / name).read_text("utf-8")
        assert old in text, f"{old} is no longer in {name}"
        (folder / name).write_text(text.replace(old, new, 1), "utf-8")
    found, _ = broken(template(folder), tmp_path)
    assert found - SKIPPED >= FAULTS.keys()
