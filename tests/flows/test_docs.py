"""What the readmes and docs/power-automate.md say of connector and flows."""

import re
from pathlib import Path

from flows.definition import Definition
from flows.source import FOLDER, read

ROOT = FOLDER.parents[1]


def test_the_readme_names_every_flow_connection_and_variable() -> None:
    text, source = (ROOT / "flows" / "README.md").read_text("utf-8"), read()
    names = [flow.file.partition("-")[0] for flow in source.flows]
    for name in (*names, *source.connection_references, *source.variables):
        assert f"`{name}`" in text


def test_what_the_docs_say_of_retries_is_so() -> None:
    for flow in read().flows:
        for step in Definition(flow.document["properties"]["definition"]).steps:
            if step.kind == "OpenApiConnection":
                policy = step.inputs["retryPolicy"]
                assert (policy["type"], policy["count"], policy["interval"]) == ("exponential", 4, "PT10S")


def test_the_loop_looks_as_often_as_the_docs_say() -> None:
    loops = [
        step
        for flow in read().flows
        for step in Definition(flow.document["properties"]["definition"]).steps
        if step.kind == "Until"
    ]
    assert len(loops) == 2
    for loop in loops:
        assert loop.body["limit"] == {"count": 20, "timeout": "PT1H"}
        assert loop.body["actions"]["Wait_two_minutes"]["inputs"] == {"interval": {"count": 2, "unit": "Minute"}}


def test_links_lead_somewhere() -> None:
    for path in (ROOT / "flows" / "README.md", ROOT / "connector" / "README.md", ROOT / "docs" / "power-automate.md"):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text("utf-8")):
            assert (path.parent / Path(link)).exists(), f"{path.name}: {link}"
