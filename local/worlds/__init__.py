"""Worlds: files that say what is in a local environment, what is broken in it, and how it should end."""

from local.worlds.building import build
from local.worlds.reading import WorldError, find_world, parse_world, read_world, shipped_worlds

__all__ = ["WorldError", "build", "find_world", "parse_world", "read_world", "shipped_worlds"]
