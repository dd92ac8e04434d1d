"""A package, so that pytest puts the root of the project on the import path."""
