"""A client for the Dataverse Web API (v9.2) that never writes without an ETag and never returns half a read."""
