"""Whether a swagger document keeps the rules of Microsoft's connector certification that can be told from it alone.

`python -m connector.lint [FILE]` names every problem of a document, by default of the committed one.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from connector.document import Document, Json
from connector.rules import RULES
from connector.rules.whole import LARGEST

COMMITTED = Path(__file__).parent / "apiDefinition.swagger.json"


def problems(document: Json) -> list[str]:
    """What is wrong, a sentence each that begins with where; empty when nothing is."""
    looked_at = Document(document)
    found = [problem for rule in RULES for problem in rule(looked_at)]
    if len(json.dumps(document)) > LARGEST:
        found.append(f"the document is larger than {LARGEST:,} bytes")
    return list(dict.fromkeys(found))


def main(arguments: Sequence[str]) -> int:
    """Prints what is wrong. The exit code: 0 when nothing is."""
    path = Path(arguments[0]) if arguments else COMMITTED
    found = problems(json.loads(path.read_text("utf-8")))
    print("\n".join(found) or f"{path.name}: nothing to object to")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
