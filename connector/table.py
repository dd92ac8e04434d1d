"""The table of operations in connector/README.md. `python -m connector.table` writes it anew between its markers."""

import json
import re
import sys
from pathlib import Path

from connector.document import Document, Operation
from connector.lint import COMMITTED

README = Path(__file__).parent / "README.md"

BEGIN, END = "<!-- operations: made by python -m connector.table -->", "<!-- end of operations -->"


def table(document: Document) -> str:
    """Every operation that people see, triggers first, then in the order of the document."""
    seen = [each for each in document.operations if each.body.get("x-ms-visibility") != "internal"]
    ordered = sorted(seen, key=lambda each: "x-ms-trigger" not in each.body)
    rows = ["| operation | title | what it does | fields |", "|---|---|---|---|"]
    rows += [
        f"| `{each.name}` | {each.body['summary']} | {each.body['description']} | {_fields(document, each)} |"
        for each in ordered
    ]
    return "\n".join(rows)


def readme_with(text: str, made: str) -> str:
    """The readme with the table in its place. Raises ValueError when the markers are not there."""
    if BEGIN not in text or END not in text:
        raise ValueError(f"README.md needs the lines {BEGIN} and {END}")
    pattern = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END), re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n{made}\n{END}", text)


def _fields(document: Document, operation: Operation) -> str:
    """What people fill in, the required ones in bold."""
    named: list[str] = []
    for each in operation.parameters:
        if each.get("in") != "body":
            named.append(_named(str(each["name"]), bool(each.get("required"))))
            continue
        schema = document.resolved(each.get("schema", {}))
        required = schema.get("required", [])
        visible = {k: v for k, v in document.properties_of(schema).items() if v.get("x-ms-visibility") != "internal"}
        named += [_named(name, name in required) for name in visible]
    return ", ".join(named) or "none"


def _named(name: str, required: bool) -> str:
    return f"**{name}**" if required else name


if __name__ == "__main__":
    made = table(Document(json.loads(COMMITTED.read_text("utf-8"))))
    README.write_text(readme_with(README.read_text("utf-8"), made), "utf-8")
    sys.stdout.write("README.md has the table\n")
