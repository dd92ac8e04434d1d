"""docs/messages.md and the catalogue's data agree. `python -m tests.unit.test_messages_docs` writes its tables anew."""

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

from shared.domain.provider_errors import Waiting, read_message

DATA: dict[str, Any] = json.loads(resources.files("shared.domain").joinpath("provider_errors.json").read_text("utf-8"))
DOCS = Path(__file__).parents[2] / "docs" / "messages.md"
BEGIN, END = "<!-- the catalogue begins -->\n", "<!-- the catalogue ends -->\n"


def test_the_docs_show_the_catalogue() -> None:
    shown = DOCS.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    assert shown == table(), "write it anew: python -m tests.unit.test_messages_docs"


def test_the_example_of_the_docs_is_what_is_answered() -> None:
    asked, answered = map(json.loads, re.findall(r"```json\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL))
    reading = read_message(**asked["messages"][0])
    assert {name: getattr(reading, name, None) for name in answered} == answered


def test_the_docs_name_every_waiting_class() -> None:
    text = DOCS.read_text("utf-8")
    assert all(f"| {waiting} |" in text for waiting in Waiting)


def table() -> str:
    """The catalogue as Markdown, one table for each family."""
    parts = []
    for name, family in DATA["families"].items():
        rows = [_code_row(row) for row in (*DATA["codes"], *DATA["wrappers"]) if row["family"] == name]
        rows += [_text_row(row) for row in DATA["texts"] if row.get("family") == name]
        rows += [_status_row(row) for row in DATA["statuses"] if name == "http" and "cause" in row]
        link = f"[{family['link'].removeprefix('https://')}]({family['link']})\n\n" if family["link"] else ""
        parts.append(f"### {family['title']}\n\n{link}| code or text | cause | waits | means |\n|---|---|---|---|\n")
        parts += [*rows, "\n"]
    parts.append("### Texts that mean the same as a code\n\n| text | code |\n|---|---|\n")
    parts += [f"| {_said(row)} | `{row['code']}` |\n" for row in DATA["texts"] if "code" in row]
    return "".join(parts)


def _code_row(row: dict[str, Any]) -> str:
    names = "".join(f" {name}" for name in row.get("names", ()))
    return _row(f"`{row['code']}`{names}", row)


def _text_row(row: dict[str, Any]) -> str:
    return _row(_said(row), row)


def _status_row(row: dict[str, Any]) -> str:
    return _row(f"`{row['status']}` {row['phrases'][0]}", row)


def _said(row: dict[str, Any]) -> str:
    return " … ".join(row["said"])


def _row(first: str, row: dict[str, Any]) -> str:
    seconds = f" {row['wait_seconds']} s" if "wait_seconds" in row else ""
    return f"| {first} | {row['cause'] or '–'} | {row['waiting']}{seconds} | {row['means']} |\n"  # noqa: RUF001  a dash


if __name__ == "__main__":
    before, _, rest = DOCS.read_text("utf-8").partition(BEGIN)
    DOCS.write_text(f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}", "utf-8")
