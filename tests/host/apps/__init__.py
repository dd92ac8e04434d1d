"""Small function apps, each run by the local host as it stands."""
