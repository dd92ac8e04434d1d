"""docs/operations.md names every alert and every signal that infra/ reads, and nothing that is not there."""

import json
import re
import subprocess
import sys
from pathlib import Path

from infra.setup import COMMANDS
from tests.infra.bicep_source import load, properties, text

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
DOCS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SIGNAL = re.compile(r"unstuck\.[a-z_]+(?:\.[a-z_]+)*")


def rules() -> dict[str, dict[str, str]]:
    """The alert rules by name."""
    (alerts,) = [source for source in load(INFRA) if source.path.name == "alerts.bicep"]
    found = [properties(each) for each in alerts.of("var")["rules"].node.named_children[-1].named_children]
    return {text(rule["name"]): {name: text(value) for name, value in rule.items()} for rule in found}


def documented() -> dict[str, set[str]]:
    """Signals with their dimensions, from the table."""
    part = DOCS.partition("## Signals")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in part.splitlines() if line.startswith("| `unstuck.")]
    return {row[1].strip(" `"): set(re.findall(r"`(\w+)`", row[3])) for row in rows}


def queries() -> list[str]:
    workbook = json.loads((INFRA / "workbook.json").read_text(encoding="utf-8"))
    items = [item["content"] for item in workbook["items"]]
    return [rule["query"] for rule in rules().values()] + [item["query"] for item in items if "query" in item]


def test_each_alert_says_what_to_do() -> None:
    part = DOCS.partition("## Alerts")[2]
    sections = dict(re.findall(r"### ([\w-]+)\n\n(.+?)(?=\n###|\Z)", part, re.DOTALL))
    assert set(sections) == set(rules())
    assert [name for name, body in sections.items() if len(body) < 150] == []


def test_the_alarms_that_were_asked_for_are_there() -> None:
    assert set(rules()) == {
        "no-complete-sweep",
        "poison-message",
        "unsettled-case",
        "left-not-applicable",
        "escalations-rising",
        "breaker-open",
        "approval-waiting",
        "dataverse-refused",
    }
    assert [name for name, rule in rules().items() if rule["silent"] == "true"] == ["no-complete-sweep"]


def test_silence_means_three_periods_of_the_shipped_schedule() -> None:
    files = {str(source.path): source.text for source in load(INFRA)}
    (minutes,) = re.findall(r"sweep: '0 \*/(\d+) ", files["main.bicep"])
    silences = [re.findall(r"sweepSilence: 'PT(\d+)M'", text) for name, text in files.items() if "param" in name]
    assert silences == [[str(3 * int(minutes))]] * 3


def test_signals_agree_both_ways() -> None:
    used = {name for query in queries() for name in SIGNAL.findall(query)}
    assert used == set(documented())


def test_no_query_asks_for_a_dimension_that_is_not_documented() -> None:
    for query in queries():
        dimensions = set(re.findall(r"Properties\.(\w+)", query))
        known = {each for name in SIGNAL.findall(query) for each in documented()[name]}
        assert dimensions <= known, query


def test_poison_functions_are_named_as_in_the_code() -> None:
    code = (ROOT / "shared" / "entrypoints" / "queues.py").read_text(encoding="utf-8")
    wanted = re.findall(r'function_name\("(\w+_poison)"\)', code)
    assert all(f'"{name}"' in rules()["poison-message"]["query"] for name in wanted)
    assert wanted


def test_each_role_that_is_assigned_is_in_the_table() -> None:
    for source in load(INFRA):
        for name in source.of("var") if source.path.name in ("roles.bicep", "vault.bicep") else []:
            spoken = re.sub(r"([A-Z])", r" \1", name).strip().title()
            assert f"| {spoken} |" in DOCS, spoken


def test_the_commands_of_the_page_are_those_of_the_script() -> None:
    known = commands()
    shown = re.findall(r"setup\.py (\w+)((?: [^`\n|]*(?:\\\n[^`\n|]*)*)?)", DOCS)
    assert {command for command, _ in shown} == set(known)
    for command, options in shown:
        assert set(re.findall(r"--[\w-]+", options)) <= known[command], (command, options)


def commands() -> dict[str, set[str]]:
    """The options of each command of setup.py, from what its help says."""
    found = {}
    for command in COMMANDS:
        done = subprocess.run(  # noqa: S603  our own program
            [sys.executable, str(INFRA / "setup.py"), command, "--help"], capture_output=True, text=True, check=True
        )
        found[command] = set(re.findall(r"--[\w-]+", done.stdout))
    return found


def test_every_file_that_is_named_is_there() -> None:
    for path in re.findall(r"(?<![\w/])infra/[\w.-]+\.(?:py|bicepparam|bicep|json|yaml)", DOCS):
        assert (ROOT / path).is_file(), path
