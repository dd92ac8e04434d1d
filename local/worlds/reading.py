"""Reading a world file. Whatever is wrong is said with the file, the place in it and what to do."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from local.worlds.model import World

FOLDER = Path(__file__).parent


class WorldError(Exception):
    """A world that cannot be loaded; the message names every problem."""


def shipped_worlds() -> list[str]:
    """The names of the worlds in this folder."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def find_world(name: str) -> Path:
    """The file of that path, or the shipped world of that name. WorldError when there is none."""
    for file in (Path(name), FOLDER / f"{name}.yaml"):
        if file.is_file():
            return file
    raise WorldError(f"there is no world file {name}; shipped worlds are {', '.join(shipped_worlds())}")


def read_world(file: Path) -> World:
    """The world in a file. Raises WorldError."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorldError(f"{file}: cannot be read: {error}") from error
    return parse_world(text, str(file))


def parse_world(text: str, source: str) -> World:
    """The world in a text; `source` is what messages call it. Raises WorldError."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise WorldError(f"{source}: is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise WorldError(f"{source}: a world is a mapping that begins with name, about and providers")
    try:
        return World.model_validate(content)
    except ValidationError as error:
        raise WorldError("\n".join(_problem(source, content, dict(one)) for one in error.errors())) from error


def _problem(source: str, content: dict[str, Any], error: dict[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        what = "there is no such field: correct its name or take it out (docs/worlds.md lists them)"
    else:
        what = str(error["msg"]).removeprefix("Value error, ")
    return f"{source}: {_place(content, error['loc'])}: {what}"


def _place(content: Any, loc: tuple[int | str, ...]) -> str:
    """The path of a field, with the group's name where a number alone would have to be counted out."""
    words = []
    for step in loc:
        try:
            content = content[step]
        except (KeyError, IndexError, TypeError):
            content = None
        name = content.get("group") if isinstance(content, dict) else None
        words.append(f"{step} (group {name})" if name else str(step))
    return ".".join(words) or "the world"
