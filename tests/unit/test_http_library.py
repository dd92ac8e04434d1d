"""The HTTP library is known to one module, so that its successor touches one file."""

import ast
from pathlib import Path

import shared

ROOT = Path(shared.__file__).parent


def test_one_module_imports_the_http_library() -> None:
    importers = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py") if "httpx" in _imports(path)]
    assert importers == ["adapters/web/transport.py"]


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names
