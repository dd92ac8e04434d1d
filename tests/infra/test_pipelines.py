"""Workflow files and azure.yaml: their schema, what they refer to, and that no value is run as code."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.infra.bicep_source import load

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCHEMA = files("check_jsonschema").joinpath("builtin_schemas/vendor/github-workflows.json")


def complaints(text: str) -> list[str]:
    """What the schema of GitHub's workflow files has against a file."""
    # YAML 1.1 reads the key `on` as true; GitHub does not.
    document = {("on" if key is True else key): value for key, value in yaml.safe_load(text).items()}
    validator = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    return [error.message for error in validator.iter_errors(document)]


def steps(file: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job.get("steps", [])]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_each_workflow_fits_its_schema(file: Path) -> None:
    assert complaints(file.read_text(encoding="utf-8")) == []


def test_a_misspelt_key_is_found() -> None:
    text = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    assert complaints(text.replace("runs-on:", "run-on:"))


def test_the_four_are_there() -> None:
    assert [file.stem for file in WORKFLOWS] == ["deploy", "infra", "promote", "test"]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_no_value_is_pasted_into_a_shell(file: Path) -> None:
    pasted = [step.get("name") for step in steps(file) if "${{" in step.get("run", "")]
    assert pasted == [], "values go through env"


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_rights_are_named_and_no_secret_is_stored(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    assert document["permissions"] == {"contents": "read"}
    assert "secrets." not in text
    for name, job in document["jobs"].items():
        signs_in = any(step.get("uses", "").startswith("azure/login@") for step in job.get("steps", []))
        assert not signs_in or job["permissions"]["id-token"] == "write", name


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_every_file_that_is_named_is_there(file: Path) -> None:
    for path in re.findall(r"(?<![\w./$-])(?:infra|\.github)/[\w./-]+\.\w+", file.read_text(encoding="utf-8")):
        assert (ROOT / path).is_file(), path


def test_the_package_is_built_on_azure_without_what_is_not_deployed() -> None:
    (action,) = [s for s in steps(ROOT / ".github/workflows/deploy.yml") if "functions-action" in s.get("uses", "")]
    assert action["with"]["remote-build"] is True
    assert action["with"]["respect-funcignore"] is True


def test_each_parameter_file_finds_its_environment_in_the_workflow() -> None:
    deploy = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8"))
    given = set(deploy["jobs"]["deploy"]["env"])
    for source in load(ROOT / "infra"):
        if source.path.name in ("test.bicepparam", "production.bicepparam"):
            assert set(re.findall(r"readEnvironmentVariable\('(\w+)'", source.text)) <= given


def test_the_outputs_that_the_deployment_reads_are_there() -> None:
    deploy = (ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8")
    (main,) = [source for source in load(ROOT / "infra") if str(source.path) == "main.bicep"]
    assert set(re.findall(r"jq -r \.(\w+)\.value", deploy)) <= set(main.of("output"))


def test_azure_yaml_leads_to_what_is_there() -> None:
    document = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
    assert set(document) == {"name", "infra", "services"}
    infra, api = document["infra"], document["services"]["api"]
    assert (ROOT / infra["path"] / f"{infra['module']}.bicep").is_file()
    assert (ROOT / infra["path"] / f"{infra['module']}.bicepparam").is_file()
    assert (ROOT / api["project"] / "host.json").is_file()
    assert (api["language"], api["host"]) == ("py", "function")
    assert "'azd-service-name': 'api'" in (ROOT / "infra/modules/app.bicep").read_text(encoding="utf-8")


def test_each_rule_that_checkov_skips_has_its_reason() -> None:
    lines = (ROOT / "infra" / "checkov.yaml").read_text(encoding="utf-8").splitlines()
    skipped = [line for line in lines if "CKV_" in line]
    assert len(skipped) >= 5
    assert [line for line in skipped if not re.fullmatch(r"  - CKV_AZURE_\d+ +# \S.{15,}", line)] == []
