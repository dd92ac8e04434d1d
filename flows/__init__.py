"""Flow templates as unpacked solution source, and the linter that they are held to. Not deployed."""
