"""dev.py before its environment stands: any Python can read it, and what is made is made once and to its end."""

import ast
import json
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from local.dev.environments import CHECKOV, STAMP, Environment, environments, prepare
from local.dev.only_one import only_one
from local.dev.pythons import OLDEST_PYTHON, SetUpError, find_npm, find_python

ROOT = Path(__file__).parents[2]
BEFORE_OUR_PYTHON = (
    "dev.py",
    "local/__init__.py",
    *(f"local/dev/{n}.py" for n in ("__init__", "environments", "only_one", "pythons")),
)


@pytest.mark.parametrize("name", BEFORE_OUR_PYTHON)
def test_an_old_python_can_read_what_runs_before_the_environment_stands(name: str) -> None:
    tree = ast.parse((ROOT / name).read_text("utf-8"), feature_version=(3, 8))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    # commands is imported by our own Python only, after everything stands.
    ours = {f"local.dev.{n}" for n in ("environments", "only_one", "pythons", "commands")}
    foreign = {module for module in imported - ours if module.split(".")[0] not in sys.stdlib_module_names}
    assert foreign == set()


def test_the_running_python_is_taken_when_it_is_new_enough() -> None:
    assert sys.version_info[:2] >= OLDEST_PYTHON
    assert find_python().exists()


def test_a_missing_python_is_named_with_the_ways_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.dev.pythons.OLDEST_PYTHON", (99, 0))
    with pytest.raises(SetUpError) as raised:
        find_python()
    assert "Python 99.0 or newer" in str(raised.value)
    assert "apt install" in str(raised.value)
    assert str(find_executable()) in str(raised.value)


def find_executable() -> str:
    """What the message shows of the Python that was found and is too old."""
    return ".".join(map(str, sys.version_info[:2]))


def test_a_missing_node_is_named_with_the_ways_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.dev.pythons.shutil.which", lambda _: None)
    with pytest.raises(SetUpError, match=r"Node 20 or newer with npm is needed.*nodejs.org"):
        find_npm()


class Workshop:
    """A folder with one environment whose making only writes down that it was made."""

    def __init__(self, folder: Path, script: str = "") -> None:
        self.folder = folder
        self.lock = folder / "lock.txt"
        self.lock.write_text("one==1")
        self.target = folder / "made"
        self.count = folder / "count"
        self.script = script

    def environment(self) -> Environment:
        return Environment("toy", self.target, (self.lock,), self.target / "proof", self._commands)

    def prepare(self) -> bool:
        return prepare(self.folder, [self.environment()], lambda: Path(sys.executable))

    def times_made(self) -> int:
        return len(self.count.read_text()) if self.count.exists() else 0

    def _commands(self, environment: Environment, python: Path) -> Sequence[Sequence[str]]:
        program = (
            f"import pathlib; f = pathlib.Path({str(environment.folder)!r}); f.mkdir(exist_ok=True);"
            f"(f / 'proof').touch(); open({str(self.count)!r}, 'a').write('x'); {self.script}"
        )
        return ((str(python), "-c", program),)


def test_it_is_made_once(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    assert workshop.prepare() is True
    assert workshop.prepare() is False
    assert workshop.times_made() == 1


def test_another_lock_file_makes_it_again(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    workshop.prepare()
    workshop.lock.write_text("one==2")
    assert workshop.prepare() is True
    assert workshop.times_made() == 2


def test_one_whose_interpreter_is_gone_is_made_again(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    workshop.prepare()
    (workshop.target / "proof").unlink()
    assert workshop.prepare() is True


def test_one_that_was_interrupted_is_made_again(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, script="raise SystemExit('no space left')")
    with pytest.raises(SetUpError, match="setting up toy failed") as raised:
        workshop.prepare()
    assert "no space left" in str(raised.value)
    assert not (workshop.target / STAMP).exists()
    workshop.script = ""
    assert workshop.prepare() is True
    assert workshop.environment().is_ready()


def test_two_at_once_make_it_once(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    both = [threading.Thread(target=workshop.prepare) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert workshop.times_made() == 1


def test_the_second_one_waits_for_the_lock_and_says_so(tmp_path: Path) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        with only_one(tmp_path / "lock", waiting.set):
            order.append("second")

    with only_one(tmp_path / "lock", lambda: None):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_the_app_gets_only_what_is_deployed() -> None:
    by_name = {environment.name: environment for environment in environments(ROOT, tests=True)}
    assert by_name[".venv-app"].locks == (ROOT / "requirements.txt",)
    commands = by_name[".venv-app"].make(by_name[".venv-app"], Path("python"))
    assert all("--require-hashes" in command for command in commands if "pip" in command)


LOCKS = ("requirements.txt", "requirements/dev.txt", "requirements/checkov.txt")


def test_only_tests_want_what_only_tests_need() -> None:
    more = {each.name for each in environments(ROOT, tests=True)} - {
        each.name for each in environments(ROOT, tests=False)
    }
    assert more == {"client", CHECKOV}


def test_no_lock_file_names_a_registry() -> None:
    for name in (*LOCKS, "requirements/app.in", "requirements/dev.in", "requirements/checkov.in"):
        text = (ROOT / name).read_text("utf-8")
        assert "://" not in text, name
        assert "index-url" not in text, name
    for folder in ("local/azurite", "tests/client"):
        npm = json.loads((ROOT / folder / "package-lock.json").read_text("utf-8"))
        assert [name for name, package in npm["packages"].items() if "resolved" in package] == []


def test_every_locked_package_has_hashes() -> None:
    for name in LOCKS:
        entries = (ROOT / name).read_text("utf-8").replace("\\\n", " ").splitlines()
        pins = [line for line in entries if "==" in line and not line.lstrip().startswith("#")]
        assert pins
        assert [line for line in pins if "--hash=sha256:" not in line] == []


def test_development_has_the_very_versions_that_are_deployed() -> None:
    def pins(name: str) -> dict[str, str]:
        lines = (ROOT / name).read_text("utf-8").splitlines()
        found = [line.split()[0].split("==") for line in lines if "==" in line and not line.startswith((" ", "#"))]
        return dict(found)

    deployed, development = pins("requirements.txt"), pins("requirements/dev.txt")
    assert {name: development.get(name) for name in deployed} == deployed
