"""Draws icon.png: an arrow that leaves a ring through its gap. `python -m connector.icon` writes it anew."""

import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).parent

SIZE = 230
"""Pixels each way; connectors take 100 to 230."""

_FINER = 4
"""Drawn larger and made small again, so that edges are smooth."""

_WHITE = "#ffffff"


def drawn() -> Image.Image:
    """The icon, on the colour that apiProperties.json names."""
    side = SIZE * _FINER
    image = Image.new("RGB", (side, side), brand_color())
    draw = ImageDraw.Draw(image)
    centre, radius, width = side / 2, side * 0.27, round(side * 0.075)
    left, top = centre - radius, centre - radius * 0.9
    draw.arc((left, top, left + 2 * radius, top + 2 * radius), start=-50, end=230, fill=_WHITE, width=width)
    half = width / 2
    tip = centre - radius * 1.2
    draw.rectangle((centre - half, tip + width, centre + half, centre + radius * 0.3), fill=_WHITE)
    draw.polygon([(centre, tip), (centre - 2 * half, tip + 2 * width), (centre + 2 * half, tip + 2 * width)], _WHITE)
    return image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def brand_color() -> str:
    """The background, as `#rrggbb`."""
    properties = json.loads((FOLDER / "apiProperties.json").read_text("utf-8"))["properties"]
    return str(properties["iconBrandColor"])


if __name__ == "__main__":
    drawn().save(FOLDER / "icon.png", optimize=True)
    sys.stdout.write("icon.png is drawn\n")
