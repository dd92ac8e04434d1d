"""The closing screen as an SVG file, for the README."""

import io
import re
from pathlib import Path

from rich.console import Console, RenderableType

_WIDTH = 104
# rich's picture fetches its font from a server; readers' own monospaced fonts must do.
_WEB_FONT = re.compile(r"@font-face \{.*?\}", re.DOTALL)


def save_picture(drawn: RenderableType, file: Path) -> None:
    """Writes the picture; the folder must be there."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(drawn)
    picture = console.export_svg(title="python3 dev.py demo")
    file.write_text(_WEB_FONT.sub("", picture), encoding="utf-8")
