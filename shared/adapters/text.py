"""Text from outside, so that it can be sent on."""


def well_formed(text: str) -> str:
    """`text` with halves of emojis (a message cut by its sender) replaced, since such text cannot be sent."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
